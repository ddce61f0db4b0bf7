"""Power spectral densities of series: Welch's method and multitapers."""

from __future__ import annotations

from typing import Any

import scipy

from vbiflow.features.batch import double, fft_module, in_epochs, namespace, to_host

CHUNK = 2**17


def welch(ts: Any, fs: float, samples: int, epoch: int | None = None) -> tuple[Any, Any]:
    """Frequencies [Hz] and one-sided power spectral density [y^2/Hz] by Welch's method, Hann window, half overlap.

    The density integrates to the variance: a sine of amplitude a contributes a^2 / 2.

    Parameters
    ----------
    ts
        (..., n_nodes, n_times); the transforms run in its precision.
    fs
        Sampling rate [Hz].
    samples
        Length of a segment in samples.
    epoch
        Samples of an epoch, where the series are epochs end to end: no segment crosses their borders.

    Returns
    -------
    frequencies (n_frequencies,) and density (..., n_nodes, n_frequencies)

    References
    ----------
    Welch 1967, doi:10.1109/TAU.1967.1161901
    """
    xp, n_frequencies = namespace(ts), samples // 2 + 1
    window = xp.asarray(scipy.signal.get_window("hann", samples))
    whole = xp.lib.stride_tricks.sliding_window_view(in_epochs(ts, epoch), samples, axis=-1)
    frames = whole[..., :: samples - samples // 2, :]
    density = xp.empty((*ts.shape[:-1], n_frequencies))
    chunk = max(1, ts.shape[-2] * CHUNK // frames.size)
    for start in range(0, ts.shape[-2], chunk):
        piece = frames[..., start : start + chunk, :, :, :]
        piece = piece - piece.mean(axis=-1, keepdims=True, dtype="float64").astype(ts.dtype)
        piece *= window.astype(ts.dtype)
        lines = fft_module(xp).rfft(piece, axis=-1)
        density[..., start : start + chunk, :] = (lines.real**2 + lines.imag**2).mean(axis=(-3, -2))
    density *= 2.0 / (fs * float((window**2).sum()))
    density[..., :: n_frequencies - 1 if samples % 2 == 0 else n_frequencies] /= 2.0
    return xp.arange(n_frequencies) * (fs / samples), density


def multitaper(ts: Any, fs: float, samples: int, bandwidth: float, epoch: int | None = None) -> tuple[Any, Any]:
    """Frequencies [Hz] and density [y^2/Hz] by discrete prolate spheroidal tapers, mean over segments, by mne."""
    from mne.time_frequency import psd_array_multitaper

    host = in_epochs(to_host(double(ts)), epoch)
    n_segments = host.shape[-1] // samples
    segments = host[..., : n_segments * samples].reshape(*ts.shape[:-1], -1, samples)
    density, frequencies = psd_array_multitaper(
        segments, fs, bandwidth=bandwidth, normalization="full", verbose="error"
    )
    return namespace(ts).asarray(frequencies), namespace(ts).asarray(density.mean(axis=-2))
