"""How much of a recording the model explains beyond the features it was fitted to, on a ladder measured from data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import numpy as np

from vbiflow.diagnostics.predictive import is_identical
from vbiflow.features.scores import SCORES

GRADES = ("chance", "above_chance", "other_person", "own_half", "noise_ceiling")
"""Grades from the lowest: no better than with nodes shuffled; better; as much as another person's recording; as the
person's own other half; as two simulations of one theta agree. None is reached without those below it."""
RUNGS = {
    "above_chance": ("chance", "a recording with its nodes shuffled"),
    "other_person": ("other", "another person's recording"),
    "own_half": ("half", "the person's own other half"),
    "noise_ceiling": ("floor", "another simulation of the same parameters"),
}
"""What each grade is measured by: first part of the name of the values, and words."""
LEAST = {"above_chance": 0.95, "other_person": 0.0, "own_half": 0.0, "noise_ceiling": 0.05}
"""Quantile of its rung from which a grade is reached."""


def grade_scores(scores: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Grade each predictive score on its ladder: {score: {value, grade, ladder: {grade: [low, high]}, short, words}}.

    `short` says value and grade, `words` the ladder beside it.

    `scores` holds values <score> (n,) of simulations from the posterior against the recording, and of each rung what
    the recording reaches with a shuffled recording, other people's and its own other half, and two simulations of one
    theta with each other: chance_<score>, other_<score>, half_<score>, floor_<score>, as far as they are known. A rung
    is climbed if the median is as good as the least of it; chance is left behind beyond 95 % of it. The grade is the
    last rung before one that is not climbed: noise lowers the noise ceiling, so that this alone would praise the
    noisiest model. Where recordings are no more alike than by chance there is nothing to climb by, and the noise
    ceiling decides alone. Simulations that are the same each time are no ceiling where there is another rung: only the
    very parameters would reach it. A noise floor that could not be measured is empty, and said to be. Values
    held_out_<score> (n,) against a half that was held out are told beside, as the median `held_out`.
    """
    found = {}
    for name in (name for name in SCORES if name in scores):
        sign, value = SCORES[name].sign, float(np.median(scores[name]))
        rungs = {grade: np.atleast_1d(scores.get(f"{RUNGS[grade][0]}_{name}", ())) for grade in RUNGS}
        rungs = {grade: rung for grade, rung in rungs.items() if len(rung)}
        silent = len(rungs) > 1 and "noise_ceiling" in rungs and is_identical(SCORES[name], rungs["noise_ceiling"])
        if silent:
            del rungs["noise_ceiling"]
        climbed = {grade: sign * value >= np.quantile(sign * rung, LEAST[grade]) for grade, rung in rungs.items()}
        if nothing_to_climb_by(rungs, sign, value):
            climbed = {grade: climbed[grade] for grade in climbed if grade == "noise_ceiling"}
        reached = "chance"
        for grade in takewhile(climbed.get, climbed):
            reached = grade
        ladder = {grade: [float(rung.min()), float(rung.max())] for grade, rung in rungs.items()}
        at_ceiling = climbed.get("noise_ceiling", False) and reached != "noise_ceiling"
        words = grade_in_words(reached, "above_chance" in ladder, at_ceiling)
        short = f"{SCORES[name].label} {value:.2f}: {words}"
        words = "; ".join(f"{RUNGS[grade][1]} {range_in_words(*ends)}" for grade, ends in ladder.items())
        words = f"{short} ({words})"
        if at_ceiling:
            words += ", all that the model's own noise lets it reach"
        if silent:
            words += "; a model without noise has no noise ceiling"
        if not len(scores.get(f"floor_{name}", [0])):
            words += "; no two simulations of the MAP are valid, so that the noise ceiling is not known"
        found[name] = {"value": value, "grade": reached, "ladder": ladder, "short": short, "words": words}
        if f"held_out_{name}" in scores:
            unseen = float(np.median(scores[f"held_out_{name}"]))
            found[name]["held_out"] = unseen
            found[name]["words"] += f"; with the half that was held out {unseen:.2f}"
    return found


def nothing_to_climb_by(rungs: Mapping[str, np.ndarray], sign: int, value: float) -> bool:
    """Whether recordings and the model are alike as by chance, of a correlation, which has a zero."""
    recorded = [rungs[grade] for grade in ("other_person", "own_half") if grade in rungs]
    if sign < 0 or "above_chance" not in rungs or not recorded:
        return False
    shuffled = rungs["above_chance"]
    chance = np.quantile(shuffled, LEAST["above_chance"])
    return bool(max(rung.max() for rung in recorded) < chance and shuffled.min() <= value < chance)


def range_in_words(low: float, high: float) -> str:
    """Two ends in words, or the one value that they are."""
    return f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def grade_in_words(grade: str, measured: bool = True, at_ceiling: bool = False) -> str:
    """A grade in words; chance only where it was `measured`, else recordings alone where the noise allows no more."""
    if grade == "chance" and not measured:
        return f"less alike than {'other recordings' if at_ceiling else 'all that it was compared with'}"
    if grade == "chance":
        return "no more than chance"
    return "more than chance" if grade == "above_chance" else f"as much as {RUNGS[grade][1]}"


def lowest_grade(grades: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The lowest grade of all scores, None if there is none."""
    return min((one["grade"] for one in grades.values()), key=GRADES.index, default=None)
