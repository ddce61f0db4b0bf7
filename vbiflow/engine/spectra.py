"""Spectra of a study's draws without simulating: those of the network's linear equations (linearisation.py).

The spectrum of a recording is an estimate, from as many segments as fit into it; so is the one that stands for it here.
The Fourier coefficients of K independent segments are drawn, complex normal through the network's transfer function,
and the mean of their squares is what Welch's method gives of the linear network, errors that regions share included.
Signals are not averaged over their period, nothing is folded back from above half the sampling rate, and no window
leaks into neighbouring frequencies (Welch's takes from the lowest one or two).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vbiflow.engine.checks import check_number, choose
from vbiflow.engine.derived import resolve_derived
from vbiflow.engine.linearisation import Linearisation, linearise
from vbiflow.engine.noise_level import Noise, check_noise
from vbiflow.engine.simulate import Simulations
from vbiflow.models import Model, find_model
from vbiflow.streams import random_generator

COEFFICIENTS = 0x73706563
"""Tells the coefficients' random numbers from the others of a study's seed."""
OPTIONS = ("step", "highest")


def check_spectrum(model: Model, signals: Mapping[str, Any], spectrum: Mapping[str, Any], duration: float) -> tuple:
    """The signal, its frequencies [Hz] and the number of segments.

    Raises
    ------
    ValueError
        If there is not one signal of the model, or no frequency or segment.
    """
    for option in spectrum:
        choose("option of spectrum", option, OPTIONS)
    if len(signals) != 1:
        raise ValueError(f"spectrum: {len(signals)} signals; give one, of {', '.join(model.signals)}")
    name = next(iter(signals))
    choose(f"signal of {model.name}", name, model.signals)
    step, highest = (check_number(f"spectrum.{key}", spectrum.get(key), 0, strict=True) for key in OPTIONS)
    frequencies = step * np.arange(1, round(highest / step) + 1)
    segments = int(duration / 1e3 * step * (1 + 1e-9))
    if not len(frequencies) or segments < 1:
        raise ValueError(
            f"simulation.duration {duration:g} ms holds no segment of {1e3 / step:g} ms, which a resolution of "
            f"{step:g} Hz takes; make it longer"
        )
    return name, frequencies, segments


def linear_spectra(
    model: str | Model,
    weights: Any,
    parameters: Mapping[str, Any],
    *,
    n_simulations: int,
    duration: float,
    signals: Mapping[str, Mapping[str, Any]],
    spectrum: Mapping[str, float],
    seed: int,
    start: int = 0,
    stream: int = 0,
    initial: Mapping[str, Any] | None = None,
    tract_lengths: Any = None,
    speed: Any = None,
    noise: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> Simulations:
    """Power spectral densities of draws of the parameters, in the place of their time series.

    Parameters
    ----------
    model, weights, parameters, tract_lengths, speed : as in `simulate`.
    n_simulations, seed, start, stream : which draws, and the random numbers of measurement noise.
    initial : as in `simulate`: where the search for the fixed point begins.
    spectrum : {"step": resolution [Hz], "highest": frequency [Hz]}; frequencies are step, 2 step, ..., highest.
    duration : of the recording whose spectra they stand for [ms]; it holds K = duration step segments.
    signals : the one signal, {"name": {"period": [ms]}}; the period is that of measurement noise.
    noise : of every sample, as in `simulate`; relative to the signal's standard deviation only without delays.
    progress : called with (draws done, n_simulations).

    Returns
    -------
    Simulations whose series are (n_simulations, n_nodes, n_frequencies), one-sided, unit squared per Hz. Invalid where
    there is no stable fixed point.

    Raises
    ------
    ValueError
        As `linearise` and `simulate`, and where no segment fits into the duration.
    """
    model = model if isinstance(model, Model) else find_model(model)
    name, frequencies, segments = check_spectrum(model, signals, spectrum, duration)
    derived = resolve_derived(model, weights, parameters, n_simulations, initial, delayed=speed is not None)
    level, fs = check_noise(noise, n_simulations, len(weights)), 1e3 / signals[name].get("period", 1.0)
    if level and level.relative and speed is not None:
        raise ValueError("noise: relative takes the variance, which is slow to find with delays; give it absolute")
    ts = np.zeros((n_simulations, len(weights), len(frequencies)), np.float32)
    speeds, reason = None if speed is None else np.broadcast_to(np.ravel(speed), n_simulations), []
    for k in range(n_simulations):
        one, begin = (
            {key: row_of_simulation(value, k) for key, value in v.items()}
            for v in (derived.parameters, derived.initial)
        )
        delays = {} if speeds is None else {"tract_lengths": tract_lengths, "speed": float(speeds[k])}
        linear = linearise(model, weights, one, initial=begin, **delays)
        reason.append((derived.reason[k] if derived.reason else "") or linear.reason)
        if not reason[-1]:
            rng = random_generator(seed, COEFFICIENTS, stream, start + k)
            floor = 2 * noise_variance(linear, name, level, k) / fs
            ts[k] = drawn_spectra(linear.transfer(name, frequencies), segments, floor, rng)
        if progress:
            progress(k + 1, n_simulations)
    unit = f"{model.units.get(name, '1')}^2/Hz"
    valid = np.array([not text for text in reason])
    return Simulations({name: ts}, {name: fs}, valid, reason, start, units={name: unit}, frequencies=frequencies)


def row_of_simulation(value: Any, k: int) -> Any:
    """What simulation k has of a parameter: a scalar or (n_nodes,)."""
    value = np.asarray(value, float)
    if value.ndim < 2:
        return value
    own = value[k if len(value) > 1 else 0]
    return own if own.size > 1 else own[0]


def noise_variance(linear: Linearisation, signal: str, noise: Noise | None, k: int) -> np.ndarray:
    """Variance of the measurement noise of simulation k, (1 or n_nodes,)."""
    if noise is None:
        return np.zeros(1)
    level = noise.level[k if len(noise.level) > 1 else 0]
    return level**2 * (np.diag(linear.covariance(signal)).mean() if noise.relative else 1.0)


def drawn_spectra(transfer: np.ndarray, segments: int, floor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean squares of `segments` complex normal coefficients through the transfer function, (n_nodes, n_frequencies),
    with white noise of one-sided density `floor` (1 or n_nodes,).
    """
    n_frequencies, n_nodes, n_sources = transfer.shape
    density = np.empty((n_nodes, n_frequencies))
    for f in range(n_frequencies):
        real = rng.standard_normal((2, n_sources + n_nodes, segments))
        z = (real[0] + 1j * real[1]) / np.sqrt(2)
        seen = np.sqrt(2e-3) * (transfer[f] @ z[:n_sources]) + np.sqrt(floor)[:, None] * z[n_sources:]
        density[:, f] = (seen.real**2 + seen.imag**2).mean(1)
    return density
