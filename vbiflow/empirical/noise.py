"""Measurement noise of each region, read off the high frequencies of a recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vbiflow.connectome import Connectome, Finding
from vbiflow.features.spectral_estimation import welch
from vbiflow.maps import RECORDED_NOISE

ABOVE = 0.3
"""Frequency [Hz] above which the haemodynamic response leaves next to nothing of neural activity."""
SEGMENT = 64
"""Samples of a segment of the spectrum."""
MOST = 0.95
"""Largest share of noise in a variance."""


def noise_ratios(ts: np.ndarray, fs: float, above: float = ABOVE) -> np.ndarray:
    """Standard deviation of white noise over that of the signal without it (n_nodes,), of series (n_nodes, n_times).

    The mean density above a frequency [Hz] is that of white noise, which has it at all frequencies up to fs / 2.

    Raises
    ------
    ValueError
        If the sampling rate fs [Hz] leaves no frequency above it, or a region is constant.
    """
    frequencies, density = welch(ts, fs, min(SEGMENT, ts.shape[-1]))
    high = frequencies > above
    if high.sum() < 2:
        raise ValueError(
            f"noise of each region is read above {above:g} Hz, the recording ends at {fs / 2:.3g} Hz; "
            "leave observation.noise.per out, and infer noise"
        )
    variance = ts.var(axis=-1)
    if not (variance > 0).all():
        raise ValueError("noise of each region: a region is constant")
    share = np.minimum(density[:, high].mean(axis=-1) * fs / 2 / variance, MOST)
    return np.sqrt(share / (1 - share))


def with_recorded_noise(connectome: Connectome, ts: np.ndarray, fs: float) -> Connectome:
    """The connectome with the `noise_ratios` of series of its regions (n_nodes, n_times) at fs [Hz] as a map."""
    ratios = noise_ratios(ts, fs)
    low, middle, high = np.quantile(ratios, [0, 0.5, 1])
    text = (
        f"measurement noise is {middle:.2f} ({low:.2f} to {high:.2f}) of a region's signal, by the recording's power "
        f"above {ABOVE:g} Hz; simulations have as much"
    )
    return replace(
        connectome,
        maps={**connectome.maps, RECORDED_NOISE: ratios},
        findings=(*connectome.findings, Finding(RECORDED_NOISE, "note", text)),
    )
