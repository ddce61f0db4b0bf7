"""How much of a recording the model explains beyond the features it was fitted to, on a ladder measured from data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vbiflow.features.scores import SCORES

GRADES = ("chance", "above_chance", "other_person", "own_half", "noise_ceiling")
"""Grades from the lowest: no better than with nodes shuffled; better; as much as another person's recording; as the
person's own other half; as two simulations of one theta agree."""
RUNGS = {
    "above_chance": ("chance", "a recording with its nodes shuffled"),
    "other_person": ("other", "another person's recording"),
    "own_half": ("half", "the person's own other half"),
    "noise_ceiling": ("floor", "another simulation of the same parameters"),
}
"""What each grade is measured by: first part of the name of the values, and words."""


def grade_scores(scores: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Grade each predictive score on its ladder: {score: {value, grade, ladder: {grade: [low, high]}, short, words}}.

    `short` says value and grade, `words` the ladder beside it.

    `scores` holds values <score> (n,) of simulations from the posterior against the recording, and of each rung what
    the recording reaches with a shuffled recording, other people's and its own other half, and two simulations of one
    theta with each other: chance_<score>, other_<score>, half_<score>, floor_<score>, as far as they are known. A grade
    is reached if the median is as good as the least of its rung; chance is left behind beyond 95 % of it. Where every
    shuffled recording is nearer no rung counts. Of a correlation within chance none counts that recordings make, which
    may lie there too, nor the noise ceiling where one of these says that there is more to explain. Values
    held_out_<score> (n,) against a half that was held out are told beside, as the median `held_out`.
    """
    found = {}
    for name in (name for name in SCORES if name in scores):
        sign, value = SCORES[name].sign, float(np.median(scores[name]))
        ladder, reached, possible = {}, "chance", True
        shuffled, *recorded = (np.atleast_1d(scores.get(f"{kind}_{name}", ())) for kind in ("chance", "other", "half"))
        nothing = np.quantile(shuffled, 0.95) if sign > 0 and len(shuffled) else -np.inf  # distances have no zero
        more = np.concatenate(recorded).max(initial=-np.inf) >= nothing
        for grade in GRADES[1:]:
            rung = np.atleast_1d(scores.get(f"{RUNGS[grade][0]}_{name}", ()))
            if not len(rung):
                continue
            ladder[grade] = [float(rung.min()), float(rung.max())]
            least = np.quantile(sign * rung, {"above_chance": 0.95, "noise_ceiling": 0.05}.get(grade, 0.0))
            possible &= grade != "above_chance" or sign * value >= (sign * rung).min()
            hidden = sign * value < nothing and (more or grade != "noise_ceiling")
            reached = grade if possible and not hidden and sign * value >= least else reached
        words = "; ".join(f"{RUNGS[grade][1]} {range_in_words(*ends)}" for grade, ends in ladder.items())
        short = f"{SCORES[name].label} {value:.2f}: {grade_in_words(reached, 'above_chance' in ladder)}"
        found[name] = {
            "value": value,
            "grade": reached,
            "ladder": ladder,
            "short": short,
            "words": f"{short} ({words})",
        }
        if f"held_out_{name}" in scores:
            unseen = float(np.median(scores[f"held_out_{name}"]))
            found[name]["held_out"] = unseen
            found[name]["words"] += f"; with the half that was held out {unseen:.2f}"
    return found


def range_in_words(low: float, high: float) -> str:
    """Two ends in words, or the one value that they are."""
    return f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def grade_in_words(grade: str, measured: bool = True) -> str:
    """A grade in words; chance only where it was `measured`."""
    if grade == "chance":
        return "no more than chance" if measured else "less alike than all that it was compared with"
    return "more than chance" if grade == "above_chance" else f"as much as {RUNGS[grade][1]}"


def lowest_grade(grades: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The lowest grade of all scores, None if there is none."""
    return min((one["grade"] for one in grades.values()), key=GRADES.index, default=None)
