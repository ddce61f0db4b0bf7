"""Named series as readers give them, before they are checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Series:
    """Values (n_nodes, n_times) of named regions; `seconds` is the sampling interval that the file states, if any."""

    values: np.ndarray
    labels: tuple[str, ...]
    seconds: float | None = None
