"""What one posterior tells of each parameter by itself: information gained, and whether it is cut off by the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

BINS = 20
NEAR = 0.1
"""A 90 % interval is cut off where it ends nearer to the end of the prior than this part of its own width."""
NARROW = 0.5
"""Share of the prior's mass in the interval above which a posterior is wide rather than cut off."""


def marginal_information(u: np.ndarray) -> np.ndarray:
    """Information on each parameter (..., p) [nat] in samples u = F(theta) (..., n, p), uniform under the prior.

    The Kullback-Leibler divergence of the marginal posterior from the prior, from a histogram of 20 bins corrected for
    its bias (Miller and Madow): 0 where the posterior is the prior, whatever its width; log 2 where half is excluded,
    also where two modes are left. At most log 20 = 3.

    References
    ----------
    Miller (1955) Note on the bias of information estimates, in: Information Theory in Psychology, 95-100
    """
    n = u.shape[-2]
    bins = np.minimum((np.asarray(u) * BINS).astype(int), BINS - 1)
    counts = np.stack([(bins == k).sum(axis=-2) for k in range(BINS)], axis=-1)
    share = counts / n
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(counts > 0, share * np.log(share * BINS), 0.0)
    return np.maximum(terms.sum(axis=-1) - (BINS - 1) / (2 * n), 0.0)


def cut_off(u: np.ndarray) -> np.ndarray:
    """-1 or 1 where the posterior of a parameter is piled at the lower or upper end of its prior, else 0, (p,).

    u (n, p) are samples as prior quantiles. Piled at an end: the 90 % interval is narrower than half the prior's mass
    and ends nearer to this end of the prior than a tenth of its own width.
    """
    low, high = np.quantile(u, [0.05, 0.95], axis=0)
    width = high - low
    return np.where(width > NARROW, 0, (1 - high < NEAR * width).astype(int) - (low < NEAR * width))


def judge_marginals(
    names: Sequence[str],
    u: np.ndarray,
    least: float,
    followers: Mapping[str, Mapping[str, Any]],
    lowest: Sequence[float] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """What the posterior of one person says of each parameter, and sentences on what it leaves open.

    `least` is the information [nat] below which a parameter counts as not learnt, `followers` what `single_features`
    found, `lowest` the lower end of each parameter's prior: of one that ends at 0, such as noise, a pile there says
    that little of it is needed.
    """
    information, side = marginal_information(u), cut_off(u)
    found: dict[str, Any] = {
        name: {"information": float(nat), "cut_off": {-1: "below", 0: "", 1: "above"}[int(at)]}
        for name, nat, at in zip(names, information, side, strict=True)
    }
    ends = dict.fromkeys(names) if lowest is None else dict(zip(names, lowest, strict=True))
    notes = [describe_pile(name, entry["cut_off"], ends[name]) for name, entry in found.items() if entry["cut_off"]]
    return found, notes + [
        describe_unlearnt(name, entry, "this recording", followers[name])
        for name, entry in found.items()
        if entry["information"] < least
    ]


def describe_pile(name: str, side: str, lowest: float | None) -> str:
    """Sentence on a parameter of which the posterior is piled at an end of its prior, "above" or "below"."""
    if side == "below" and lowest == 0:
        return f"{name} is piled at 0, the lower end of its prior: the recording asks for little or none of it"
    end, way = ("upper", "upwards") if side == "above" else ("lower", "downwards")
    return (
        f"{name} is piled at the {end} end of its prior: widen the prior of {name} {way}, unless the parameter itself "
        "ends there"
    )


def describe_unlearnt(name: str, entry: Mapping[str, float], source: str, followers: Mapping[str, Any]) -> str:
    """Sentence on a parameter of which the posterior says no more than the prior, and on single features beside it."""
    n, features = followers["n"], followers["of"]
    if n:
        follow = "1 follows" if n == 1 else f"{n} follow"
        alone = f"of {features} single features {follow} it in simulations, {followers['closest']} most closely"
    else:
        alone = f"none of {features} single features follows it in simulations"
    return (
        f"{name} is hardly learnt from {source}: its posterior tells {entry['information']:.2f} nat more of it than "
        f"its prior; {alone}"
    )
