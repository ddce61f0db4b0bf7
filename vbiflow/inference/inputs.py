"""Network inputs of a training set: features scaled and reduced, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.inference.reduction import Reduction
from vbiflow.inference.scaling import ROWS, Scaling

SURVEYED = 20_000, 20_000_000
"""Most rows, and most numbers, from which the scaling and reduction of features are found."""
IN_MEMORY = 1 << 28


def fit_inputs(
    x: Any, z: np.ndarray, train: np.ndarray, names: tuple[str, ...], options: Mapping[str, Any]
) -> tuple[Scaling, Reduction, np.ndarray, dict[str, str]]:
    """How features x (n, f) become inputs, from the rows `train` alone, whose z (n_train, p) comes first.

    Missing values are counted over all of these rows, the rest is found from the first of them.

    Returns
    -------
    Scaling, Reduction, the inputs (m, k) of the first m training rows where they differ from those that the reduction
    gives, and {name: reason} of the features dropped
    """
    wanted = np.zeros(len(x), bool)
    wanted[train] = True
    absent, sample, n_sample = np.zeros(x.shape[1]), [], 0
    enough = min(SURVEYED[0], max(ROWS, SURVEYED[1] // x.shape[1]))
    for start in range(0, len(x), ROWS):
        block = np.asarray(x[start : start + ROWS], float)[wanted[start : start + ROWS]]
        absent += (~np.isfinite(block)).sum(axis=0)
        if n_sample < enough:
            sample.append(block[: enough - n_sample])
            n_sample += len(sample[-1])
    surveyed = np.concatenate(sample)
    sample.clear()
    scaling, dropped = Scaling.fit(surveyed, absent / len(train), names, options["scaling"], options["missing_share"])
    u = scaling(surveyed)
    if options["reduction"] == "none" or options["embedding"]["name"] != "none":  # which knows the features' order
        return scaling, Reduction.identity(u.shape[1]), np.empty((0, u.shape[1]), np.float32), dropped
    reduction, own = Reduction.fit(u, z[: len(u)], len(train))
    return scaling, reduction, own, dropped


def network_inputs(
    x: Any, rows: np.ndarray, scaling: Scaling, reduction: Reduction, own: np.ndarray, folder: str
) -> np.ndarray:
    """Inputs (len(rows), k) float32, the first of them `own`; beyond 1 GiB in a file of `folder` that is mapped."""
    shape = (len(rows), reduction.n_outputs)
    if shape[0] * shape[1] * 4 > IN_MEMORY:
        out = np.memmap(Path(folder) / "inputs", np.float32, "w+", shape=shape)
    else:
        out = np.empty(shape, np.float32)
    place = np.full(len(x), -1)
    place[rows] = np.arange(len(rows))
    for start in range(0, len(x), ROWS):
        target = place[start : start + ROWS]
        out[target[target >= 0]] = reduction(scaling(np.asarray(x[start : start + ROWS], float)[target >= 0]))
    out[: len(own)] = own
    return out
