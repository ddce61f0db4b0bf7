"""Conduction delays, checked: which connections are delayed, and by how many steps in which simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.models import Model

BYTES = 2 * 10**9
"""Memory that the past of a batch may take."""
BATCH = 32
"""Simulations that share it."""


@dataclass(frozen=True)
class Delays:
    """Connections with a length above zero, by source, then target; the others stay in `instantaneous`.

    Attributes
    ----------
    target, source, weight, length : (n_edges,) of the delayed connections; length [mm].
    instantaneous : (n_nodes, n_nodes), takes what is sent now to coupling inputs.
    speed : (1 or n_simulations,) [m/s].
    dt : [ms].
    """

    target: np.ndarray
    source: np.ndarray
    weight: np.ndarray
    length: np.ndarray
    instantaneous: np.ndarray
    speed: np.ndarray
    dt: float

    def steps(self, chosen: np.ndarray) -> np.ndarray:
        """Delays of the chosen simulations in steps, (n_chosen, n_edges)."""
        speed = self.speed[chosen if len(self.speed) > 1 else np.zeros_like(chosen)]
        return np.rint(self.length / speed[:, None] / self.dt).astype(np.int32)

    @property
    def longest(self) -> int:
        """The longest delay of all simulations in steps."""
        return int(np.rint(self.length.max() / self.speed.min() / self.dt))


def check_delays(
    model: Model, weights: np.ndarray, coupling: np.ndarray, lengths: Any, speed: Any, n_simulations: int, dt: float
) -> Delays | None:
    """Delays length / speed in whole steps; None where no connection has a length and a speed.

    A connection of length zero is instantaneous. Any other delay must round to at least one step.

    Parameters
    ----------
    model : whose sends are delayed.
    weights : (n_nodes, n_nodes), row = target, as the user gave them.
    coupling : the matrix of the coupling, in which a connection is not 0.
    lengths : tract lengths (n_nodes, n_nodes) [mm]; None if there are no delays.
    speed : of conduction [m/s], a scalar or (n_simulations, 1); None if there are no delays.
    n_simulations : of the call.
    dt : time step [ms].

    Raises
    ------
    ValueError
        If one of tract lengths and speed is missing, not finite, of wrong shape or sign, if dt is too long for the
        shortest delay, or if the past of a batch would not fit in memory.
    """
    if lengths is None and speed is None:
        return None
    if speed is None:
        raise ValueError("tract_lengths are given without a speed; give speed [m/s], or leave both out for no delays")
    speed = check_speed(speed, n_simulations)
    lengths = check_lengths(lengths, weights)
    delayed = (weights > 0) & (lengths > 0)
    if not delayed.any() or not model.sends:
        return None
    source, target = np.nonzero(delayed.T)
    instantaneous = coupling - np.where(delayed, weights, 0.0)
    delays = Delays(
        target, source, weights[target, source], lengths[target, source], instantaneous, speed.reshape(-1), dt
    )
    shortest, fastest = delays.length.min(), speed.max()
    if np.rint(shortest / fastest / dt) < 1:
        raise ValueError(
            f"dt {dt:g} ms is too long for the shortest delay, {shortest / fastest:.3g} ms ({shortest:g} mm at "
            f"{fastest:g} m/s); use a smaller dt, or length 0 where a connection is instantaneous"
        )
    check_memory(delays, BATCH * len(weights) * len(model.sends))
    return delays


def check_speed(speed: Any, n_simulations: int) -> np.ndarray:
    """Speed [m/s], one or (n_simulations, 1), finite and above zero."""
    try:
        array = np.asarray(speed, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"speed is {speed!r}; give numbers [m/s]") from None
    if array.shape not in ((), (1, 1), (n_simulations, 1)):
        raise ValueError(f"speed has shape {array.shape}; give a scalar or ({n_simulations}, 1) per simulation [m/s]")
    if not (np.isfinite(array) & (array > 0)).all():
        raise ValueError(f"speed is {array[~(np.isfinite(array) & (array > 0))][0]:g}; it must be above 0 m/s")
    return array


def check_lengths(lengths: Any, weights: np.ndarray) -> np.ndarray:
    """Tract lengths [mm], shaped as the weights, known and not negative wherever these are not zero."""
    if lengths is None:
        raise ValueError("speed is given without tract_lengths; give the connectome's lengths [mm], or no speed")
    lengths = np.asarray(lengths, np.float64)
    if lengths.shape != weights.shape:
        raise ValueError(f"tract_lengths have shape {lengths.shape}; give {weights.shape}, as the weights")
    bad = (weights > 0) & ~(np.isfinite(lengths) & (lengths >= 0))
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise ValueError(
            f"tract_lengths hold {np.count_nonzero(bad)} values of connected pairs that are negative or not finite, "
            f"the first {lengths[i, j]:g} (target {i}, source {j}); give lengths [mm]"
        )
    return lengths


def check_memory(delays: Delays, rows: int) -> None:
    """The past of a batch of `rows` time series, in double precision, and half as much room to move it."""
    size = 12 * rows * delays.length.max() / delays.speed.min() / delays.dt
    if size > BYTES:
        raise ValueError(
            f"the longest delay, {delays.length.max() / delays.speed.min():.4g} ms ({delays.length.max():g} mm at "
            f"{delays.speed.min():g} m/s), needs {size / 1e9:.3g} GB of past, more than {BYTES / 1e9:g} GB; "
            "use a higher speed or a longer dt"
        )
