"""The study's `diagnostics.thresholds`: names, defaults, and mistakes found before anything is simulated."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

THRESHOLDS: dict[str, float] = {
    "alpha": 0.01,
    "rank_deviation": 0.05,
    "coverage_deviation": 0.04,
    "tarp_deviation": 0.05,
    "leak": 0.01,
    "information": 0.05,
    "n_test": 100,
    "invalid_share": 0.5,
    "misspecification_p": 0.01,
    "feature_tail": 0.001,
    "predictive_p": 0.01,
}
MOST_TAIL = 0.5
"""Both ends together would be all."""
GOOD = ("trusted", "uninformative")
"""Verdicts of a calibrated posterior."""
EXACT = ("G", "tau", "sigma", "I")
"""Parameters of the linear network whose likelihood is known."""
MOST_ROBUST = 300
"""Features at most whose joint density a robust posterior can learn."""
LOCAL_TEST = 100
"""Held-out simulations from which a local C2ST can be made."""
N_TRANSFER = 30
"""Simulations from other people's posteriors that are compared with a person's recording."""

WRONG = 0.9
"""Probability of an error above which the robust posterior calls a feature wrong."""


def resolve_thresholds(thresholds: Mapping[str, float] | None) -> dict[str, float]:
    """`THRESHOLDS` with the study's `diagnostics.thresholds` on top."""
    for key, value in (thresholds or {}).items():
        if key not in THRESHOLDS:
            raise ValueError(f"unknown threshold {key!r}; choose from {', '.join(THRESHOLDS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"threshold {key} must be a number from 0 up, found {value!r}")
    if (tail := (thresholds or {}).get("feature_tail", 0)) >= MOST_TAIL:
        raise ValueError(f"threshold feature_tail is a share at either end, below {MOST_TAIL:g}, found {tail:g}")
    return THRESHOLDS | dict(thresholds or {})


def fewest_for(limit: float) -> int:
    """The number of others beside which the p of a rank can lie below a limit at all; 0 where the limit is 0."""
    return ceil(1 / limit - 1e-9) - 1 if limit else 0
