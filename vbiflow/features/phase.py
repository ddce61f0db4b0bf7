"""Amplitude and phase of oscillations, and how they go together across nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vbiflow.features.batch import Batch, double, fft_module, is_constant, namespace, signal_module, to_host
from vbiflow.features.connectivity import PAIRS, fc, pair_summary
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.spectral import EEG_BANDS, SEGMENT, Bands

BAND = Option(None, "band", "band to filter to; null: the series as it is", "Hz")
BANDS = Option(None, "bands", "bands to filter to; null: the series as it is", "Hz")


def bandpass(ts: Any, fs: float, band: tuple[float, float], order: int = 4) -> Any:
    """Series filtered to a band [Hz] by a Butterworth filter run forward and backward, so that phases stay.

    Raises
    ------
    ValueError
        If the band reaches beyond half the sampling rate or the recording is too short for the filter.
    """
    signal = signal_module(namespace(ts))
    if not 0 <= band[0] < band[1] < fs / 2:
        raise ValueError(f"band {band[0]:g}-{band[1]:g} Hz does not lie within 0 and fs / 2 = {fs / 2:.6g} Hz")
    edges, kind = (band, "bandpass") if band[0] > 0 else (band[1], "lowpass")
    sections = signal.butter(order, edges, kind, fs=fs, output="sos")
    length = 3 * (2 * len(sections) + 1)
    if ts.shape[-1] <= length:
        raise ValueError(f"recording of {ts.shape[-1]} samples is too short to filter, more than {length} are needed")
    y = double(ts)
    return signal.sosfiltfilt(sections, y - y.mean(axis=-1, keepdims=True), axis=-1, padlen=length)


def analytic(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Analytic signal y + i H(y) of the series less its mean, or of its part in a band [Hz]; H: Hilbert's transform."""
    fft = fft_module(namespace(ts))
    y = double(ts) if band is None else bandpass(ts, fs, band)
    y = y - y.mean(axis=-1, keepdims=True)
    return y + 1j * fft.irfft(-1j * fft.rfft(y), ts.shape[-1])


def amplitude(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Envelope |y + i H(y)|; 0 for a constant node."""
    xp = namespace(ts)
    return xp.where(is_constant(ts)[..., None], 0.0, abs(analytic(ts, fs, band)))


def phasors(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Unit vectors exp(i phase); 0 for a constant node."""
    xp, signal = namespace(ts), analytic(ts, fs, band)
    size = abs(signal)
    return xp.where(is_constant(ts)[..., None] | (size == 0), 0.0, signal / xp.where(size == 0, 1.0, size))


def order_parameter(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Kuramoto's R(t) = |mean over nodes of exp(i phase)|, (n_simulations, n_times)."""
    return abs(phasors(ts, fs, band).mean(axis=1))


def plv(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Phase-locking value |mean over time of exp(i (phase_k - phase_l))|, (n_simulations, n_nodes, n_nodes)."""
    u = phasors(ts, fs, band)
    return abs(u @ namespace(ts).swapaxes(u.conj(), -1, -2)) / ts.shape[-1]


def amplitude_correlation(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Pearson correlation between the envelopes of every pair of nodes."""
    return fc(amplitude(ts, fs, band))


def leakage_free_correlation(ts: Any, fs: float, band: tuple[float, float] | None) -> Any:
    """Signed correlation between envelopes after pairwise orthogonalisation, which takes out what both share at
    no lag; the mean of both directions.
    """
    from mne_connectivity import envelope_correlation

    signal = to_host(analytic(ts, fs, band))
    names = [str(k) for k in range(signal.shape[1])]
    found = [
        envelope_correlation(one[None], names=names, absolute=False, verbose="error").get_data("dense")[0, ..., 0]
        for one in signal
    ]
    return namespace(ts).asarray(np.nan_to_num(np.stack(found)))


def each_band(batch: Batch, bands: Bands | None) -> list[tuple[str, tuple[float, float] | None]]:
    """Prefix of the names, and edges, of each band."""
    for name, edges in bands or ():
        batch.check_band(name, edges)
    return [(f"[{name}].", edges) for name, edges in bands] if bands else [("", None)]


@feature("envelope", unit="y", per=per(), band=BAND)
def envelope(batch: Batch, *, per: Sequence[str], band: tuple[float, float] | None) -> Pieces:
    """Mean, sd, median, least and greatest of the amplitude envelope by Hilbert's transform."""
    values = batch.shared(amplitude, batch.fs, band)
    for name in ("mean", "std", "min", "max"):
        yield batch.nodes.reduce(getattr(values, name)(axis=-1), per, {"std": "sd"}.get(name, name))
    yield batch.nodes.reduce(batch.xp.median(values, axis=-1), per, "median")


@feature("instantaneous_frequency", unit="Hz", per=per(), band=BAND)
def instantaneous_frequency(batch: Batch, *, per: Sequence[str], band: tuple[float, float] | None) -> Pieces:
    """Mean and sd over time of the rate at which the phase turns."""
    u = batch.shared(phasors, batch.fs, band)
    turn = u[..., 1:] * u[..., :-1].conj()
    rate = batch.xp.arctan2(turn.imag, turn.real) * (batch.fs / (2 * np.pi))
    yield batch.nodes.reduce(rate.mean(axis=-1), per, "mean")
    yield batch.nodes.reduce(rate.std(axis=-1), per, "sd")


@feature("kuramoto", reference="Cabral et al. 2011, doi:10.1016/j.neuroimage.2011.04.010", bands=BANDS)
def kuramoto(batch: Batch, *, bands: Bands | None) -> Pieces:
    """Mean over time (synchrony) and sd (metastability) of Kuramoto's order parameter."""
    for prefix, edges in each_band(batch, bands):
        order = batch.shared(order_parameter, batch.fs, edges)
        yield [f"{prefix}mean", f"{prefix}sd"], [order.mean(axis=-1)[:, None], order.std(axis=-1)[:, None]]


@feature("phase_locking", reference="Lachaux et al. 1999, doi:10.1002/(SICI)1097-0193(1999)8:4", bands=BANDS, **PAIRS)
def phase_locking(batch: Batch, *, bands: Bands | None, **options: Any) -> Pieces:
    """Phase-locking value over time of pairs of nodes."""
    for prefix, edges in each_band(batch, bands):
        yield from pair_summary(batch, batch.shared(plv, batch.fs, edges), prefix=prefix, **options)


@feature(
    "envelope_correlation",
    reference="Hipp et al. 2012, doi:10.1038/nn.3101",
    bands=BANDS,
    orthogonalise=Option(
        False, "boolean", "whether to take out first what two nodes share at no lag (leakage); the sign stays"
    ),
    **PAIRS,
)
def envelope_correlation(batch: Batch, *, bands: Bands | None, orthogonalise: bool, **options: Any) -> Pieces:
    """Correlation between amplitude envelopes of pairs of nodes."""
    function = leakage_free_correlation if orthogonalise else amplitude_correlation
    for prefix, edges in each_band(batch, bands):
        yield from pair_summary(batch, batch.shared(function, batch.fs, edges), prefix=prefix, **options)


@feature(
    "spectral_connectivity",
    signals="eeg",
    reference="Vinck et al. 2011, doi:10.1016/j.neuroimage.2011.01.055",
    methods=Option(
        ("coh", "wpli"),
        "texts",
        "measures, by their names in mne-connectivity; imcoh by its size, for its sign is the order of the nodes",
        choices=("coh", "imcoh", "plv", "ciplv", "ppc", "pli", "wpli", "wpli2_debiased"),
    ),
    bands=Option(EEG_BANDS, "bands", "bands", "Hz"),
    segment=SEGMENT,
    **PAIRS,
)
def spectral_connectivity(
    batch: Batch, *, methods: Sequence[str], bands: Bands, segment: float, **options: Any
) -> Pieces:
    """Coherence, phase lag index and their kin across segments of the recording, by mne-connectivity."""
    for name, edges in bands:
        batch.check_band(name, edges)
    samples = batch.samples(segment, "segment", 8)
    limits = tuple(edges for _, edges in bands)
    found = batch.shared(cross_spectral, batch.fs, samples, tuple(methods), limits)
    for method, matrices in zip(methods, found, strict=True):
        for k, (name, _) in enumerate(bands):
            yield from pair_summary(batch, matrices[..., k], prefix=f"{method}[{name}].", **options)


def cross_spectral(
    ts: Any, fs: float, samples: int, methods: Sequence[str], limits: Sequence[tuple[float, float]]
) -> list[Any]:
    """Symmetric matrices (n_simulations, n_nodes, n_nodes, n_bands), one a method, over segments that don't overlap.

    Raises
    ------
    ValueError
        If the recording holds fewer than 2 segments.
    """
    from mne_connectivity import spectral_connectivity_epochs

    n_segments = ts.shape[-1] // samples
    if n_segments < 2:
        raise ValueError(f"recording of {ts.shape[-1]} samples holds {n_segments} segments of {samples}, 2 are needed")
    rows: list[list[np.ndarray]] = [[] for _ in methods]
    fmin, fmax = zip(*limits, strict=True)
    keywords = {"sfreq": fs, "mode": "fourier", "fmin": fmin, "fmax": fmax, "faverage": True, "verbose": "error"}
    for one in to_host(double(ts)):
        epochs = one[:, : n_segments * samples].reshape(one.shape[0], n_segments, samples).swapaxes(0, 1)
        with np.errstate(invalid="ignore"):
            results = spectral_connectivity_epochs(epochs, None, list(methods), **keywords)
        for store, result in zip(rows, results if isinstance(results, list) else [results], strict=True):
            lower = result.get_data("dense")
            store.append(np.nan_to_num(lower + lower.swapaxes(0, 1)))
    for method, store in zip(methods, rows, strict=True):
        if method == "imcoh":  # antisymmetric: its sign says which of the two comes first
            store[:] = [abs(matrix) for matrix in store]
    return [namespace(ts).asarray(np.stack(store)) for store in rows]
