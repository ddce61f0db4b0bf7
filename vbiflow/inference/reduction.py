"""Many features to the few directions in which they follow the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EXPLAINED = 0.05
LARGEST = 300
FEWEST = 10
ROWS_AN_INPUT = 20


@dataclass(frozen=True)
class Reduction:
    """u (n, k) to v = (u - mean) @ components / scale (n, c); all of u if `components` (k, c) has no columns.

    The columns are principal components of the training inputs of which a regression on z and z^2 explains more than
    5 % of the variance: the rest is noise, to which a network with thousands of inputs fits itself.
    """

    mean: np.ndarray
    components: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, u: np.ndarray, z: np.ndarray, kind: str, n_train: int) -> Reduction:
        """Directions for inputs u (n, k) and parameters z (n, p); `auto` reduces where k exceeds n_train / 20."""
        n_inputs = u.shape[1]
        if kind == "none" or (kind == "auto" and n_inputs * ROWS_AN_INPUT <= n_train):
            return cls(np.zeros(n_inputs), np.zeros((n_inputs, 0)), np.zeros(0))
        u = u.astype(float)
        mean = u.mean(axis=0)
        directions = principal(u - mean)
        v = (u - mean) @ directions
        kept = explained(v, z) > EXPLAINED
        kept[: FEWEST if not kept.any() else 0] = True
        return cls(mean, directions[:, kept], v[:, kept].std(axis=0))

    @property
    def n_outputs(self) -> int:
        """Number of network inputs."""
        return self.components.shape[1] or len(self.mean)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """Network inputs (n, c) float32."""
        if not self.components.shape[1]:
            return u
        return ((u - self.mean) @ self.components / self.scale).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        return {name: getattr(self, name) for name in ("mean", "components", "scale")}


def principal(u: np.ndarray) -> np.ndarray:
    """The first principal directions (k, c) of centred u (n, k), at most 300, of variance above rounding.

    The sign is such that the largest entry of each is positive.
    """
    if len(u) < u.shape[1]:
        values, left = np.linalg.eigh(u @ u.T)
        directions = u.T @ left
    else:
        values, directions = np.linalg.eigh(u.T @ u)
    order = np.argsort(-values)[:LARGEST]
    order = order[values[order] > 1e-9 * values.max()]
    directions = directions[:, order] / np.linalg.norm(directions[:, order], axis=0)
    largest = np.abs(directions).argmax(axis=0)
    return directions * np.sign(directions[largest, np.arange(len(order))])


def explained(v: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Share (c,) of the variance of v (n, c) that a regression on z and z^2 explains, adjusted for their number.

    R^2 = 1 - (1 - R0^2) (n - 1) / (n - q), with q regressors.
    """
    design = np.column_stack([np.ones(len(z)), z, z**2 - 1])
    if len(z) <= 2 * design.shape[1]:
        design = design[:, : 1 + z.shape[1]]
    basis, _ = np.linalg.qr(design)
    residual = ((v - basis @ (basis.T @ v)) ** 2).sum(axis=0)
    total = ((v - v.mean(axis=0)) ** 2).sum(axis=0)
    return 1 - residual / total * (len(v) - 1) / max(len(v) - design.shape[1], 1)
