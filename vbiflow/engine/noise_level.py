"""How much measurement noise a simulation has: absolute, relative to its own signal, or as recorded in each region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, choose


@dataclass(frozen=True)
class Noise:
    """Standard deviation `level` (1 or n_simulations,): in the signal's unit or, `relative`, in standard deviations.

    The latter is that of the simulation's own signal over time, its square averaged over nodes. With `regions`
    (n_nodes,), the level times these numbers counts in standard deviations of each node's own signal.
    """

    level: np.ndarray
    relative: bool
    regions: np.ndarray | None = None


def check_noise(noise: Any, n_simulations: int, n_nodes: int = 1) -> Noise | None:
    """A level (scalar or (n_simulations, 1)), or ``{"level": ..., "relative": bool, "regions": (n_nodes,)}``.

    With regions the level is 1 where none is given.

    Raises
    ------
    ValueError
        If an option is unknown, or a level negative or not finite.
    """
    if noise is None:
        return None
    options = dict(noise) if isinstance(noise, Mapping) else {"level": noise}
    for option in options:
        choose("option of noise", option, ("level", "relative", "regions"))
    regions, relative = options.get("regions"), options.get("relative", False)
    level = options.get("level", 0.0 if regions is None else 1.0)
    level = broadcast("level of", "noise", level, n_simulations, 1)[:, 0]
    if (level < 0).any():
        raise ValueError(f"noise is {level[level < 0][0]:g}; it is a standard deviation, at least 0")
    if not isinstance(relative, bool):
        raise ValueError(f"option relative of noise is {relative!r}; write true or false")
    if regions is None:
        return Noise(level, relative) if level.any() else None
    if not relative:
        raise ValueError("noise of each region counts in standard deviations of its signal; write relative: true")
    regions = broadcast("regions of", "noise", np.reshape(regions, (1, -1)), 1, n_nodes)[0]
    if (regions < 0).any():
        raise ValueError(f"noise of a region is {regions.min():g}; it is a standard deviation, at least 0")
    return Noise(level, relative, regions) if level.any() else None
