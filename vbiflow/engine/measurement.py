"""Measurement noise: white and Gaussian, added to what is recorded, from random numbers of its own.

Their counter is (block of four samples, node, 65536 stream + 256 purpose + signal, simulation), as in philox.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from vbiflow.engine.checks import choose, spread
from vbiflow.engine.noise import four_normals
from vbiflow.engine.philox import MEASUREMENT
from vbiflow.models.maths import asarray, host
from vbiflow.observation import OBSERVATION_MODELS

if TYPE_CHECKING:
    from vbiflow.engine.plan import Plan


@dataclass(frozen=True)
class Noise:
    """Standard deviation `level` (1 or n_simulations,): in the signal's unit or, `relative`, in standard deviations.

    The latter is that of the simulation's own signal over time, its square averaged over nodes.
    """

    level: np.ndarray
    relative: bool


def check_noise(noise: Any, n_simulations: int) -> Noise | None:
    """A level (scalar or (n_simulations, 1)), or ``{"level": ..., "relative": bool}``.

    Raises
    ------
    ValueError
        If an option is unknown, or a level negative or not finite.
    """
    if noise is None:
        return None
    options = dict(noise) if isinstance(noise, Mapping) else {"level": noise}
    for option in options:
        choose("option of noise", option, ("level", "relative"))
    level = spread("level of", "noise", options.get("level", 0.0), n_simulations, 1)[:, 0]
    if (level < 0).any():
        raise ValueError(f"noise is {level[level < 0][0]:g}; it is a standard deviation, at least 0")
    if not isinstance(options.get("relative", False), bool):
        raise ValueError(f"option relative of noise is {options['relative']!r}; write true or false")
    return Noise(level, options.get("relative", False)) if level.any() else None


def measured(ts: Any, plan: Plan, name: str) -> Any:
    """Series (n_simulations, n_nodes, n_times) of a signal with the plan's noise; NumPy's are changed in place."""
    own, noise = host(ts), plan.noise
    scale = np.broadcast_to(noise.level, len(own)).copy()
    if noise.relative:
        scale *= [np.sqrt(one.var(axis=1, dtype=np.float64).mean()) for one in own]
    slow = list(OBSERVATION_MODELS)
    signal = 255 - slow.index(name) if name in slow else list(plan.model.signals).index(name)
    address = np.uint64(65536 * plan.stream + 256 * MEASUREMENT + signal)
    low, high = np.uint64(plan.seed & 0xFFFFFFFF), np.uint64(plan.seed >> 32)
    noisy = own if own is ts else np.zeros_like(own)
    add(noisy, scale.astype(own.dtype), plan.simulations(0, plan.n_simulations), low, high, address)
    return ts if own is ts else ts + asarray(noisy, ts, own.dtype.name)


@njit(nogil=True, cache=True)
def add(ts, scale, simulations, low, high, address):
    n_times = ts.shape[2]
    for k in range(ts.shape[0]):
        for i in range(ts.shape[1]):
            for block in range((n_times + 3) // 4):
                normals = four_normals(block, i, address, simulations[k], low, high)
                for s in range(min(4, n_times - 4 * block)):
                    ts[k, i, 4 * block + s] += scale[k] * normals[s]
