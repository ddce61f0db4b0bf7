"""How rare is x_o among simulations from the prior: feature by feature, and all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vbiflow.connectome.pool import CONDITIONING
from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.diagnostics.feature_check import rank_p
from vbiflow.diagnostics.normal_scores import normal_scores
from vbiflow.inference.scaling import centre_and_scale
from vbiflow.io import read, read_rows

if TYPE_CHECKING:
    from sklearn.covariance import LedoitWolf

MOST = 20_000
"""Simulations that a recording is compared with."""
REFERENCE = 2000
NEAREST, NAMED = 10, 3
TYPICAL = 0.01
"""Share of simulations that counts as near a typical one."""
SPARSE = 0.05
"""A recording with less than this share of what a typical simulation has near it lies where the prior spends little."""
ENOUGH = 100
"""Simulations that have a feature from which it counts, though most lack it."""
MARGIN = 1 / 2
"""How far beyond all simulations a feature is outside, in their widths."""
HEAVY = 8
"""Tails are heavy where the width of all simulations is so many interquartile ranges: of normal ones it is 4.6."""


def misspecification(
    x: np.ndarray,
    x_o: np.ndarray,
    names: Sequence[str],
    *,
    seed: int,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Ask how rare x_o (f,) is among the valid simulations x (n, f) from the prior.

    Half of the simulations are the reference. Each feature becomes the normal score of its rank among them,
    Phi^-1((below + 1/2) / (n + 1)), so that heavy tails hide nothing. `distance` is Mahalanobis' with a covariance
    shrunk towards a sphere (Ledoit-Wolf), over its median; `p_value` is the share of the other half at least as
    far. `mmd` and `mmd_p` are the same for a Gaussian kernel; `n_beyond` and `beyond_p` for the number of features
    beyond every reference simulation. Left out of these are features that x_o or half of the simulations lack, and
    those that do not vary: `n_features` of `n_recorded` are compared. `outside` holds what `outlying_features` finds,
    `farthest` names the features that add most to the distance. `near` is the share of simulations as near to x_o as
    1 % are to a typical simulation, and `nearest` are the closest. Covariates of the connectome are each compared
    alone: people are the rim of the pool that lies between them.

    Parameters
    ----------
    x, x_o
        Features of simulations, and of the recording.
    names
        Names of the features.
    seed
        Of the choice of the reference.

    References
    ----------
    Ledoit & Wolf (2004) A well-conditioned estimator for large-dimensional covariance matrices,
    doi:10.1016/S0047-259X(03)00096-4; Schmitt et al. (2023) Detecting model misspecification in amortized Bayesian
    inference with neural networks, arXiv:2112.08866
    """
    limits = resolve_thresholds(thresholds)
    x, x_o = matching_arrays(x, x_o, names)
    own = np.array([not name.startswith(CONDITIONING) for name in names])
    recorded = own & comparable_features(x, x_o)
    if not recorded.any():
        raise ValueError(
            f"none of the {own.sum()} features of the recording can be compared: each is not finite there or in most "
            "simulations, or the same in all; is the recording empty, or the simulations constant?"
        )
    order = np.random.default_rng(np.random.SeedSequence([seed, 0x6D697373])).permutation(len(x))
    half, rest = x[order[: len(x) // 2]][:, recorded], x[order[len(x) // 2 :]][:, recorded]
    fitted, held, v_o = normal_scores(half, half), normal_scores(half, rest), normal_scores(half, x_o[None, recorded])
    law = shrunk_covariance(fitted)
    distances, parts = mahalanobis(law, held), contributions(law, v_o)[0]
    distance = np.sqrt(max(parts.sum(), 0.0))
    mmd, mmd_p = kernel_distance(fitted[:REFERENCE], held[:REFERENCE], v_o[0])
    counts, n_beyond = count_outside(half, rest), int(count_outside(half, x_o[None, recorded])[0])
    outside = outlying_features(x, x_o, names, limits["feature_tail"])
    columns = np.flatnonzero(recorded)
    result = {
        "p_value": rank_p(distances, distance),
        "distance": float(distance / np.median(distances)),
        "mmd": mmd,
        "mmd_p": mmd_p,
        "n_beyond": n_beyond,
        "beyond_p": rank_p(counts, n_beyond) if n_beyond else 1.0,
        "n_features": int(recorded.sum()),
        "n_recorded": int(own.sum()),
        "n_compared": len(rest),
        "near": share_near(fitted[:REFERENCE], held[:REFERENCE], v_o[0]),
        "features": dict(zip(names, feature_quantiles(x, x_o).tolist(), strict=True)),
        "farthest": [names[columns[k]] for k in np.argsort(-parts)[:NAMED]],
        "outside": outside,
        "nearest": order[np.argsort(squared_distances(np.vstack([fitted, held]), v_o)[:, 0])[:NEAREST]].tolist(),
    }
    smallest = min(result["p_value"], mmd_p, result["beyond_p"])
    return result | {"inside": bool(smallest >= limits["misspecification_p"] and not outside)}


def share_near(fitted: np.ndarray, held: np.ndarray, v_o: np.ndarray) -> float:
    """Share of simulations `fitted` (n, f) as near to v_o (f,) as 1 % of them are to a typical one of `held` (m, f)."""
    typical = np.median(np.quantile(squared_distances(held[:500], fitted), TYPICAL, axis=1))
    return float((squared_distances(v_o[None], fitted)[0] <= typical).mean())


def sparse_note(found: Mapping[str, Any], rounds: int) -> list[str]:
    """A sentence where hardly any simulation of the prior comes near a recording that is inside, with what to do."""
    if not found["inside"] or found["near"] >= SPARSE * TYPICAL:
        return []
    cure = f"inference: {{rounds: {rounds + 1}}} simulates where the posterior has mass, or narrow the prior"
    return [
        f"{found['near']:.2%} of the simulations come near this recording, {TYPICAL:.0%} near a typical one: the "
        f"estimator has seen little of what it is asked about; {cure}"
    ]


def count_outside(reference: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How many features of each of points (m, f) lie below or above all of `reference` (n, f)."""
    low, high = np.nanmin(reference, axis=0), np.nanmax(reference, axis=0)
    return ((points < low) | (points > high)).sum(axis=1)


def prior_predictive(path: str | Path) -> np.ndarray:
    """Features x (n, f) of the first valid simulations in a file, at most 20 000."""
    return read_rows(path, "x", np.flatnonzero(read(path, "valid")["valid"])[:MOST])


def matching_arrays(x: np.ndarray, x_o: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
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


def comparable_features(x: np.ndarray, x_o: np.ndarray) -> np.ndarray:
    """Which features (f,) are finite in x_o and in most simulations x (n, f), and vary there."""
    kept = np.isfinite(x_o) & (np.isfinite(x).mean(axis=0) > 0.5)
    centre, scale = centre_and_scale(x, columns=np.where(kept)[0])
    kept[np.where(kept)[0][scale <= 1e-10 * np.abs(centre)]] = False
    return kept


def shrunk_covariance(fitted: np.ndarray) -> LedoitWolf:
    """Mean and covariance of points (n, f), the latter shrunk towards a multiple of the identity."""
    from sklearn.covariance import LedoitWolf

    return LedoitWolf().fit(fitted)


def contributions(law: LedoitWolf, points: np.ndarray) -> np.ndarray:
    """What each feature adds to the squared distance of points (m, f) from the mean under the covariance, (m, f)."""
    centred = points - law.location_
    return (centred @ law.precision_) * centred


def mahalanobis(law: LedoitWolf, points: np.ndarray) -> np.ndarray:
    """Distance (m,) of points (m, f) from the mean under the covariance."""
    return np.sqrt(np.maximum(contributions(law, points).sum(axis=1), 0.0))


def kernel_distance(reference: np.ndarray, held: np.ndarray, u_o: np.ndarray) -> tuple[float, float]:
    """Squared MMD of the point u_o against `reference` (n, f), and the share of `held` (m, f) at least as far.

    The kernel is Gaussian with the median distance as width.
    """
    width = np.median(squared_distances(held[:500], reference[:500]))
    within = np.exp(-squared_distances(reference[:500], reference[:500]) / (2 * width)).mean()

    def discrepancy(points: np.ndarray) -> np.ndarray:
        return 1 + within - 2 * np.exp(-squared_distances(points, reference) / (2 * width)).mean(axis=1)

    own, others = discrepancy(u_o[None])[0], discrepancy(held)
    return float(own), rank_p(others, own)


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances (n, m) between rows."""
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0.0)


def outlying_features(x: np.ndarray, x_o: np.ndarray, names: Sequence[str], tail: float) -> dict[str, float]:
    """Features outside all simulations by a margin: {name: how far, in widths of the simulations}.

    The width is that of all simulations but the share `tail` at either end. A feature counts if it is beyond every
    simulation by more than half of it: where tails are heavy, of the width on a logarithmic scale (arcsinh of
    interquartile ranges from the median), since of a hundred of these half a width is nothing unusual. How far is
    infinite where (nearly) all simulations are the same. Simulations that lack the feature do not count, nor does one
    that fewer than 100 and less than half of them have. A feature that is not finite in x_o counts, as not-a-number, if
    hardly any simulation lacks it.
    """
    finite = np.isfinite(x)
    n = finite.sum(axis=0)
    lowest = np.where(finite, x, np.inf).min(axis=0)
    highest = np.where(finite, x, -np.inf).max(axis=0)
    beyond = np.isfinite(x_o) & (n >= min(ENOUGH, len(x) / 2)) & ((x_o < lowest) | (x_o > highest))
    gaps = {names[k]: gap_in_widths(x[finite[:, k], k], float(x_o[k]), tail) for k in np.flatnonzero(beyond)}
    found = {name: gap for name, (gap, outside) in gaps.items() if outside}
    lost = np.flatnonzero(~np.isfinite(x_o) & (n >= (1 - tail) * len(x)))
    return dict(sorted(found.items(), key=lambda item: -abs(item[1]))) | {names[k]: float("nan") for k in lost}


def gap_in_widths(values: np.ndarray, own: float, tail: float) -> tuple[float, bool]:
    """How far a value is beyond all others (n,), in their widths, and whether that is outside."""
    ends = np.array([values.min(), values.max()])
    side = 1.0 if own > ends[1] else -1.0
    if ends[1] - ends[0] <= 1e-10 * np.abs(ends).max():  # constant: all but rounding errors is outside
        return side * np.inf, bool(abs(own - ends[0]) > 1e-6 * max(abs(own), abs(ends[0])) + 1e-12)
    low, quarter, middle, three_quarters, high = np.quantile(values, [tail, 0.25, 0.5, 0.75, 1 - tail])
    nearest, spread = ends[int(side > 0)], three_quarters - quarter
    if high <= low:
        return side * np.inf, True
    gap = (own - nearest) / (high - low)
    if not high - low > HEAVY * spread > 0:
        return gap, bool(abs(gap) > MARGIN)
    own, nearest, high, low = np.arcsinh((np.array([own, nearest, high, low]) - middle) / spread)
    return gap, bool(abs(own - nearest) > MARGIN * (high - low))
