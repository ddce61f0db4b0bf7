"""The exact posterior of the linear network."""

import numpy as np
import pytest
from scipy import stats

from vbiflow.diagnostics import exact
from vbiflow.diagnostics.exact import exact_posterior, log_likelihood
from vbiflow.engine import simulate
from vbiflow.prior import Prior

WEIGHTS = np.array([[0, 1, 0, 0.5], [0.3, 0, 1, 0], [0, 0.6, 0, 0.2], [1, 0, 0.4, 0]])
FIXED = {"tau": 10.0, "I": 0.0}
PRIOR = Prior.from_config({"G": {"uniform": [0, 0.05]}, "sigma": {"uniform": [0.05, 0.2]}})


def series(G, sigma, n, seed=1, duration=400.0):
    """Simulations (n, 4, n_times), one sample every 2 ms."""
    signals = {"x": {"period": 2.0, "average": False}}
    settings = {"duration": duration, "dt": 0.1, "transient": 200.0, "signals": signals}
    parameters = {**FIXED, "G": np.reshape(G, (-1, 1)), "sigma": np.reshape(sigma, (-1, 1))}
    found = simulate("linear", WEIGHTS, parameters, n_simulations=n, seed=seed, precision="float64", **settings)
    return found.ts["x"], found.fs["x"]


def test_a_single_node_has_the_likelihood_of_a_first_order_autoregression():
    x = np.random.default_rng(0).standard_normal((1, 30))
    rho, sd = np.exp(-2.0 / 10.0), np.sqrt(0.1**2 * 10.0 / 2)
    by_hand = stats.norm.logpdf(x[0, 0], 0, sd)
    by_hand += stats.norm.logpdf(x[0, 1:], rho * x[0, :-1], sd * np.sqrt(1 - rho**2)).sum()
    assert log_likelihood(x, 2.0, np.zeros((1, 1)), {**FIXED, "G": 0.0, "sigma": 0.1}) == pytest.approx(by_hand)


def test_the_input_moves_the_mean_and_an_unstable_network_is_impossible():
    x, shift = np.random.default_rng(1).standard_normal((4, 20)), 0.3
    drift = 0.02 * WEIGHTS - np.eye(4) / 10
    mean = np.linalg.solve(drift, np.full(4, -shift))[:, None]
    known = {**FIXED, "G": 0.02, "sigma": 0.1}
    given = log_likelihood(x + mean, 1.0, WEIGHTS, known | {"I": shift})
    assert given == pytest.approx(log_likelihood(x, 1.0, WEIGHTS, known))
    assert log_likelihood(x, 1.0, WEIGHTS, known | {"G": 1.0}) == -np.inf


def test_its_ranks_of_the_truth_are_uniform_over_simulations_of_the_engine(monkeypatch):
    monkeypatch.setattr(exact, "CELLS", 15)
    theta = PRIOR.sample(5, 0, 25)
    ts, fs = series(theta[:, 0], theta[:, 1], 25)
    ranks = np.array(
        [
            (exact_posterior(PRIOR, x, fs, WEIGHTS, FIXED, 500, k) < truth).mean(axis=0)
            for k, (x, truth) in enumerate(zip(ts, theta, strict=True))
        ]
    )
    assert all(stats.kstest(column, "uniform").pvalue > 0.01 for column in ranks.T)
    assert 0.15 < ranks.std() < 0.42, "uniform ranks have an sd of 0.29"


def test_more_than_two_parameters_are_refused():
    three = Prior.from_config({name: {"uniform": [0.01, 0.02]} for name in ("G", "sigma", "tau")})
    with pytest.raises(ValueError, match="on a grid of one or two parameters, found 3"):
        exact_posterior(three, np.zeros((4, 10)), 500.0, WEIGHTS, {}, 10, 0)
