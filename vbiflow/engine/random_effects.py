"""Regional parameters that differ by chance: every simulation draws its own, and the spread is what is inferred.

    f(p_i) = f(mean_i) + sd z_i,    z_i standard normal, f the link (identity or log),

truncated to the range that the study allows. A parameter for each region would be as many as there are regions, most of
which no recording tells; their spread is one number.
"""

from __future__ import annotations

import zlib

import numpy as np
from scipy.special import ndtr, ndtri

from vbiflow.streams import random_generator

PURPOSE = 0x72616E64
"""Tells these random numbers from the others of a study's seed."""
EDGE = 1e-12


def draw_effects(
    name: str, mean: np.ndarray, sd: np.ndarray, n_nodes: int,
    *, seed: int, stream: int = 0, start: int = 0, link: str = "identity",
    within: tuple[float, float] = (-np.inf, np.inf),
) -> np.ndarray:  # fmt: skip
    """Values (n_simulations, n_nodes) of the parameter `name` around `mean` (n_simulations, 1 or n_nodes).

    Parameters
    ----------
    name : of the parameter; parameters have effects of their own.
    mean : what the regions vary around.
    sd : standard deviation (n_simulations, 1) of the parameter, or of its logarithm with `link` log.
    n_nodes : of the network.
    seed, stream, start : simulation k has the effects of (seed, stream, start + k) alone.
    link : identity or log.
    within : lowest and highest value.
    """
    forward, back = (np.log, np.exp) if link == "log" else (np.asarray, np.asarray)
    key = zlib.crc32(name.encode())
    u = np.array([random_generator(seed, PURPOSE, stream, start + k, key).random(n_nodes) for k in range(len(mean))])
    with np.errstate(divide="ignore", invalid="ignore"):
        middle, ends = forward(mean), forward(np.maximum(within, 0.0) if link == "log" else np.array(within))
        low, high = (ndtr((end - middle) / sd) for end in ends)
        z = ndtri(np.clip(low + u * (high - low), EDGE, 1 - EDGE))
        return np.where(sd > 0, np.clip(back(middle + sd * z), *within), mean)
