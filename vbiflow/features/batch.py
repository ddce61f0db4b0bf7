"""A batch of series and what features share of them, computed once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from vbiflow.features.nodes import Nodes


def namespace(array: Any) -> ModuleType:
    """The array module, NumPy or CuPy, that an array belongs to."""
    return sys.modules[type(array).__module__.split(".")[0]]


def fft_module(xp: ModuleType) -> ModuleType:
    """scipy.fft, or CuPy's copy of it."""
    return importlib.import_module("scipy.fft" if xp is np else "cupyx.scipy.fft")


def signal_module(xp: ModuleType) -> ModuleType:
    """scipy.signal, or CuPy's copy of it."""
    return importlib.import_module("scipy.signal" if xp is np else "cupyx.scipy.signal")


def to_host(array: Any) -> np.ndarray:
    """An array as a NumPy array."""
    return array if isinstance(array, np.ndarray) else array.get()


def double(ts: Any) -> Any:
    """Series in double precision."""
    return ts.astype("float64", copy=False)


def squares(ts: Any) -> Any:
    """Squares of the values in double precision."""
    return double(ts) ** 2


def is_constant(ts: Any) -> Any:
    """Which nodes (n_simulations, n_nodes) never change."""
    return ts.max(axis=-1) == ts.min(axis=-1)


def standardise(ts: Any) -> Any:
    """Series of zero mean and unit norm along time, z = (y - mean y) / |y - mean y|; 0 where y is constant."""
    xp = namespace(ts)
    z = ts - ts.mean(axis=-1, keepdims=True, dtype="float64")
    norm = xp.sqrt(xp.einsum("...t,...t->...", z, z))
    still = is_constant(ts) | (norm == 0)
    z *= xp.where(still, 0.0, 1.0 / xp.where(still, 1.0, norm))[..., None]
    return z


def in_epochs(ts: Any, epoch: int | None) -> Any:
    """Series (..., n_times) as (..., n_epochs, epoch); one epoch if none is said, a rest that fills none left out."""
    n = epoch or ts.shape[-1]
    return ts[..., : ts.shape[-1] // n * n].reshape(*ts.shape[:-1], -1, n)


class Batch:
    """Series `ts` (n_simulations, n_nodes, n_times) sampled at `fs` [Hz] of the same `nodes`.

    Where the series are epochs end to end, `epoch` is the number of samples of each, else that of the whole series.
    """

    spectra: tuple[Any, Any] | None = None
    """Frequencies and densities that are given, in place of the series' own."""

    def __init__(self, ts: Any, fs: float, nodes: Nodes, epoch: int | None = None) -> None:
        self.xp = namespace(ts)
        # compiled loops take rows that lie together, whatever the order of the array in memory
        self.ts, self.fs, self.nodes = self.xp.ascontiguousarray(ts), float(fs), nodes
        self.epoch = epoch or self.n_times
        self._shared: dict[Any, Any] = {}

    @property
    def n_times(self) -> int:
        """Number of samples in time."""
        return self.ts.shape[-1]

    @property
    def duration(self) -> float:
        """Length of the recording [s]."""
        return self.n_times / self.fs

    def shared(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """`function(self.ts, *arguments)`, computed once however many features ask for it; not to be edited."""
        key = (function, arguments)
        if key not in self._shared:
            self._shared[key] = function(self.ts, *arguments)
        return self._shared[key]

    @property
    def double(self) -> Any:
        """The series in double precision."""
        return self.shared(double)

    def each_series(self, function: Callable[[np.ndarray], Sequence[float]], n_values: int) -> np.ndarray:
        """`function` of every single series on the host, (n_simulations, n_nodes, n_values); NaN for a constant one."""
        ts = to_host(self.double)
        out = np.full((*ts.shape[:2], n_values), np.nan)
        for row, node in np.argwhere(~is_constant(ts)):
            out[row, node] = function(ts[row, node])
        return out

    def samples(self, seconds: float, what: str, minimum: int = 1) -> int:
        """`seconds` as a whole number of samples.

        Raises
        ------
        ValueError
            If that is fewer than `minimum` or more than the recording, or an epoch of it, has.
        """
        n = round(seconds * self.fs)
        if n < minimum:
            raise ValueError(
                f"{what} of {seconds:g} s holds {n} samples at fs = {self.fs:.6g} Hz, at least {minimum} are needed; "
                "lengthen it, or check fs [Hz]"
            )
        whole = min(self.epoch, self.n_times)
        if n > whole:
            part = "recording" if whole == self.n_times else "epochs"
            raise ValueError(
                f"{what} of {seconds:g} s ({n} samples) is longer than the {part} "
                f"of {whole / self.fs:.6g} s ({whole} samples at fs = {self.fs:.6g} Hz); shorten it, or check fs [Hz]"
            )
        return n

    def check_band(self, name: str, edges: tuple[float, float]) -> None:
        """Raise ValueError if a band [Hz] reaches beyond half the sampling rate."""
        if edges[1] > self.fs / 2:
            raise ValueError(
                f"band {name} of {edges[0]:g}-{edges[1]:g} Hz reaches beyond fs / 2 = {self.fs / 2:.6g} Hz; "
                "lower it, or check fs [Hz]"
            )


class SpectralBatch(Batch):
    """Power spectral densities (n_simulations, n_nodes, n_frequencies) at evenly spaced frequencies [Hz], no series.

    `fs` [Hz] is the sampling rate of the series that they are compared with, which sets the frequencies at which
    features read a segment; None where that is not known.

    Raises
    ------
    ValueError
        If the frequencies are not evenly spaced.
    """

    def __init__(self, density: np.ndarray, frequencies: np.ndarray, nodes: Nodes, fs: float | None = None) -> None:
        frequencies = np.asarray(frequencies, float)
        steps = np.diff(frequencies)
        if steps.size < 1 or np.ptp(steps) > 1e-3 * steps.mean():
            raise ValueError(
                f"frequencies lie {steps.min(initial=np.inf):g} to {steps.max(initial=0):g} Hz apart; make them even"
            )
        super().__init__(np.zeros((*density.shape[:2], 1)), fs or 2 * float(frequencies[-1]), nodes)
        self.spectra, self.rate = (frequencies, density), fs

    def at_resolution(self, segment: float) -> tuple[np.ndarray, np.ndarray]:
        """Frequencies and densities as segments of so many seconds would have them, as far as these spectra reach."""
        samples = round(segment * self.rate) if self.rate else 0
        return regrid(*self.spectra, self.rate / samples if samples else 1 / segment)

    def check_band(self, name: str, edges: tuple[float, float]) -> None:
        """Nothing is folded back: that the frequencies reach far enough is seen where they are chosen."""


def regrid(frequencies: np.ndarray, density: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Densities (..., n_frequencies) at multiples of `step` [Hz], from half a bin before the first to half one behind
    the last.

    Finer ones are averaged over the new bins; else their logarithms are interpolated by a cubic spline.
    """
    from scipy.interpolate import CubicSpline

    own = float(np.diff(frequencies).mean())
    low, high = frequencies[0] - own / 2, frequencies[-1] + own / 2
    grid = step * np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1)
    if len(grid) == len(frequencies) and np.abs(grid - frequencies).max() < 1e-3 * step:
        return np.asarray(frequencies), density
    density = np.asarray(density, float)
    if own < 0.75 * step:
        edges, bounds = (
            np.append(frequencies - own / 2, high),
            np.clip(grid[:, None] + [-step / 2, step / 2], low, high),
        )
        power = np.concatenate([np.zeros((*density.shape[:-1], 1)), density.cumsum(axis=-1)], axis=-1)
        places = np.interp(bounds, edges, np.arange(len(edges)))
        whole = np.minimum(places.astype(int), density.shape[-1] - 1)
        below = power[..., whole] + (places - whole) * density[..., whole]
        return grid, (below[..., 1] - below[..., 0]) / np.maximum(places[:, 1] - places[:, 0], 1e-300)
    logs = np.log(np.maximum(density, 1e-12 * np.maximum(density.max(axis=-1, keepdims=True), 1e-280)))
    return grid, np.exp(CubicSpline(frequencies, logs, axis=-1)(np.clip(grid, frequencies[0], frequencies[-1])))
