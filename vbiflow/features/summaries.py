"""Statistics of many values, as connectivity and other matrices are summarised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vbiflow.features.batch import namespace
from vbiflow.features.feature import Option

QUANTILES = Option((0.05, 0.25, 0.5, 0.75, 0.95), "numbers", "quantile levels, each in [0, 1]", minimum=0)


def power(values: Any, order: int) -> Any:
    """values^order by repeated products, which are faster than a general power."""
    product = values.copy()
    for _ in range(order - 1):
        product *= values
    return product


def standardised_moment(values: Any, order: int) -> Any:
    """Mean of ((v - mean v) / sd v)^order along the last axis; 0 where v is constant."""
    xp = namespace(values)
    centred = values - values.mean(axis=-1, keepdims=True)
    sd = xp.sqrt((centred**2).mean(axis=-1))
    small = sd <= 1e-12 * xp.abs(values).max(axis=-1)
    return xp.where(small, 0.0, power(centred, order).mean(axis=-1) / xp.where(small, 1.0, sd) ** order)


STATISTICS: dict[str, Callable[[Any], Any]] = {
    "mean": lambda values: values.mean(axis=-1, dtype="float64"),
    "sd": lambda values: values.std(axis=-1, dtype="float64"),
    "variance": lambda values: values.var(axis=-1, dtype="float64"),
    "min": lambda values: values.min(axis=-1),
    "max": lambda values: values.max(axis=-1),
    "skewness": lambda values: standardised_moment(values.astype("float64"), 3),
    "kurtosis": lambda values: standardised_moment(values.astype("float64"), 4) - 3.0,
    "quantiles": lambda values: values,
}


def summary_statistics(
    values: Any, statistics: Sequence[str], quantiles: Sequence[float], prefix: str = ""
) -> tuple[list[str], list[Any]]:
    """Statistics along the last axis of values (n, k), named `prefix` and the statistic or `quantile[level]`."""
    names: list[str] = []
    columns: list[Any] = []
    for statistic in statistics:
        if statistic == "quantiles":
            names += [f"{prefix}quantile[{level:g}]" for level in quantiles]
            columns += [sorted_quantiles(values, quantiles)]
        else:
            names += [f"{prefix}{statistic}"]
            columns += [STATISTICS[statistic](values)[:, None]]
    return names, columns


def sorted_quantiles(values: Any, levels: Sequence[float]) -> Any:
    """Quantiles (n, n_levels) along the last axis, by linear interpolation of order statistics."""
    return between_ranks(namespace(values).sort(values, axis=-1), levels)


def between_ranks(ranked: Any, levels: Sequence[float]) -> Any:
    """Quantiles (..., n_levels) of values that are in ascending order along the last axis.

    Raises
    ------
    ValueError
        If a level is outside [0, 1].
    """
    if any(not 0 <= level <= 1 for level in levels):
        raise ValueError(f"quantile levels {list(levels)} are not all in [0, 1]")
    xp = namespace(ranked)
    position = xp.asarray(levels, dtype="float64") * (ranked.shape[-1] - 1)
    low = xp.floor(position).astype(int)
    high = xp.minimum(low + 1, ranked.shape[-1] - 1)
    lower, upper = ranked[..., low].astype("float64"), ranked[..., high].astype("float64")
    return lower + (position - low) * (upper - lower)
