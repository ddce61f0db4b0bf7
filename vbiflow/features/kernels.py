"""Compiled loops for the CPU."""

from __future__ import annotations

import numpy as np

from vbiflow.compilation import compile_cached


@compile_cached(nogil=True)
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

    The sum gains the samples that enter a window and loses those that leave it; m and s are the windows' means and
    inverse standard deviations.

    Parameters
    ----------
    z : standardised series (n_times, n_nodes).
    mean, scale : means and inverse standard deviations (n_windows, n_nodes) of the windows.
    length, shift : of the windows, in samples.
    i, j : the pairs (n_pairs,), sorted by i.
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


@compile_cached(nogil=True, fastmath={"reassoc", "contract"})
def central_moments(y: np.ndarray, highest: int) -> np.ndarray:  # pragma: no cover - compiled
    """Mean of each row of y (n_rows, n_times), mean of |d| and means of d^2 ... d^highest, d its deviations.

    A row stays in the nearest cache through all its sums.
    """
    n_rows, n_times = y.shape
    out = np.zeros((n_rows, highest + 1))
    d, product = np.empty(n_times), np.empty(n_times)
    for row in range(n_rows):
        total = 0.0
        for t in range(n_times):
            total += y[row, t]
        mean = total / n_times
        size = 0.0
        for t in range(n_times):
            d[t] = y[row, t] - mean
            product[t] = d[t]
            size += abs(d[t])
        out[row, 0], out[row, 1] = mean, size / n_times
        for order in range(2, highest + 1):
            total = 0.0
            for t in range(n_times):
                product[t] *= d[t]
                total += product[t]
            out[row, order] = total / n_times
    return out


@compile_cached(nogil=True)
def median_distances(ranked: np.ndarray, middle: np.ndarray) -> np.ndarray:  # pragma: no cover - compiled
    """Median of |y - middle| of each row of `ranked` (n_rows, n_times), in ascending order, `middle` being its median.

    Distances grow from the middle outwards on both sides: merging the two sides ranks them.
    """
    n_rows, n_times = ranked.shape
    out = np.empty(n_rows)
    for row in range(n_rows):
        right = np.searchsorted(ranked[row], middle[row])
        left = right - 1
        last = before = 0.0
        for _ in range(n_times // 2 + 1):
            before = last
            below = middle[row] - np.float64(ranked[row, left]) if left >= 0 else np.inf
            above = np.float64(ranked[row, right]) - middle[row] if right < n_times else np.inf
            if below < above:
                last, left = below, left - 1
            else:
                last, right = above, right + 1
        out[row] = last if n_times % 2 else (last + before) / 2.0
    return out


@compile_cached(nogil=True, fastmath={"reassoc", "contract"})
def first_below(z: np.ndarray, level: float, most: int) -> np.ndarray:  # pragma: no cover - compiled
    """Lag, by straight lines between samples, at which sum_t z_t z_(t+k) first falls below `level`.

    -1 for a row of z (n_rows, n_times) that has not done so by lag `most`.
    """
    n_rows, n_times = z.shape
    out = np.full(n_rows, -1.0)
    for row in range(n_rows):
        before = 1.0
        for lag in range(1, min(most, n_times - 1) + 1):
            rho = 0.0
            for t in range(n_times - lag):
                rho += z[row, t] * z[row, t + lag]
            if rho < level:
                out[row] = lag - 1 + (before - level) / (before - rho)
                break
            before = rho
    return out
