"""Which of several studies (models) reproduces one recording best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vbiflow.features.scores import SCORES


def compare_studies(scores: Mapping[str, Mapping[str, np.ndarray]]) -> list[dict[str, Any]]:
    """Rank studies by the predictive scores of one subject, best first.

    `scores` holds (n,) values of each score for each study, as predictive.h5 does; those that all studies have count.
    Studies are ordered by the median of their sum, each with the sign that makes more better, for instance
    ``fc_correlation - fcd_ks``, which rewards static and dynamic agreement alike; `probability_best` is how often a
    random simulation of the study beats one of every other study.

    Raises
    ------
    ValueError
        If there are fewer than two studies, or no score is common to all.

    References
    ----------
    Hansen et al. (2015) Functional connectivity dynamics, doi:10.1016/j.neuroimage.2014.11.001
    """
    if len(scores) < 2:
        raise ValueError(f"comparing studies takes at least two, found {', '.join(scores) or 'none'}")
    shared = [name for name in SCORES if all(name in entry for entry in scores.values())]
    if not shared:
        raise ValueError(f"the studies {', '.join(scores)} share no score; set the same diagnostics.scores in each")
    merit = {
        study: sum(SCORES[name].sign * np.asarray(entry[name]) for name in shared) for study, entry in scores.items()
    }
    levels = (np.arange(500) + 0.5) / 500
    quantiles = np.array([np.quantile(values, levels) for values in merit.values()])
    rows = []
    for k, (study, entry) in enumerate(scores.items()):
        others = np.delete(quantiles, k, axis=0)
        below = np.prod([(other[:, None] < quantiles[k]).mean(axis=0) for other in others], axis=0)
        rows.append(
            {
                "study": study,
                **{name: float(np.median(entry[name])) for name in shared},
                "merit": float(np.median(merit[study])),
                "probability_best": float(below.mean()),
            }
        )
    return sorted(rows, key=lambda row: -row["merit"])
