"""How the error of an estimator falls with the number of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.diagnostics.benchmark import summarise_method
from vbiflow.diagnostics.calibration import calibrate
from vbiflow.estimator_options import resolve_options
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Progress, Quantity

SCORES = {"log_prob": "nat", "rmse": "1", "shrinkage": "1", "information": "nat", "coverage_90": "1"}
"""What a curve holds, with units."""


def learning_curve(
    data: TrainingSet,
    options: Mapping[str, Any] | None,
    sizes: Sequence[int],
    *,
    seed: int,
    n_samples: int = 500,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Train on the first n simulations that are not held out for each n of `sizes`, test all on the held-out ones.

    All are taken, once, where n is larger than their number. Of few simulations at least 30, or 4 in 10, validate.

    Returns
    -------
    dict: n_simulations (s,), log_prob (s,) [nats], rmse (s, p) of the posterior mean over the prior's standard
    deviation, shrinkage (s, p), information (s, p) [nats], coverage_90 (s, p)
    """
    wrong = [size for size in sizes if not 0 < size <= len(data.theta)]
    if wrong:
        raise ValueError(f"a learning curve of {wrong[0]} simulations cannot be drawn from {len(data.theta)}")
    share, held = resolve_options(options)["validation_share"], data.held_out()
    taken, rows = sorted({min(size, len(data.learnt)) for size in sizes}), []
    for done, size in enumerate(taken, start=1):
        part = data.first(size, max(share, min(0.4, 30 / size)), seed)
        posterior, _ = train(part, options, seed=seed)
        found = calibrate(posterior, *held, seed=seed, n_samples=n_samples)
        one = summarise_method(found, data.prior)
        told = (found.shrinkage.mean(axis=0), found.information.mean(axis=0))
        rows.append((found.log_prob.mean(), one["rmse"], *told, one["coverage_90"]))
        if progress:
            progress(done, len(taken))
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return {"n_simulations": np.array(taken)} | dict(zip(SCORES, columns, strict=True))


def learning_curves(
    data: TrainingSet,
    options: Mapping[str, Any],
    sizes: Sequence[int],
    others: Sequence[str] = (),
    *,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Quantity]:
    """`learning_curve` of the study's estimator and of `others` by name, as learning_curve.h5 holds them."""
    estimators = [options.get("estimator", "maf"), *others]
    curves = []
    for k, estimator in enumerate(estimators):
        given = {**options, "estimator": estimator}
        further = progress and (lambda done, n, k=k: progress(k * n + done, len(estimators) * n))
        curves.append(learning_curve(data, given, sizes, seed=seed, progress=further))
    axes = ("estimator", "size", "parameter")
    shown = [one if isinstance(one, str) else next(iter(one)) for one in estimators]
    return {
        "estimators": Quantity.text(shown, "estimator"),
        "n_simulations": Quantity(curves[0]["n_simulations"], "1", ("size",)),
        "parameters": Quantity.text(data.prior.names, "parameter"),
        **{
            key: Quantity(found, unit, axes[: found.ndim])
            for key, unit in SCORES.items()
            for found in [np.array([curve[key] for curve in curves])]
        },
    }
