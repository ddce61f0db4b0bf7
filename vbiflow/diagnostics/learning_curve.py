"""How the error of an estimator falls with the number of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.inference import resolve, split, train
from vbiflow.io import Progress
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
    """Train on the first n simulations for each n of `sizes`, test all on the same held-out ones of the whole study.

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
    test = split(valid, seed, shares["validation_share"], shares["test_share"]).test
    rows = []
    for done, size in enumerate(sizes, start=1):
        part = slice(0, size)
        posterior, _ = train(prior, theta[part], x[part], names, options, seed=seed, valid=valid[part])
        found = calibrate(posterior, theta[test], x[test], seed=seed, n_samples=n_samples)
        rows.append(
            (
                found.log_prob.mean(),
                np.sqrt(((found.mean - found.theta) ** 2).mean(axis=0)) / prior.std,
                found.shrinkage.mean(axis=0),
                found.coverage[np.argmin(np.abs(found.coverage_level - 0.9))],
            )
        )
        if progress:
            progress(done, len(sizes))
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return {"n_simulations": np.array(sizes)} | dict(
        zip(("log_prob", "rmse", "shrinkage", "coverage_90"), columns, strict=True)
    )
