"""The verdict on one subject's posterior: x_o first, then the estimator, then the predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.diagnostics.predictive import judge_predictive
from vbiflow.features.files import CONDITIONING

LISTED = 3


def subject_verdict(
    misspecification: Mapping[str, Any],
    estimator: Mapping[str, Any],
    predictive: Mapping[str, np.ndarray] | None = None,
    *,
    thresholds: Mapping[str, float] | None = None,
    deterministic: bool = False,
) -> dict[str, Any]:
    """What verdict.json holds: trusted only if x_o is inside, the estimator calibrated and the predictions right.

    `misspecification` comes from the function of that name, `estimator` from `verdict`, `predictive` from
    `predictive_scores`; a `deterministic` model has no noise floor to show.
    """
    limits = resolve_thresholds(thresholds)
    failed = outside_reasons(misspecification, limits)
    summary: dict[str, Any] = {}
    if estimator["verdict"] != "trusted":
        failed.append(f"the estimator is not trusted: {estimator['reasons'][0]}")
    if predictive is not None:
        summary, reasons = judge_predictive(predictive, limits, deterministic)
        failed += reasons
    passed = "the recording lies inside what the model can produce"
    if predictive is not None:
        passed += ", and simulations from the posterior reproduce it as well as noise allows"
    notes = [reason for reason in estimator["reasons"] if "cannot be identified" in reason]
    return {
        "verdict": "not trusted" if failed else "trusted",
        "reasons": (failed or [passed]) + [note for note in notes if not any(note in reason for reason in failed)],
        "misspecification": dict(misspecification),
        "predictive": summary,
        "estimator": estimator["verdict"],
    }


def outside_reasons(found: Mapping[str, Any], limits: Mapping[str, float]) -> list[str]:
    """Sentences that say where and how far x_o lies outside the simulations."""
    quantiles = found["features"]
    strange = {name: gap for name, gap in found["outside"].items() if name.startswith(CONDITIONING)}
    outside = {name: gap for name, gap in found["outside"].items() if name not in strange}
    reasons = []
    if strange:
        reasons.append(f"the connectome is outside those that the estimator learned from: {listed(strange, quantiles)}")
    if outside:
        reasons.append(f"the recording is outside what the model can produce: {listed(outside, quantiles)}")
    elif min(found["p_value"], found["mmd_p"]) < limits["misspecification_p"]:
        recorded = [name for name in quantiles if not name.startswith(CONDITIONING)]
        tails = sorted(recorded, key=lambda name: min(quantiles[name], 1 - quantiles[name]))[:LISTED]
        reasons.append(
            f"the recording's features do not occur together in simulations: their distance is {found['distance']:.1f} "
            f"times the usual one (p = {min(found['p_value'], found['mmd_p']):.2g}); the most extreme are "
            f"{', '.join(tails)}"
        )
    return reasons


def listed(outside: Mapping[str, float], quantiles: Mapping[str, float]) -> str:
    """The first few features in words."""
    shown = "; ".join(phrase(name, gap, quantiles[name]) for name, gap in list(outside.items())[:LISTED])
    return shown + (f" and {len(outside) - LISTED} more" if len(outside) > LISTED else "")


def phrase(name: str, gap: float, quantile: float) -> str:
    """One feature in words."""
    if not np.isfinite(gap):
        return f"{name} is not finite"
    return f"{name} lies {abs(gap):.1f} standard widths {'above' if quantile > 0.5 else 'below'} the median simulation"
