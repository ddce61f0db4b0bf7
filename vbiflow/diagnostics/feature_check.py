"""Posterior predictive check of the features themselves: do simulations from the posterior share the recording's."""

from __future__ import annotations

from typing import Any

import numpy as np

from vbiflow.inference.scaling import centre_and_scale

BAND = 0.95


def check_features(x: np.ndarray, x_o: np.ndarray) -> dict[str, Any]:
    """Compare the features x_o (f,) of a recording with those x (n, f) of simulations from its posterior.

    Both are best given as `SmoothScores` among simulations of the prior: squares of a heavy tail would be all that
    counts. Each feature is standardised by median and interquartile range of the simulations; `p_value` is the share of
    simulations whose mean square is at least that of the recording, `misfit` that of the recording over their median.
    `in_band` is the share of features within the central 95 % of the simulations, `off` names the columns outside,
    farthest first. Left out are features that the recording or half of the simulations lack, and those that do not
    vary; a value that a simulation lacks counts as the median.

    Parameters
    ----------
    x, x_o
        Features of simulations from the posterior, and of the recording, whatever these are: of series, spectra, or of
        a table.

    References
    ----------
    Gelman, Meng & Stern (1996) Posterior predictive assessment of model fitness via realized discrepancies,
    Statistica Sinica 6, 733-807
    """
    x, x_o = np.asarray(x, float), np.asarray(x_o, float)
    kept = np.flatnonzero(np.isfinite(x_o) & (2 * np.isfinite(x).sum(axis=0) > len(x)))
    centre, scale = centre_and_scale(x, columns=kept)
    varies = scale > 1e-10 * np.abs(centre)
    kept, centre, scale = kept[varies], centre[varies], scale[varies]
    if not len(kept):
        return {"p_value": 1.0, "misfit": 0.0, "in_band": 1.0, "off": [], "n_simulations": len(x), "n_features": 0}
    u, u_o = np.nan_to_num((x[:, kept] - centre) / scale, posinf=0.0, neginf=0.0), (x_o[kept] - centre) / scale
    distances, distance = (u**2).mean(axis=1), (u_o**2).mean()
    low, high = np.quantile(u, [(1 - BAND) / 2, (1 + BAND) / 2], axis=0)
    inside = (u_o >= low) & (u_o <= high)
    far = np.argsort(-np.abs(u_o))
    return {
        "p_value": rank_p(distances, distance),
        "misfit": float(distance / np.median(distances)),
        "in_band": float(inside.mean()),
        "off": [int(kept[k]) for k in far if not inside[k]],
        "n_simulations": len(x),
        "n_features": len(kept),
    }


def rank_p(others: np.ndarray, own: float) -> float:
    """Share of `others` at least as large as `own`, which counts as one of them."""
    return float((1 + (others >= own).sum()) / (1 + len(others)))
