"""What a posterior says of one observation: samples, mode, intervals, correlations."""

from __future__ import annotations

import numpy as np

from vbiflow.inference.posterior import Posterior
from vbiflow.io import Quantity

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def posterior_summary(
    posterior: Posterior,
    x_o: np.ndarray,
    names: list[str],
    n_samples: int,
    n_predictive: int,
    n_floor: int,
    seed: int,
    truth: np.ndarray | None = None,
) -> dict[str, Quantity]:
    """Samples theta (n_samples, n_parameters) given x_o (n_features,), their summaries, what to simulate again.

    `predictive_theta` (n_predictive + n_floor, n_parameters) holds posterior samples, for the predictive check, and
    then the MAP `n_floor` times, for its noise floor. Where the truth is unknown the file holds not-a-number.

    Parameters
    ----------
    posterior : the estimator.
    x_o : features of the recording (n_features,).
    names : of the features.
    n_samples : how many samples to draw.
    n_predictive : how many of them to simulate again.
    n_floor : how often to simulate the MAP again, for the noise floor.
    seed : of the study.
    truth : what made the recording (n_parameters,), None if unknown.
    """
    theta = posterior.sample(x_o, n_samples, seed=seed, names=names)
    mode = posterior.map(x_o, seed=seed, names=names)
    if n_predictive > n_samples:
        raise ValueError(f"diagnostics.n_predictive {n_predictive} exceeds posterior.n_samples {n_samples}; lower it")
    units = posterior.prior.units
    again = np.concatenate([theta[:n_predictive], np.tile(mode, (n_floor, 1))])
    return {
        "theta": Quantity(theta, units, ("sample", "parameter")),
        "names": Quantity.text(posterior.parameters, "parameter"),
        "log_prob": Quantity(posterior.log_prob(theta, x_o), "nat", ("sample",)),
        "map": Quantity(mode, units, ("parameter",)),
        "truth": Quantity(np.full(len(mode), np.nan) if truth is None else truth, units, ("parameter",)),
        "mean": Quantity(theta.mean(axis=0), units, ("parameter",)),
        "sd": Quantity(theta.std(axis=0), units, ("parameter",)),
        "quantiles": Quantity(np.quantile(theta, LEVELS, axis=0), units, ("quantile", "parameter"), {"levels": LEVELS}),
        "correlation": Quantity(np.atleast_2d(np.corrcoef(theta.T)), "1", ("parameter", "parameter")),
        "predictive_theta": Quantity(again, units, ("simulation", "parameter")),
    }
