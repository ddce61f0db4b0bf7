"""Quality of a connectome: findings with a severity; severe ones stop a study unless it accepts them by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.regions import homotopic_pairs, homotopic_ranks
from vbiflow.labels import split_label
from vbiflow.reading import pluralise, shorten_list

SEVERITIES = ("severe", "warning", "note")
LEAST_FALL = -0.35
"""Rank correlation of weights and distances: -0.50 to -0.54 in seven people (HCP, AAL2), -0.30 and above reversed."""
ENOUGH = 8
"""Fewest connections or pairs of regions that statistics of a whole connectome are drawn from."""


def negative(connectome: Connectome) -> Finding | None:
    """Weights below zero."""
    below = np.argwhere(connectome.weights < 0)
    if not below.size:
        return None
    target, source = (connectome.labels[k] for k in below[0])
    count = pluralise(len(below), "weight is", "weights are")
    return Finding("negative", "severe", f"{count} below zero, the first from {source} to {target}")


def all_zero(connectome: Connectome) -> Finding | None:
    """No connection at all."""
    return None if connectome.weights.any() else Finding("all_zero", "severe", "all weights are zero")


def isolated(connectome: Connectome) -> Finding | None:
    """Regions without any connection."""
    linked = (connectome.weights != 0).any(axis=0) | (connectome.weights != 0).any(axis=1)
    alone = [label for label, has in zip(connectome.labels, linked, strict=True) if not has]
    if not alone or not linked.any():
        return None
    count = pluralise(len(alone), "region has", "regions have")
    return Finding("isolated", "severe", f"{count} no connection: {shorten_list(alone)}")


def asymmetric(connectome: Connectome) -> Finding | None:
    """Weights or lengths that differ from their transpose: rows are taken as targets."""
    lengths = np.where(connectome.weights != 0, np.nan_to_num(connectome.tract_lengths), 0)
    parts = {"weights": connectome.weights, "tract lengths": np.where(lengths.T > 0, lengths, 0)}
    shares = {name: asymmetry_share(part) for name, part in parts.items()}
    found = [f"{name} differ from their transpose by {share:.1%}" for name, share in shares.items() if share > 1e-3]
    return Finding("asymmetric", "warning", f"{', '.join(found)}; rows are taken as targets") if found else None


def asymmetry_share(matrix: np.ndarray) -> float:
    """Share of a matrix that its transpose does not have."""
    return float(np.abs(matrix - matrix.T).sum() / max(np.abs(matrix + matrix.T).sum(), 1e-300))


def density(connectome: Connectome) -> Finding | None:
    """Very few, or nearly all, of the connections that there could be."""
    n = connectome.n_nodes
    share = np.count_nonzero(connectome.weights) / max(n * (n - 1), 1)
    if n <= ENOUGH or 0.02 <= share <= 0.95:
        return None
    advice = "consider a threshold or log1p" if share > 0.5 else "few connections carry the network"
    return Finding("density", "warning", f"{share:.1%} of all connections are there; {advice}")


def heavy_tail(connectome: Connectome) -> Finding | None:
    """A largest weight of at least 1000 times the median."""
    positive = connectome.weights[connectome.weights > 0]
    if positive.size <= ENOUGH or positive.max() < 1000 * np.median(positive):
        return None
    times = positive.max() / np.median(positive)
    return Finding(
        "heavy_tail", "note", f"the largest weight is {times:.2g} times the median; consider clip, power or log1p"
    )


def outliers(connectome: Connectome) -> Finding | None:
    """Regions whose strength is far (6 robust sd of its logarithm) from that of the others."""
    strength = connectome.weights.sum(axis=0) + connectome.weights.sum(axis=1)
    some = strength > 0
    level = np.log(strength[some])
    spread = 1.4826 * np.median(np.abs(level - np.median(level))) if level.size > ENOUGH else 0.0
    if not spread > 0:
        return None
    far = np.zeros(connectome.n_nodes, dtype=bool)
    far[some] = np.abs(level - np.median(level)) > 6 * spread
    if not far.any():
        return None
    names = shorten_list([label for label, is_far in zip(connectome.labels, far, strict=True) if is_far])
    count = pluralise(int(far.sum()), "region is", "regions are")
    text = f"{count} connected far more or far less than the others: {names}; is the parcellation right?"
    return Finding("outliers", "warning", text)


def zero_lengths(connectome: Connectome) -> Finding | None:
    """Connections of length zero."""
    count = int(((connectome.weights != 0) & (connectome.tract_lengths <= 0)).sum())
    if not count:
        return None
    those = pluralise(count, "connection has", "connections have")
    return Finding("zero_lengths", "warning", f"{those} no length, and with a speed no delay")


def lengths_and_distances(connectome: Connectome) -> tuple[np.ndarray, np.ndarray]:
    """Tract lengths and straight distances between centres [mm] of connections that have both."""
    distances = np.linalg.norm(connectome.centres[:, None] - connectome.centres, axis=-1)
    lengths = connectome.tract_lengths
    both = (connectome.weights != 0) & (lengths > 0) & (distances > 0)
    return lengths[both], distances[both]


def length_unit(connectome: Connectome) -> Finding | None:
    """Tract lengths that no mm can be, against the distances of centres."""
    lengths, distances = lengths_and_distances(connectome)
    if lengths.size <= ENOUGH:
        return implausible_lengths(connectome)
    ratio = float(np.median(lengths / distances))
    if 0.3 < ratio < 10:
        return None
    return Finding(
        "length_unit", "severe", f"tracts are {ratio:.2g} times the distance between centres; give both in mm"
    )


def implausible_lengths(connectome: Connectome) -> Finding | None:
    """Lengths that fit no brain, where centres are unknown."""
    known = connectome.tract_lengths[(connectome.weights != 0) & (connectome.tract_lengths > 0)]
    if known.size <= ENOUGH or 1 < np.median(known) < 500:
        return None
    text = f"tracts are {np.median(known):.2g} mm long in the median, as in no brain; give them in mm"
    return Finding("length_unit", "severe", text)


def short_lengths(connectome: Connectome) -> Finding | None:
    """Tracts shorter than the straight line between their regions."""
    lengths, distances = lengths_and_distances(connectome)
    if lengths.size <= ENOUGH:
        return None
    share = float((lengths < 0.95 * distances).mean())
    if share < 0.02:
        return None
    severity = "severe" if share > 0.25 else "warning"
    return Finding(
        "short_lengths", severity, f"{share:.0%} of tracts are shorter than the straight line between centres"
    )


def order(connectome: Connectome) -> Finding | None:
    """Tract lengths that do not follow the distances of centres, as in another order of regions."""
    lengths, distances = lengths_and_distances(connectome)
    if lengths.size <= 10 * ENOUGH or lengths.std() == 0 or distances.std() == 0:
        return None
    correlation = float(np.corrcoef(lengths, distances)[0, 1])
    if correlation > 0.3:
        return weights_beside_distances(connectome)
    weights, places = lengths_and_distances(replace(connectome, tract_lengths=connectome.weights))
    exchanged = weights.std() > 0 and np.corrcoef(weights, places)[0, 1] > 0.5  # of no brain do weights rise with it
    question = ", but weights do; are the two exchanged?" if exchanged else "; is the order of regions right?"
    text = f"tract lengths do not follow the distance of centres (r = {correlation:.2f}){question}"
    return Finding("order", "severe", text)


def weights_beside_distances(connectome: Connectome) -> Finding | None:
    """Weights that do not fall with the distance of centres, as those of every brain do."""
    weights = connectome.weights + connectome.weights.T
    distances = np.linalg.norm(connectome.centres[:, None] - connectome.centres, axis=-1)
    pairs = np.triu(np.isfinite(distances), 1)
    if np.count_nonzero(weights[pairs]) <= 10 * ENOUGH or weights[pairs].std() == 0:
        return None
    ranks = [np.argsort(np.argsort(values[pairs])) for values in (weights, distances)]
    correlation = float(np.corrcoef(*ranks)[0, 1])
    if correlation < LEAST_FALL:
        return None
    text = (
        f"weights do not fall with the distance of centres (rank correlation {correlation:.2f}); "
        "is the order of regions right?"
    )
    return Finding("order", "warning", text)


def hemispheres(connectome: Connectome) -> Finding | None:
    """Regions that lie on the other side than their hemisphere says, or most of whose names say the other one."""
    x = connectome.centres[:, 0]
    sides = np.array(connectome.hemispheres)
    named = np.array([split_label(label)[0] for label in connectome.labels])
    against = (named != "") & (sides != "") & (named != sides)
    if against.sum() > (named != "").sum() / 2:  # a few may be a name's own letter
        names = shorten_list(np.compress(against, connectome.labels).tolist())
        text = (
            f"the names of {pluralise(int(against.sum()), 'region')} say another hemisphere than their column: {names}"
        )
        return Finding("hemispheres", "severe", text)
    if not (np.nanmin(x, initial=0) < 0 < np.nanmax(x, initial=0)):
        return None
    wrong = ((sides == "L") & (x > 5)) | ((sides == "R") & (x < -5))
    if not wrong.any():
        return None
    if 0.3 < wrong.mean() < 0.7:
        return Finding(
            "hemispheres", "warning", "x of the centres is not the left-right axis; they are not in MNI space"
        )
    names = shorten_list([label for label, is_wrong in zip(connectome.labels, wrong, strict=True) if is_wrong])
    text = (
        f"{pluralise(int(wrong.sum()), 'region lies', 'regions lie')} on the other side (left is negative x): {names}"
    )
    return Finding("hemispheres", "severe", text)


def homotopic(connectome: Connectome) -> Finding | None:
    """Regions whose counterpart across is no strong connection of theirs, as where sides are mixed up."""
    found = homotopic_pairs(connectome.labels)
    if len(found) <= ENOUGH or not connectome.weights.any() or (connectome.weights < 0).any():
        return None  # other findings say what is wrong with such weights
    rank = np.mean(homotopic_ranks(connectome.weights + connectome.weights.T, found))
    if rank > 0.5:
        return None
    text = f"a region's counterpart ranks at {rank:.0%} of its crossing connections; are left and right mixed up?"
    return Finding("homotopic", "severe" if rank < 0.3 else "warning", text)


CHECKS: dict[str, Callable[[Connectome], Finding | None]] = {
    "negative": negative,
    "all_zero": all_zero,
    "isolated": isolated,
    "asymmetric": asymmetric,
    "density": density,
    "heavy_tail": heavy_tail,
    "outliers": outliers,
    "zero_lengths": zero_lengths,
    "length_unit": length_unit,
    "short_lengths": short_lengths,
    "order": order,
    "hemispheres": hemispheres,
    "homotopic": homotopic,
}


OF_LENGTHS = ("length_unit", "short_lengths", "order")
"""Findings about tract lengths, not weights."""


def inspect(
    connectome: Connectome, accept: Sequence[str] = (), name: str = "connectome", lengths: str = ""
) -> Connectome:
    """Run all checks and keep what they find; `accept` names severe findings that shall not stop the study.

    `name` and `lengths` are the files of the weights and of the tract lengths, if these have one.

    Raises
    ------
    ValueError
        With all severe findings that are not accepted, or if `accept` names no check.
    """
    check_accept(accept)
    found = [finding for check in CHECKS.values() if (finding := check(connectome)) is not None]
    severe = [finding for finding in found if finding.severity == "severe" and finding.name not in accept]
    if severe:
        texts: dict[str, list[str]] = {}
        for finding in severe:
            texts.setdefault((finding.name in OF_LENGTHS and lengths) or name, []).append(finding.text)
        told = "; ".join(f"{file}: {'; '.join(found)}" for file, found in texts.items())
        names = [finding.name for finding in severe]
        other = ", leave regions out by connectome.select" if "isolated" in names else ""
        raise ValueError(f"{told}; correct it{other}, or write connectome.accept: [{', '.join(names)}] in the study")
    return replace(connectome, findings=(*connectome.findings, *found))


def check_accept(accept: Sequence[str]) -> None:
    """Refuse names that are no check's."""
    unknown = [name for name in accept if name not in CHECKS]
    if unknown:
        raise ValueError(f"connectome.accept: unknown finding {unknown[0]!r}; choose from {', '.join(CHECKS)}")
