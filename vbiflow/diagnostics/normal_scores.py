"""Features as normal scores among simulations, so that heavy tails hide nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri


def normal_scores(reference: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Normal scores (m, f) of the ranks of points (m, f) among `reference` (n, f), ties in the middle.

    All that lies beyond the reference has one score. A value that is not finite has score 0.
    """
    out = np.zeros(points.shape)
    for k, (column, values) in enumerate(zip(reference.T, points.T, strict=True)):
        ordered, good = np.sort(column[np.isfinite(column)]), np.isfinite(values)
        below = np.searchsorted(ordered, values[good], "left") + np.searchsorted(ordered, values[good], "right")
        out[good, k] = ndtri((below / 2 + 0.5) / (len(ordered) + 1))
    return out


@dataclass(frozen=True)
class SmoothScores:
    """Normal scores that keep the place of values between simulations and beyond them.

    `knots` are the values of each feature, `scores` the normal scores of their ranks, ties in the middle. Between knots
    runs a straight line, beyond the last on either side the line from the median through it: a cluster of values that
    lies between two simulations only changes its unit, and a feature that is normal only its scale.
    """

    knots: tuple[np.ndarray, ...]
    scores: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, x: np.ndarray) -> SmoothScores:
        """Of the finite features x (n, f) of simulations."""
        knots, scores = [], []
        for column in np.asarray(x, float).T:
            values, counts = np.unique(column[np.isfinite(column)], return_counts=True)
            knots.append(values)
            scores.append(ndtri((np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)))
        return cls(tuple(knots), tuple(scores))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Scores of features x (..., f); a feature that no two simulations have different stays as it is."""
        out = np.array(x, float)
        for k, (knots, scores) in enumerate(zip(self.knots, self.scores, strict=True)):
            if len(knots) > 1:
                values, middle = out[..., k], np.interp(0.0, scores, knots)
                below, above = np.minimum(values - knots[0], 0.0), np.maximum(values - knots[-1], 0.0)
                out[..., k] = (
                    np.interp(values, knots, scores)
                    + below * scores[0] / (knots[0] - middle)
                    + above * scores[-1] / (knots[-1] - middle)
                )
        return out
