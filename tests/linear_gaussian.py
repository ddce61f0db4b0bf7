"""A model whose posterior is known: x = A theta + noise, theta ~ N(0, 1)."""

from __future__ import annotations

import numpy as np

from vbiflow.prior import Prior

A = np.array([[1.0, 0.3, -0.5, 0.0, 0.8, 0.2], [0.2, -1.0, 0.4, 0.9, 0.0, -0.3]])
NAMES = [f"x{k}" for k in range(A.shape[1])]
SIGMA = 0.7


def prior() -> Prior:
    return Prior.from_config({"a": {"normal": [0, 1]}, "b": {"normal": [0, 1]}})


def simulate(theta: np.ndarray, seed: int) -> np.ndarray:
    return theta @ A + SIGMA * np.random.default_rng(seed).standard_normal((len(theta), A.shape[1]))


def exact(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (n, 2) and covariance (2, 2): (I + A A' / sigma^2)^-1 and cov A x / sigma^2."""
    covariance = np.linalg.inv(np.eye(2) + A @ A.T / SIGMA**2)
    return x @ A.T @ covariance / SIGMA**2, covariance


def draws(x: np.ndarray, n: int, seed: int, widen: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Samples (m, n, 2) of the exact posterior, its standard deviation times `widen`, its mean moved by `shift` sd."""
    mean, covariance = exact(x)
    noise = np.random.default_rng(seed).standard_normal((len(x), n, 2))
    return mean[:, None] + (widen * noise + shift) @ np.linalg.cholesky(covariance).T


class Exact:
    """The known posterior where a trained `Posterior` is expected, made wrong by `widen` and `shift` (in sd)."""

    def __init__(self, widen: float = 1.0, shift: float = 0.0) -> None:
        self.prior, self.parameters, self.features = prior(), ("a", "b"), tuple(NAMES)
        self.widen, self.shift = widen, shift

    def inputs(self, x: np.ndarray) -> np.ndarray:
        return np.atleast_2d(x)

    def normal_samples(self, inputs: np.ndarray, n: int, seed: int):
        yield slice(0, len(inputs)), draws(inputs, n, seed, self.widen, self.shift)

    def log_prob(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        mean, covariance = exact(x)
        factor = self.widen * np.linalg.cholesky(covariance)
        u = np.linalg.solve(factor, (theta - mean).T).T - self.shift / self.widen
        return -0.5 * (u**2).sum(axis=1) - np.log(2 * np.pi) - np.log(np.diag(factor)).sum()
