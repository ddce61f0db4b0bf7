"""Power spectral density and what is read from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from vbiflow.features.batch import Batch, is_constant, namespace, to_host
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.spectral_estimation import multitaper, welch

Bands = Sequence[tuple[str, tuple[float, float]]]

EEG_BANDS = {"delta": [1, 4], "theta": [4, 8], "alpha": [8, 13], "beta": [13, 30], "gamma": [30, 45]}
BANDS = Option(EEG_BANDS, "bands", "bands, low edge included, high edge not", "Hz")
RANGE = Option((1.0, 45.0), "band", "frequencies that count, low edge included, high edge not", "Hz")
METHOD = Option("welch", "text", "estimator", choices=("welch", "multitaper"))
SEGMENT = Option(2.0, "number", "length of the segments that are averaged; it sets the resolution", "s", minimum=0)
BANDWIDTH = Option(2.0, "number", "full bandwidth of the tapers, for method multitaper", "Hz", minimum=0)
AVERAGE = Option(False, "boolean", "whether to average the spectra of all nodes before reading anything from them")


def spectrum_of(batch: Batch, method: str, segment: float, bandwidth: float) -> tuple[Any, Any]:
    """Frequencies and density (n_simulations, n_nodes, n_frequencies) of a batch; 0 for a constant node."""
    if batch.spectra is not None:
        return batch.at_resolution(segment)
    samples = batch.samples(segment, "segment", 8)
    if method == "multitaper":
        frequencies, density = batch.shared(multitaper, batch.fs, samples, bandwidth, batch.epoch)
    else:
        frequencies, density = batch.shared(welch, batch.fs, samples, batch.epoch)
    return frequencies, batch.xp.where(is_constant(batch.ts)[..., None], 0.0, density)


def bins_within(batch: Batch, frequencies: Any, edges: tuple[float, float], name: str) -> Any:
    """Indices of the frequencies f with low <= f < high.

    Raises
    ------
    ValueError
        If the band reaches beyond half the sampling rate or the frequencies, or holds none at this resolution.
    """
    batch.check_band(name, edges)
    host = to_host(frequencies)
    step = host[1] - host[0]
    lacking = [f for f in (host[0] - step, host[-1] + step) if max(1e-9, edges[0] - 1e-9) < f < edges[1] - 1e-9]
    if lacking:
        raise ValueError(
            f"band {name} of {edges[0]:g}-{edges[1]:g} Hz takes a frequency of {lacking[0]:.4g} Hz, but the spectra "
            f"reach from {host[0]:.4g} to {host[-1]:.4g} Hz in steps of {step:.4g}; narrow it"
        )
    chosen = np.flatnonzero((host >= edges[0] - 1e-9) & (host < edges[1] - 1e-9))
    if not chosen.size:
        raise ValueError(
            f"band {name} of {edges[0]:g}-{edges[1]:g} Hz holds no frequency at a resolution of "
            f"{step:.4g} Hz; take longer segments or a wider band"
        )
    return chosen


def power_shares(p: Any) -> Any:
    """Density as shares that add up to 1; all 0 where there is no power."""
    total = p.sum(axis=-1, keepdims=True)
    return p / namespace(p).where(total > 0, total, 1.0)


def total_power(f: Any, p: Any) -> Any:
    """Power in the range, by bins of the resolution."""
    return p.sum(axis=-1) * (f[1] - f[0])


def peak(f: Any, p: Any) -> tuple[Any, Any]:
    """Frequency and density of the highest peak, by a parabola through the logarithms of three neighbours."""
    xp, last = namespace(p), p.shape[-1] - 1
    top = p.argmax(axis=-1)[..., None]
    around = [xp.take_along_axis(p, xp.clip(top + shift, 0, last), axis=-1)[..., 0] for shift in (-1, 0, 1)]
    inner = (top[..., 0] > 0) & (top[..., 0] < last) & (xp.minimum(around[0], around[2]) > 0)
    left, middle, right = (xp.log(xp.where(inner, value, 1.0)) for value in around)
    bend = left - 2 * middle + right
    shift = xp.where(bend < 0, (left - right) / xp.where(bend < 0, 2 * bend, 1.0), 0.0)
    height = xp.where(inner, xp.exp(middle - (left - right) * shift / 4), around[1])
    return f[top[..., 0]] + shift * (f[1] - f[0]), height


def centroid(f: Any, p: Any) -> Any:
    """Mean frequency, weighted by power."""
    return power_shares(p) @ f


def moment(f: Any, p: Any, order: int) -> Any:
    """Central moment of frequency, weighted by power."""
    return (power_shares(p) * (f - centroid(f, p)[..., None]) ** order).sum(axis=-1)


def spread(f: Any, p: Any) -> Any:
    """Standard deviation of frequency, weighted by power."""
    return namespace(p).sqrt(moment(f, p, 2))


def standard_moment(f: Any, p: Any, order: int) -> Any:
    """Central moment of frequency in units of the spread."""
    xp, sd = namespace(p), spread(f, p)
    return xp.where(sd > 0, moment(f, p, order) / xp.where(sd > 0, sd, 1.0) ** order, 0.0)


def edge(f: Any, p: Any, share: float) -> Any:
    """Frequency below which a share of the power lies, by straight lines within bins."""
    xp, step = namespace(p), f[1] - f[0]
    cumulated = power_shares(p).cumsum(axis=-1)
    k = (cumulated >= share - 1e-12).argmax(axis=-1)[..., None]
    upper = xp.take_along_axis(cumulated, k, axis=-1)[..., 0]
    width = xp.take_along_axis(power_shares(p), k, axis=-1)[..., 0]
    return f[k[..., 0]] + step / 2 - xp.where(width > 0, (upper - share) / xp.where(width > 0, width, 1.0), 0.0) * step


def entropy(f: Any, p: Any) -> Any:
    """Shannon entropy of the shares of power over the logarithm of their number: 0 for one line, 1 for white noise."""
    xp, q = namespace(p), power_shares(p)
    return -(q * xp.log(xp.where(q > 0, q, 1.0))).sum(axis=-1) / np.log(max(p.shape[-1], 2))


def flatness(f: Any, p: Any) -> Any:
    """Geometric over arithmetic mean of the density."""
    xp, mean = namespace(p), p.mean(axis=-1)
    return xp.where(mean > 0, xp.exp(xp.log(xp.maximum(p, 1e-300)).mean(axis=-1)) / xp.where(mean > 0, mean, 1.0), 0.0)


STATISTICS: dict[str, Callable[[Any, Any], Any]] = {
    "total": total_power,
    "peak_frequency": lambda f, p: peak(f, p)[0],
    "peak_density": lambda f, p: peak(f, p)[1],
    "centroid": centroid,
    "spread": spread,
    "skewness": lambda f, p: standard_moment(f, p, 3),
    "kurtosis": lambda f, p: standard_moment(f, p, 4) - 3.0,
    "entropy": entropy,
    "flatness": flatness,
}


@feature(
    "psd",
    unit="y^2 (power), y^2/Hz (peak_density), Hz (peak_frequency, centroid, spread, edge), 1",
    signals="eeg",
    per=per(),
    method=METHOD,
    segment=SEGMENT,
    bandwidth=BANDWIDTH,
    bands=BANDS,
    range=RANGE,
    statistics=Option(
        ("power", "relative", "peak_frequency", "peak_density", "centroid", "spread", "edge", "entropy"),
        "texts",
        "power in each band, relative power, edge, and statistics over the range",
        choices=("power", "relative", "edge", *STATISTICS),
    ),
    edges=Option((0.5, 0.95), "numbers", "shares of power below each edge", minimum=0),
    average=AVERAGE,
)
def psd(
    batch: Batch,
    *,
    per: Sequence[str],
    method: str,
    segment: float,
    bandwidth: float,
    bands: Bands,
    range: tuple[float, float],
    statistics: Sequence[str],
    edges: Sequence[float],
    average: bool,
) -> Pieces:
    """Band powers, absolute and relative, peak, centroid, spread, edges, entropy of the power spectral density.

    Parameters
    ----------
    batch : series (n_simulations, n_nodes, n_times) and their sampling rate.
    per : how values of nodes are summarised, as in the option `per` of all features.
    method : welch or multitaper.
    segment : length of Welch's segments [s].
    bandwidth : full bandwidth of the tapers [Hz].
    bands : name and edges [Hz] of each band.
    range : frequencies [Hz] that relative power and statistics count.
    statistics : which values to give.
    edges : shares of power below each spectral edge.
    average : whether to average the spectra of all nodes first.
    """
    frequencies, density = spectrum_of(batch, method, segment, bandwidth)
    density = density.mean(axis=1, keepdims=True) if average else density
    chosen = bins_within(batch, frequencies, range, "range")
    f, p = frequencies[chosen].astype("float64"), density[..., chosen].astype("float64")
    found: list[tuple[str, Any]] = []
    for statistic in statistics:
        if statistic in ("power", "relative"):
            whole = total_power(f, p) if statistic == "relative" else batch.xp.ones(p.shape[:2])
            for name, limits in bands:
                inside = density[..., bins_within(batch, frequencies, limits, name)].astype("float64")
                power = total_power(frequencies, inside) / batch.xp.where(whole > 0, whole, 1.0)
                found.append((f"{statistic}[{name}]", power))
        elif statistic == "edge":
            found += [(f"edge[{share:g}]", edge(f, p, share)) for share in edges]
        else:
            found.append((statistic, STATISTICS[statistic](f, p)))
    for name, values in found:
        yield ([name], values) if average else batch.nodes.reduce(values, per, name)


@feature(
    "spectrum",
    unit="log10 y^2/Hz, dB (relative)",
    signals="eeg",
    per=per(),
    method=METHOD,
    segment=SEGMENT,
    bandwidth=BANDWIDTH,
    range=RANGE,
    step=Option(1.0, "number", "distance of the frequencies at which the density is given", "Hz", minimum=0),
    relative=Option(False, "boolean", "whether to give each node's density over its mean in the range, in dB"),
)
def spectrum(
    batch: Batch,
    *,
    per: Sequence[str],
    method: str,
    segment: float,
    bandwidth: float,
    range: tuple[float, float],
    step: float,
    relative: bool,
) -> Pieces:
    """Logarithm of the power spectral density averaged over bins of frequency, or its form in dB.

    Parameters
    ----------
    batch : series (n_simulations, n_nodes, n_times) and their sampling rate.
    per : how values of nodes are summarised, as in the option `per` of all features.
    method : welch or multitaper.
    segment : length of Welch's segments [s].
    bandwidth : full bandwidth of the tapers [Hz].
    range : lowest and highest frequency [Hz].
    step : width of the bins [Hz].
    relative : whether to divide by each node's mean density over the range, in dB.
    """
    frequencies, density = spectrum_of(batch, method, segment, bandwidth)
    edges = np.arange(range[0], range[1] + 1e-9, step)
    if edges.size < 2:
        raise ValueError(f"step of {step:g} Hz is wider than the range {range[0]:g}-{range[1]:g} Hz; lower it")
    xp, whole = batch.xp, 1.0
    if relative:
        whole = density[..., bins_within(batch, frequencies, range, "range")].astype("float64").mean(axis=-1)
        whole = xp.where(whole > 0, whole, 1.0)
    for low, high in pairwise(edges):
        name = f"[{low:g}-{high:g} Hz]"
        bins = density[..., bins_within(batch, frequencies, (low, high), name)].astype("float64").mean(axis=-1)
        logs = xp.log10(xp.maximum(bins / whole, 1e-300))
        yield batch.nodes.reduce(10 * logs if relative else logs, per, f"relative{name}" if relative else name)


@feature(
    "aperiodic",
    unit="log10 y^2/Hz (offset), 1",
    signals="eeg",
    reference="Donoghue et al. 2020, doi:10.1038/s41593-020-00744-x",
    per=per(),
    method=METHOD,
    segment=SEGMENT,
    bandwidth=BANDWIDTH,
    range=RANGE,
    average=Option(True, "boolean", "whether to average the spectra of all nodes before the fit"),
)
def aperiodic(
    batch: Batch,
    *,
    per: Sequence[str],
    method: str,
    segment: float,
    bandwidth: float,
    range: tuple[float, float],
    average: bool,
) -> Pieces:
    """Exponent and offset of the aperiodic part 10^offset / f^exponent of the spectrum, by specparam.

    Parameters
    ----------
    batch : series (n_simulations, n_nodes, n_times) and their sampling rate.
    per : how values of nodes are summarised, as in the option `per` of all features.
    method : welch or multitaper.
    segment : length of Welch's segments [s].
    bandwidth : full bandwidth of the tapers [Hz].
    range : frequencies [Hz] of the fit.
    average : whether to average the spectra of all nodes first.
    """
    from specparam import SpectralModel

    frequencies, density = spectrum_of(batch, method, segment, bandwidth)
    density = density.mean(axis=1, keepdims=True) if average else density
    chosen = bins_within(batch, frequencies, range, "range")
    f, p = to_host(frequencies)[chosen].astype(float), to_host(density)[..., chosen].astype(float)
    fits = np.full((*p.shape[:2], 2), np.nan)
    for row, node in np.argwhere((p > 0).all(axis=-1)):
        model = SpectralModel(aperiodic_mode="fixed", max_n_peaks=6, min_peak_height=0.1, verbose=False)
        model.fit(f, p[row, node])
        fits[row, node] = model.get_params("aperiodic")
    for name, values in (("exponent", fits[..., 1]), ("offset", fits[..., 0])):
        yield ([name], values) if average else batch.nodes.reduce(values, per, name)
