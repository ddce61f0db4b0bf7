"""Information in single series and between pairs of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from vbiflow.features.batch import Batch, is_constant, namespace, standardise, to_host
from vbiflow.features.connectivity import PAIRS, chosen_masks, fc, pair_summary
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.nodes import Nodes

CEILING = 1.0 - 1e-12
METHOD = Option(
    "gaussian", "text", "closed form for normal series, or nearest neighbours", choices=("gaussian", "neighbours")
)
NEIGHBOURS = Option(3, "integer", "how many nearest neighbours", minimum=1)


def gaussian_information(r: Any) -> Any:
    """Information -log(1 - r^2) / 2 [nat] between two normal variables of correlation r."""
    xp = namespace(r)
    return -0.5 * xp.log(1.0 - xp.minimum(r**2, CEILING))


def neighbour_information(ts: Any, neighbours: int) -> Any:
    """Mutual information [nat] of every pair of nodes by nearest neighbours (Kraskov et al. 2004), by scikit-learn."""
    from sklearn.feature_selection import mutual_info_regression

    host = to_host(standardise(ts)) * ts.shape[-1] ** 0.5
    out = np.zeros((host.shape[0], host.shape[1], host.shape[1]))
    for row, series in zip(out, host, strict=True):
        for k in range(1, len(series)):
            row[k, :k] = mutual_info_regression(series[:k].T, series[k], n_neighbors=neighbours, random_state=0)
    return namespace(ts).asarray(out + out.swapaxes(1, 2))


def transfer(ts: Any, lag: int) -> Any:
    """Transfer entropy [nat] from node j to node i for normal series, (n_simulations, i, j), 0 for i = j.

    T = -log(1 - r^2) / 2 with r the correlation of y_i(t) and y_j(t - lag) given y_i(t - lag).
    """
    xp = namespace(ts)
    now, past = standardise(ts[..., lag:]), standardise(ts[..., :-lag])
    ahead, together = now @ xp.swapaxes(past, -1, -2), past @ xp.swapaxes(past, -1, -2)
    own = xp.diagonal(ahead, axis1=-2, axis2=-1)[..., None]
    rest = (1.0 - own**2) * (1.0 - together**2)
    partial = (ahead - own * together) / xp.sqrt(xp.where(rest > 1e-12, rest, 1.0))
    found = gaussian_information(xp.where(rest > 1e-12, partial, 0.0))
    return found * (1.0 - xp.eye(found.shape[-1]))


def conditional_information(x: np.ndarray, y: np.ndarray, z: np.ndarray, neighbours: int) -> float:
    """Information [nat] that x tells of y given z, (n_times,) each, by nearest neighbours in the largest coordinate.

    I = psi(k) + mean(psi(n_z) - psi(n_xz) - psi(n_yz)), n the numbers of points, oneself included, that are closer than
    the k-th neighbour in the space of all three.
    """
    joint = np.stack([x, y, z], axis=1)
    radius = np.nextafter(scipy.spatial.cKDTree(joint).query(joint, neighbours + 1, p=np.inf)[0][:, -1], 0.0)
    ranked = np.sort(z)
    n_z = np.searchsorted(ranked, z + radius, side="right") - np.searchsorted(ranked, z - radius, side="left")
    n_xz, n_yz = (
        scipy.spatial.cKDTree(points).query_ball_point(points, radius, p=np.inf, return_length=True)
        for points in (joint[:, [0, 2]], joint[:, [1, 2]])
    )
    digamma = scipy.special.digamma
    return float(digamma(neighbours) + (digamma(n_z) - digamma(n_xz) - digamma(n_yz)).mean())


def neighbour_transfer(ts: Any, lag: int, neighbours: int, nodes: Nodes, masks: Sequence[str]) -> Any:
    """Transfer entropy [nat] from node j to node i by nearest neighbours, (n_simulations, i, j), for pairs in masks.

    It takes some ten milliseconds a pair of 1 000 samples: name masks of few pairs.
    """
    host, steady = to_host(standardise(ts)) * ts.shape[-1] ** 0.5, to_host(is_constant(ts))
    out = np.zeros((host.shape[0], host.shape[1], host.shape[1]))
    pairs = {pair for mask in masks for pair in zip(*nodes.pairs(mask), strict=True)}
    for row, series, still in zip(out, host, steady, strict=True):
        for i, j in (both for pair in pairs for both in (pair, pair[::-1])):
            if not (still[i] or still[j]):
                now, own = series[i, lag:], series[i, :-lag]
                row[i, j] = conditional_information(series[j, :-lag], now, own, neighbours)
    return namespace(ts).asarray(out)


@feature("entropy", unit="nat", reference="Vasicek 1976, doi:10.1111/j.2517-6161.1976.tb01566.x", per=per())
def entropy(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Differential entropy of the values of each node, by spacings of order statistics, by SciPy."""
    values = batch.each_series(lambda y: [scipy.stats.differential_entropy(y)], 1)
    yield batch.nodes.reduce(values[..., 0], per)


@feature(
    "mutual_information",
    unit="nat",
    reference="Kraskov et al. 2004, doi:10.1103/PhysRevE.69.066138",
    method=METHOD,
    neighbours=NEIGHBOURS,
    **PAIRS,
)
def mutual_information(batch: Batch, *, method: str, neighbours: int, **options: Any) -> Pieces:
    """Mutual information of pairs of nodes at the same time."""
    if method == "gaussian":
        matrix = gaussian_information(batch.shared(fc))
    else:
        matrix = batch.shared(neighbour_information, neighbours)
    yield from pair_summary(batch, matrix, **options)


@feature(
    "transfer_entropy",
    unit="nat",
    reference="Barnett et al. 2009, doi:10.1103/PhysRevLett.103.238701; "
    "Frenzel and Pompe 2007, doi:10.1103/PhysRevLett.99.204101",
    method=METHOD,
    neighbours=NEIGHBOURS,
    lag=Option(None, "number", "time from cause to effect; null: one sample", "s", minimum=0),
    **PAIRS,
)
def transfer_entropy(
    batch: Batch, *, method: str, neighbours: int, lag: float | None, masks: Sequence[str] | None, **options: Any
) -> Pieces:
    """Transfer entropy of pairs of nodes: total of both directions, and net difference."""
    samples = 1 if lag is None else batch.samples(lag, "lag")
    if samples > batch.n_times - 4:
        raise ValueError(f"lag of {samples} samples leaves too few of the {batch.n_times} recorded; shorten it")
    masks = tuple(chosen_masks(batch, masks))
    if method == "gaussian":
        matrix = batch.shared(transfer, samples)
    else:
        matrix = batch.shared(neighbour_transfer, samples, neighbours, batch.nodes, masks)
    other = batch.xp.swapaxes(matrix, -1, -2)
    yield from pair_summary(batch, matrix + other, masks, prefix="total.", **options)
    yield from pair_summary(batch, abs(matrix - other), masks, prefix="net.", **options)
