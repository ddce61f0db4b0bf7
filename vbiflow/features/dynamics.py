"""How functional connectivity changes in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vbiflow.features import kernels
from vbiflow.features.batch import Batch, namespace, standardise
from vbiflow.features.connectivity import GROUPS, component_shares, sorted_spectrum
from vbiflow.features.feature import Option, Pieces, feature
from vbiflow.features.nodes import Nodes
from vbiflow.features.summaries import QUANTILES, STATISTICS, summary_statistics

HANSEN = "Hansen et al. 2015, doi:10.1016/j.neuroimage.2014.11.001"
MINIMUM_WINDOW = 4
MOST_TIMES = 5000
ROWS = 256
BYTES = 4 * 10**9
"""Memory of a GPU that windows of some simulations may take."""
STEP = Option(2.0, "number", "shift of the windows, rounded to whole samples, at least one", "s", minimum=0)
WINDOW = Option(60.0, "number", "length of a window, rounded to whole samples", "s", minimum=0)


def fcd(ts: Any, fs: float, window: float, step: float, mask: str = "all", nodes: Nodes | None = None) -> Any:
    """Functional connectivity dynamics: correlation between the FC vectors of all pairs of sliding windows.

    FCD(w, v) = corr_e(r_e(w), r_e(v)) over the pairs e of nodes, r_e(w) their Pearson correlation in window w.

    Parameters
    ----------
    ts
        (n_simulations, n_nodes, n_times), or without the first axis.
    fs
        Sampling rate [Hz].
    window, step
        Length and shift of the windows [s].
    mask, nodes
        Which pairs of nodes; `nodes` is needed for any mask but `all`.

    Returns
    -------
    (n_simulations, n_windows, n_windows), single precision, diagonal 1.

    Raises
    ------
    ValueError
        If a window holds fewer than 4 samples or the recording fewer than two windows.

    References
    ----------
    Hansen et al. 2015, doi:10.1016/j.neuroimage.2014.11.001
    """
    xp = namespace(ts)
    nodes = nodes or Nodes.plain(ts.shape[-2])
    length, shift, _ = windows(Batch(ts, fs, nodes), window, step)
    i, j = nodes.pairs(mask)
    if i.size < 3:
        raise ValueError(f"FCD over mask {mask!r} has {i.size} pairs, at least 3 are needed; take a wider mask")
    series = ts if ts.ndim == 3 else ts[None]
    if xp is np:
        out = xp.stack([window_similarity(window_fc(one, length, shift, i, j)) for one in series])
    else:
        n_windows = (ts.shape[-1] - length) // shift + 1
        rows = max(1, BYTES // (12 * n_windows * ts.shape[-2] ** 2))
        parts = (series[start : start + rows] for start in range(0, len(series), rows))
        out = xp.concatenate([window_similarity(window_products(part, length, shift, i, j)) for part in parts])
    return out if ts.ndim == 3 else out[0]


def windows(batch: Batch, window: float, step: float) -> tuple[int, int, int]:
    """Length and shift in samples, and number, of sliding windows given in seconds."""
    length = batch.samples(window, "window", MINIMUM_WINDOW)
    shift = max(1, round(step * batch.fs))
    n_windows = (batch.n_times - length) // shift + 1
    if n_windows < 2:
        raise ValueError(
            f"recording of {batch.duration:.6g} s ({batch.n_times} samples at fs = {batch.fs:.6g} Hz) holds "
            f"{n_windows} window of {window:g} s every {step:g} s, at least 2 are needed; shorten window or step"
        )
    return length, shift, n_windows


def window_fc(ts: Any, length: int, shift: int, i: np.ndarray, j: np.ndarray) -> Any:
    """Pearson correlation (n_windows, n_pairs), single precision, of pairs (i, j) of `ts` (n_nodes, n_times) by window.

    Sums over a window are differences of running sums, in double precision of series standardised as a whole.
    """
    xp = namespace(ts)
    z = standardise(ts).T * ts.shape[-1] ** 0.5
    mean, square = (window_sums(power, length, shift) / length for power in (z, z * z))
    variance = square - mean**2
    flat = variance <= 1e-10
    scale = xp.where(flat, 0.0, 1.0 / xp.sqrt(xp.where(flat, 1.0, variance)))
    return kernels.correlate_windows(xp.ascontiguousarray(z), mean, scale, length, shift, i, j)


def window_products(ts: Any, length: int, shift: int, i: np.ndarray, j: np.ndarray) -> Any:
    """What `window_fc` returns, of many simulations at once by products: (n_simulations, n_windows, n_pairs)."""
    xp = namespace(ts)
    starts = np.arange(0, ts.shape[-1] - length + 1, shift)
    z = standardise(ts) * ts.shape[-1] ** 0.5
    z = xp.swapaxes(z[..., starts[:, None] + np.arange(length)], -2, -3)  # simulation, window, node, time
    z = z - z.mean(axis=-1, keepdims=True)
    variance = (z * z).mean(axis=-1, keepdims=True)
    flat = variance <= 1e-10
    z *= xp.where(flat, 0.0, 1.0 / xp.sqrt(xp.where(flat, 1.0, variance * length)))
    z = z.astype("float32")
    return (z @ xp.swapaxes(z, -1, -2))[..., i, j]


def window_sums(values: Any, length: int, shift: int) -> Any:
    """Sums over sliding windows along the first axis."""
    xp = namespace(values)
    running = xp.empty((values.shape[0] + 1, *values.shape[1:]), dtype="float64")
    running[0] = 0.0
    xp.cumsum(values, axis=0, out=running[1:])
    return running[length::shift] - running[:-length:shift]


def window_similarity(vectors: Any) -> Any:
    """Correlation between the rows of `vectors` (..., n_windows, n_pairs), edited in place to zero mean, unit norm."""
    xp = namespace(vectors)
    vectors -= vectors.mean(axis=-1, keepdims=True)
    norm = xp.sqrt(xp.einsum("...we,...we->...w", vectors, vectors))[..., None]
    vectors /= xp.where(norm > 0, norm, 1.0)
    matrix = xp.clip(vectors @ xp.swapaxes(vectors, -1, -2), -1.0, 1.0)
    diagonal = xp.arange(matrix.shape[-1])
    matrix[..., diagonal, diagonal] = 1.0
    return matrix


@feature(
    "fcd",
    reference=HANSEN,
    window=WINDOW,
    step=STEP,
    mask=Option("all", "text", f"group of pairs of nodes: {GROUPS}"),
    overlap=Option(True, "boolean", "whether to count pairs of windows that share samples"),
    statistics=Option(("mean", "variance", "quantiles"), "texts", "statistics over pairs", choices=STATISTICS),
    quantiles=QUANTILES,
    eigenvalues=Option(0, "integer", "how many eigenvalues, largest first", minimum=0),
    components=Option(0, "integer", "how many principal components of the rows, as shares of variance", minimum=0),
)
def fcd_summary(
    batch: Batch,
    *,
    window: float,
    step: float,
    mask: str,
    overlap: bool,
    statistics: Sequence[str],
    quantiles: Sequence[float],
    eigenvalues: int,
    components: int,
) -> Pieces:
    """Summaries of functional connectivity dynamics; its variance over windows without overlap is the fluidity.

    Parameters
    ----------
    batch : series (n_simulations, n_nodes, n_times) and their sampling rate.
    window, step : length and shift of the windows [s].
    mask : group of pairs of nodes.
    overlap : whether pairs of windows that share samples count.
    statistics, quantiles : what summarises the values above the diagonal.
    eigenvalues : how many of the largest eigenvalues.
    components : how many principal components of the rows, as shares of variance.
    """
    matrix = batch.shared(fcd, batch.fs, window, step, mask, batch.nodes)
    length, shift, n = windows(batch, window, step)
    first = 1 if overlap else -(-length // shift)
    if n - first < 1:
        raise ValueError(
            f"recording of {batch.duration:.6g} s holds no two windows of {window:g} s without overlap; "
            "shorten the window or set overlap: true"
        )
    upper = batch.xp.triu(batch.xp.ones((n, n), dtype=bool), first)
    yield summary_statistics(matrix[:, upper], statistics, quantiles)
    for count, name, spectrum in (
        (eigenvalues, "eigenvalue", sorted_spectrum),
        (components, "component", component_shares),
    ):
        if count > n - 1:
            raise ValueError(f"{count} {name}s asked for but there are {n} windows; lower {name}s")
        if count:
            yield [f"{name}[{k + 1}]" for k in range(count)], spectrum(matrix)[:, :count]


def edge_fcd(ts: Any) -> Any:
    """Correlation between the vectors of edge co-fluctuations e_ij(t) = z_i(t) z_j(t), i < j, at all pairs of times.

    Their sums over edges follow from the nodes: 2 sum_(i<j) z_i z_j z'_i z'_j = (z . z')^2 - z^2 . z'^2.

    Returns
    -------
    (n_simulations, n_times, n_times)

    References
    ----------
    Zamani Esfahlani et al. 2020, doi:10.1073/pnas.2005531117; Rabuffo et al. 2021, doi:10.1523/ENEURO.0283-21.2021
    """
    xp = namespace(ts)
    z = xp.swapaxes(standardise(ts), -1, -2) * ts.shape[-1] ** 0.5
    return edge_rows(z, slice(0, z.shape[-2]))


def edge_rows(z: Any, rows: slice) -> Any:
    """Some rows of edge-based FCD, (..., n_rows, n_times), of standardised series z (..., n_times, n_nodes)."""
    xp, n_nodes = namespace(z), z.shape[-1]
    squares = z * z
    total, n_edges = (z.sum(axis=-1) ** 2 - squares.sum(axis=-1)) / 2, n_nodes * (n_nodes - 1) / 2
    own = (squares.sum(axis=-1) ** 2 - (squares * squares).sum(axis=-1)) / 2
    sd = xp.sqrt(xp.maximum(own - total**2 / n_edges, 1e-12))
    out = (z[..., rows, :] @ xp.swapaxes(z, -1, -2)) ** 2
    out -= squares[..., rows, :] @ xp.swapaxes(squares, -1, -2)
    out /= 2
    out -= total[..., rows, None] * total[..., None, :] / n_edges
    out /= sd[..., rows, None] * sd[..., None, :]
    return xp.clip(out, -1.0, 1.0)


def edge_pairs(ts: Any) -> Any:
    """Values of edge-based FCD above its diagonal, (n_simulations, n_pairs), single precision, by blocks of rows."""
    xp, n = namespace(ts), ts.shape[-1]
    z = xp.swapaxes(standardise(ts), -1, -2) * n**0.5
    out, done = xp.empty((ts.shape[0], n * (n - 1) // 2), dtype="float32"), 0
    for start in range(0, n, ROWS):
        rows = edge_rows(z, slice(start, min(start + ROWS, n)))
        values = rows[:, xp.triu(xp.ones(rows.shape[1:], dtype=bool), start + 1)]
        out[:, done : done + values.shape[-1]] = values
        done += values.shape[-1]
    return out


@feature(
    "fcd_edge",
    reference="Rabuffo et al. 2021, doi:10.1523/ENEURO.0283-21.2021",
    statistics=Option(("mean", "variance", "quantiles"), "texts", "statistics over pairs of times", choices=STATISTICS),
    quantiles=QUANTILES,
)
def fcd_edge(batch: Batch, *, statistics: Sequence[str], quantiles: Sequence[float]) -> Pieces:
    """Edge-based functional connectivity dynamics, without windows; mean and sd of the size of co-fluctuations."""
    if batch.n_times > MOST_TIMES:
        raise ValueError(
            f"edge-based FCD of {batch.n_times} samples needs a matrix of as many rows; at most {MOST_TIMES}, so take "
            "it from a slower signal such as BOLD"
        )
    if len(batch.nodes) < 3:
        raise ValueError(f"edge-based FCD of {len(batch.nodes)} nodes has too few pairs; at least 3 nodes are needed")
    yield summary_statistics(batch.shared(edge_pairs), statistics, quantiles)
    squares = batch.shared(standardise) ** 2 * batch.n_times
    size = batch.xp.sqrt((squares.sum(axis=1) ** 2 - (squares**2).sum(axis=1)) / 2)
    yield ["size.mean", "size.sd"], [size.mean(axis=-1)[:, None], size.std(axis=-1)[:, None]]
