"""What an estimator amortised over people is worth for a person, beside the person's own estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vbiflow.connectome import Connectome
from vbiflow.diagnostics.benchmark import summarise_method
from vbiflow.diagnostics.calibration import calibrate
from vbiflow.features.files import add_conditioning
from vbiflow.inference.posterior import Posterior


def amortisation(
    own: Posterior,
    other: Posterior,
    theta: np.ndarray,
    x: np.ndarray,
    names: Sequence[str],
    connectome: Connectome,
    *,
    seed: int,
) -> dict[str, Any]:
    """Apply the estimator of one person and one that learned from other people's connectomes to the same simulations.

    Parameters
    ----------
    own, other : the person's own estimator, and the one that learned from others
    theta, x, names : (n, p) and (n, f), simulations on the person's `connectome` that neither estimator learned from,
        and the names of the features
    connectome : the person's
    seed : of the draws from both posteriors

    Returns
    -------
    dict: parameters and their units, n_test, and for `own` and `other` rmse (p,) over the prior's standard deviation,
    shrinkage (p,), coverage_90 (p,) and log_prob [nat] above the prior's

    Raises
    ------
    ValueError
        If the estimators infer different parameters, or were trained on other features.
    """
    if own.parameters != other.parameters:
        raise ValueError(
            f"the estimators infer {', '.join(own.parameters)} and {', '.join(other.parameters)}; "
            "compare studies with the same prior"
        )
    found = {}
    for role, posterior in (("own", own), ("other", other)):
        seen, known = add_conditioning(x, names, connectome, posterior.features)
        posterior.inputs(seen[:1], known)
        checked = calibrate(posterior, theta, seen, seed=seed)
        found[role] = summarise_method(checked, posterior.prior) | {"shrinkage": checked.shrinkage.mean(axis=0)}
    units = own.prior.to_config()["units"]
    return {"parameters": list(own.parameters), "units": units, "n_test": len(theta), **found}
