"""Functional connectivity of a recording as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from vbiflow.features.batch import Batch, namespace, standardise, to_host
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.summaries import QUANTILES, STATISTICS, summary_statistics

DEFAULT_MASKS = ("all", "intra", "inter", "homotopic")
GROUPS = "all, intra, inter, left, right, homotopic, within, between, or a network"
MASKS = Option(None, "texts", f"groups of pairs: {GROUPS}; null: all, intra, inter, homotopic as far as there are any")
CHOICE = Option(("mean", "sd"), "texts", "statistics over each group of pairs", choices=STATISTICS)
PAIRS = {"masks": MASKS, "statistics": CHOICE, "quantiles": QUANTILES}


def fc(ts: Any) -> Any:
    """Pearson correlation of every pair of nodes, r_ij = z_i . z_j with z standardised along time.

    Parameters
    ----------
    ts
        (n_simulations, n_nodes, n_times), or without the first axis.

    Returns
    -------
    (n_simulations, n_nodes, n_nodes), double precision, diagonal 1; 0 between a constant node and any other.
    """
    xp = namespace(ts)
    z = standardise(ts)
    matrix = xp.clip(z @ xp.swapaxes(z, -1, -2), -1.0, 1.0)
    diagonal = xp.arange(matrix.shape[-1])
    matrix[..., diagonal, diagonal] = 1.0
    return matrix


def chosen_masks(batch: Batch, masks: Sequence[str] | None) -> Sequence[str]:
    """Masks asked for, or the default ones that the nodes have pairs for."""
    return masks or [mask for mask in DEFAULT_MASKS if mask in batch.nodes.masks]


def pair_summary(
    batch: Batch,
    matrix: Any,
    masks: Sequence[str] | None,
    statistics: Sequence[str],
    quantiles: Sequence[float],
    prefix: str = "",
) -> Pieces:
    """Statistics over groups of pairs of a matrix (n_simulations, n_nodes, n_nodes)."""
    for mask in chosen_masks(batch, masks):
        i, j = batch.nodes.pairs(mask)
        group = "" if mask == "all" else f"{mask}."
        yield summary_statistics(matrix[:, i, j], statistics, quantiles, f"{prefix}{group}")


@feature(
    "fc",
    masks=MASKS,
    statistics=Option(("mean", "sd", "quantiles"), "texts", "statistics over each group of pairs", choices=STATISTICS),
    quantiles=QUANTILES,
    eigenvalues=Option(3, "integer", "how many eigenvalues, largest first", minimum=0),
    components=Option(0, "integer", "how many principal components of the rows, as shares of variance", minimum=0),
)
def fc_summary(
    batch: Batch,
    *,
    masks: Sequence[str] | None,
    statistics: Sequence[str],
    quantiles: Sequence[float],
    eigenvalues: int,
    components: int,
) -> Pieces:
    """Summaries of functional connectivity: pairs, all and by group, eigenvalues, principal components."""
    matrix = batch.shared(fc)
    yield from pair_summary(batch, matrix, masks, statistics, quantiles)
    if eigenvalues:
        k = check_count(eigenvalues, len(batch.nodes), "eigenvalues")
        yield [f"eigenvalue[{n + 1}]" for n in range(k)], sorted_spectrum(matrix)[:, :k]
    if components:
        k = check_count(components, len(batch.nodes) - 1, "components")
        yield [f"component[{n + 1}]" for n in range(k)], component_shares(matrix)[:, :k]


def check_count(count: int, available: int, what: str) -> int:
    """`count`, or ValueError if there are fewer `available`."""
    if count > available:
        raise ValueError(f"{count} {what} asked for but these nodes have {available}; lower {what}")
    return count


def sorted_spectrum(matrix: Any) -> Any:
    """Eigenvalues of symmetric matrices (n, k, k), largest first."""
    return namespace(matrix).linalg.eigvalsh(matrix)[..., ::-1]


def component_shares(matrix: Any) -> Any:
    """Share of variance of each principal component of the rows of matrices (n, k, k), largest first."""
    xp = namespace(matrix)
    centred = matrix - matrix.mean(axis=-2, keepdims=True)
    variance = xp.linalg.eigvalsh(xp.swapaxes(centred, -1, -2) @ centred)[..., ::-1]
    total = variance.sum(axis=-1, keepdims=True)
    return variance / xp.where(total > 0, total, 1.0)


@feature("fc_strength", per=per())
def fc_strength(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mean correlation of each node with all others."""
    n = len(batch.nodes)
    yield batch.nodes.reduce((batch.shared(fc).sum(axis=-1) - 1.0) / max(n - 1, 1), per)


@feature("fc_networks")
def fc_networks(batch: Batch) -> Pieces:
    """Mean correlation within and between the networks of the atlas."""
    matrix, nodes = batch.shared(fc), batch.nodes
    if not nodes.network_names:
        raise ValueError(
            "no node has a network; add a network column to the table of regions, or leave the feature out"
        )
    for a, (name, members) in enumerate(zip(nodes.network_names, nodes.members, strict=True)):
        for other, others in list(zip(nodes.network_names, nodes.members, strict=True))[a:]:
            block = matrix[:, members][:, :, others]
            n_self = len(members) if name == other else 0
            n_pairs = len(members) * len(others) - n_self
            if n_pairs:
                yield [f"[{name}][{other}]"], ((block.sum(axis=(1, 2)) - n_self) / n_pairs)[:, None]


@feature("fc_pairs", mask=Option("all", "text", f"group of pairs: {GROUPS}"))
def fc_pairs(batch: Batch, *, mask: str) -> Pieces:
    """Correlation of every pair of nodes."""
    i, j = batch.nodes.pairs(mask)
    labels = batch.nodes.labels
    yield [f"[{labels[a]}][{labels[b]}]" for a, b in zip(i, j, strict=True)], batch.shared(fc)[:, i, j]


def partial_correlation(ts: Any) -> Any:
    """Partial correlations -p_ij / sqrt(p_ii p_jj), p the inverse of FC shrunk by Ledoit and Wolf."""
    from sklearn.covariance import ledoit_wolf

    host = to_host(standardise(ts)) * ts.shape[-1] ** 0.5
    shrunk = np.stack([ledoit_wolf(series.T, assume_centered=True)[0] for series in host])
    precision = np.linalg.inv(shrunk + 1e-10 * np.eye(host.shape[1]))
    scale = 1.0 / np.sqrt(np.diagonal(precision, axis1=1, axis2=2))
    return namespace(ts).asarray(-precision * scale[:, :, None] * scale[:, None, :])


@feature(
    "fc_partial",
    reference="Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4",
    **PAIRS,
)
def fc_partial(batch: Batch, **options: Any) -> Pieces:
    """Partial correlation of pairs of nodes, given all others, with shrinkage."""
    yield from pair_summary(batch, batch.shared(partial_correlation), **options)


@feature(
    "fc_graph",
    reference="Rubinov and Sporns 2010, doi:10.1016/j.neuroimage.2009.10.003",
    density=Option(0.2, "number", "share of the pairs that are kept, strongest first, negative ones never", minimum=0),
)
def fc_graph(batch: Batch, *, density: float) -> Pieces:
    """Clustering, efficiency, assortativity of the strongest correlations, and modularity of the atlas's networks."""
    rows = [graph_measures(matrix, density, batch.nodes.networks) for matrix in to_host(batch.shared(fc))]
    names = ["clustering", "efficiency", "assortativity", *(["modularity"] if batch.nodes.network_names else [])]
    yield names, batch.xp.asarray(np.array(rows)[:, : len(names)])


def graph_measures(matrix: np.ndarray, density: float, networks: Sequence[str]) -> list[float]:
    """Weighted clustering, global efficiency, assortativity of strength, and modularity of a given partition."""
    weights = np.where(np.eye(len(matrix), dtype=bool), 0.0, np.maximum(matrix, 0.0))
    ranked = np.sort(weights[np.triu_indices(len(weights), 1)])[::-1]
    weights[weights < ranked[max(1, round(min(density, 1.0) * ranked.size)) - 1]] = 0.0
    top = max(weights.max(), 1e-12)
    degree, strength = (weights > 0).sum(axis=1), weights.sum(axis=1)
    root = np.cbrt(weights / top)
    triangles = np.diagonal(root @ root @ root)
    clustering = np.mean(triangles / np.maximum(degree * (degree - 1), 1))
    with np.errstate(divide="ignore"):
        distance = scipy.sparse.csgraph.shortest_path(np.where(weights > 0, top / weights, 0.0), directed=False)
        efficiency = (1.0 / distance[~np.eye(len(distance), dtype=bool)]).mean()
    i, j = np.nonzero(weights)
    ends = np.stack([strength[i], strength[j]])
    assortativity = np.corrcoef(ends)[0, 1] if i.size and np.ptp(ends) > 0 else 0.0
    total = max(strength.sum(), 1e-12)
    same = np.equal.outer(np.array(networks), np.array(networks))
    modularity = ((weights - np.outer(strength, strength) / total) * same).sum() / total
    return [clustering, efficiency, assortativity, modularity]
