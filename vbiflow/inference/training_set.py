"""The simulations of a study as an estimator meets them: to learn from, to stop by, to be tested on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vbiflow.estimator_options import resolve_options
from vbiflow.inference.split import Split, split
from vbiflow.io import read, read_attributes
from vbiflow.prior import Prior

BLOCK = 4096
MOST_HELD_OUT = 5000
"""Held-out simulations that diagnostics use: they tell a coverage to within 0.7 %."""


@dataclass(frozen=True)
class TrainingSet:
    """Simulations of one study: parameters theta (n, p), features x (n, f) and which of them train, validate and test.

    Parameters
    ----------
    prior
        Prior of the p parameters that theta was drawn from.
    theta
        (n_simulations, n_parameters), in the prior's units.
    x
        (n_simulations, n_features), an array or an HDF5 dataset, which is read in blocks.
    names
        Names of the features, one a column of x.
    valid
        (n_simulations,) bool, which simulations count.
    split
        Rows that train, validate and test.

    Raises
    ------
    ValueError
        If the shapes do not belong together.
    """

    prior: Prior
    theta: np.ndarray
    x: Any
    names: tuple[str, ...]
    valid: np.ndarray
    split: Split

    def __post_init__(self) -> None:
        n_parameters = len(self.prior.names)
        if self.theta.ndim != 2 or self.theta.shape[1] != n_parameters:
            raise ValueError(
                f"theta has shape {self.theta.shape}; the prior has {n_parameters} parameters, one a column"
            )
        shape = tuple(self.x.shape)
        if shape != (len(self.theta), len(self.names)) or len(self.valid) != len(self.theta):
            raise ValueError(
                f"x has shape {shape} and valid {self.valid.shape}; with {len(self.theta)} theta and "
                f"{len(self.names)} names, x must have as many rows and columns"
            )

    @classmethod
    def of(
        cls,
        prior: Prior,
        theta: np.ndarray,
        x: Any,
        names: Sequence[str],
        options: Mapping[str, Any] | None = None,
        *,
        seed: int,
        valid: np.ndarray | None = None,
    ) -> TrainingSet:
        """Split simulations by the study's seed and the shares of its `inference` options; all are valid by default.

        Parameters
        ----------
        prior : of the parameters.
        theta : (n_simulations, n_parameters).
        x : features (n_simulations, n_features).
        names : of the features.
        options : the study's block `inference`, of which the shares for validation and test count.
        seed : of the study.
        valid : which simulations are valid (n_simulations,); by default all.
        """
        valid = np.ones(len(theta), bool) if valid is None else np.asarray(valid, bool)
        shares = resolve_options(options)
        parts = split(valid, seed, shares["validation_share"], shares["test_share"])
        return cls(prior, np.asarray(theta, float), x, tuple(names), valid, parts)

    @classmethod
    def load(
        cls, prior: str | Path, features: str | Path, options: Mapping[str, Any] | None = None, *, seed: int
    ) -> TrainingSet:
        """Read prior.h5 and features.h5 of an estimator; the features stay on disk until they are asked for.

        Raises
        ------
        ValueError
            If a file is unreadable, or if the two do not belong together.
        """
        drawn, found = read(prior, "theta", "names"), read(features, "names", "valid")
        x = h5py.File(features, "r")["x"]  # the dataset keeps its file open
        law = Prior.from_plain(read_attributes(prior)["prior"], drawn["names"])
        return cls.of(law, drawn["theta"], x, found["names"], options, seed=seed, valid=found["valid"])

    def rows(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters and features of some simulations, (m, p) and (m, f), read in blocks."""
        indices = np.asarray(indices)
        if isinstance(self.x, np.ndarray):
            return self.theta[indices], self.x[indices]
        out = np.empty((len(indices), self.x.shape[1]), self.x.dtype)
        for start in range(0, len(self.x), BLOCK):
            mine = np.flatnonzero((indices >= start) & (indices < start + BLOCK))
            if len(mine):
                out[mine] = self.x[start : start + BLOCK][indices[mine] - start]
        return self.theta[indices], out

    def digest(self, *more: Any) -> str:
        """Name of what is made of these simulations with `more` settings: it changes with any of them.

        Of simulations as they are: what is computed of them rounds differently with another number of threads.
        """
        parts = vars(self.split).values()
        found = hashlib.blake2b(repr((more, *map(len, parts))).encode(), digest_size=8)
        for values in (self.theta, *parts):
            found.update(np.ascontiguousarray(values))
        for start in range(0, len(self.theta), BLOCK):
            found.update(np.ascontiguousarray(self.x[start : start + BLOCK]))
        return found.hexdigest()

    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Parameters and features of simulations that no training sees, 5 000 at most."""
        return self.rows(self.split.test[:MOST_HELD_OUT])

    @property
    def learnt(self) -> np.ndarray:
        """Rows that are not held out, in their order: those that train and those that validate."""
        return np.sort(np.r_[self.split.train, self.split.validation])

    def head(self, n: int) -> TrainingSet:
        """The first n simulations, x as an array; each keeps its use."""
        parts = {name: part[part < n] for name, part in vars(self.split).items()}
        return replace(self, theta=self.theta[:n], x=np.asarray(self.x[:n]), valid=self.valid[:n], split=Split(**parts))

    def columns(self, kept: np.ndarray) -> TrainingSet:
        """The same simulations with the features `kept`, column numbers, alone."""
        return replace(self, x=np.asarray(self.x)[:, kept], names=tuple(self.names[k] for k in kept))

    def first(self, n: int, validation_share: float, seed: int) -> TrainingSet:
        """The first n simulations that are not held out, of which `validation_share` validate and none tests."""
        part = self.learnt[:n]
        own = split(np.ones(len(part), bool), seed, validation_share, 0.0)
        return replace(self, split=Split(part[own.train], part[own.validation], part[own.test]))
