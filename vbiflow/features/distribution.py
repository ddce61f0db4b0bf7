"""How the values of a series are distributed, whatever their order in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vbiflow.features import kernels
from vbiflow.features.batch import Batch, double, is_constant, namespace, squares
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.summaries import QUANTILES, between_ranks, power

HIGHEST = 6


def central_moments(ts: Any, highest: int) -> Any:
    """Mean along time, mean of |d| and means of d^2 ... d^highest, d = y - mean y, as a last axis, double precision.

    All but the mean are 0 for a constant node.
    """
    xp = namespace(ts)
    if xp is np:
        rows = kernels.central_moments(np.ascontiguousarray(ts).reshape(-1, ts.shape[-1]), highest)
        found = rows.reshape(*ts.shape[:-1], -1)
    else:
        y = double(ts)
        mean = y.mean(axis=-1)
        d = y - mean[..., None]
        powers = (power(d, order).mean(axis=-1) for order in range(2, highest + 1))
        found = xp.stack([mean, xp.abs(d).mean(axis=-1), *powers], axis=-1)
    found[..., 1:] = xp.where(is_constant(ts)[..., None], 0.0, found[..., 1:])
    return found


def central_moment(batch: Batch, order: int) -> Any:
    """Mean of (y - mean y)^order along time, order 2 or more, in double precision; 0 for a constant node."""
    return batch.shared(central_moments, max(order, HIGHEST))[..., order]


def standardised_moment(batch: Batch, order: int) -> Any:
    """Mean of ((y - mean y) / sd y)^order along time; 0 for a constant node."""
    second = central_moment(batch, 2)
    return central_moment(batch, order) / batch.xp.where(second > 0, second, 1.0) ** (order / 2)


def ordered(ts: Any) -> Any:
    """Values of each series in ascending order."""
    return namespace(ts).sort(ts, axis=-1)


def median_distance(ranked: Any, middle: Any) -> Any:
    """Median of |y - middle| of values in ascending order along the last axis, in double precision."""
    if namespace(ranked) is np:
        rows = kernels.median_distances(ranked.reshape(-1, ranked.shape[-1]), middle.ravel())
        return rows.reshape(middle.shape)
    return between_ranks(ordered(abs(double(ranked) - middle[..., None])), (0.5,))[..., 0]


def quantile(batch: Batch, level: float) -> Any:
    """Quantile (n_simulations, n_nodes) of each series."""
    return between_ranks(batch.shared(ordered), (level,))[..., 0]


@feature("mean", unit="y", per=per())
def mean(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mean over time."""
    yield batch.nodes.reduce(batch.double.mean(axis=-1), per)


@feature("median", unit="y", per=per())
def median(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Median over time."""
    yield batch.nodes.reduce(quantile(batch, 0.5), per)


@feature("variance", unit="y^2", per=per())
def variance(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Variance over time."""
    yield batch.nodes.reduce(central_moment(batch, 2), per)


@feature("sd", unit="y", per=per())
def sd(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Standard deviation over time."""
    yield batch.nodes.reduce(batch.xp.sqrt(central_moment(batch, 2)), per)


@feature("minimum", unit="y", per=per())
def minimum(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Smallest value."""
    yield batch.nodes.reduce(batch.double.min(axis=-1), per)


@feature("maximum", unit="y", per=per())
def maximum(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Largest value."""
    yield batch.nodes.reduce(batch.double.max(axis=-1), per)


@feature("quantiles", unit="y", per=per(), levels=QUANTILES)
def quantiles(batch: Batch, *, per: Sequence[str], levels: Sequence[float]) -> Pieces:
    """Quantiles of the values over time."""
    for level in levels:
        yield batch.nodes.reduce(quantile(batch, level), per, f"[{level:g}]")


@feature("skewness", per=per())
def skewness(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Third standardised moment over time."""
    yield batch.nodes.reduce(standardised_moment(batch, 3), per)


@feature("kurtosis", per=per())
def kurtosis(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Fourth standardised moment over time, less the 3 of a normal distribution."""
    yield batch.nodes.reduce(standardised_moment(batch, 4) - 3.0, per)


@feature("moments", unit="y^order", per=per(), orders=Option((2, 3, 4, 5, 6), "integers", "orders", minimum=2))
def moments(batch: Batch, *, per: Sequence[str], orders: Sequence[int]) -> Pieces:
    """Central moments over time."""
    for order in orders:
        yield batch.nodes.reduce(central_moment(batch, order), per, f"[{order}]")


@feature("rms", unit="y", per=per())
def rms(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Root of the mean square over time."""
    yield batch.nodes.reduce(batch.xp.sqrt(batch.shared(squares).mean(axis=-1)), per)


@feature("interquartile_range", unit="y", per=per())
def interquartile_range(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Upper less lower quartile over time."""
    yield batch.nodes.reduce(quantile(batch, 0.75) - quantile(batch, 0.25), per)


@feature("mean_absolute_deviation", unit="y", per=per())
def mean_absolute_deviation(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mean distance from the mean."""
    yield batch.nodes.reduce(batch.shared(central_moments, HIGHEST)[..., 1], per)


@feature("median_absolute_deviation", unit="y", per=per())
def median_absolute_deviation(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Median distance from the median."""
    yield batch.nodes.reduce(median_distance(batch.shared(ordered), quantile(batch, 0.5)), per)


@feature("burstiness", reference="Goh and Barabasi 2008, doi:10.1209/0295-5075/81/48002", per=per())
def burstiness(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """(sd - m) / (sd + m) of the series, m the absolute value of its mean: -1 if constant, 0 if exponential."""
    m = abs(batch.double.mean(axis=-1))
    spread = batch.xp.sqrt(central_moment(batch, 2))
    total = spread + m
    ratio = (spread - m) / batch.xp.where(total > 0, total, 1.0)
    yield batch.nodes.reduce(ratio, per)
