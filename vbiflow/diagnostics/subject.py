"""The verdict on one subject's posterior in three parts: estimator, recording, model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.connectome.pool import CONDITIONING
from vbiflow.diagnostic_options import fewest_for, resolve_thresholds
from vbiflow.diagnostics.grade import GRADES, grade_in_words, grade_scores, lowest_grade
from vbiflow.diagnostics.marginal import UNLEARNT
from vbiflow.diagnostics.predictive import judge_predictive
from vbiflow.features.scores import SCORES

MOST_LISTED = 3
PASSED = "the recording is among the simulations, and {n} simulations from its posterior have its features"


def subject_verdict(
    misspecification: Mapping[str, Any],
    estimator: Mapping[str, Any],
    features: Mapping[str, Any] | None,
    predictive: Mapping[str, np.ndarray] | None = None,
    *,
    thresholds: Mapping[str, float] | None = None,
    deterministic: bool = False,
    require: str | None = None,
    notes: Sequence[str] = (),
    where: str = "this prior",
) -> dict[str, Any]:
    """What verdict.json holds: trusted if the estimator is calibrated and the recording is one that it is right for.

    Parameters
    ----------
    misspecification, estimator, features
        What the function of that name, `verdict` and `check_features` found, the last with `calibrated_p` and the
        number `n_held_out` of simulations behind it, and with `n_predictive`, how many were simulated, valid or not;
        without it nothing is trusted.
    predictive
        Scores of simulations from the posterior against the series of the recording, and their ladders, as
        `grade_scores` takes them. They grade the model, which is no part of trust unless the study says `require`.
    thresholds
        Of the study's diagnostics, by name; those that are not named have their defaults.
    deterministic
        Whether repeated simulations at one theta are to be the same.
    require
        One of GRADES that every score must reach.
    notes
        Sentences on what this posterior leaves open.
    where
        Name of what the simulations were drawn from: the prior, or that of the last round.
    """
    limits = resolve_thresholds(thresholds)
    rare = rarity_reasons(misspecification, limits, where)
    wrong = feature_reasons(features, list(misspecification["features"]), limits)
    failed = [] if estimator["verdict"] == "trusted" else [failure_in_words(estimator)]
    summary, frozen = judge_predictive(predictive or {}, deterministic)
    grades = grade_scores(predictive or {})
    numbers = {"rarity": rarity(misspecification)}
    if features:
        numbers["features"] = misfit_of_features(features)[0]
    model = {"grade": lowest_grade(grades), "scores": grades, "reasons": [one["words"] for one in grades.values()]}
    short = reason_of_grade(model, require)
    recording = rare + wrong + frozen
    reasons = recording + failed + short
    return {
        "verdict": "not trusted" if reasons else "trusted",
        "reasons": [
            *(reasons or [f"{passing_words(misspecification, features, limits)}; {estimator['words']}"]),
            *notes,
        ],
        "parts": {
            "estimator": {
                "verdict": estimator["verdict"],
                "reasons": failed,
                "numbers": dict(estimator["numbers"]),
                "words": estimator["words"],
            },
            "recording": {
                "verdict": "not trusted" if recording else "trusted",
                "reasons": recording,
                "p": numbers,
            },
            "model": model,
        },
        "misspecification": dict(misspecification),
        "features": dict(features or {}),
        "predictive": summary,
        "estimator": estimator["verdict"],
    }


def failure_in_words(estimator: Mapping[str, Any]) -> str:
    """The first reason why an estimator is not trusted, how many more there are, and its numbers."""
    more = sum(UNLEARNT not in reason for reason in estimator["reasons"]) - 1
    also = f" (and {more} more)" if more > 0 else ""
    return f"the estimator is not trusted: {estimator['reasons'][0]}{also}; {estimator['words']}"


def reason_of_grade(model: Mapping[str, Any], require: str | None) -> list[str]:
    """A sentence if the model does not reach the grade that the study requires, or if it was not measured."""
    if require is None:
        return []
    required = f"the study requires the grade {require} ({grade_in_words(require)})"
    if model["grade"] is None:
        return [f"{required}, but there is no series to grade the model by"]
    short = {name: one for name, one in model["scores"].items() if GRADES.index(one["grade"]) < GRADES.index(require)}
    unknown = [SCORES[name].label for name, one in short.items() if require not in one["ladder"]]
    if unknown:
        return [f"{required}, which could not be measured by {', '.join(unknown)}"]
    return [f"{required}; the model reaches {model['grade']}"] if short else []


def rarity_reasons(found: Mapping[str, Any], limits: Mapping[str, float], where: str) -> list[str]:
    """Sentences that say where and how far x_o lies outside the simulations."""
    strange = {name: gap for name, gap in found["outside"].items() if name.startswith(CONDITIONING)}
    outside = {name: gap for name, gap in found["outside"].items() if name not in strange}
    reasons, limit = [], limits["misspecification_p"]
    if found["n_compared"] < fewest_for(limit):
        reasons.append(
            f"{found['n_compared']} simulations, half of the valid ones, are too few to see a rare recording at "
            f"p = {limit:g}: {fewest_for(limit)} are needed"
        )
    if strange:
        reasons.append(f"the connectome is outside those that the estimator learned from: {list_features(strange)}")
    p = rarity(found)
    share = f"{found['near']:.2%} of its simulations come near, 1 % near a typical one"
    rare = f"the recording is rare under {where} ({share})"
    doubt = open_side(p, limit, found["n_compared"])
    if outside:
        reasons.append(f"{rare}: {list_features(outside)}")
    elif p < limit and found["beyond_p"] == p:
        reasons.append(
            f"{rare}: {found['n_beyond']} of {found['n_features']} features are beyond all simulations "
            f"(p = {p:.2g}{doubt})"
        )
    elif p < limit:
        reasons.append(
            f"{rare}: its features do not occur together, their distance is {found['distance']:.1f} times the usual "
            f"one (p = {p:.2g}{doubt}); {', '.join(found['farthest'])} add most to it"
        )
    return reasons


def feature_reasons(found: Mapping[str, Any] | None, names: Sequence[str], limits: Mapping[str, float]) -> list[str]:
    """A sentence if simulations from the posterior do not have the features of the recording, or were not asked."""
    if not found:
        return ["no simulation from the posterior was compared with the recording"]
    n, limit = found["n_simulations"], limits["predictive_p"]
    held_out = found.get("n_held_out", 0)
    if max(n, held_out) < fewest_for(limit):
        return [
            f"{n} simulations from the posterior are too few to see a misfit at p = {limit:g}: set "
            f"diagnostics.n_predictive to {fewest_for(limit)} or more"
        ]
    invalid = 1 - n / found.get("n_predictive", n)
    if invalid > limits["invalid_share"]:
        return [
            f"{invalid:.0%} of the simulations from the posterior are invalid: it lies where the model does not run, "
            "or a feature is undefined"
        ]
    if not found["n_features"]:
        return ["no feature could be compared with those of simulations from the posterior"]
    p, compared = misfit_of_features(found)
    if p >= limit:
        return []
    off = ", ".join(names[k] for k in found["off"][:MOST_LISTED])
    beside = f"{compared} held-out simulations with theirs" if compared == held_out else f"{compared} of them"
    return [
        f"simulations from the posterior do not have the features of the recording (p = {p:.2g} beside {beside}"
        f"{open_side(p, limit, compared)}; {found['in_band']:.0%} of {found['n_features']} features in their 95 % "
        f"band): farthest off are {off}"
    ]


def rarity(found: Mapping[str, Any]) -> float:
    """The smallest p of the recording beside simulations from the prior."""
    return min(found["p_value"], found["mmd_p"], found["beyond_p"])


def misfit_of_features(found: Mapping[str, Any]) -> tuple[float, int]:
    """The smallest p of the recording beside simulations from its posterior, and how many decided it."""
    each = [(found["p_value"], found["n_simulations"])]
    if found.get("n_held_out"):
        each.append((found["calibrated_p"], found["n_held_out"]))
    return min(each)


def open_side(p: float, limit: float, n: int) -> str:
    """Words for a p from n simulations that lies within two standard errors of its limit."""
    near = abs(p - limit) < 2 * np.sqrt(limit * (1 - limit) / n)
    return f"; {n} simulations leave open on which side of {limit:g} p lies, more would tell" if near else ""


def passing_words(rare: Mapping[str, Any], features: Mapping[str, Any], limits: Mapping[str, float]) -> str:
    """The sentence on a recording that passes, with both p."""
    p, n = misfit_of_features(features)
    first = open_side(rarity(rare), limits["misspecification_p"], rare["n_compared"])
    second = open_side(p, limits["predictive_p"], n)
    left = rare["n_recorded"] - rare["n_features"]
    some = f" on {rare['n_features']} of {rare['n_recorded']} features that vary and that both have" if left else ""
    both = ", the smaller of two" if features.get("n_held_out") else ""
    passed = PASSED.format(n=features["n_simulations"])
    return f"{passed} (p = {rarity(rare):.2g}, the smallest of three tests{some}{first}; p = {p:.2g}{both}{second})"


def list_features(outside: Mapping[str, float]) -> str:
    """The first few features in words."""
    shown = "; ".join(describe_gap(name, gap) for name, gap in list(outside.items())[:MOST_LISTED])
    return shown + (f" and {len(outside) - MOST_LISTED} more" if len(outside) > MOST_LISTED else "")


def describe_gap(name: str, gap: float) -> str:
    """One feature in words."""
    if np.isnan(gap):
        return f"{name} is not finite, as it is in simulations"
    side = "above" if gap > 0 else "below"
    if np.isinf(gap):
        return f"{name} lies {side} all simulations, which are (nearly) all the same"
    return f"{name} lies {side} all simulations, by {abs(gap):.1f} times their width"
