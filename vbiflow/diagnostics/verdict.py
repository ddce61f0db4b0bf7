"""From calibration to words: is each parameter's posterior trusted, and the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from vbiflow.diagnostic_options import GOOD, THRESHOLDS, resolve_thresholds
from vbiflow.diagnostics.calibration import Calibration, coverage
from vbiflow.diagnostics.marginal import describe_unlearnt

SENTENCES = {
    "overconfident": "its 90 % intervals hold the true value in {covered:.0%} of {n} held-out simulations, and its "
    "50 % intervals in {half:.0%}: they are narrower than they should be",
    "underconfident": "its 90 % intervals hold the true value in {covered:.0%} of {n} held-out simulations, and its "
    "50 % intervals in {half:.0%}: they are wider than they need to be",
    "biased": "its estimates lie too {side} in {n} held-out simulations",
}


def verdict(
    calibration: Calibration,
    followers: Mapping[str, Mapping[str, Any]],
    *,
    thresholds: Mapping[str, float] | None = None,
    invalid: float = 0.0,
) -> dict[str, Any]:
    """Judge an estimator from its held-out simulations; `followers` are the single features that tell what it misses.

    A parameter fails if its ranks are not uniform (Kolmogorov-Smirnov), or its 50 or 90 % intervals miss their share
    (binomial), at `alpha` over all tests together (Holm), by more than the tolerated deviation. The sign says how: of
    uneven ranks, biased if their mean is off by more standard errors than their spread, else over- or underconfident by
    their spread; of even ones, by the intervals that miss.

    Returns
    -------
    dict with verdict, reasons, numbers, words, parameters, tarp, thresholds, n_test, invalid (what diagnostics.json
    holds)

    References
    ----------
    Talts et al. (2018) arXiv:1804.06788; Holm (1979) A simple sequentially rejective multiple test procedure
    """
    limits = resolve_thresholds(thresholds)
    n, u = len(calibration.ranks), (calibration.ranks + 0.5) / (calibration.n_samples + 1)
    tests = [rank_tests(u[:, k], calibration, k) for k in range(len(calibration.names))]
    joint = tarp_test(calibration)
    keys = ("sbc_p", "coverage_50_p", "coverage_90_p")
    adjusted = holm([test[key] for test in tests for key in keys] + [joint["p"]])
    parameters, reasons = {}, []
    for k, (name, test) in enumerate(zip(calibration.names, tests, strict=True)):
        significant = adjusted[len(keys) * k : len(keys) * (k + 1)] < limits["alpha"]
        word = judge_parameter(test, significant, limits)
        parameters[name] = {"verdict": word} | test | {"single_features": dict(followers[name])}
        if word in SENTENCES:
            reasons.append(explain_failure(name, word, test, n))
    off = joint["deviation"] > limits["tarp_deviation"] and adjusted[-1] < limits["alpha"]
    reasons += reasons_on_the_whole(calibration, joint, off, limits, invalid)
    untold = {name: entry for name, entry in parameters.items() if entry["verdict"] == "uninformative"}
    source = f"these features, on average over {n} held-out simulations"
    notes = describe_unlearnt(untold, calibration.names, source, followers)
    numbers = calibration_numbers(parameters, joint["deviation"], limits["tarp_deviation"], n)
    words = numbers_in_words(numbers, off) + own_thresholds_in_words(limits)
    return {
        "verdict": "not trusted" if reasons else "trusted",
        "reasons": [*(reasons or [words]), *notes],
        "numbers": numbers,
        "words": words,
        "parameters": parameters,
        "tarp": joint | {"verdict": joint["direction"] if off else "trusted"},
        "information_gain": float(np.mean(calibration.log_prob - calibration.prior_log_prob)),
        "thresholds": limits,
        "n_test": n,
        "invalid": float(invalid),
    }


def calibration_numbers(
    parameters: Mapping[str, Mapping[str, Any]], tarp: float, limit: float, n: int
) -> dict[str, Any]:
    """The numbers of the verdict: parameters calibrated, the range of their coverage, TARP and its limit."""
    covered = [entry["coverage_90"] for entry in parameters.values()]
    return {
        "calibrated": sum(entry["verdict"] in GOOD for entry in parameters.values()),
        "parameters": len(parameters),
        "held_out": n,
        "coverage_90": [min(covered), max(covered)],
        "tarp": tarp,
        "tarp_limit": limit,
    }


def numbers_in_words(numbers: Mapping[str, Any], off: bool) -> str:
    """The numbers of the verdict in one sentence, where TARP is `off` or passes."""
    low, high = (f"{100 * share:.0f}" for share in numbers["coverage_90"])
    between = low if low == high else f"{low} to {high}"
    n, verb = f"{numbers['held_out']:,}".replace(",", " "), "is" if numbers["calibrated"] == 1 else "are"
    chance = "" if off or numbers["tarp"] <= numbers["tarp_limit"] else ", but not significant"
    return (
        f"{numbers['calibrated']} of {numbers['parameters']} parameters {verb} calibrated over {n} held-out "
        f"simulations, 90 % intervals hold {between} % of the truths, TARP is off by "
        f"{numbers['tarp']:.2f} (limit {numbers['tarp_limit']:g}{chance})"
    )


def own_thresholds_in_words(limits: Mapping[str, float]) -> str:
    """What a sentence ends with where a study has thresholds of its own: they decide what trusted means."""
    own = [
        f"{key} {value:g} (by default {THRESHOLDS[key]:g})" for key, value in limits.items() if value != THRESHOLDS[key]
    ]
    return f"; by the study's own thresholds: {', '.join(own)}" if own else ""


def rank_tests(u: np.ndarray, calibration: Calibration, k: int) -> dict[str, float]:
    """Tests of one parameter's normalised ranks u (n,), and its summaries."""
    n, levels = len(u), np.array([0.5, 0.9])
    half, most = coverage(calibration.ranks[:, [k]], calibration.n_samples, levels)[:, 0]
    uniform, (shift, spread) = stats.kstest(u, "uniform"), shift_and_spread(u)
    p_half, p_most = (
        stats.binomtest(round(share * n), n, level).pvalue for share, level in zip((half, most), levels, strict=True)
    )
    return {
        "information": float(calibration.information[:, k].mean()),
        "shrinkage": float(calibration.shrinkage[:, k].mean()),
        "z_score": float(calibration.z[:, k].mean()),
        "correlation": float(calibration.correlation[k]),
        "sbc_p": float(uniform.pvalue),
        "sbc_deviation": float(uniform.statistic),
        "coverage_50": float(half),
        "coverage_90": float(most),
        "coverage_50_p": float(p_half),
        "coverage_90_p": float(p_most),
        "shift": shift,
        "spread": spread,
    }


def shift_and_spread(u: np.ndarray) -> tuple[float, float]:
    """By how much mean and spread of u (n,) exceed those of uniform numbers, in standard errors."""
    n = len(u)
    return float((u.mean() - 0.5) * np.sqrt(12 * n)), float((((u - 0.5) ** 2).mean() - 1 / 12) * np.sqrt(180 * n))


def judge_parameter(test: Mapping[str, float], significant: np.ndarray, limits: Mapping[str, float]) -> str:
    """The word for one parameter."""
    uneven = significant[0] and test["sbc_deviation"] > limits["rank_deviation"]
    gaps = np.array([test["coverage_50"] - 0.5, test["coverage_90"] - 0.9])
    missed = significant[1:] & (np.abs(gaps) > limits["coverage_deviation"])
    if uneven:
        if abs(test["shift"]) > abs(test["spread"]):
            return "biased"
        return "overconfident" if test["spread"] > 0 else "underconfident"
    if missed.any():
        return "overconfident" if gaps[np.argmax(missed * np.abs(gaps))] < 0 else "underconfident"
    return "uninformative" if test["information"] < limits["information"] else "trusted"


def explain_failure(name: str, word: str, test: Mapping[str, float], n: int) -> str:
    """One sentence for a failing parameter."""
    side = "low" if test["shift"] > 0 else "high"
    text = SENTENCES[word].format(covered=test["coverage_90"], half=test["coverage_50"], n=n, side=side)
    return f"{name} is {word}: {text}"


def tarp_test(calibration: Calibration) -> dict[str, Any]:
    """Uniformity of the TARP shares: deviation from the diagonal, its p-value, and in words which way.

    Of few parameters a truth that the posterior misses is nearer to the reference than all samples, or farther than
    all. Of many, errors have hardly a part in the reference's direction: larger than said, they make truths farther.
    """
    uniform = stats.kstest(calibration.tarp, "uniform")
    shift, spread = shift_and_spread(calibration.tarp)
    return {
        "p": float(uniform.pvalue),
        "deviation": float(uniform.statistic),
        "direction": "overconfident" if max(shift, spread, key=abs) > 0 else "underconfident",
    }


def reasons_on_the_whole(
    calibration: Calibration, joint: Mapping[str, Any], off: bool, limits: Mapping[str, float], invalid: float
) -> list[str]:
    """Reasons that concern the posterior as a whole."""
    n, reasons = len(calibration.ranks), []
    if off:
        reasons.append(
            f"the joint posterior of all parameters is {joint['direction']} (TARP is off its diagonal by "
            f"{joint['deviation']:.2f} in {n} held-out simulations)"
        )
    if np.mean(calibration.log_prob - calibration.prior_log_prob) < 0:
        reasons.append(
            "the posterior explains the held-out parameters worse than the prior that they were drawn from does"
        )
    leaked = calibration.leaked.mean()
    if leaked > limits["leak"]:
        reasons.append(f"{leaked:.0%} of the posterior's mass lies where the prior has none")
    if n < limits["n_test"]:
        lost = f", since {invalid:.1%} of all are invalid: raise inference.test_share" if invalid else ""
        reasons.append(f"only {n} held-out simulations{lost}; {limits['n_test']:g} are needed to see a miscalibration")
    if invalid > limits["invalid_share"]:
        reasons.append(
            f"{invalid:.0%} of the simulations are invalid: the posterior holds only where the model "
            "runs and every feature is defined"
        )
    return reasons


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p-values adjusted for testing all of them: max over smaller ones of (m - rank) p, at most 1."""
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1.0)
    return out
