"""Effective connectivity: weights with which a linear network has recorded covariances, started from anatomy.

    x' = A x + noise,    A = (W - 1) / tau,    A Q0 + Q0 A' + diag(noise) = 0,    Q1 = Q0 expm(A')

Q0 are the covariances of regions, Q1 those one sample later, row = earlier. W, row = target, is above zero only where
anatomy has connections; W, tau and each region's noise minimise the squared error of both, relative to what was
recorded. Gilson et al. (2016), doi:10.1371/journal.pcbi.1004762; exact gradients in place of their approximate ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding

Array = np.ndarray
START = 0.5
"""Largest eigenvalue of the weights that a fit starts from; at 1 the network is unstable."""
EDGE = 1 - 1e-4
"""Largest eigenvalue that is allowed."""
LEAST = 1e-4
"""Smallest rate and noise."""


@dataclass(frozen=True)
class Covariances:
    """Correlations `now` (n_nodes, n_nodes) of series, and `later`, one sample on, row = earlier."""

    now: Array
    later: Array

    @classmethod
    def of(cls, *series: Array) -> Covariances:
        """The means over recordings (n_nodes, n_times) of the same regions."""
        parts = []
        for ts in series:
            z = (ts - ts.mean(axis=1, keepdims=True)) / ts.std(axis=1, keepdims=True)
            n = z.shape[1]
            parts.append((z @ z.T / n, z[:, :-1] @ z[:, 1:].T / (n - 1)))
        return cls(*(np.mean(part, axis=0) for part in zip(*parts, strict=True)))

    @property
    def rate(self) -> float:
        """1 / time constant [1/sample] of the mean autocorrelation."""
        return -np.log(np.clip(np.diag(self.later).mean(), LEAST, 1 - LEAST))


def fit_weights(anatomy: Array, recorded: Covariances, most_steps: int = 200) -> Array:
    """Weights (n_nodes, n_nodes), row = target, on the connections of `anatomy`, that give the covariances `recorded`.

    Raises
    ------
    ValueError
        If there is no connection.
    """
    at = np.nonzero(anatomy)
    if not at[0].size:
        raise ValueError("effective connectivity starts from connections; all weights are zero")
    n_nodes, n_weights = len(anatomy), at[0].size
    start = anatomy[at] * START / largest_eigenvalue(anatomy)
    worst = [np.zeros(n_weights + 1 + n_nodes)]

    def objective(values: Array) -> tuple[float, Array]:
        weights = np.zeros_like(anatomy, float)
        weights[at] = values[:n_weights]
        excess = largest_eigenvalue(weights) - EDGE
        if excess >= 0:  # the line search turns back
            return 1e3 * (1 + excess), worst[0]
        loop, rate = weights - np.eye(n_nodes), values[n_weights]
        error, by_A, by_noise = misfit(rate * loop, values[n_weights + 1 :], recorded)
        worst[0] = np.concatenate([rate * by_A[at], [np.sum(by_A * loop)], by_noise])
        return error, worst[0]

    values = np.concatenate([start, np.full(1 + n_nodes, recorded.rate)])
    bounds = [(0, None)] * n_weights + [(LEAST, None)] * (1 + n_nodes)
    found = scipy.optimize.minimize(
        objective,
        values,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": most_steps, "maxcor": 20, "ftol": 1e-12},
    )
    weights = np.zeros_like(anatomy, float)
    weights[at] = found.x[:n_weights]
    return weights


def misfit(A: Array, noise: Array, recorded: Covariances) -> tuple[float, Array, Array]:
    """Squared error of the covariances, relative to those recorded, and its gradients by A and by the noise."""
    now, ahead = scipy.linalg.solve_continuous_lyapunov(A, -np.diag(noise)), scipy.linalg.expm(A.T)
    scales = 1 / np.sum(recorded.now**2), 1 / np.sum(recorded.later**2)
    gaps = now - recorded.now, now @ ahead - recorded.later
    error = sum(scale * np.sum(gap**2) for scale, gap in zip(scales, gaps, strict=True))
    by_later = 2 * scales[1] * gaps[1]
    by_now = 2 * scales[0] * gaps[0] + by_later @ ahead.T
    adjoint = scipy.linalg.solve_continuous_lyapunov(A.T, -(by_now + by_now.T) / 2)
    by_A = 2 * adjoint @ now + scipy.linalg.expm_frechet(A, now @ by_later, compute_expm=False).T
    return float(error), by_A, np.diag(adjoint)


def largest_eigenvalue(weights: Array) -> float:
    """Largest real part of the eigenvalues."""
    return float(np.linalg.eigvals(weights).real.max())


def effective_connectome(connectome: Connectome, series: list[Array], whose: str) -> Connectome:
    """The connectome with weights fitted to recordings (n_nodes, n_times), divided by their largest eigenvalue.

    `whose` recordings they are stands in the finding that says what the weights, and a coupling G, count in.

    Raises
    ------
    ValueError
        If there is no connection, or if a region's series is constant.
    """
    for ts in series:
        still = np.flatnonzero(ts.std(axis=1) == 0)
        if still.size:
            raise ValueError(f"effective connectivity: {connectome.labels[still[0]]} is constant in {whose}")
    weights = fit_weights(connectome.weights, Covariances.of(*series))
    largest = largest_eigenvalue(weights)
    if not largest > 0:
        raise ValueError(f"effective connectivity: no connection is left by {whose}; is it resting activity?")
    text = (
        f"weights are fitted to {whose}, on the connections of anatomy, and divided by their largest eigenvalue, "
        f"{largest:.3f} where 1 is the edge of stability: G counts relative to these weights, not to streamlines"
    )
    return replace(
        connectome,
        weights=weights / largest,
        findings=(*connectome.findings, Finding("effective", "note", text)),
    )
