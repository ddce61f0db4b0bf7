"""Is x_o something the model can produce: feature by feature, and all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.features.files import CONDITIONING
from vbiflow.inference.scaling import location
from vbiflow.io import read, rows

MOST = 20_000
"""Simulations that a recording is compared with."""
REFERENCE = 2000
NEAREST = 10


def misspecification(
    x: np.ndarray,
    x_o: np.ndarray,
    names: Sequence[str],
    *,
    seed: int,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Compare x_o (f,) with the valid simulations x (n, f) of the prior predictive.

    Each feature is standardised by median and interquartile range. `distance` is Mahalanobis' with a covariance shrunk
    towards its diagonal (Ledoit-Wolf), divided by its median over simulations; `p_value` the share of simulations at
    least as far, which did not enter the covariance. `mmd` compares x_o with the simulations by a Gaussian kernel, and
    `mmd_p` ranks it among simulations. `nearest` are the simulations closest to x_o. Covariates of the
    connectome are each compared alone: people are the rim of the pool that lies between them.

    References
    ----------
    Ledoit & Wolf (2004) A well-conditioned estimator for large-dimensional covariance matrices,
    doi:10.1016/S0047-259X(03)00096-4; Schmitt et al. (2023) Detecting model misspecification in amortized Bayesian
    inference with neural networks, arXiv:2112.08866
    """
    limits = resolve_thresholds(thresholds)
    x, x_o = checked(x, x_o, names)
    quantiles = feature_quantiles(x, x_o)
    u, u_o, kept = standardised(x, x_o)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x6D697373]))
    order = rng.permutation(len(u))
    recorded = np.array([not names[k].startswith(CONDITIONING) for k in np.where(kept)[0]])
    v, v_o = u[:, recorded], u_o[recorded]
    fitted, held = v[order[: len(v) // 2]], v[order[len(v) // 2 :]]
    distances, distance = mahalanobis(fitted, held), mahalanobis(fitted, v_o[None])[0]
    mmd, mmd_p = kernel_distance(fitted[:REFERENCE], held[:REFERENCE], v_o)
    gaps = np.abs(u - u_o).mean(axis=1)
    share = float((1 + (distances >= distance).sum()) / (1 + len(distances)))
    outside = outlying(quantiles, u, u_o, np.where(kept)[0], names, limits["feature_tail"])
    usual = np.isfinite(x).mean(axis=0) > 0.5  # what simulations lack as well is no evidence
    outside |= {
        name: float("nan") for name, gone, had in zip(names, np.isnan(quantiles), usual, strict=True) if gone and had
    }
    result = {
        "p_value": share,
        "distance": float(distance / np.median(distances)),
        "mmd": mmd,
        "mmd_p": mmd_p,
        "features": dict(zip(names, quantiles.tolist(), strict=True)),
        "outside": outside,
        "nearest": np.argsort(gaps)[:NEAREST].tolist(),
    }
    return result | {"inside": bool(min(share, mmd_p) >= limits["misspecification_p"] and not outside)}


def prior_predictive(path: str | Path) -> np.ndarray:
    """Features x (n, f) of the first valid simulations in a file, at most 20 000."""
    return rows(path, "x", np.flatnonzero(read(path, "valid")["valid"])[:MOST])


def checked(x: np.ndarray, x_o: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """x and x_o as arrays that belong together."""
    x, x_o = np.asarray(x, float), np.asarray(x_o, float)
    if x.ndim != 2 or x_o.shape != (x.shape[1],) or len(names) != x.shape[1]:
        raise ValueError(f"x has shape {x.shape}, x_o {x_o.shape} and there are {len(names)} names; they must agree")
    if len(x) < 2 * NEAREST:
        raise ValueError(f"{len(x)} simulations are too few to compare x_o with; at least {2 * NEAREST} are needed")
    return x, x_o


def feature_quantiles(x: np.ndarray, x_o: np.ndarray) -> np.ndarray:
    """Share (f,) of simulations below x_o, ties counted half; not-a-number where x_o is not finite."""
    finite = np.isfinite(x)
    with np.errstate(invalid="ignore"):
        below = (finite & (x < x_o)).sum(axis=0) + 0.5 * (finite & (x == x_o)).sum(axis=0)
    return np.where(np.isfinite(x_o), below / np.maximum(finite.sum(axis=0), 1), np.nan)


def standardised(x: np.ndarray, x_o: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and x_o by median and interquartile range over the features that vary and are finite, and which these are."""
    kept = np.isfinite(x_o) & (np.isfinite(x).mean(axis=0) > 0.5)
    centre, scale = location(x, columns=np.where(kept)[0])
    varies = scale > 1e-10 * np.abs(centre)
    kept[np.where(kept)[0][~varies]] = False
    centre, scale = centre[varies], scale[varies]
    u = np.where(np.isfinite(x[:, kept]), (x[:, kept] - centre) / scale, 0.0)
    return u, (x_o[kept] - centre) / scale, kept


def mahalanobis(fitted: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance (m,) of points (m, f) from the mean of `fitted` (n, f) under its shrunk covariance."""
    from sklearn.covariance import LedoitWolf

    model = LedoitWolf().fit(np.clip(fitted, -10, 10))
    centred = points - model.location_
    return np.sqrt(np.maximum(((centred @ model.precision_) * centred).sum(axis=1), 0.0))


def kernel_distance(reference: np.ndarray, held: np.ndarray, u_o: np.ndarray) -> tuple[float, float]:
    """Squared MMD of the point u_o against `reference` (n, f), and the share of `held` (m, f) at least as far.

    The kernel is Gaussian with the median distance as width.
    """
    width = np.median(squared(held[:500], reference[:500]))
    within = np.exp(-squared(reference[:500], reference[:500]) / (2 * width)).mean()

    def discrepancy(points: np.ndarray) -> np.ndarray:
        return 1 + within - 2 * np.exp(-squared(points, reference) / (2 * width)).mean(axis=1)

    own, others = discrepancy(u_o[None])[0], discrepancy(held)
    return float(own), float((1 + (others >= own).sum()) / (1 + len(others)))


def squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances (n, m) between rows."""
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0.0)


def outlying(
    quantiles: np.ndarray, u: np.ndarray, u_o: np.ndarray, kept: np.ndarray, names: Sequence[str], tail: float
) -> dict[str, float]:
    """{name: how many interquartile widths / 1.349 from the median} of features outside all simulations by a margin.

    A feature counts if it is beyond every simulation, by more than half their range.
    """
    low, high = u.min(axis=0), u.max(axis=0)
    beyond = np.maximum(u_o - high, low - u_o) > 0.5 * (np.quantile(u, 1 - tail, axis=0) - np.quantile(u, tail, axis=0))
    found = {names[kept[k]]: float(u_o[k]) for k in np.where(beyond)[0]}
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
