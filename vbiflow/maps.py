"""Parameters as regressions on regional maps: w_i = constant + c_1 map_1,i + c_2 map_2,i + ..."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

CONSTANT = "constant"
"""Name of the coefficient that belongs to no map."""
RECORDED_NOISE = "recorded_noise"
"""Name of the map of measurement noise that a connectome takes from a recording."""
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"identity": lambda values: values, "log": np.exp}
"""What the sum is of a parameter, and its inverse: with log, coefficients are the logarithms of ratios."""


def regression(terms: Mapping[str, Any], maps: Mapping[str, np.ndarray], what: str) -> np.ndarray:
    """Values (..., n_nodes) of a parameter: the sum of coefficients (...) by name times maps (n_nodes,).

    Raises
    ------
    ValueError
        If there is no such map.
    """
    return sum(np.asarray(value, float)[..., None] * region_values(name, maps, what) for name, value in terms.items())


def region_values(name: str, maps: Mapping[str, np.ndarray], what: str) -> np.ndarray:
    """The map `name` (n_nodes,), or ones for the constant; `what` begins an error."""
    if name == CONSTANT:
        return np.ones_like(next(iter(maps.values()), np.ones(1)))
    if name not in maps:
        known = ", ".join(maps) or "none"
        raise ValueError(f"{what}: no map {name!r}; name its file in connectome.maps, which has {known}")
    return maps[name]
