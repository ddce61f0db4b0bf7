"""What no parameters of a model would explain, declared: noise on features of simulations, whose size can be inferred.

    x_k = f_k(simulation) + s z_k,   z_k standard normal,

for each value k of the features that a study lists under `discrepancy`. s, the parameter `discrepancy`, is the
standard deviation by which the model may miss a value, in the values' own unit (a correlation for FC). Recordings get
none, so that the posterior of s says how wrong the model is (Kennedy & O'Hagan 2001, doi:10.1111/1467-9868.00294; for
neural estimators Ward et al. 2022, arXiv:2210.06564).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vbiflow.io import Quantity, open_sealed, read_values
from vbiflow.marginals import DISCREPANCY

PURPOSE = 0x64697363
"""Tells these random numbers from the others of a study's seed."""


def add_discrepancy(
    quantities: Mapping[str, Quantity], path: str | Path, features: Sequence[str], seed: int, stream: int = 0
) -> dict[str, Quantity]:
    """A file's features with the discrepancy of its simulations added to the values of `features`, by their names.

    `path` is the file of simulations, which holds the standard deviation of each. What is added to a simulation follows
    from `seed`, `stream` and its index alone.

    Raises
    ------
    ValueError
        If no value belongs to one of the features.
    """
    if not features:
        return dict(quantities)
    with open_sealed(path) as file:
        size = read_values(file, DISCREPANCY)
    columns = columns_of(quantities["names"].values, features)
    x, index = np.array(quantities["x"].values, float), quantities["index"].values
    for row, k, s in zip(x, map(int, index), size, strict=True):
        row[columns] += s * generator(seed, stream, k).standard_normal(len(columns))
    return {**quantities, "x": replace(quantities["x"], values=x)}


def columns_of(names: Sequence[str], features: Sequence[str]) -> np.ndarray:
    """Places of the values of some features among all, which are called ``feature.value``."""
    owners = [str(name).partition(".")[0].partition("[")[0] for name in names]
    for feature in features:
        if feature not in owners:
            raise ValueError(f"{DISCREPANCY}: no value of {feature}; choose from {', '.join(dict.fromkeys(owners))}")
    return np.flatnonzero(np.isin(owners, features))


def generator(seed: int, stream: int, index: int) -> np.random.Generator:
    """Random numbers of one simulation."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, PURPOSE, stream, index])))


def discrepancy_note(names: Sequence[str], theta: np.ndarray, features: Sequence[str]) -> list[str]:
    """A sentence on how wrong the model is, of posterior samples theta (n_samples, n_parameters); none if fixed."""
    if DISCREPANCY not in names:
        return []
    low, middle, high = np.quantile(theta[:, list(names).index(DISCREPANCY)], [0.05, 0.5, 0.95])
    return [
        f"the model misses a value of {', '.join(features)} by {middle:.2g} beyond the noise of a recording "
        f"(90 %: {low:.2g} to {high:.2g}), and its posterior allows for that"
    ]
