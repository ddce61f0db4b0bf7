"""Effective connectivity: planted weights come back from their covariances, row = target, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from vbiflow.connectome import Connectome
from vbiflow.connectome.effective import Covariances, effective_connectome, fit_weights, largest_eigenvalue, misfit

RNG = np.random.default_rng(0)
N = 8
MASK = np.triu(RNG.random((N, N)) < 0.5, 1)
MASK |= MASK.T


def planted(top: float = 0.8) -> np.ndarray:
    """Weights on the connections of MASK, stronger one way than the other; one of them goes one way alone."""
    weights = np.where(MASK, RNG.gamma(1, 1, (N, N)), 0)
    i, j = np.argwhere(MASK)[0]
    weights[i, j], weights[j, i] = 2.0, 0.0
    return top * weights / largest_eigenvalue(weights)


def exact(weights: np.ndarray, tau: float, noise: np.ndarray) -> tuple[Covariances, np.ndarray]:
    """Correlations of the network, now and a sample later, and its weights in units of each region's deviation."""
    A = (weights - np.eye(len(weights))) / tau
    now = scipy.linalg.solve_continuous_lyapunov(A, -np.diag(noise))
    sd = np.sqrt(np.diag(now))
    scale = np.outer(sd, sd)
    return Covariances(now / scale, now @ scipy.linalg.expm(A.T) / scale), weights * sd[None] / sd[:, None]


def test_planted_weights_come_back_with_their_direction() -> None:
    """From the exact correlations and anatomy that says where, not how much nor which way."""
    weights = planted()
    recorded, truth = exact(weights, 2.0, RNG.uniform(0.5, 1.5, N))
    found = fit_weights(MASK.astype(float), recorded, most_steps=500)
    np.testing.assert_allclose(found, truth, atol=0.02 * truth.max())
    assert not found[~MASK].any() and (found >= 0).all()
    i, j = np.argwhere(MASK)[0]
    assert found[i, j] > 50 * found[j, i]


def test_weights_of_recorded_series_have_the_direction_of_the_network() -> None:
    """A chain 0 -> 1 -> 2 that is simulated here: source in the column, target in the row."""
    chain = np.zeros((3, 3))
    chain[1, 0] = chain[2, 1] = 0.8
    A, n = (chain - np.eye(3)) / 3.0, 40000
    step, now = scipy.linalg.expm(A), scipy.linalg.solve_continuous_lyapunov(A, -np.eye(3))
    kicks = np.linalg.cholesky(now - step @ now @ step.T) @ RNG.standard_normal((3, n))
    x = np.zeros((3, n))
    for t in range(1, n):
        x[:, t] = step @ x[:, t - 1] + kicks[:, t]
    found = fit_weights(np.ones((3, 3)) - np.eye(3), Covariances.of(x[:, 100:]))
    assert found[1, 0] > 0.4 and found[2, 1] > 0.4 and found.sum() - found[1, 0] - found[2, 1] < 0.15


def test_gradients_are_those_of_differences() -> None:
    weights, noise = planted(), RNG.uniform(0.5, 1.5, N)
    recorded, _ = exact(planted(), 2.0, noise)
    A = (weights - np.eye(N)) / 3.0
    _, by_A, by_noise = misfit(A, noise, recorded)
    for i, j in ((0, 0), (1, 5), (5, 1)):
        moved = np.zeros_like(A)
        moved[i, j] = 1e-6
        slope = (misfit(A + moved, noise, recorded)[0] - misfit(A - moved, noise, recorded)[0]) / 2e-6
        assert by_A[i, j] == pytest.approx(slope, rel=1e-5, abs=1e-8)
    moved = 1e-6 * np.eye(N)[3]
    slope = (misfit(A, noise + moved, recorded)[0] - misfit(A, noise - moved, recorded)[0]) / 2e-6
    assert by_noise[3] == pytest.approx(slope, rel=1e-5)


def connectome(weights: np.ndarray) -> Connectome:
    """Regions A, B, ... with these weights."""
    n, empty = len(weights), ("",) * len(weights)
    names = tuple("ABCDEFGHI"[:n])
    return Connectome(weights, np.full((n, n), np.nan), names, np.full((n, 3), np.nan), empty, empty)


def test_the_connectome_says_what_its_weights_count_in() -> None:
    mixing = np.linalg.inv(np.eye(N) - 0.9 * MASK / largest_eigenvalue(MASK.astype(float)))
    ts = scipy.ndimage.gaussian_filter1d(mixing @ RNG.standard_normal((N, 800)), 2, axis=1)
    found = effective_connectome(connectome(MASK.astype(float)), [ts, ts[:, ::-1]], "recordings of 2 other people")
    assert largest_eigenvalue(found.weights) == pytest.approx(1)
    text = found.findings[-1].text
    assert "fitted to recordings of 2 other people" in text and "G counts relative to these weights" in text
    still = ts.copy()
    still[2] = 1.0
    with pytest.raises(ValueError, match=r"C is constant in the first half of the recording"):
        effective_connectome(connectome(MASK.astype(float)), [still], "the first half of the recording")
    with pytest.raises(ValueError, match=r"all weights are zero"):
        effective_connectome(connectome(np.zeros((N, N))), [ts], "the first half of the recording")
