"""Measurement noise: white and Gaussian, added to what is recorded, from random numbers of its own.

Their counter is (block of four samples, node, 65536 stream + 256 purpose + signal, simulation), as in philox.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vbiflow.compilation import compile_cached
from vbiflow.engine.noise import four_normals
from vbiflow.engine.philox import MEASUREMENT
from vbiflow.engine.plan import Plan
from vbiflow.models.maths import asarray, host
from vbiflow.observation import OBSERVATION_MODELS


def add_measurement_noise(ts: Any, plan: Plan, name: str) -> Any:
    """Series (n_simulations, n_nodes, n_times) of a signal with the plan's noise; NumPy's are changed in place."""
    own, noise = host(ts), plan.noise
    scale = np.broadcast_to(noise.level, own.shape[:2]).copy()
    for k, one in enumerate(own if noise.relative else ()):
        variance = one.var(axis=1, dtype=np.float64)
        scale[k] *= np.sqrt(variance if noise.per_region else variance.mean())
    slow = list(OBSERVATION_MODELS)
    signal = 255 - slow.index(name) if name in slow else list(plan.model.signals).index(name)
    address = np.uint64(65536 * plan.stream + 256 * MEASUREMENT + signal)
    low, high = np.uint64(plan.seed & 0xFFFFFFFF), np.uint64(plan.seed >> 32)
    noisy = own if own is ts else np.zeros_like(own)
    add_normals(noisy, scale.astype(own.dtype), plan.simulations(0, plan.n_simulations), low, high, address)
    return ts if own is ts else ts + asarray(noisy, ts, own.dtype.name)


@compile_cached(nogil=True)
def add_normals(ts, scale, simulations, low, high, address):
    """Add normals times `scale` (n_simulations, n_nodes) to `ts`; simulation, node and time address them."""
    n_times = ts.shape[2]
    for k in range(ts.shape[0]):
        for i in range(ts.shape[1]):
            for block in range((n_times + 3) // 4):
                normals = four_normals(block, i, address, simulations[k], low, high)
                for s in range(min(4, n_times - 4 * block)):
                    ts[k, i, 4 * block + s] += scale[k, i] * normals[s]
