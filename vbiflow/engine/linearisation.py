"""A network at a fixed point: Jacobian, stability, and from them spectra and covariance without simulating.

Near a fixed point y* a noisy network follows the linear equation dx = J x dt + sigma dW, with

    J = A + B M C,    A = d dfun / d y,    B = d dfun / d c,    C = d send / d y,

A, B, C within nodes, M the coupling matrix. Derivatives are exact to rounding, from the model's own equations, by
complex steps (Squire & Trapp 1998, doi:10.1137/S003614459631241X). Conduction delays turn M into M_ij exp(-i omega
d_ij). For small noise the spectra and covariances are those of a long simulation; on a limit cycle there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, choose
from vbiflow.engine.plan import coupling_matrix
from vbiflow.engine.plan_checks import check_parameters, check_weights
from vbiflow.models import Model, find_model

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


@dataclass(frozen=True)
class Linearisation:
    """A model on a connectome, linear around a fixed point.

    Attributes
    ----------
    y : states of the fixed point by name, (n_nodes,) each.
    local, inputs, sends : A (n_nodes, n_states, n_states), B (n_nodes, n_states, n_sends), C (n_nodes, n_sends,
        n_states) [1/ms for A].
    matrix, weights : coupling matrix M (n_nodes, n_nodes), row = target, and the part of it that delays delay.
    delays : (n_nodes, n_nodes) [ms], or None.
    noise : standard deviations (n_nodes, n_states) [1/sqrt(ms) of the states' units].
    outputs : derivatives of the signals by the states, (n_nodes, n_states) each.
    reason : why there are no spectra, or an empty text.
    """

    y: dict[str, Array]
    local: Array
    inputs: Array
    sends: Array
    matrix: Array
    weights: Array
    delays: Array | None
    noise: Array
    outputs: dict[str, Array]
    reason: str

    @property
    def valid(self) -> bool:
        """Whether the fixed point was found and is stable."""
        return not self.reason

    @cached_property
    def jacobian(self) -> Array:
        """J (n_nodes n_states, n_nodes n_states), a node's states beside each other, without delays [1/ms]."""
        return full_jacobian(self.local, self.inputs, self.sends, self.matrix)

    @cached_property
    def growth(self) -> float:
        """Largest real part of the eigenvalues of J [1/ms]; below zero the fixed point is stable."""
        return float(np.linalg.eigvals(self.jacobian).real.max())

    def covariance(self, signal: str) -> Array:
        """Stationary covariance (n_nodes, n_nodes) of a signal, in its unit squared.

        From the eigenvectors of J, as the solution of J S + S J' + Q = 0; with delays from the integral of the cross
        spectra.

        Raises
        ------
        ValueError
            If there is no stable fixed point, or no such signal.
        """
        output = self.checked(signal)
        if self.delays is not None:
            return self.integral(signal)
        n_nodes, n_states = output.shape
        values, vectors = np.linalg.eig(self.jacobian)
        inverse = np.linalg.inv(vectors)
        driven = inverse * self.noise.reshape(-1)
        core = -(driven @ driven.conj().T) / (values[:, None] + values.conj())
        seen = np.einsum("is,isk->ik", output, vectors.reshape(n_nodes, n_states, -1))
        return (seen @ core @ seen.conj().T).real

    def integral(self, signal: str) -> Array:
        """Covariance as the integral of the cross spectra over frequencies that resolve every resonance."""
        rates = np.abs(np.linalg.eigvals(self.local)) / (2e-3 * np.pi)
        frequencies = np.geomspace(1e-4 * rates.min(), 300 * rates.max(), 6000)
        frequencies = np.unique(np.concatenate([frequencies, np.linspace(0, 3 * rates.max(), 6000)]))
        total = np.zeros((len(self.matrix),) * 2)
        for part in np.array_split(np.arange(len(frequencies)), 24):
            at = frequencies[part[0] : part[-1] + 2]
            total += np.trapezoid(self.cross_spectra(signal, at).real, at, axis=0)
        return total

    def correlation(self, signal: str) -> Array:
        """Functional connectivity (n_nodes, n_nodes), the correlation of a signal between nodes."""
        covariance = self.covariance(signal)
        sd = np.sqrt(np.diag(covariance))
        if not (sd > 0).all():
            raise ValueError(f"no noise reaches {signal} in {np.count_nonzero(~(sd > 0))} nodes; raise sigma")
        return covariance / np.outer(sd, sd)

    def cross_spectra(self, signal: str, frequencies: Any) -> Array:
        """One-sided cross spectra (n_frequencies, n_nodes, n_nodes) at frequencies [Hz], in the unit squared per Hz."""
        transfer = self.transfer(signal, frequencies)
        return 2e-3 * np.einsum("fim,fjm->fij", transfer, transfer.conj(), optimize=True)

    def spectra(self, signal: str, frequencies: Any) -> Array:
        """One-sided power spectra (n_nodes, n_frequencies) at frequencies [Hz], in the unit squared per Hz."""
        transfer = self.transfer(signal, frequencies)
        return 2e-3 * (transfer.real**2 + transfer.imag**2).sum(-1).T

    def transfer(self, signal: str, frequencies: Any) -> Array:
        """From every source of noise to the signal of each node, (n_frequencies, n_nodes, n_sources)."""
        output, omega = self.checked(signal)[:, None], 2e-3 * np.pi * np.atleast_1d(np.asarray(frequencies, float))
        noisy, nodes = np.flatnonzero(self.noise.any(0)), np.arange(len(self.matrix))
        response, network = self.loops(omega)
        forced = response[..., noisy] * self.noise[:, None, noisy]
        emitted, steered = self.driving @ forced, (output @ response @ self.driven)[:, :, 0]
        asked = steered[:, :, None] * self.couplings(omega)[..., None]  # what a signal takes from what each node sends
        asked = asked.reshape(len(omega), len(nodes), -1)
        reached = np.linalg.solve(network.swapaxes(1, 2), asked.swapaxes(1, 2)).swapaxes(1, 2)
        reached = reached.reshape(len(omega), len(nodes), len(nodes), -1)
        total = sum(reached[..., q, None] * emitted[:, None, :, q] for q in range(len(self.active)))
        total[:, nodes, nodes] += (output @ forced)[:, :, 0]
        return total.reshape(len(omega), len(nodes), -1)

    @cached_property
    def active(self) -> Array:
        """Indices of the sends that reach an equation; the first where none does, as without coupling."""
        found = np.flatnonzero(self.inputs.any((0, 1)))
        return found if len(found) else np.arange(1)

    @property
    def driven(self) -> Array:
        """B of the active sends."""
        return self.inputs[:, :, self.active]

    @property
    def driving(self) -> Array:
        """C of the active sends."""
        return self.sends[:, self.active]

    def loops(self, omega: Array) -> tuple[Array, Array]:
        """At angular frequencies [1/ms] the response of a node's states to a force, (n_frequencies, n_nodes, n_states,
        n_states), and what the network makes of what it sends, 1 - C response B M, (n_frequencies, all, all).
        """
        n_nodes, n_states = self.local.shape[:2]
        response = np.linalg.inv(1j * omega[:, None, None, None] * np.eye(n_states) - self.local)
        gain = self.driving @ response @ self.driven
        loop = gain[:, :, :, None] * self.couplings(omega)[:, :, None, :, None]
        size = n_nodes * len(self.active)
        return response, np.eye(size) - loop.reshape(-1, size, size)

    def couplings(self, omega: Array) -> Array:
        """M at angular frequencies [1/ms], (n_frequencies, n_nodes, n_nodes)."""
        if self.delays is None:
            return np.broadcast_to(self.matrix, (len(omega), *self.matrix.shape))
        return self.matrix - self.weights + self.weights * np.exp(-1j * omega[:, None, None] * self.delays)

    def checked(self, signal: str) -> Array:
        """Derivatives of a signal by the states."""
        if self.reason:
            raise ValueError(f"{self.reason}; there are no linear spectra and covariances")
        return choose("signal", signal, self.outputs)


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


def linearise(
    model: str | Model,
    weights: Any,
    parameters: Mapping[str, Any],
    *,
    initial: Mapping[str, Any] | None = None,
    tract_lengths: Any = None,
    speed: float | None = None,
) -> Linearisation:
    """The network's linear equations around the fixed point that it reaches from `initial`.

    Parameters
    ----------
    model : name of a model, or a Model.
    weights : (n_nodes, n_nodes), row = target.
    parameters : values by name, scalars or (n_nodes,); sigma is the noise.
    initial : where the search starts, by state, scalars or (n_nodes,); else the middle of the states' initial ranges.
    tract_lengths, speed : (n_nodes, n_nodes) [mm] and [mm/ms], delays as in `simulate`, not rounded to steps.

    Raises
    ------
    ValueError
        For unknown names, wrong shapes, or one of lengths and speed without the other. Where no fixed point is found,
        or it is unstable (limit cycle), the result's `reason` says so.
    """
    model = model if isinstance(model, Model) else find_model(model)
    weights = check_weights(weights)
    n_nodes, matrix = len(weights), coupling_matrix(model, weights)
    for name in initial or {}:
        choose(f"state of {model.name}", name, model.states)
    if (tract_lengths is None) != (speed is None):
        raise ValueError("delays need both tract_lengths and speed")
    arrays = check_parameters(model, parameters, 1, n_nodes)
    p = model.p(**{name: np.broadcast_to(values[0], n_nodes).astype(float) for name, values in arrays.items()})
    middle = {name: sum(state.initial) / 2 for name, state in model.states.items()} | dict(initial or {})
    start = [broadcast("initial state", name, middle[name], 1, n_nodes)[0] for name in model.states]
    y, reason = fixed_point(model, matrix, p, tuple(np.broadcast_to(values, n_nodes) for values in start))
    found = at_fixed_point(model, weights, p, y, reason)
    if speed is not None:
        found = replace(found, delays=np.asarray(tract_lengths, float) / speed)
    return replace(found, reason=reason or describe_instability(found))


def at_fixed_point(model: Model, weights: Array, p: Any, y: tuple[Array, ...], reason: str) -> Linearisation:
    """The linear equations around given states."""
    n_nodes, matrix = len(weights), coupling_matrix(model, weights)
    with np.errstate(all="ignore"):
        _, local, inputs, sends = local_derivatives(model, matrix, p, y)
        outputs = {
            name: partial_derivatives(lambda *y, signal=signal: (signal(model.y(*y), p),), y)[:, 0]
            for name, signal in model.signals.items()
        }
    noise = np.zeros((n_nodes, len(model.states)))
    for k in model.noisy:
        noise[:, k] = list(model.states.values())[k].noise * p.sigma
    states = dict(zip(model.states, y, strict=True))
    return Linearisation(states, local, inputs, sends, matrix, weights, None, noise, outputs, reason)


def describe_instability(linear: Linearisation) -> str:
    """Why a fixed point is not stable; an empty text where it is."""
    if not np.isfinite(linear.jacobian).all():
        return "no fixed point was found"
    if linear.delays is None:
        if linear.growth < 0:
            return ""
        return "the fixed point is unstable: the network runs on a limit cycle, or to another state"
    if unstable_roots(linear):
        return "the fixed point is unstable with these delays: the network runs on a limit cycle, or to another state"
    return ""


def unstable_roots(linear: Linearisation) -> int:
    """How many roots of the delayed characteristic equation have a positive real part, by the argument principle."""
    rates = np.abs(np.linalg.eigvals(linear.local))
    most = 3 * (
        rates.max() + np.abs(full_jacobian(linear.local, linear.inputs, linear.sends, linear.matrix)).sum(1).max()
    )
    omega = np.unique(np.concatenate([np.linspace(0, most, 4000), np.geomspace(1e-6 * rates.min(), most, 2000)]))
    angles = [np.angle(np.linalg.slogdet(linear.loops(part)[1])[0]) for part in np.array_split(omega, 40)]
    turns = np.diff(np.unwrap(np.concatenate(angles))[[0, -1]])[0] / np.pi
    alone = int((np.linalg.eigvals(linear.local).real > 0).sum())
    return round(alone - turns)
