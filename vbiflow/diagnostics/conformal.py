"""Intervals that hold the truth as often as they say whatever the estimator: corrected by held-out simulations."""

from __future__ import annotations

import numpy as np


def conformal_levels(ranks: np.ndarray, n_samples: int, level: float = 0.9) -> np.ndarray:
    """Nominal level (p,) of the central posterior interval that held the truth in `level` of held-out simulations.

    The truth of simulation i enters the central interval of level s_i = |2 (rank_i + 1/2) / (n_samples + 1) - 1|. The
    ceil((n + 1) level)-th smallest of these is exceeded by a new one with probability at most 1 - level, even if the
    posterior is wrong; 1 where n simulations are too few for that.

    Parameters
    ----------
    ranks
        (n, p), how many of `n_samples` posterior samples lie below each true value.

    References
    ----------
    Cabezas et al. (2025) CP4SBI: local conformal calibration of credible sets in simulation-based inference,
    arXiv:2508.17077; Romano et al. (2019) Conformalized quantile regression, arXiv:1905.03222
    """
    entered = np.sort(np.abs(2 * (np.asarray(ranks) + 0.5) / (n_samples + 1) - 1), axis=0)
    place = int(np.ceil((len(entered) + 1) * level - 1e-9))
    return entered[place - 1] if place <= len(entered) else np.ones(entered.shape[1])


def conformal_intervals(
    theta: np.ndarray, ranks: np.ndarray, n_samples: int, bounds: tuple[np.ndarray, np.ndarray], level: float = 0.9
) -> np.ndarray:
    """Lower and upper ends (2, p) of intervals from posterior samples theta (n, p) of one recording.

    A truth above k of the samples lies between the k-th and the next, so that an interval that is to hold it starts at
    the k-th. A nominal level beyond what `n_samples` can resolve gives the whole support of the prior, `bounds` (p,)
    and (p,).
    """
    levels = conformal_levels(ranks, n_samples, level)
    below = np.maximum((1 - levels) / 2 - 0.5 / (n_samples + 1), 0.0)
    ends = [
        np.quantile(column, [tail, 1 - tail], method="weibull") for column, tail in zip(theta.T, below, strict=True)
    ]
    whole = levels > 1 - 1.5 / (n_samples + 1)
    return np.where(whole, np.stack(bounds), np.array(ends).T)
