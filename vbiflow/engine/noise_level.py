"""How much measurement noise a simulation has: absolute, or relative to its own signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, choose


@dataclass(frozen=True)
class Noise:
    """Standard deviation `level` (1 or n_simulations, 1 or n_nodes): in the signal's unit or, `relative`, in standard
    deviations.

    The latter is that of the simulation's own signal over time, its square averaged over nodes; or, `per_region`, that
    of each node's own.
    """

    level: np.ndarray
    relative: bool
    per_region: bool = False


def check_noise(noise: Any, n_simulations: int, n_nodes: int) -> Noise | None:
    """A level (scalar, (n_nodes,), (n_simulations, 1 or n_nodes)), or ``{"level": ..., "relative": bool}``.

    A level that is relative may have ``"per": "region"``.

    Raises
    ------
    ValueError
        If an option is unknown, or a level negative or not finite.
    """
    if noise is None:
        return None
    options = dict(noise) if isinstance(noise, Mapping) else {"level": noise}
    for option in options:
        choose("option of noise", option, ("level", "relative", "per"))
    relative, per = options.get("relative", False), options.get("per")
    level = broadcast("level of", "noise", options.get("level", 0.0), n_simulations, n_nodes)
    if (level < 0).any():
        raise ValueError(f"noise is {level[level < 0][0]:g}; it is a standard deviation, at least 0")
    if not isinstance(relative, bool):
        raise ValueError(f"option relative of noise is {relative!r}; write true or false")
    if per not in (None, "region"):
        raise ValueError(f"option per of noise is {per!r}; write region, or leave it out")
    if per and not relative:
        raise ValueError("noise per region counts in standard deviations of its signal; write relative: true")
    return Noise(level, relative, bool(per)) if level.any() else None
