"""Densities of samples for drawing, in one and two dimensions, that stay inside their bounds."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from vbiflow.prior import Prior

Array = NDArray[np.float64]


def density(samples: Array, lower: float, upper: float, n: int = 256) -> tuple[Array, Array]:
    """Return a grid (n,) on [lower, upper] and the kernel density of `samples` (n_samples,) there.

    The kernel is Gaussian with Silverman's bandwidth, and is reflected at both bounds, so no mass leaks out.
    """
    samples = samples[np.isfinite(samples)]
    edges = np.linspace(lower, upper, n + 1)
    counts, _ = np.histogram(samples, edges)
    step = edges[1] - edges[0]
    smooth = scipy.ndimage.gaussian_filter1d(counts.astype(float), max(bandwidth(samples) / step, 0.5), mode="reflect")
    return (edges[:-1] + edges[1:]) / 2, smooth / max(smooth.sum() * step, np.finfo(float).tiny)


def bandwidth(samples: Array) -> float:
    """Return Silverman's bandwidth, 0.9 min(sd, IQR / 1.34) n^(-1/5)."""
    if samples.size < 2:
        return 0.0
    low, high = np.quantile(samples, [0.25, 0.75])
    spread = min(samples.std(), (high - low) / 1.34) or samples.std()
    return float(0.9 * spread * samples.size**-0.2)


def prior_quantiles(prior: Prior, n: int = 1000) -> Array:
    """Return the quantiles (n, n_parameters) of each marginal at equally spaced levels, all but its outermost 0.1 %."""
    return prior.ppf(np.tile(np.linspace(0.0005, 0.9995, n)[:, None], len(prior.names)))


def prior_density(quantiles: Array) -> tuple[Array, Array]:
    """Return the outline (x, density) of a marginal given as its quantiles at equally spaced levels in (0, 1)."""
    step = np.diff(quantiles)
    height = 1 / (len(step) * np.maximum(step, np.finfo(float).tiny))
    x = np.concatenate([quantiles[:1], (quantiles[:-1] + quantiles[1:]) / 2, quantiles[-1:]])
    y = np.concatenate([height[:1], height, height[-1:]])
    return x, y


def top_density(posterior: Array, prior: Array) -> float:
    """Return the height that an axis shows: a prior's density may grow without bound at its end, and is cut there."""
    return float(max(posterior.max(), np.quantile(prior, 0.8)))


def joint_density(
    x: Array, y: Array, limits: tuple[float, float, float, float], n: int = 80
) -> tuple[Array, Array, Array]:
    """Return grids x (n,), y (n,) and the smoothed joint density (n, n), rows along y."""
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    x_edges, y_edges = np.linspace(*limits[:2], n + 1), np.linspace(*limits[2:], n + 1)
    counts, _, _ = np.histogram2d(y, x, bins=(y_edges, x_edges))
    widths = [1.2 * max(bandwidth(v) / (e[1] - e[0]), 0.8) for v, e in ((y, y_edges), (x, x_edges))]
    smooth = scipy.ndimage.gaussian_filter(counts, widths, mode="reflect")
    return (x_edges[:-1] + x_edges[1:]) / 2, (y_edges[:-1] + y_edges[1:]) / 2, smooth


def highest_density_levels(mass: Array, levels: tuple[float, ...]) -> list[float]:
    """Return the heights whose super-level sets hold the shares `levels` of `mass`, ascending."""
    ordered = np.sort(mass.ravel())[::-1]
    shares = np.cumsum(ordered) / ordered.sum()
    return sorted(float(ordered[min(np.searchsorted(shares, level), ordered.size - 1)]) for level in levels)
