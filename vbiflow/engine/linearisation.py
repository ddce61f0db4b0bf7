"""A network at a fixed point: Jacobian, stability, and from them spectra and covariance without simulating.

Near a fixed point y* a noisy network follows the linear equation dx = J x dt + sigma dW, with

    J = A + B M C,    A = d dfun / d y,    B = d dfun / d c,    C = d send / d y,

A, B, C within nodes, M the coupling matrix (fixed_point.py). Conduction delays turn M into M_ij exp(-i omega
d_ij). For small noise the spectra and covariances are those of a long simulation; on a limit cycle there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, choose
from vbiflow.engine.fixed_point import fixed_point, full_jacobian, local_derivatives, partial_derivatives
from vbiflow.engine.plan import coupling_matrix
from vbiflow.engine.plan_checks import check_parameters, check_weights
from vbiflow.models import Model, find_model

Array = np.ndarray


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
        found = self.by_source(signal, frequencies)
        return 2e-3 * sum(np.einsum("qfji,qfji->if", part, part) for part in (found.real, found.imag))

    def transfer(self, signal: str, frequencies: Any) -> Array:
        """From every source of noise to the signal of each node, (n_frequencies, n_nodes, n_sources)."""
        found = self.by_source(signal, frequencies).transpose(1, 3, 2, 0)
        return found.reshape(*found.shape[:2], -1)

    def by_source(self, signal: str, frequencies: Any) -> Array:
        """`transfer` as (noise of a node, n_frequencies, source, target)."""
        output, omega = self.checked(signal)[:, None], 2e-3 * np.pi * np.atleast_1d(np.asarray(frequencies, float))
        noisy, nodes = np.flatnonzero(self.noise.any(0)), np.arange(len(self.matrix))
        response, couplings = self.response(omega), self.couplings(omega)
        forced = response[..., noisy] * self.noise[:, None, noisy]
        emitted, steered = self.driving @ forced, (output @ response @ self.driven)[:, :, 0]
        gain, basis = diagonal_gains(self.driving @ response @ self.driven)
        steered, emitted = steered @ basis, np.linalg.inv(basis) @ emitted
        total = np.zeros((len(noisy), len(omega), len(nodes), len(nodes)), complex)
        total[:, :, nodes, nodes] = np.moveaxis((output @ forced)[:, :, 0], 2, 0)
        together = [[k] for k in range(gain.shape[-1])] if is_diagonal(gain) else [list(range(gain.shape[-1]))]
        for parts in together:
            back = couplings.swapaxes(1, 2)[:, :, None]
            wanted = back * np.moveaxis(steered[:, :, parts], 2, 1)[:, None]
            loops = transposed_system(gain[:, :, parts][..., parts], back)
            sent = np.linalg.solve(loops, wanted.reshape(len(omega), -1, len(nodes))).reshape(wanted.shape)
            for q in range(len(noisy)):
                for k, part in enumerate(parts):
                    total[q] += sent[:, :, k] * emitted[:, :, part, q, None]
        return total

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

    def response(self, omega: Array) -> Array:
        """States per force at angular frequencies [1/ms], (n_frequencies, n_nodes, n_states, n_states)."""
        return np.linalg.inv(1j * omega[:, None, None, None] * np.eye(self.local.shape[1]) - self.local)

    def loops(self, omega: Array) -> Array:
        """What the network makes of what it sends, 1 - C response B M, (n_frequencies, all, all)."""
        back = self.couplings(omega).swapaxes(1, 2)[:, :, None]
        return transposed_system(self.driving @ self.response(omega) @ self.driven, back).swapaxes(1, 2)

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


def transposed_system(gain: Array, back: Array) -> Array:
    """Transpose of 1 - gain M of all that nodes send, (n_frequencies, all, all).

    From each node's gain (n_frequencies, n_nodes, n_sends, n_sends) and M', (n_frequencies, n_nodes, 1, n_nodes).
    """
    n_nodes, n_sends = gain.shape[1:3]
    loop = back[..., None] * gain.transpose(0, 3, 1, 2)[:, None]
    return np.eye(n_nodes * n_sends) - loop.reshape(len(gain), n_nodes * n_sends, -1)


def diagonal_gains(gain: Array) -> tuple[Array, Array]:
    """Gains (..., n_sends, n_sends) in a basis that makes them all diagonal, and the basis; as they are if none does.

    So x and y of oscillators around the origin are two networks of half the size.
    """
    n_sends = gain.shape[-1]
    basis = np.linalg.eig(gain[0, 0])[1] if n_sends > 1 else np.eye(1)
    if np.linalg.cond(basis) < 1e6:
        turned = np.linalg.inv(basis) @ gain @ basis
        if is_diagonal(turned):
            return turned, basis
    return gain, np.eye(n_sends)


def is_diagonal(gain: Array) -> bool:
    """Whether what is beside the diagonal is rounding."""
    beside = gain * (1 - np.eye(gain.shape[-1]))
    return bool(np.abs(beside).max(initial=0.0) <= 1e-12 * np.abs(gain).max(initial=0.0))


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
    tract_lengths, speed : (n_nodes, n_nodes) [mm] and [m/s], delays as in `simulate`, not rounded to steps.

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
    found = at_fixed_point(model, weights, matrix, p, y, reason)
    if speed is not None:
        found = replace(found, delays=np.asarray(tract_lengths, float) / speed)
    return replace(found, reason=reason or describe_instability(found))


def at_fixed_point(
    model: Model, weights: Array, matrix: Array, p: Any, y: tuple[Array, ...], reason: str
) -> Linearisation:
    """The linear equations around given states."""
    with np.errstate(all="ignore"):
        _, local, inputs, sends = local_derivatives(model, matrix, p, y)
        outputs = {
            name: partial_derivatives(lambda *y, signal=signal: (signal(model.y(*y), p),), y)[:, 0]
            for name, signal in model.signals.items()
        }
    noise = np.zeros((len(weights), len(model.states)))
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
    most = 3 * (rates.max() + np.abs(linear.jacobian).sum(1).max())
    omega = np.unique(np.concatenate([np.linspace(0, most, 4000), np.geomspace(1e-6 * rates.min(), most, 2000)]))
    angles = [np.angle(np.linalg.slogdet(linear.loops(part))[0]) for part in np.array_split(omega, 40)]
    turns = np.diff(np.unwrap(np.concatenate(angles))[[0, -1]])[0] / np.pi
    alone = int((np.linalg.eigvals(linear.local).real > 0).sum())
    return round(alone - turns)
