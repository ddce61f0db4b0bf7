"""Small checks of what a user gives, each with one line of error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vbiflow.reading import suggest

SECONDS = {"duration": 10_000, "transient": 10_000, "TR": 20}
"""Times below which a number may have been meant in seconds, not ms."""


def choose(kind: str, name: Any, allowed: Any) -> Any:
    """`allowed[name]`, or one line that lists what is allowed."""
    if not isinstance(name, str) or name not in allowed:
        raise ValueError(f"unknown {kind} {name!r}; choose from {', '.join(allowed)}{suggest(name, allowed)}")
    return allowed[name] if isinstance(allowed, Mapping) else name


def check_number(name: str, value: Any, low: float, strict: bool = False) -> float:
    """A finite number not below `low` (above it, if strict)."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.integer | np.floating)
        or not math.isfinite(value)
    ):
        raise ValueError(f"{name} is {value!r}; give a finite number")
    if value < low or (strict and value == low):
        raise ValueError(f"{name} is {value}; it must be {'above' if strict else 'at least'} {low:g}")
    return float(value)


def check_integer(name: str, value: Any, low: int, high: int) -> int:
    """An integer in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; give an integer from {low} to {high}")
    return int(value)


def whole_steps(name: str, value: float, dt: float) -> int:
    """`value` [ms] in steps of `dt`, of which it must be a multiple."""
    n = round(value / dt)
    if abs(value / dt - n) > 1e-6 * max(n, 1) or (value and not n):
        near = value / math.ceil(value / dt)
        other = f"use for instance dt {near:g}"
        if value < SECONDS.get(name, 0):
            other = f"times are in ms, and {value:g} s are {value * 1e3:g}; else {other}"
        raise ValueError(f"{name} {value:g} ms is not a multiple of dt {dt:g} ms; {other}")
    return n


def broadcast(kind: str, name: str, value: Any, n_simulations: int, n_nodes: int) -> np.ndarray:
    """`value` as a finite (1 or n_simulations, 1 or n_nodes) array."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{kind} {name} is {value!r}; give numbers") from None
    shape = (1,) * (2 - array.ndim) + array.shape
    if len(shape) > 2 or shape[0] not in (1, n_simulations) or shape[1] not in (1, n_nodes):
        raise ValueError(
            f"{kind} {name} has shape {array.shape}; give a scalar, ({n_nodes},) per node, "
            f"({n_simulations}, 1) per simulation or ({n_simulations}, {n_nodes})"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{kind} {name} holds {np.count_nonzero(~np.isfinite(array))} values that are not finite")
    return np.array(array.reshape(shape))
