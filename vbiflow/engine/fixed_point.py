"""A network's fixed point and its derivatives there, from the model's own equations.

Derivatives are exact to rounding, by complex steps (Squire & Trapp 1998, doi:10.1137/S003614459631241X). The Jacobian
is J = A + B M C with A = d dfun / d y, B = d dfun / d c, C = d send / d y within nodes, and M the coupling matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vbiflow.models import Model

STEP = 1e-30
"""Imaginary step of the derivatives; no difference is taken, so that it can be as small."""
ITERATIONS, NEWTON, TOLERANCE = 200, 20, 1e-10
Array = np.ndarray


def partial_derivatives(function: Callable[..., tuple[Any, ...]], values: tuple[Array, ...]) -> Array:
    """Derivatives (n_nodes, n_results, n_values) of a function that acts node by node on arrays (n_nodes,)."""
    n_nodes, columns = len(values[0]), []
    for k, value in enumerate(values):
        moved = function(*values[:k], value + 1j * STEP, *values[k + 1 :])
        columns.append([np.broadcast_to(np.imag(result), n_nodes) / STEP for result in moved])
    return np.moveaxis(np.array(columns), 2, 0).swapaxes(1, 2)


def full_jacobian(local: Array, inputs: Array, sends: Array, matrix: Array) -> Array:
    """A + B M C as a matrix (n_nodes n_states, n_nodes n_states)."""
    n_nodes, n_states = local.shape[:2]
    full = np.einsum("isk,ij,jkr->isjr", inputs, matrix, sends, optimize=True)
    nodes = np.arange(n_nodes)
    full[nodes, :, nodes] += local
    return full.reshape(n_nodes * n_states, -1)


def local_derivatives(model: Model, matrix: Array, p: Any, y: tuple[Array, ...]) -> tuple[Array, Array, Array, Array]:
    """dfun at y (n_nodes, n_states), and A, B and C."""
    n_nodes = len(matrix)
    sent = [np.broadcast_to(value, n_nodes) for value in model.send(model.y(*y), p)]
    c = tuple(matrix @ value for value in sent)
    rate = np.array([np.broadcast_to(value, n_nodes) for value in model.dfun(model.y(*y), model.c(*c), p)]).T
    local = partial_derivatives(lambda *y: model.dfun(model.y(*y), model.c(*c), p), y)
    inputs = partial_derivatives(lambda *c: model.dfun(model.y(*y), model.c(*c), p), c)
    return rate, local, inputs, partial_derivatives(lambda *y: model.send(model.y(*y), p), y)


def implicit_step(local: Array, inputs: Array, sends: Array, matrix: Array, pace: float, rate: Array) -> Array:
    """(pace - J)^-1 rate (n_nodes, n_states), by a system as large as what nodes send where nodes alone allow it."""
    n_nodes, n_states = rate.shape
    try:
        alone = np.linalg.inv(pace * np.eye(n_states) - local)
    except np.linalg.LinAlgError:
        system = pace * np.eye(rate.size) - full_jacobian(local, inputs, sends, matrix)
        return np.linalg.solve(system, rate.reshape(-1)).reshape(rate.shape)
    own, forced = alone @ rate[..., None], alone @ inputs
    gain, emitted = sends @ forced, (sends @ own)[..., 0]
    loop = (gain[:, :, None] * matrix[:, None, :, None]).reshape(emitted.size, emitted.size)
    sent = np.linalg.solve(np.eye(emitted.size) - loop, emitted.reshape(-1)).reshape(n_nodes, -1)
    return (own + forced @ (matrix @ sent)[..., None])[..., 0]


def fixed_point(
    model: Model, matrix: Array, p: Any, start: tuple[Array, ...], near: bool = False
) -> tuple[tuple[Array, ...], str]:
    """States where all derivatives vanish, from `start` along the network's own course; and a reason if none is found.

    From a start that is `near` Newton's steps alone are taken, few of them. Else steps of the implicit Euler
    scheme grow as the derivatives fall, and in time, so that they end as Newton's.
    """
    y, scale = np.array(start, float).T, float(np.min(model.time_scale(p)))
    first, size = None, 1.0
    for n in range(NEWTON if near else ITERATIONS):
        with np.errstate(all="ignore"):
            rate, *parts = local_derivatives(model, matrix, p, tuple(y.T))
        if not np.isfinite(rate).all():
            return tuple(y.T), "the states leave all bounds"
        size = float(np.abs(rate).max())
        first = size if first is None else first
        pace = 0.0 if near else min(size / max(first, 1e-300), 0.9**n) / scale
        try:
            step = implicit_step(*parts, matrix, pace if size > 1e-8 * first else 0.0, rate)
        except np.linalg.LinAlgError:
            return tuple(y.T), "no fixed point was found"
        y = y + np.clip(step, -1 - 0.5 * np.abs(y), 1 + 0.5 * np.abs(y))
        if (np.abs(step) <= TOLERANCE * (1 + np.abs(y))).all() and size <= 1e-6 * max(first, 1e-3 / scale):
            return tuple(y.T), ""
    return tuple(y.T), "no fixed point was found"
