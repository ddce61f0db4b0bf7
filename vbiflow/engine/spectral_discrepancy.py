"""What no parameters of a model would explain of spectra, declared: smooth random deviations in dB.

    S_i(f) [dB] = model + s_shared g(f) + s_network g_n(i)(f) + s_region g_i(f),

g Gaussian processes of unit variance over frequency, correlated as exp(-(f - f')^2 / (2 l^2)), drawn anew in every
simulation: one for the whole brain, one a network, one a region. The standard deviations `discrepancy_shared`,
`discrepancy_network` and `discrepancy_region` [dB] and the length l, `discrepancy_length` [Hz], are parameters of a
study, fixed or inferred. Series in time go through a filter of zero phase whose gain is that deviation; means stay.
Recordings get none, so that the posterior of the standard deviations says how wrong the model is (Kennedy & O'Hagan
2001, doi:10.1111/1467-9868.00294).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from vbiflow.engine.simulate import Simulations
from vbiflow.models.maths import asarray, host
from vbiflow.streams import random_generator

PURPOSE = 0x73706469
"""Tells these random numbers from the others of a study's seed."""
SIZES = ("discrepancy_shared", "discrepancy_network", "discrepancy_region")
LENGTH = "discrepancy_length"
DEFAULT_LENGTH = 2.3
"""Hz, of source MEG spectra of 36 people."""
SPECTRAL_DISCREPANCY = dict.fromkeys(SIZES, "dB") | {LENGTH: "Hz"}
"""Parameters by name, with units."""
KNOTS = 2
"""So many knots of a process in a correlation length; a cubic spline lies between them."""


def check_sizes(values: Mapping[str, Any], networks: Sequence[str] | None = None) -> None:
    """Refuse negative sizes, a length that is not above 0, and a size a network where there is none.

    Raises
    ------
    ValueError
        In one line.
    """
    for name in SIZES:
        if name in values and np.min(values[name]) < 0:
            raise ValueError(f"{name} reaches down to {np.min(values[name]):g} dB; it is at least 0")
    if LENGTH in values and np.min(values[LENGTH]) <= 0:
        raise ValueError(f"{LENGTH} reaches down to {np.min(values[LENGTH]):g} Hz; it must be above 0")
    if LENGTH in values and not any(name in values for name in SIZES):
        raise ValueError(f"{LENGTH} is that of a discrepancy; give one of {', '.join(SIZES)}, or leave it out")
    if networks is not None and SIZES[1] in values and not any(networks):
        raise ValueError(f"{SIZES[1]}: no region has a network; add the column network to the regions, or leave it out")


def add_spectral_discrepancy(
    simulations: Simulations, values: Mapping[str, Any], networks: Sequence[str], *, seed: int, stream: int = 0
) -> Simulations:
    """Simulations whose signals deviate from the model by chance, each by the same dB at a frequency in all signals.

    Parameters
    ----------
    simulations : of the model alone.
    values : sizes [dB] and length [Hz] by name, scalars or (n_simulations, 1).
    networks : of the regions, an empty text where there is none.
    seed, stream : what is added to a simulation follows from (seed, stream, its index) alone.
    """
    check_sizes(values, networks)
    n, series = len(simulations.valid), {name: np.array(host(ts)) for name, ts in simulations.ts.items()}
    given = {LENGTH: DEFAULT_LENGTH, **values}
    rows = {name: np.broadcast_to(np.ravel(np.asarray(value, float)), n) for name, value in given.items()}
    for k in range(n):
        own = {name: float(row[k]) for name, row in rows.items()}
        for name, ts in series.items():
            n_times = ts.shape[-1]
            grid = simulations.frequencies
            frequencies = np.fft.rfftfreq(n_times, 1 / simulations.fs[name]) if grid is None else np.asarray(grid)
            rng = random_generator(seed, PURPOSE, stream, simulations.start + k)
            deviation = deviations(frequencies, own, networks, rng)
            if grid is not None:
                ts[k] *= 10 ** (deviation / 10)
                continue
            gain = np.where(frequencies > 0, 10 ** (deviation / 20), 1.0)
            ts[k] = np.fft.irfft(np.fft.rfft(ts[k]) * gain, n_times)
    return replace(
        simulations, ts={name: asarray(ts, simulations.ts[name], ts.dtype.name) for name, ts in series.items()}
    )


def deviations(
    frequencies: np.ndarray, sizes: Mapping[str, float], networks: Sequence[str], rng: np.random.Generator
) -> np.ndarray:
    """Deviations (n_nodes, n_frequencies) [dB] of one simulation at rising frequencies [Hz]."""
    length = sizes[LENGTH]
    knots = np.arange(0, frequencies[-1] + 3 * length / KNOTS, length / KNOTS)
    covariance = np.exp(-((knots[:, None] - knots) ** 2) / (2 * length**2))
    factor = np.linalg.cholesky(covariance + 1e-6 * np.eye(len(knots)))
    names = list(dict.fromkeys(network for network in networks if network))
    z = rng.standard_normal((1 + len(names) + len(networks), len(knots))) @ factor.T
    shared, groups, regions = np.split(z, [1, 1 + len(names)])
    own = np.array([groups[names.index(network)] if network else np.zeros(len(knots)) for network in networks])
    parts = (np.broadcast_to(shared, regions.shape), own, regions)
    total = sum(sizes.get(name, 0.0) * part for name, part in zip(SIZES, parts, strict=True))
    return CubicSpline(knots, total, axis=-1)(frequencies)


def spectral_discrepancy_note(names: Sequence[str], theta: np.ndarray) -> list[str]:
    """A sentence on how wrong the model is, of posterior samples theta (n_samples, n_parameters); none if fixed."""
    known = [name for name in SIZES if name in names]
    if not known:
        return []
    low, middle, high = np.quantile(theta[:, [list(names).index(name) for name in known]], [0.05, 0.5, 0.95], axis=0)
    words = [f"{middle[k]:.2g} dB ({low[k]:.2g} to {high[k]:.2g}) {WORDS[name]}" for k, name in enumerate(known)]
    return [f"the model misses spectra by {', '.join(words)} (median, 90 %), and its posterior allows for that"]


WORDS = dict(zip(SIZES, ("in all regions alike", "in a network", "in a region"), strict=True))
