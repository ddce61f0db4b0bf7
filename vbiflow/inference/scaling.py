"""Standardised features: constant and missing ones dropped by rule, outliers compressed, statistics kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LINEAR = 5.0
ROWS = 4096
COLUMNS = 256


@dataclass(frozen=True)
class Scaling:
    """Features (n, f) to network inputs (n, k): the kept ones standardised, then 0/1 columns of what is missing.

    ``u = (x - centre) / scale``; with `robust`, centre and scale are median and interquartile range / 1.349, and u is
    compressed (`compress`).
    """

    keep: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    missing: np.ndarray
    robust: bool

    @classmethod
    def fit(
        cls, x: np.ndarray, absent: np.ndarray, names: Sequence[str], kind: str, missing_share: float
    ) -> tuple[Scaling, dict[str, str]]:
        """Statistics of training features x (n, f); also {name: reason} of the features dropped.

        A feature is dropped if it is constant, or not finite in more than `missing_share` of the simulations, of which
        `absent` (f,) is the share found.
        """
        usable = absent <= missing_share
        centre, scale = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        centre[usable], scale[usable] = centre_and_scale(x, kind, np.where(usable)[0])
        keep = usable & (scale > 1e-10 * np.abs(centre))
        dropped = {
            names[k]: "constant over the simulations"
            if usable[k]
            else f"not finite in {absent[k]:.0%} of the simulations"
            for k in np.where(~keep)[0]
        }
        if not keep.any():
            raise ValueError(f"no feature is left to learn from: all {len(names)} are constant or not finite")
        return cls(keep, centre[keep], scale[keep], absent[keep] > 0, kind == "robust"), dropped

    @property
    def n_inputs(self) -> int:
        """Number of network inputs."""
        return len(self.centre) + int(self.missing.sum())

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Network inputs (n, k) float32 of features (n, f); a missing value becomes the centre."""
        out = np.empty((len(x), self.n_inputs), np.float32)
        for start in range(0, len(x), ROWS):
            out[start : start + ROWS] = self._inputs(x[start : start + ROWS])
        return out

    def _inputs(self, x: np.ndarray) -> np.ndarray:
        u = (np.asarray(x, float)[:, self.keep] - self.centre) / self.scale
        absent = ~np.isfinite(u)
        u[absent] = 0.0
        if self.robust:
            u = compress(u)
        return np.concatenate([u, absent[:, self.missing]], axis=1)

    def unexpected(self, x: np.ndarray) -> np.ndarray:
        """Which of all features (f,) are not finite in x (n, f) though they always were in training."""
        never = np.zeros(len(self.keep), bool)
        never[np.where(self.keep)[0][~self.missing]] = True
        return never & ~np.isfinite(x).all(axis=0)

    def state(self) -> dict[str, Any]:
        """The arrays, by name."""
        return {name: getattr(self, name) for name in ("keep", "centre", "scale", "missing")}


def compress(u: np.ndarray) -> np.ndarray:
    """Inputs u, beyond \\|u\\| = 5 as 5 + log(1 + \\|u\\| - 5): no outlier rules the training and none is lost."""
    beyond = np.maximum(np.abs(u) - LINEAR, 0.0)
    return np.where(beyond > 0, np.sign(u) * (LINEAR + np.log1p(beyond)), u)


def centre_and_scale(
    x: np.ndarray, kind: str = "robust", columns: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale (f,) of the finite values of x (n, f), or of some of its columns.

    Robust: median and interquartile range / 1.349; where most values are equal, the range of the inner 98 % / 4.65,
    then the standard deviation.
    """
    columns = np.arange(x.shape[1]) if columns is None else columns
    found = [column_statistics(x[:, columns[k : k + COLUMNS]], kind) for k in range(0, len(columns), COLUMNS)]
    centre, scale = zip(*found, strict=True) if found else ((), ())
    return np.concatenate([np.empty(0), *centre]), np.concatenate([np.empty(0), *scale])


def column_statistics(x: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """`centre_and_scale` of a few columns at once."""
    x = np.where(np.isfinite(x), x, np.nan)
    sd = np.nanstd(x, axis=0)
    if kind == "standard":
        return np.nanmean(x, axis=0), sd
    quantile = np.nanquantile if np.isnan(x).any() else np.quantile  # the same numbers, without a loop over columns
    low, centre, high = quantile(x, [0.25, 0.5, 0.75], axis=0)
    lowest, highest = quantile(x, [0.01, 0.99], axis=0, method="nearest")
    inner, wide = (high - low) / 1.349, (highest - lowest) / 4.65
    wide = np.where(wide > 0, wide, sd)
    return centre, np.where(inner > 1e-3 * wide, inner, wide)
