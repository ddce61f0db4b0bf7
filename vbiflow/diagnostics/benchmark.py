"""Benchmark of the estimator: other estimators and simple methods, on the same simulations and the same tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vbiflow.diagnostics.calibration import Calibration, calibrate
from vbiflow.inference.baselines import MOST_SIMULATIONS, compare_baselines
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

LEVEL = 0.9


def benchmark(
    data: TrainingSet,
    estimators: Mapping[str, tuple[Posterior, float]],
    optimised: Mapping[str, Any] | None = None,
    *,
    seed: int,
) -> dict[str, Any]:
    """Error, coverage and time of estimators by name, and of the baselines.

    All have learnt from the simulations that are not held out, baselines from the first 50 000 of them, and are tested
    on those that are.

    Parameters
    ----------
    data : the simulations, with their parts for training, validation and test.
    estimators : each with the processor seconds of its training, as those of the baselines are.
    optimised : result of `point_estimates`, which simulates anew for each observation.
    seed : of draws.

    Returns
    -------
    dict: parameters, n_simulations, n_test, and methods: {name: {rmse (p,) over the prior's standard deviation,
    coverage_90 (p,), log_prob [nats] above the prior's, seconds, n_test}}, None where a method has no such thing; of
    estimators also difference_error {other: standard error of log_prob less the other's}
    """
    prior, held = data.prior, data.held_out()
    methods = {name: (seconds, calibrate(one, *held, seed=seed)) for name, (one, seconds) in estimators.items()}
    gains = {name: found.log_prob for name, (_, found) in methods.items()}
    rows = {
        name: summarise_method(found, prior)
        | {"seconds": seconds, "n_test": len(held[0]), "difference_error": difference_errors(name, gains)}
        for name, (seconds, found) in methods.items()
    }
    for name, found in compare_baselines(prior, *data.rows(data.learnt[:MOST_SIMULATIONS]), *held).items():
        rows[name] = {**found, "log_prob": None, "n_test": len(held[0])}
    if optimised:
        rows["differential_evolution"] = {
            "rmse": optimised["rmse"],
            "coverage_90": None,
            "log_prob": None,
            "seconds": optimised["seconds"],
            "n_test": len(optimised["truth"]),
        }
    return {
        "parameters": list(prior.names),
        "n_simulations": int(data.valid.sum()),
        "n_test": len(held[0]),
        "methods": rows,
    }


def difference_errors(name: str, gains: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Standard errors of the mean of one estimator's gains (n,) less each other one's, simulation by simulation."""
    return {
        other: float(np.std(gains[name] - gain) / np.sqrt(len(gain))) for other, gain in gains.items() if other != name
    }


def summarise_method(found: Calibration, prior: Prior) -> dict[str, Any]:
    """Error, coverage and gain of one estimator."""
    return {
        "rmse": np.sqrt(((found.mean - found.theta) ** 2).mean(axis=0)) / prior.std,
        "coverage_90": found.coverage[np.argmin(np.abs(found.coverage_level - LEVEL))],
        "log_prob": float(np.mean(found.log_prob - found.prior_log_prob)),
    }
