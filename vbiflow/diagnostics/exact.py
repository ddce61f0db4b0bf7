"""The exact posterior of the linear network, whose likelihood is known: what an estimate of it can be held against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.linalg import cho_factor, cho_solve, expm, solve_continuous_lyapunov
from scipy.optimize import minimize

from vbiflow.prior import Prior

CELLS = 41
"""Points of the grid along each parameter."""
REACH = 5.0
"""Half width of the grid in posterior standard deviations."""


def log_likelihood(series: np.ndarray, interval: float, weights: np.ndarray, parameters: Mapping[str, float]) -> float:
    """Log likelihood of stationary series (n_nodes, n_times) of the linear network, sampled every `interval` [ms].

    With A = G W - 1 / tau, the stationary covariance C of A C + C A' + sigma^2 1 = 0, and F = exp(A interval), the
    series is a vector autoregression: x(t + 1) is normal around F x(t) with covariance C - F C F', each less the mean
    -A^-1 I. `parameters` are G, tau, sigma and I. -inf where the network is unstable.

    References
    ----------
    Gardiner 2009, Stochastic Methods, section 4.5.6
    """
    n_nodes = len(weights)
    drift = parameters["G"] * weights - np.eye(n_nodes) / parameters["tau"]
    if np.linalg.eigvals(drift).real.max() >= 0:
        return -np.inf
    covariance = solve_continuous_lyapunov(drift, -(parameters["sigma"] ** 2) * np.eye(n_nodes))
    step = expm(drift * interval)
    x = series - np.linalg.solve(drift, np.full(n_nodes, -parameters["I"]))[:, None]
    gaps = x[:, 1:] - step @ x[:, :-1]
    return normal_log_density(x[:, :1], covariance) + normal_log_density(gaps, covariance - step @ covariance @ step.T)


def normal_log_density(x: np.ndarray, covariance: np.ndarray) -> float:
    """Log density of the columns of x under a normal distribution of mean zero, summed."""
    factor = cho_factor((covariance + covariance.T) / 2, lower=True)
    squares = (x * cho_solve(factor, x)).sum()
    return float(-0.5 * squares - x.shape[1] * (np.log(np.diag(factor[0])).sum() + 0.5 * len(x) * np.log(2 * np.pi)))


def exact_posterior(
    prior: Prior, series: np.ndarray, fs: float, weights: np.ndarray, parameters: Mapping[str, float], n_samples: int,
    seed: int,
) -> np.ndarray:  # fmt: skip
    """Samples (n_samples, n_parameters) of the posterior of one or two global parameters, given the whole series.

    The posterior is evaluated on a grid around its mode in the prior's own scale z = Phi^-1(F(theta)), where the prior
    is standard normal, and sampled from its cells.

    Parameters
    ----------
    prior : of one or two parameters of the linear model.
    series : the recording (n_nodes, n_times) of the model's x.
    fs : its sampling rate [Hz].
    weights : (n_nodes, n_nodes), row = target.
    parameters : the fixed parameters of the model, by name.
    n_samples : how many samples to draw.
    seed : of the draws.

    Raises
    ------
    ValueError
        If there are more than two parameters, for which a grid grows too large.
    """
    n = len(prior.names)
    if n > 2:
        raise ValueError(f"the exact posterior is drawn on a grid of one or two parameters, found {n}")
    series = np.asarray(series, float)

    def log_posterior(z: np.ndarray) -> float:
        theta = dict(zip(prior.names, prior.from_normal(z[None])[0], strict=True))
        likelihood = log_likelihood(series, 1000.0 / fs, weights, {**parameters, **theta})
        return likelihood - 0.5 * float(z @ z)

    mode = minimize(lambda z: -log_posterior(z), np.zeros(n), method="Nelder-Mead", options={"xatol": 1e-5}).x
    widths = REACH * marginal_sds(log_posterior, mode)
    axes = [np.linspace(centre - width, centre + width, CELLS) for centre, width in zip(mode, widths, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, n)
    logs = np.array([log_posterior(point) for point in points])
    share = np.exp(logs - logs.max())
    rng = np.random.default_rng([seed, 0x6578])
    drawn = points[rng.choice(len(points), n_samples, p=share / share.sum())]
    cell = 2 * widths / (CELLS - 1)
    return prior.from_normal(drawn + cell * (rng.random(drawn.shape) - 0.5))


def marginal_sds(log_density, mode: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Marginal standard deviations (n,) of a normal distribution with the curvature of `log_density` at its mode."""
    n = len(mode)
    steps = step * np.eye(n)
    curvature = np.empty((n, n))
    for i, j in np.ndindex(n, n):
        signs = [(a, b) for a in (1, -1) for b in (1, -1)]
        curvature[i, j] = sum(-a * b * log_density(mode + a * steps[i] + b * steps[j]) for a, b in signs)
    return np.sqrt(np.diag(np.linalg.inv(curvature / (4 * step**2))))
