"""Network inputs of a training set: features scaled and reduced, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.inference.conditional_gaussian import ConditionalGaussian
from vbiflow.inference.reduction import Reduction
from vbiflow.inference.scaling import ROWS, Scaling

MANY_PARAMETERS = 20
"""Parameters from which on `auto` of regression and dropout means yes."""
SURVEYED = 20_000, 20_000_000
"""Most rows, and most numbers, from which the scaling and reduction of features are found."""
IN_MEMORY = 1 << 28


@dataclass(frozen=True)
class Condenser:
    """Scaled features u (n, k) to network inputs (n, c): of the reduction, then of the regression if there is one."""

    reduction: Reduction
    regression: ConditionalGaussian | None = None

    @property
    def n_outputs(self) -> int:
        """Number of network inputs."""
        return self.reduction.n_outputs + (self.regression.n_outputs if self.regression else 0)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """Network inputs (n, c) float32."""
        reduced = self.reduction(u)
        return np.concatenate([reduced, self.regression(u)], axis=1) if self.regression else reduced


def fit_inputs(
    x: Any, z: np.ndarray, train: np.ndarray, names: tuple[str, ...], options: Mapping[str, Any]
) -> tuple[Scaling, Condenser, np.ndarray, dict[str, str]]:
    """How features x (n, f) become inputs, from the rows `train` alone, whose z (n_train, p) comes first.

    Missing values are counted over all of these rows, the rest is found from the first of them.

    Returns
    -------
    Scaling, Condenser, the inputs (m, k) of the first m training rows where they differ from those that the condenser
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
    if options["embedding"]["name"] != "none":  # which knows the features' order
        options = {**options, "reduction": "none", "regression": "none"}
    reduction, own = Reduction.identity(u.shape[1]), np.empty((0, u.shape[1]), np.float32)
    if options["reduction"] != "none":
        reduction, own = Reduction.fit(u, z[: len(u)], len(train))
    if options["regression"] == "none" or z.shape[1] < MANY_PARAMETERS:
        return scaling, Condenser(reduction), own, dropped
    regression, moments = ConditionalGaussian.fit(u, z[: len(u)])
    own = np.concatenate([own if len(own) else reduction(u), moments], axis=1)
    return scaling, Condenser(reduction, regression), own, dropped


def network_inputs(
    x: Any, rows: np.ndarray, scaling: Scaling, condenser: Condenser, own: np.ndarray, folder: str
) -> np.ndarray:
    """Inputs (len(rows), k) float32, the first of them `own`; beyond 1 GiB in a file of `folder` that is mapped."""
    shape = (len(rows), condenser.n_outputs)
    if shape[0] * shape[1] * 4 > IN_MEMORY:
        out = np.memmap(Path(folder) / "inputs", np.float32, "w+", shape=shape)
    else:
        out = np.empty(shape, np.float32)
    place = np.full(len(x), -1)
    place[rows] = np.arange(len(rows))
    for start in range(0, len(x), ROWS):
        target = place[start : start + ROWS]
        out[target[target >= 0]] = condenser(scaling(np.asarray(x[start : start + ROWS], float)[target >= 0]))
    out[: len(own)] = own
    return out
