"""Compiled loops for the CPU."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def correlate_windows(
    z: np.ndarray,
    mean: np.ndarray,
    scale: np.ndarray,
    length: int,
    shift: int,
    i: np.ndarray,
    j: np.ndarray,
) -> np.ndarray:  # pragma: no cover - compiled
    """Correlation (n_windows, n_pairs) in sliding windows, r = (sum z_i z_j / length - m_i m_j) s_i s_j.

    The sum gains the samples that enter a window and loses those that leave it. `z` is (n_times, n_nodes), the windows'
    means m and inverse standard deviations s are (n_windows, n_nodes), the pairs (i, j) are sorted by i.
    """
    n_nodes = z.shape[1]
    out = np.empty((mean.shape[0], i.size), dtype=np.float32)
    first = 0
    while first < i.size:
        node, last = i[first], first
        while last < i.size and i[last] == node:
            last += 1
        total = np.zeros(n_nodes)
        for t in range(length):
            for k in range(node, n_nodes):
                total[k] += z[t, node] * z[t, k]
        for w in range(mean.shape[0]):
            for pair in range(first, last):
                k = j[pair]
                covariance = total[k] / length - mean[w, node] * mean[w, k]
                out[w, pair] = covariance * scale[w, node] * scale[w, k]
            if w + 1 < mean.shape[0]:
                for t in range(w * shift, (w + 1) * shift):
                    enters, leaves = z[t + length, node], z[t, node]
                    for k in range(node, n_nodes):
                        total[k] += enters * z[t + length, k] - leaves * z[t, k]
        first = last
    return out
