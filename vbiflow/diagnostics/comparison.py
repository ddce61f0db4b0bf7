"""Which of several studies (models) reproduces one recording best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def compare_studies(scores: Mapping[str, Mapping[str, np.ndarray]]) -> list[dict[str, Any]]:
    """Rank studies by the predictive scores of one subject, best first.

    `scores` holds fc_correlation (n,) and fcd_ks (n,) for each study, from `predictive_scores`. Studies are ordered by
    the median of ``fc_correlation - fcd_ks``, which rewards static and dynamic agreement alike; `probability_best` is
    how often a random simulation of the study beats one of every other study.

    References
    ----------
    Hansen et al. (2015) Functional connectivity dynamics, doi:10.1016/j.neuroimage.2014.11.001
    """
    if len(scores) < 2:
        raise ValueError(f"comparing studies takes at least two, found {', '.join(scores) or 'none'}")
    merit = {name: np.asarray(s["fc_correlation"]) - np.asarray(s["fcd_ks"]) for name, s in scores.items()}
    levels = (np.arange(500) + 0.5) / 500
    quantiles = np.array([np.quantile(values, levels) for values in merit.values()])
    rows = []
    for k, (name, entry) in enumerate(scores.items()):
        others = np.delete(quantiles, k, axis=0)
        below = np.prod([(other[:, None] < quantiles[k]).mean(axis=0) for other in others], axis=0)
        rows.append(
            {
                "study": name,
                "fc_correlation": float(np.median(entry["fc_correlation"])),
                "fcd_ks": float(np.median(entry["fcd_ks"])),
                "merit": float(np.median(merit[name])),
                "probability_best": float(below.mean()),
            }
        )
    return sorted(rows, key=lambda row: -row["merit"])
