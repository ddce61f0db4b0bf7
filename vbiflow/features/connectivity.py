"""Functional connectivity of a recording as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vbiflow.features.batch import Batch, namespace, standardise
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.summaries import QUANTILES, STATISTICS, summarise

DEFAULT_MASKS = ("all", "intra", "inter", "homotopic")
GROUPS = "all, intra, inter, left, right, homotopic, within, between, or a network"
MASKS = Option(None, "texts", f"groups of pairs: {GROUPS}; null: all, intra, inter, homotopic as far as there are any")


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


def fc_spectrum(ts: Any) -> Any:
    """Eigenvalues (n_simulations, n_nodes) of FC, largest first."""
    return namespace(ts).linalg.eigvalsh(fc(ts))[..., ::-1]


def chosen_masks(batch: Batch, masks: Sequence[str] | None) -> Sequence[str]:
    """Masks asked for, or the default ones that the nodes have pairs for."""
    return masks or [mask for mask in DEFAULT_MASKS if mask in batch.nodes.masks]


@feature(
    "fc",
    masks=MASKS,
    statistics=Option(("mean", "sd", "quantiles"), "texts", "statistics over each group of pairs", choices=STATISTICS),
    quantiles=QUANTILES,
    eigenvalues=Option(3, "integer", "how many eigenvalues, largest first", minimum=0),
    components=Option(3, "integer", "how many principal components of the rows, as shares of variance", minimum=0),
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
    for mask in chosen_masks(batch, masks):
        prefix = "" if mask == "all" else f"{mask}."
        i, j = batch.nodes.pairs(mask)
        yield summarise(matrix[:, i, j], statistics, quantiles, prefix)
    if eigenvalues:
        k = fits(eigenvalues, len(batch.nodes), "eigenvalues")
        yield [f"eigenvalue[{n + 1}]" for n in range(k)], batch.shared(fc_spectrum)[:, :k]
    if components:
        k = fits(components, len(batch.nodes) - 1, "components")
        yield [f"component[{n + 1}]" for n in range(k)], component_shares(matrix)[:, :k]


def fits(count: int, available: int, what: str) -> int:
    """`count`, or ValueError if there are fewer `available`."""
    if count > available:
        raise ValueError(f"{count} {what} asked for but these nodes have {available}; lower {what}")
    return count


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
        raise ValueError("feature fc_networks: no node has a network; add a network column to the regions")
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
