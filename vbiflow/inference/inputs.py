"""Network inputs of a training set: features scaled and reduced, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vbiflow.inference.conditional_gaussian import FARTHEST, ConditionalGaussian, correlation
from vbiflow.inference.reduction import Reduction
from vbiflow.inference.regressions import largest_family
from vbiflow.inference.scaling import ROWS, Scaling

MANY_PARAMETERS = 20
"""Parameters from which on `auto` of regression, networks of single parameters and dropout means yes."""
SURVEYED = 20_000, 20_000_000
"""Most rows, and most numbers, from which the scaling and reduction of features are found."""
APART = 2000
"""Training rows from which on the regression learns from a third of them, and networks and flow from the others."""
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
    x: Any,
    z: np.ndarray,
    train: np.ndarray,
    names: Sequence[str],
    parameters: Sequence[str],
    options: Mapping[str, Any],
) -> tuple[Scaling, Condenser, np.ndarray, dict[str, str]]:
    """How features x (n, f) become inputs, from the rows `train` alone, whose z (n_train, p) comes first.

    Missing values are counted over all of these rows, the rest is found from the first of them: with a regression from
    a third at most, if they are many, so that most are unknown to it.

    Returns
    -------
    Scaling, Condenser, the inputs (m, k) of the first m training rows where they differ from those that the condenser
    gives, and {name: reason} of the features dropped
    """
    wanted = np.zeros(len(x), bool)
    wanted[train] = True
    absent, sample, n_sample = np.zeros(x.shape[1]), [], 0
    enough, embedded = surveyed_rows(x.shape[1]), options["embedding"]["name"] != "none"
    if learns_apart(options, len(train), z.shape[1]):
        enough = min(enough, len(train) // 3)
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
    reduction, own = Reduction.identity(u.shape[1]), np.empty((0, u.shape[1]), np.float32)
    if options["reduction"] != "none" and not embedded:  # an embedding knows the features' order
        reduction, own = Reduction.fit(u, z[: len(u)], len(train))
    if not is_regressed(options, z.shape[1]):
        return scaling, Condenser(reduction), own, dropped
    regression, moments = ConditionalGaussian.fit(u, z[: len(u)], largest_family(parameters))
    own = np.concatenate([own if len(own) else reduction(u), moments], axis=1)
    return scaling, Condenser(reduction, regression), own, dropped


def is_regressed(options: Mapping[str, Any], n_parameters: int) -> bool:
    """Whether the flow starts from a regression."""
    asked = options["regression"] != "none" and options["embedding"]["name"] == "none"
    return asked and n_parameters >= MANY_PARAMETERS


def learns_apart(options: Mapping[str, Any], n_train: int, n_parameters: int) -> bool:
    """Whether single parameters have networks, which learn as the flow does from what the regression has not met."""
    asked = options["marginal_networks"] != "none" and is_regressed(options, n_parameters)
    return asked and n_train >= APART


def surveyed_rows(n_features: int) -> int:
    """Most rows that are looked at together."""
    return min(SURVEYED[0], max(ROWS, SURVEYED[1] // n_features))


def network_inputs(
    x: Any, rows: np.ndarray, scaling: Scaling, condenser: Condenser, own: np.ndarray, path: str
) -> np.ndarray:
    """Inputs (len(rows), k) float32, the first of them `own`; beyond 256 MiB in a file at `path` that is mapped."""
    shape = (len(rows), condenser.n_outputs)
    if shape[0] * shape[1] * 4 > IN_MEMORY:
        out = np.memmap(path, np.float32, "w+", shape=shape)
    else:
        out = np.empty(shape, np.float32)
    place = np.full(len(x), -1)
    place[rows] = np.arange(len(rows))
    for start in range(0, len(x), ROWS):
        target = place[start : start + ROWS]
        if (target >= 0).any():  # a block of which no row is asked for is not read
            out[target[target >= 0]] = condenser(scaling(np.asarray(x[start : start + ROWS], float)[target >= 0]))
    if len(own):
        out[: len(own)] = own
    return out


class Inputs:
    """Training rows first, validation rows after them: z (n, p) and network inputs u (n, k), given out on a device.

    With a regression, z is what it leaves; `volume` (n,) is the logarithm of \\|dr / dz\\|. With networks too, z of the
    training rows is made as large and as independent as that of others is: their loss says nothing of what the networks
    know by heart.
    """

    def __init__(
        self, z: np.ndarray, u: np.ndarray, n_train: int, device: str, regression: ConditionalGaussian | None
    ) -> None:
        self.z, self.u, self.n_train, self.device = torch.from_numpy(z), u, n_train, device
        self.volume, self.regression = torch.zeros(len(z)), regression
        if regression:
            blocks = [slice(start, start + ROWS) for start in range(0, len(z), ROWS)]
            moments = (torch.from_numpy(u[block, -regression.n_outputs :]) for block in blocks)
            found = [regression.standardise(self.z[block], own) for block, own in zip(blocks, moments, strict=True)]
            self.z, self.volume = (torch.cat(parts) for parts in zip(*found, strict=True))
        if regression and regression.networks:  # they know training rows by heart, a little, and what is common to all
            learnt = self.z[:n_train]
            inner = learnt.clamp(-FARTHEST, FARTHEST).double()
            factor = torch.from_numpy(np.linalg.cholesky(correlation(inner.numpy())))
            white = torch.linalg.solve_triangular(factor, ((learnt - inner.mean(0)) / inner.std(0)).T, upper=False)
            self.z[:n_train] = white.T

    def rows(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Both for some rows."""
        return self.z[indices].to(self.device), torch.from_numpy(self.u[indices]).to(self.device)

    def training_rows(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Both for some rows, without what a network of few rows is not to learn of z."""
        z, u = self.rows(indices)
        whole = not self.regression or self.regression.networks
        return z if whole else self.regression.without_shared(z, u), u

    @property
    def shifts(self) -> dict[str, float]:
        """By how much the mean loss of z is below that of what the regression leaves, of both kinds of rows."""
        parts = {"train_loss": self.volume[: self.n_train], "validation_loss": self.volume[self.n_train :]}
        return {key: part.mean().item() for key, part in parts.items()}
