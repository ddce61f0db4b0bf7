"""How the values of a series are distributed, whatever their order in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vbiflow.features.batch import Batch, double, is_constant, namespace
from vbiflow.features.feature import Option, Pieces, feature, per
from vbiflow.features.summaries import QUANTILES, between_ranks, power


def deviations(ts: Any, order: int) -> Any:
    """(y - mean y)^order in double precision."""
    y = double(ts)
    return power(y - y.mean(axis=-1, keepdims=True), order)


def central_moment(batch: Batch, order: int) -> Any:
    """Mean of (y - mean y)^order along time, order 2 or more, in double precision; 0 for a constant node."""
    halves = (batch.shared(deviations, half) for half in (order // 2, order - order // 2))
    total = batch.xp.einsum("...t,...t->...", *halves)
    return batch.xp.where(batch.shared(is_constant), 0.0, total / batch.n_times)


def standardised_moment(batch: Batch, order: int) -> Any:
    """Mean of ((y - mean y) / sd y)^order along time; 0 for a constant node."""
    second = central_moment(batch, 2)
    return central_moment(batch, order) / batch.xp.where(second > 0, second, 1.0) ** (order / 2)


def ordered(ts: Any) -> Any:
    """Values of each series in ascending order."""
    return namespace(ts).sort(ts, axis=-1)


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
    yield batch.nodes.reduce(batch.xp.sqrt((batch.double**2).mean(axis=-1)), per)


@feature("interquartile_range", unit="y", per=per())
def interquartile_range(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Upper less lower quartile over time."""
    yield batch.nodes.reduce(quantile(batch, 0.75) - quantile(batch, 0.25), per)


@feature("mean_absolute_deviation", unit="y", per=per())
def mean_absolute_deviation(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Mean distance from the mean."""
    y = batch.double
    yield batch.nodes.reduce(abs(y - y.mean(axis=-1, keepdims=True)).mean(axis=-1), per)


@feature("median_absolute_deviation", unit="y", per=per())
def median_absolute_deviation(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """Median distance from the median."""
    distance = ordered(abs(batch.double - quantile(batch, 0.5)[..., None]))
    yield batch.nodes.reduce(between_ranks(distance, (0.5,))[..., 0], per)


@feature("burstiness", reference="Goh and Barabasi 2008, doi:10.1209/0295-5075/81/48002", per=per())
def burstiness(batch: Batch, *, per: Sequence[str]) -> Pieces:
    """(sd - m) / (sd + m) of the series, m the absolute value of its mean: -1 if constant, 0 if exponential."""
    m = abs(batch.double.mean(axis=-1))
    spread = batch.xp.sqrt(central_moment(batch, 2))
    total = spread + m
    ratio = (spread - m) / batch.xp.where(total > 0, total, 1.0)
    yield batch.nodes.reduce(ratio, per)
