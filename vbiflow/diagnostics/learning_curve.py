"""How the error of an estimator falls with the number of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.worth import scores
from vbiflow.inference import resolve, split, train
from vbiflow.io import Progress, Quantity
from vbiflow.prior import Prior


def learning_curve(
    prior: Prior,
    theta: np.ndarray,
    x: np.ndarray,
    names: Sequence[str],
    options: Mapping[str, Any] | None,
    sizes: Sequence[int],
    *,
    seed: int,
    valid: np.ndarray | None = None,
    n_samples: int = 500,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Train on the first n simulations that are not held out for each n of `sizes`, test all on the held-out ones.

    All are taken, once, where n is larger than their number. Of few simulations at least 30, or 3 in 10, validate.

    Returns
    -------
    dict: n_simulations (s,), log_prob (s,) [nats], rmse (s, p) of the posterior mean over the prior's standard
    deviation, shrinkage (s, p), coverage_90 (s, p)
    """
    valid = np.ones(len(theta), bool) if valid is None else np.asarray(valid, bool)
    wrong = [size for size in sizes if not 0 < size <= len(theta)]
    if wrong:
        raise ValueError(f"a learning curve of {wrong[0]} simulations cannot be drawn from {len(theta)}")
    shares = resolve(options)
    parts = split(valid, seed, shares["validation_share"], shares["test_share"])
    learn, test = np.sort(np.r_[parts.train, parts.validation]), parts.test
    taken, rows = sorted({min(size, len(learn)) for size in sizes}), []
    for done, size in enumerate(taken, start=1):
        part = learn[:size]
        validating = max(shares["validation_share"], min(0.3, 30 / len(part)))
        given = {**(options or {}), "test_share": 0.0, "validation_share": validating}
        posterior, _ = train(prior, theta[part], x[part], names, given, seed=seed)
        found = calibrate(posterior, theta[test], x[test], seed=seed, n_samples=n_samples)
        one = scores(found, prior)
        rows.append((found.log_prob.mean(), one["rmse"], found.shrinkage.mean(axis=0), one["coverage_90"]))
        if progress:
            progress(done, len(taken))
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return {"n_simulations": np.array(taken)} | dict(
        zip(("log_prob", "rmse", "shrinkage", "coverage_90"), columns, strict=True)
    )


def learning_curves(
    prior: Prior,
    theta: np.ndarray,
    x: np.ndarray,
    names: Sequence[str],
    options: Mapping[str, Any],
    sizes: Sequence[int],
    others: Sequence[str] = (),
    *,
    seed: int,
    valid: np.ndarray,
    progress: Progress | None = None,
) -> dict[str, Quantity]:
    """`learning_curve` of the study's estimator and of `others` by name, as learning_curve.h5 holds them."""
    estimators = [options.get("estimator", "maf"), *others]
    curves = []
    for k, estimator in enumerate(estimators):
        given = {**options, "estimator": estimator}
        further = progress and (lambda done, n, k=k: progress(k * n + done, len(estimators) * n))
        curves.append(learning_curve(prior, theta, x, names, given, sizes, seed=seed, valid=valid, progress=further))
    each, pair = ("estimator", "size"), ("estimator", "size", "parameter")
    axes = {"log_prob": each, "rmse": pair, "shrinkage": pair, "coverage_90": pair}
    shown = [one if isinstance(one, str) else next(iter(one)) for one in estimators]
    return {
        "estimators": Quantity.text(shown, "estimator"),
        "n_simulations": Quantity(curves[0]["n_simulations"], "1", ("size",)),
        "parameters": Quantity.text(prior.names, "parameter"),
        **{
            key: Quantity(np.array([curve[key] for curve in curves]), "nat" if key == "log_prob" else "1", axes[key])
            for key in axes
        },
    }
