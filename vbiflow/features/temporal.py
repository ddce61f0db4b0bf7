"""How a series goes on in time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from vbiflow.features import kernels
from vbiflow.features.batch import Batch, double, fft_module, namespace, squares, standardise
from vbiflow.features.distribution import central_moments
from vbiflow.features.feature import Option, Pieces, feature, per

LAGS_TRIED = 100
LAGS = Option(None, "numbers", "lags, rounded to whole samples; null: one sample", "s", minimum=0)


def autocorrelation_function(z: Any) -> Any:
    """Autocorrelation rho(k) = sum_t z_t z_(t+k) of standardised series at every lag k, to single precision."""
    fft, n = fft_module(namespace(z)), z.shape[-1]
    padded = fft.next_fast_len(2 * n, real=True)
    spectrum = fft.rfft(z.astype("float32"), padded)
    return fft.irfft(spectrum.real**2 + spectrum.imag**2, padded)[..., :n]


def subtract_mean(ts: Any) -> Any:
    """Series less their means."""
    y = double(ts)
    return y - y.mean(axis=-1, keepdims=True)


def slopes(ts: Any) -> Any:
    """Differences of neighbouring values in double precision, per sample."""
    return namespace(ts).diff(double(ts), axis=-1)


@feature("energy", unit="y^2 s", per=per())
def energy(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Integral of the square over the recording, which grows with its length; `power` is energy per second."""
    yield batch.nodes.reduce(batch.shared(squares).sum(axis=-1) / batch.fs, per)


@feature("power", unit="y^2", per=per())
def power(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mean square over time."""
    yield batch.nodes.reduce(batch.shared(squares).mean(axis=-1), per)


@feature("area", unit="y s", per=per(), interval=Option(None, "band", "from and to; null: the whole recording", "s"))
def area(batch: Batch, *, per: Sequence[str], interval: tuple[float, float] | None) -> Pieces:
    """Area under the curve over an interval, by trapezoids; it grows with the interval."""
    start, stop = (round(edge * batch.fs) for edge in interval or (0.0, (batch.n_times - 1) / batch.fs))
    if stop >= batch.n_times:
        raise ValueError(
            f"interval {list(interval or ())} s ends after the recording of {batch.duration:.6g} s; shorten it"
        )
    y = batch.double[..., start : stop + 1]
    yield batch.nodes.reduce((y.sum(axis=-1) - (y[..., 0] + y[..., -1]) / 2) / batch.fs, per)


@feature("temporal_centroid", unit="s", per=per())
def temporal_centroid(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Time at which half the energy lies on either side in the mean, sum t y^2 / sum y^2."""
    xp, energy = batch.xp, batch.shared(squares)
    total = energy.sum(axis=-1)
    weighted = energy @ (xp.arange(batch.n_times) / batch.fs)
    yield batch.nodes.reduce(xp.where(total > 0, weighted / xp.where(total > 0, total, 1.0), 0.0), per)


@feature("zero_crossings", unit="Hz", per=per())
def zero_crossings(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Crossings of the mean per second."""
    above = batch.shared(subtract_mean) > 0
    crossings = (above[..., 1:] != above[..., :-1]).sum(axis=-1)
    yield batch.nodes.reduce(crossings * (batch.fs / (batch.n_times - 1)), per)


@feature("line_length", unit="y/s", per=per())
def line_length(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mean absolute change per second."""
    yield batch.nodes.reduce(abs(batch.shared(slopes)).mean(axis=-1) * batch.fs, per)


@feature("hjorth", unit="1/s (mobility), 1", reference="Hjorth 1970, doi:10.1016/0013-4694(70)90143-4", per=per())
def hjorth(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mobility sd(y') / sd(y) [1/s] and complexity mobility(y') / mobility(y) [1], y' the rate of change."""
    xp = batch.xp
    slope = batch.shared(slopes)
    sds = [xp.sqrt(central_moments(y, 2)[..., 2]) for y in (batch.double, slope, slopes(slope))]
    first, second = (batch.fs * upper / xp.where(lower > 0, lower, 1.0) for lower, upper in pairwise(sds))
    yield batch.nodes.reduce(first, per, "mobility")
    yield batch.nodes.reduce(second / xp.where(first > 0, first, 1.0), per, "complexity")


@feature("autocorrelation", per=per(), lags=LAGS)
def autocorrelation(batch: Batch, *, per: Sequence[str], lags: Sequence[float] | None) -> Pieces:
    """Autocorrelation at given lags."""
    z = batch.shared(standardise)
    for lag in lags or (None,):
        k = 1 if lag is None else batch.samples(lag, "lag")
        if k >= batch.n_times:
            raise ValueError(f"lag of {k} samples reaches beyond the {batch.n_times} samples recorded; shorten it")
        rho = batch.xp.einsum("...t,...t->...", z[..., k:], z[..., : batch.n_times - k])
        yield batch.nodes.reduce(rho, per, "[1 sample]" if lag is None else f"[{lag:g} s]")


@feature("autocorrelation_time", unit="s", reference="Murray et al. 2014, doi:10.1038/nn.3862", per=per())
def autocorrelation_time(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Lag at which the autocorrelation first falls below 1/e, by straight lines between samples."""
    yield batch.nodes.reduce(decay(batch.shared(standardise)) / batch.fs, per)


def decay(z: Any) -> Any:
    """Lag in samples at which the autocorrelation of standardised series (n_simulations, n_nodes, n_times) is 1/e.

    On the CPU the first lags are tried one by one; what decays more slowly goes by Fourier transform, as all on a GPU.
    """
    xp, level = namespace(z), 0.36787944117144233
    lag = xp.full(z.shape[:-1], -1.0)
    if xp is np:
        lag = kernels.first_below(z.reshape(-1, z.shape[-1]), level, LAGS_TRIED).reshape(z.shape[:-1])
    slow = lag < 0
    if slow.any():
        rho = autocorrelation_function(z[slow])
        below = rho[..., 1:] < level
        k = below.argmax(axis=-1)[..., None]
        left, right = (xp.take_along_axis(rho, index, axis=-1)[..., 0] for index in (k, k + 1))
        drop = xp.where(left > right, left - right, 1.0)
        found = k[..., 0] + xp.clip((left - level) / drop, 0.0, 1.0)
        lag[slow] = xp.where(below.any(axis=-1), found, z.shape[-1])
    return lag


@feature(
    "onset",
    unit="s",
    signals="seeg",
    per=per("node"),
    threshold=Option(0.5, "number", "level to exceed, as a share of the range of values of all nodes"),
    absolute=Option(False, "boolean", "whether threshold is a value of the signal, not a share"),
    baseline=Option(
        0.0, "number", "s at the begin whose mean nodes rise from; threshold is a share of the largest rise"
    ),
    first=Option(False, "boolean", "whether to count from the first node that does, as a seizure spreads"),
)
def onset(
    batch: Batch, *, per: Sequence[str], threshold: float, absolute: bool, baseline: float, first: bool
) -> Pieces:
    """Time at which a node first exceeds a threshold (seizure onset), else the whole length; share of nodes that do."""
    y = batch.double
    low, high = y.min(axis=(1, 2), keepdims=True), y.max(axis=(1, 2), keepdims=True)
    if n_before := min(round(baseline * batch.fs), batch.n_times):
        y = y - y[..., :n_before].mean(axis=-1, keepdims=True)
        low, high = 0.0, y.max(axis=(1, 2), keepdims=True)
    above = y > (threshold if absolute else low + threshold * (high - low))
    ever = above.any(axis=-1)
    sample = above.argmax(axis=-1)
    if first:
        sample = sample - batch.xp.where(ever, sample, batch.n_times).min(axis=-1, keepdims=True)
    yield batch.nodes.reduce(batch.xp.where(ever, sample, batch.n_times) / batch.fs, per)
    yield ["share"], ever.mean(axis=-1)[:, None]
