"""Normalisation of weights: named steps, applied in the order in which a study lists them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.connectome.regions import homotopic_pairs

Step = str | Mapping[str, Any]


def largest(weights: np.ndarray) -> np.ndarray:
    """Divide by the largest weight."""
    return divide_weights(weights, weights.max())


def spectral_radius(weights: np.ndarray) -> np.ndarray:
    """Divide by the largest absolute eigenvalue, so that the gain of the network is 1."""
    return divide_weights(weights, np.abs(np.linalg.eigvals(weights)).max())


def row_sum(weights: np.ndarray) -> np.ndarray:
    """Divide each row by its sum, so that each region receives 1; a row of zeros stays."""
    sums = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, sums, out=np.zeros_like(weights), where=sums != 0)


def mean_strength(weights: np.ndarray) -> np.ndarray:
    """Divide by the mean row sum, so that regions receive 1 on average."""
    return divide_weights(weights, weights.sum(axis=1).mean())


def log1p(weights: np.ndarray) -> np.ndarray:
    """log(1 + w), for counts that span many orders of magnitude."""
    if weights.min() < 0:
        raise ValueError("needs weights of at least 0")
    return np.log1p(weights)


def power(weights: np.ndarray, exponent: float) -> np.ndarray:
    """w^exponent; 0.5 is the square root."""
    if weights.min() < 0:
        raise ValueError("needs weights of at least 0")
    return np.where(weights > 0, weights, 1.0) ** exponent * (weights > 0)


def scale(weights: np.ndarray, factor: float) -> np.ndarray:
    """Multiply by a number."""
    return weights * factor


def clip(weights: np.ndarray, percentile: float) -> np.ndarray:
    """Cut weights off at a percentile of those above zero."""
    check_bounds(percentile, 0, 100)
    positive = weights[weights > 0]
    return np.minimum(weights, np.percentile(positive, percentile)) if positive.size else weights


def threshold(weights: np.ndarray, least: float) -> np.ndarray:
    """Set weights below `least` to zero."""
    return np.where(weights < least, 0.0, weights)


def density(weights: np.ndarray, share: float) -> np.ndarray:
    """Keep the strongest connections, a share of all possible ones; equal weights are kept or dropped together."""
    check_bounds(share, 0, 1)
    n = len(weights)
    keep = round(share * n * (n - 1))
    off = np.sort(weights[~np.eye(n, dtype=bool)])[::-1]
    if keep >= off.size:
        return weights
    return np.where(weights > off[keep], weights, 0.0)


def symmetrise(weights: np.ndarray, how: str = "mean") -> np.ndarray:
    """Make w_ij = w_ji: their mean, the larger one (max) or the sum."""
    ways = {"mean": lambda w: (w + w.T) / 2, "max": lambda w: np.maximum(w, w.T), "sum": lambda w: w + w.T}
    if how not in ways:
        raise ValueError(f"found {how!r}; choose from {', '.join(ways)}")
    return ways[how](weights)


def homotopic(weights: np.ndarray, share: float, labels: Sequence[str] = ()) -> np.ndarray:
    """Raise connections between the same region of both hemispheres to at least a share of the largest weight.

    Tractography misses most callosal fibres (Finger et al. 2016, doi:10.1371/journal.pcbi.1005025).
    """
    check_bounds(share, 0, 1)
    found = homotopic_pairs(labels)
    if not found:
        raise ValueError("no region has a counterpart of the same name in the other hemisphere; name regions by side")
    left, right = np.array(found).T
    raised = weights.copy()
    for targets, sources in ((left, right), (right, left)):
        raised[targets, sources] = np.maximum(weights[targets, sources], share * weights.max())
    return raised


NORMALISATIONS: dict[str, Callable[..., np.ndarray]] = {
    "max": largest,
    "spectral_radius": spectral_radius,
    "row_sum": row_sum,
    "mean_strength": mean_strength,
    "log1p": log1p,
    "power": power,
    "scale": scale,
    "clip": clip,
    "threshold": threshold,
    "density": density,
    "symmetrise": symmetrise,
    "homotopic": homotopic,
}


def normalise(weights: np.ndarray, steps: Sequence[Step], labels: Sequence[str] = ()) -> np.ndarray:
    """Apply named steps, for instance ``[{"symmetrise": "mean"}, {"clip": 99.9}, "log1p", "max"]``, in that order.

    `labels` name the regions, for the steps that ask which is where.

    Raises
    ------
    ValueError
        If a step is unknown or misused, or if it leaves weights that are not finite.
    """
    weights = np.asarray(weights, dtype=float)
    for name, values in parse(steps):
        try:
            step = NORMALISATIONS[name]
            named = {"labels": labels} if "labels" in inspect.signature(step).parameters else {}
            weights = step(weights, *values, **named)
        except ValueError as error:
            raise ValueError(f"normalise: {name}: {error}") from None
        if not np.isfinite(weights).all():
            raise ValueError(f"normalise: {name} leaves weights that are not finite; leave it out or change its value")
    return weights


def parse(steps: Sequence[Step]) -> list[tuple[str, list[Any]]]:
    """Names and values of the steps, checked against the registry.

    Raises
    ------
    ValueError
        If a step is unknown, lacks its value or has one that it does not take.
    """
    if isinstance(steps, str | Mapping):
        raise ValueError(f"normalise: found {steps!r}; write a list of steps, as in [log1p, max]")
    return [parse_step(step) for step in steps]


def parse_step(step: Step) -> tuple[str, list[Any]]:
    """Name and value of one step."""
    if isinstance(step, Mapping) and len(step) != 1:
        raise ValueError(f"normalise: found {dict(step)}; write each step for itself, as in [{{clip: 99}}, max]")
    name, values = (step, []) if isinstance(step, str) else (next(iter(step)), list(step.values()))
    if name not in NORMALISATIONS:
        raise ValueError(f"normalise: unknown step {name!r}; choose from {', '.join(NORMALISATIONS)}")
    _, *rest = inspect.signature(NORMALISATIONS[name]).parameters.values()
    if values and not rest:
        raise ValueError(f"normalise: {name} takes no value, found {values[0]!r}; write {name}")
    if rest and rest[0].default is rest[0].empty and not values:
        raise ValueError(f"normalise: {name} needs a value ({rest[0].name}); write {{{name}: ...}}")
    if (
        values
        and rest[0].annotation == "float"
        and (isinstance(values[0], bool) or not isinstance(values[0], int | float))
    ):
        raise ValueError(f"normalise: {name} needs a number ({rest[0].name}), found {values[0]!r}")
    return name, values


def divide_weights(weights: np.ndarray, divisor: float) -> np.ndarray:
    """weights / divisor, refusing zero."""
    if not divisor > 0:
        raise ValueError("all weights are zero")
    return weights / divisor


def check_bounds(value: float, low: float, high: float) -> None:
    """Refuse a value outside its range."""
    if not low < value <= high:
        raise ValueError(f"found {value:g}; allowed above {low} up to {high}")
