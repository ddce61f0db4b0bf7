"""Do simulations from the posterior look like the recording, as far as two simulations of one theta look alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

SCORES = ("fc_correlation", "fcd_ks", "floor_fc_correlation", "floor_fcd_ks")


def fc_correlation(fc: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Pearson correlation (n,) of the upper triangles of fc (n, node, node) and one FC (node, node)."""
    if fc.shape[1:] != observed.shape:
        raise ValueError(
            f"predicted FC has {fc.shape[1:]} nodes, the recording's {observed.shape}; select the same regions"
        )
    upper = np.triu_indices(len(observed), 1)
    a, b = fc[:, *upper], observed[upper]
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean()
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum())
    return np.divide(a @ b, scale, out=np.zeros(len(a)), where=scale > 0)


def fcd_ks(fcd: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Kolmogorov-Smirnov distance (n,) between the values above the diagonal of fcd (n, window, window) and of one FCD.

    The numbers of windows may differ.
    """
    reference = observed[np.triu_indices(len(observed), 1)]
    upper = np.triu_indices(fcd.shape[1], 1)
    return np.array([stats.ks_2samp(one[upper], reference, method="asymp").statistic for one in fcd])


def predictive_scores(
    fc: np.ndarray,
    fcd: np.ndarray,
    fc_observed: np.ndarray,
    fcd_observed: np.ndarray,
    floor_fc: np.ndarray,
    floor_fcd: np.ndarray,
) -> dict[str, np.ndarray]:
    """Scores of simulations from the posterior against the recording, and the noise floor of both scores.

    The floor compares each pair of `floor_fc` (r, node, node) and `floor_fcd` (r, window, window), simulations of one
    theta: a model with the right theta agrees with the recording as two of them agree.

    Returns
    -------
    dict with fc_correlation (n,), fcd_ks (n,), floor_fc_correlation and floor_fcd_ks (r (r - 1) / 2,)
    """
    if len(floor_fc) < 2:
        raise ValueError(f"the noise floor needs at least 2 repeated simulations at one theta, found {len(floor_fc)}")
    return {
        "fc_correlation": fc_correlation(fc, fc_observed),
        "fcd_ks": fcd_ks(fcd, fcd_observed),
        "floor_fc_correlation": np.concatenate(
            [fc_correlation(floor_fc[k + 1 :], floor_fc[k]) for k in range(len(floor_fc) - 1)]
        ),
        "floor_fcd_ks": np.concatenate([fcd_ks(floor_fcd[k + 1 :], floor_fcd[k]) for k in range(len(floor_fcd) - 1)]),
    }


def judge_predictive(scores: dict[str, np.ndarray], limits: dict[str, float]) -> tuple[dict[str, Any], list[str]]:
    """Summary of the scores, and a sentence for each that falls short of the noise floor by more than tolerated."""
    median = {name: float(np.median(values)) for name, values in scores.items()}
    low = float(np.quantile(scores["floor_fc_correlation"], 0.05))
    high = float(np.quantile(scores["floor_fcd_ks"], 0.95))
    reasons = []
    if scores["floor_fc_correlation"].min() > 1 - 1e-9:
        reasons.append(
            "repeated simulations at one theta are identical: the model has no noise, or its noise is frozen"
        )
    if median["fc_correlation"] < low - limits["fc_correlation_loss"]:
        reasons.append(
            f"simulations from the posterior do not reproduce the functional connectivity: they correlate with it by "
            f"{median['fc_correlation']:.2f}, where two simulations of one theta correlate by {low:.2f} or more"
        )
    if median["fcd_ks"] > high + limits["fcd_ks_excess"]:
        reasons.append(
            f"simulations from the posterior do not reproduce the dynamics of functional connectivity: their FCD "
            f"differs by {median['fcd_ks']:.2f} (KS), where two simulations of one theta differ by {high:.2f} or less"
        )
    return median | {"floor_fc_correlation_low": low, "floor_fcd_ks_high": high}, reasons
