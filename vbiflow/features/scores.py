"""How far simulations are from a recording: scores for point fits and predictive checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from vbiflow.features.batch import namespace


def upper(matrix: Any, first: int = 1) -> Any:
    """Values above the diagonal of matrices (..., k, k), from the diagonal `first` on."""
    keep = np.triu(np.ones(matrix.shape[-2:], dtype=bool), first)
    return matrix[..., namespace(matrix).asarray(keep)]


def fc_correlation(simulated: Any, observed: Any) -> Any:
    """Pearson correlation between the pairs of simulated FC (..., n_nodes, n_nodes) and of an observed one.

    Raises
    ------
    ValueError
        If the matrices differ in size.
    """
    if simulated.shape[-2:] != observed.shape[-2:]:
        raise ValueError(f"FC of {simulated.shape[-1]} nodes cannot be compared with FC of {observed.shape[-1]} nodes")
    xp = namespace(simulated)
    a, b = upper(simulated).astype("float64"), upper(observed).astype("float64")
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    norm = xp.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return xp.where(norm > 0, (a * b).sum(axis=-1) / xp.where(norm > 0, norm, 1.0), 0.0)


def ks_distance(first: Any, second: Any) -> float:
    """Kolmogorov-Smirnov distance, the largest gap between two cumulative distributions of values."""
    xp = namespace(first)
    a, b = xp.sort(first), xp.sort(second)
    both = xp.concatenate([a, b])
    gap = xp.searchsorted(a, both, side="right") / a.size - xp.searchsorted(b, both, side="right") / b.size
    return float(abs(gap).max())


def fcd_ks(simulated: Any, observed: Any, first: int = 1) -> Any:
    """Kolmogorov-Smirnov distance between the values of simulated FCD (n, n_windows, n_windows) and observed FCD.

    The two may differ in their number of windows. `first` is the first diagonal that counts.

    References
    ----------
    Hansen et al. 2015, doi:10.1016/j.neuroimage.2014.11.001
    """
    values = upper(observed, first)
    if simulated.ndim == 2:
        return ks_distance(upper(simulated, first), values)
    return np.array([ks_distance(upper(matrix, first), values) for matrix in simulated])


def psd_distance(simulated: Any, observed: Any) -> Any:
    """Root mean square difference of the decadic logarithms of densities (n, ..., n_frequencies) and an observed one.

    Raises
    ------
    ValueError
        If the densities have different frequencies.
    """
    if simulated.shape[-1] != observed.shape[-1]:
        raise ValueError(
            f"density at {simulated.shape[-1]} frequencies cannot be compared with one at {observed.shape[-1]}; "
            "use the same segment length and sampling rate"
        )
    xp = namespace(simulated)
    gap = xp.log10(xp.maximum(simulated, 1e-300)) - xp.log10(xp.maximum(observed, 1e-300))
    return xp.sqrt((gap**2).mean(axis=tuple(range(gap.ndim - observed.ndim, gap.ndim))))
