"""Simple ways to the same answer from the same simulations: what an estimator has to beat."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vbiflow.inference.scaling import Scaling
from vbiflow.prior import Prior

KEPT = 0.02
NEIGHBOURS = 20
PENALTIES = np.logspace(-2, 6, 17)
MOST_SIMULATIONS = 50_000
"""Baselines learn from so many at most: all of them are in memory at once."""
OBSERVATIONS = 100


Predict = Callable[[np.ndarray], np.ndarray]
"""From features (m, f) of observations to samples (m, n, p)."""


def rejection(z: np.ndarray, u: np.ndarray) -> Predict:
    """Rejection ABC: the z of the 2 % of simulations whose features are nearest to each observation's."""
    return lambda u_o: z[nearest(u, u_o, max(NEIGHBOURS, round(KEPT * len(u))))]


def neighbours(z: np.ndarray, u: np.ndarray) -> Predict:
    """Nearest neighbours: the z of the 20 nearest simulations."""
    return lambda u_o: z[nearest(u, u_o, NEIGHBOURS)]


def ridge(z: np.ndarray, u: np.ndarray) -> Predict:
    """Ridge regression: prediction plus the residuals left out one by one.

    beta = (U'U + lambda I)^-1 U'z, with the lambda of smallest leave-one-out error.
    """
    mean, centre = u.mean(axis=0), z.mean(axis=0)
    left, singular, right = np.linalg.svd(u - mean, full_matrices=False)
    target, best = left.T @ (z - centre), (np.inf, None, None)
    for penalty in PENALTIES:
        shrink = singular**2 / (singular**2 + penalty)
        leverage = (left**2 * shrink).sum(axis=1) + 1 / len(u)
        residual = (z - centre - left @ (shrink[:, None] * target)) / np.maximum(1 - leverage, 1e-3)[:, None]
        error = (residual**2).mean()
        if error < best[0]:
            best = error, right.T @ ((shrink / np.maximum(singular, 1e-12))[:, None] * target), residual
    spread = best[2][None, :: max(1, len(best[2]) // 1000)]
    return lambda u_o: ((u_o - mean) @ best[1] + centre)[:, None] + spread


BASELINES: dict[str, Callable[[np.ndarray, np.ndarray], Predict]] = {
    "rejection_abc": rejection,
    "nearest_neighbours": neighbours,
    "ridge": ridge,
}
"""(z (n, p) of simulations, their features (n, f)) -> what predicts observations."""


def compare_baselines(
    prior: Prior,
    theta: np.ndarray,
    x: np.ndarray,
    theta_test: np.ndarray,
    x_test: np.ndarray,
    names: Sequence[str] = tuple(BASELINES),
) -> dict[str, dict[str, Any]]:
    """Error and coverage of each baseline on held-out simulations, from the simulations the estimator trained on.

    Returns
    -------
    {name: {rmse (p,) of the mean in units of the prior's standard deviation, coverage_90 (p,), seconds}}
    """
    for name in names:
        if name not in BASELINES:
            raise ValueError(f"unknown baseline {name!r}; choose from {', '.join(BASELINES)}")
    finite = np.isfinite(x).all(axis=0) & np.isfinite(x_test).all(axis=0)
    if not finite.any():
        raise ValueError("no feature is finite in every simulation; baselines cannot compare them")
    absent, columns = np.zeros(int(finite.sum())), [str(k) for k in np.where(finite)[0]]
    scaling, _ = Scaling.fit(x[:, finite], absent, columns, "robust", 0.0)
    u, u_test, z = scaling(x[:, finite]).astype(float), scaling(x_test[:, finite]).astype(float), prior.to_normal(theta)
    return {name: time_method(BASELINES[name], prior, (z, u, u_test), theta_test) for name in names}


def time_method(
    method: Callable[[np.ndarray, np.ndarray], Predict],
    prior: Prior,
    data: tuple[np.ndarray, ...],
    truth: np.ndarray,
) -> dict[str, Any]:
    """Time a method and score its samples, of so many observations at a time that memory stays bounded."""
    z, u, u_test = data
    begin, parts = time.process_time(), []
    predict = method(z, u)
    for start in range(0, len(u_test), OBSERVATIONS):
        samples = prior.from_normal(predict(u_test[start : start + OBSERVATIONS]))
        parts.append((samples.mean(axis=1), *np.quantile(samples, [0.05, 0.95], axis=1)))
    seconds = time.process_time() - begin
    mean, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {
        "rmse": np.sqrt(((mean - truth) ** 2).mean(axis=0)) / prior.std,
        "coverage_90": ((truth >= low) & (truth <= high)).mean(axis=0),
        "seconds": seconds,
    }


def nearest(u: np.ndarray, u_o: np.ndarray, k: int) -> np.ndarray:
    """Indices (m, k) of the rows of u (n, f) nearest to each of u_o (m, f)."""
    k = min(k, len(u))
    distance = (u**2).sum(axis=1) - 2 * u_o @ u.T
    return np.argpartition(distance, k - 1, axis=1)[:, :k]
