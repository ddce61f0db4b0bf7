"""What one posterior tells of each parameter by itself: information gained, and whether it is cut off by the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.reading import shorten_list

BINS = 20
NEAR = 0.1
"""A 90 % interval is cut off where it ends nearer to the end of the prior than this part of its own width."""
NARROW = 0.5
"""Share of the prior's mass in the interval above which a posterior is wide rather than cut off."""
STEEP = 3.0
"""A wider posterior is cut off where its density at the end is so many times the prior's, and near its highest."""
UNLEARNT = "is hardly learnt from"


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


def cut_off(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether the posterior of each parameter is piled at the lower and at the upper end of its prior, two of (p,).

    u (n, p) are samples as prior quantiles. Piled at an end is a 90 % interval that is narrower than half the prior's
    mass and ends nearer to this end than a tenth of its own width; and any posterior with a density at the end of at
    least three times the prior's and half its own highest, in bins of a quarter of its interquartile range, at most a
    twentieth of the prior.
    """
    low, high = np.quantile(u, [0.05, 0.95], axis=0)
    width, narrow = high - low, high - low <= NARROW
    first, last = np.transpose([densities_at_ends(column) for column in u.T])
    return narrow & (low < NEAR * width) | (first >= STEEP), narrow & (1 - high < NEAR * width) | (last >= STEEP)


def densities_at_ends(u: np.ndarray) -> tuple[float, float]:
    """Density of u (n,) in its first and last bin of the unit interval, 0 below half the highest of all bins."""
    step = np.clip(np.subtract(*np.quantile(u, [0.75, 0.25])) / 4, 1e-4, 1 / BINS)
    density = np.histogram(u, int(np.ceil(1 / step)), (0, 1), density=True)[0]
    first, last = (float(end) if 2 * end >= density.max() else 0.0 for end in density[[0, -1]])
    return first, last


def judge_marginals(
    names: Sequence[str],
    u: np.ndarray,
    least: float,
    followers: Mapping[str, Mapping[str, Any]],
    bounds: Sequence[Sequence[float]],
) -> tuple[dict[str, Any], list[str]]:
    """What the posterior of one person says of each parameter, and sentences on what it leaves open.

    `least` is the information [nat] below which a parameter counts as not learnt, `followers` what `single_features`
    found, `bounds` lower and upper ends of each parameter's prior (2, p): of one that ends at 0, such as noise, a pile
    there says that little of it is needed.
    """
    information, (below, above) = marginal_information(u), cut_off(u)
    sides = np.where(below & above, "both", np.where(below, "below", np.where(above, "above", "")))
    found: dict[str, Any] = {
        name: {"information": float(nat), "cut_off": str(side)}
        for name, nat, side in zip(names, information, sides, strict=True)
    }
    piled: dict[tuple[str, bool, float], list[str]] = {}
    for upper, (at_end, ends) in enumerate(zip((below, above), bounds, strict=True)):
        for k in np.flatnonzero(at_end):
            piled.setdefault((family(names[k]), bool(upper), float(ends[k])), []).append(names[k])
    unlearnt = {name: entry for name, entry in found.items() if entry["information"] < least}
    return found, [
        *(describe_pile(key, members, upper, end) for (key, upper, end), members in piled.items()),
        *describe_unlearnt(unlearnt, names, "this recording", followers),
    ]


def family(name: str) -> str:
    """The key of the prior that a parameter comes from: eta of eta[3]."""
    return name.partition("[")[0]


def members_in_words(key: str, members: Sequence[str]) -> str:
    """The parameters of one key in words: its name, or that of some of its members."""
    if list(members) == [key]:
        return key
    return f"{key} of {shorten_list([name.removeprefix(f'{key}[').removesuffix(']') for name in members])}"


def describe_pile(key: str, members: Sequence[str], upper: bool, end: float) -> str:
    """Sentence on the parameters of one key of which the posteriors are piled at an end of their prior."""
    who = members_in_words(key, members)
    side, way = ("upper", "upwards") if upper else ("lower", "downwards")
    if end == 0 and not upper:
        return f"{who} is piled at 0, the lower end of its prior: the recording asks for little or none of it"
    if np.isinf(end):
        return f"{who} lies where the {side} tail of its prior has next to no mass: take a wider prior of {key}"
    return (
        f"{who} is piled at the {side} end of its prior: widen the prior of {key} {way}, unless the parameter itself "
        "ends there"
    )


def describe_unlearnt(
    unlearnt: Mapping[str, Mapping[str, float]], names: Sequence[str], source: str,
    followers: Mapping[str, Mapping[str, Any]],
) -> list[str]:  # fmt: skip
    """Sentences on parameters of which posteriors say no more than the prior, and on single features beside them.

    One for each key of the prior: of all `names` that come from it so many are `unlearnt` {name: {information}}.
    """
    sentences = []
    for key in dict.fromkeys(family(name) for name in unlearnt):
        members, of = [name for name in unlearnt if family(name) == key], sum(family(name) == key for name in names)
        most = max(unlearnt[name]["information"] for name in members)
        if of == 1:
            learnt = f"{members[0]} {UNLEARNT} {source}: its posterior tells {most:.2f} nat more"
        else:
            learnt = f"{key} {UNLEARNT} {source} in {len(members)} of {of}: posteriors tell {most:.2f} nat at most more"
        sentences.append(f"{learnt} of it than its prior; {features_in_words([followers[name] for name in members])}")
    return sentences


def features_in_words(followers: Sequence[Mapping[str, Any]]) -> str:
    """Which single features follow one parameter in simulations, or how many of several none follows."""
    told, of = [one for one in followers if one["n"]], followers[0]["of"]
    if len(followers) > 1:
        return f"{len(told)} of them are followed by some of {of} single features in simulations"
    if told:
        n = told[0]["n"]
        follow = "1 follows" if n == 1 else f"{n} follow"
        return f"of {of} single features {follow} it in simulations, {told[0]['closest']} most closely"
    return f"none of {of} single features follows it in simulations; what features tell only together is not looked for"
