"""Do simulations from the posterior look like the recording, as far as two simulations of one theta look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.features.scores import SCORES, Score

Array = np.ndarray


def predictive_scores(
    names: Sequence[str], drawn: Mapping[str, Array], observed: Mapping[str, Array], floor: Mapping[str, Array]
) -> dict[str, Array]:
    """Scores of simulations from the posterior against the recording, and the noise floor of each score.

    `drawn` and `floor` hold each score's quantity of n and r simulations, `observed` that of the recording. The floor
    compares each pair of `floor`, simulations of one theta: a model with the right theta agrees with the recording as
    two of them agree. Of fewer than two simulations it is empty.

    Returns
    -------
    dict with <score> (n,) and floor_<score> (r (r - 1) / 2,) of every name

    Raises
    ------
    ValueError
        If a score is no number.
    """
    found = {}
    for name in names:
        compare, quantity = SCORES[name].compare, SCORES[name].quantity
        again = floor[quantity]
        found[name] = compare(drawn[quantity], observed[quantity])
        pairs = [compare(again[k + 1 :], again[k]) for k in range(len(again) - 1)]
        found[f"floor_{name}"] = np.concatenate(pairs or [np.empty(0)])
        if not all(np.isfinite(found[key]).all() for key in (name, f"floor_{name}")):
            raise ValueError(f"diagnostics.scores: {name} is no number for some simulations; name another score")
    return found


def judge_predictive(scores: Mapping[str, Array], deterministic: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Medians of the scores and of their noise floor, and a sentence if the model's noise is frozen.

    Repeated simulations that are identical are a fault unless the model is `deterministic`.
    """
    summary = {name: float(np.median(values)) for name, values in scores.items() if len(values)}
    reasons: list[str] = []
    for name in (name for name in SCORES if name in scores):
        score, floor = SCORES[name], scores[f"floor_{name}"]
        if not len(floor):
            continue
        summary[f"floor_{name}_{'low' if score.sign > 0 else 'high'}"] = score.worst(floor)
        if not deterministic and not reasons and is_identical(score, floor):
            reasons.append(
                "repeated simulations at one theta are identical: the model has no noise, or its noise is frozen"
            )
    return summary, reasons


def is_identical(score: Score, floor: Array) -> bool:
    """Whether all pairs of the floor are alike as a simulation is with itself."""
    best = score.bounds[1] if score.sign > 0 else score.bounds[0]
    return bool((np.abs(floor - best) < 1e-9).all())
