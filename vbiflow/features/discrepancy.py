"""What no parameters of a model would explain, declared: noise on features of simulations, whose size can be inferred.

    x_k = f_k(simulation) + s z_k,   z_k standard normal,

for each value k of the features that a study lists under `discrepancy`. s, the parameter `discrepancy`, is the
standard deviation by which the model may miss a value, in the values' own unit (a correlation for FC). Recordings get
none, so that the posterior of s says how wrong the model is (Kennedy & O'Hagan 2001, doi:10.1111/1467-9868.00294).

A feature may have another shape than normal: with `spike_and_slab` a value is as likely to be met, z normal of standard
deviation SPIKE, as to be missed by any amount, z of a Cauchy distribution cut at MOST; s is then the scale of the slab.
It is the error model of noisy neural posterior estimation (Ward et al. 2022, arXiv:2210.06564), whose spike of 0.01 and
slab of 0.25 have this ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from vbiflow.io import Quantity, open_sealed, read_values
from vbiflow.marginals import DISCREPANCY
from vbiflow.streams import random_generator

NORMAL, SPIKE_AND_SLAB = "normal", "spike_and_slab"
SHAPES = (NORMAL, SPIKE_AND_SLAB)
TINY = 1e-12
SPIKE, MOST = 0.04, 20.0
"""Deviation of the spike, and where the slab is cut, over the slab's scale; 3 % of a Cauchy distribution lie beyond."""
PURPOSE = 0x64697363
"""Tells these random numbers from the others of a study's seed."""


def add_discrepancy(
    quantities: Mapping[str, Quantity], path: str | Path, features: Sequence[Any], seed: int, stream: int = 0
) -> dict[str, Quantity]:
    """A file's features with the discrepancy of its simulations added to the values of `features`, by their names.

    A feature is a name, or ``{name: shape}`` with one of SHAPES.

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
    names, shapes = quantities["names"].values, read_discrepancy(features)
    columns = columns_of(names, list(shapes))
    slab = np.isin(columns, columns_of(names, [name for name, shape in shapes.items() if shape == SPIKE_AND_SLAB]))
    x, index = np.array(quantities["x"].values, float), quantities["index"].values
    for row, k, s in zip(x, map(int, index), size, strict=True):
        z = random_generator(seed, PURPOSE, stream, k).standard_normal(len(columns))
        row[columns] += s * np.where(slab, spike_and_slab(z), z)
    return {**quantities, "x": replace(quantities["x"], values=x)}


def read_discrepancy(entries: Sequence[Any]) -> dict[str, str]:
    """Shape of the discrepancy of each feature that a study lists.

    Raises
    ------
    ValueError
        If a shape is unknown, or a feature stands twice.
    """
    shapes: dict[str, str] = {}
    for entry in entries:
        name, shape = next(iter(entry.items())) if isinstance(entry, Mapping) else (entry, NORMAL)
        if shape not in SHAPES:
            raise ValueError(f"{DISCREPANCY}.{name}: unknown shape {shape!r}; choose from {', '.join(SHAPES)}")
        if name in shapes:
            raise ValueError(f"{DISCREPANCY}: {name} stands twice; leave one out")
        shapes[name] = shape
    return shapes


def spike_and_slab(z: np.ndarray) -> np.ndarray:
    """Standard normal numbers made into those of a spike below zero and of a slab above."""
    u = ndtr(z)
    spike = SPIKE * ndtri(np.clip(2 * u, TINY, 1 - TINY))
    slab = np.tan(np.pi * (np.clip(2 * u - 1, 0, 1) - 0.5))
    return np.where(u < 0.5, spike, np.clip(slab, -MOST, MOST))


def columns_of(names: Sequence[str], features: Sequence[str]) -> np.ndarray:
    """Places of the values of some features among all, which are called ``feature.value``."""
    owners = [str(name).partition(".")[0].partition("[")[0] for name in names]
    for feature in features:
        if feature not in owners:
            raise ValueError(f"{DISCREPANCY}: no value of {feature}; choose from {', '.join(dict.fromkeys(owners))}")
    return np.flatnonzero(np.isin(owners, features))


def discrepancy_note(
    names: Sequence[str], theta: np.ndarray, features: Sequence[Any], fixed: float | None = None
) -> list[str]:
    """How wrong the model is, by samples theta (n_samples, n_parameters), or may be, where that is `fixed`."""
    shapes = read_discrepancy(features)
    told = ", ".join(shapes)
    if DISCREPANCY in names:
        low, middle, high = np.quantile(theta[:, list(names).index(DISCREPANCY)], [0.05, 0.5, 0.95])
        slab = SPIKE_AND_SLAB in shapes.values()
        where, does = ("where it misses", ", the model does so") if slab else ("the model misses", "")
        return [
            f"{where} a value of {told}{does} by {middle:.2g} beyond the noise of a recording "
            f"(90 %: {low:.2g} to {high:.2g}), and its posterior allows for that"
        ]
    if not shapes or fixed is None:
        return []
    return [f"all this for a model that may miss a value of {told} by {fixed:g}, as the study declares"]
