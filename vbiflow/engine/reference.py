"""The readable reference: arrays (n_simulations, n_nodes), a plain loop over steps, any array library's operations.

Its numbers are what the kernels must reproduce; it is not fast. It computes in double precision on NumPy, CuPy or
torch, whichever the given parameters, initial states or weights belong to. No operation writes into an array, so that
torch can differentiate the whole loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vbiflow.engine.differentiate import implicit_function
from vbiflow.engine.integrators import INTEGRATORS, REFLECTS
from vbiflow.engine.philox import normals
from vbiflow.engine.plan import Plan, coupling_matrix
from vbiflow.models.maths import asarray, host, namespace, where
from vbiflow.models.model import Model


def clip_and_wrap(model: Model, y: tuple[Any, ...], reflect: bool = False) -> tuple[Any, ...]:
    """States clipped to their bounds, after being reflected there, and angles wrapped."""
    kept = []
    for state, values in zip(model.states.values(), y, strict=True):
        if state.bounds:
            low, high = state.bounds
            if reflect:
                values = where(values < low, 2 * low - values, values)
                values = where(values > high, 2 * high - values, values)
            values = values.clip(low, high)
        if state.wrap:
            values = values - state.wrap * namespace(values).floor(values / state.wrap)
        kept.append(values)
    return tuple(kept)


def as_rows(values: Any, like: Any) -> Any:
    """`values` with two axes, simulation and node."""
    values = asarray(values, like)
    return values.reshape((1,) * (2 - values.ndim) + tuple(values.shape))


def run(
    plan: Plan,
    weights: Any = None,
    parameters: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], np.ndarray]:
    """Time series by name, (n_simulations, n_nodes, n_times), and whether a simulation left its valid range.

    `weights`, `parameters` and `initial` take the place of the plan's NumPy copies; with one of CuPy or torch, the time
    series are of that library too.
    """
    weights = plan.weights if weights is None else weights
    parameters, initial = plan.parameters | dict(parameters or {}), plan.given | dict(initial or {})
    own = (weights, *parameters.values(), *initial.values())
    like = next((values for values in own if namespace(values) is not np), plan.weights)

    model, step, weights = plan.model, INTEGRATORS[plan.integrator], asarray(weights, like)
    p = model.p(**{name: as_rows(values, like) for name, values in parameters.items()})
    y = [asarray(values, like) for values in np.moveaxis(plan.initial(0, plan.n_simulations), 1, 0)]
    y = tuple(
        as_rows(initial[name], like) + 0 * values if name in initial else values
        for name, values in zip(model.states, y, strict=True)
    )
    observers = [Observer(plan, recording) for recording in plan.recordings]
    observers += [SlowObserver(plan, observer, like) for observer in plan.observers]

    past = Past(plan, weights, model.send(model.y(*y), p)) if plan.delays else None
    coupling = coupling_matrix(model, weights)
    n, received = 0, {}

    def derivatives(y: tuple[Any, ...], end: int) -> tuple[Any, ...]:
        y = model.y(*y)
        sent = model.send(y, p)
        received[end] = c = model.c(*(past.input(sent, end) if past else (s @ coupling.T for s in sent)))
        return model.dfun(y, c, stimulated_parameters(plan, p, n + end))

    def implicit(h: float, e: tuple[Any, ...], y: tuple[Any, ...], end: int) -> tuple[Any, ...]:
        return solve(h, *e, *y, *received[end], *stimulated_parameters(plan, p, n + end))

    solve = implicit_function(model) if plan.integrator == "semi_implicit" else None
    more = {"implicit": implicit} if solve else {}
    for n in range(plan.n_steps):
        if past:
            past.remember(n, model.send(model.y(*y), p))
        increments = noise_increments(plan, n, p, like)
        y = step(
            derivatives, y, plan.dt, increments, lambda y: clip_and_wrap(model, y, plan.integrator in REFLECTS), **more
        )
        for observer in observers:
            observer.see(n + 1 - plan.n_transient, model.y(*y), p)
    out_of_range = np.zeros(plan.n_simulations, bool)
    for observer in observers:
        out_of_range |= observer.out_of_range
    return {observer.name: namespace(like).stack(observer.ts, -1) for observer in observers}, out_of_range


def stimulated_parameters(plan: Plan, p: Any, n: int) -> Any:
    """Parameters with the stimuli at step n."""
    for stimulus in plan.stimuli:
        value = getattr(p, stimulus.parameter)
        value = value + asarray(stimulus.amplitude, value) * stimulus.course[n]
        p = p._replace(**{stimulus.parameter: value})
    return p


class Past:
    """What nodes sent, in a ring of as many steps as the longest delay and one."""

    def __init__(self, plan: Plan, weights: Any, sent: tuple[Any, ...]) -> None:
        delays, self.xp, self.n = plan.delays, namespace(weights), 0
        n_edges, shape = len(delays.target), (plan.n_simulations, plan.n_nodes)
        chosen = np.arange(plan.n_simulations)
        self.steps = asarray(delays.steps(chosen), weights, "int64")
        self.simulations = asarray(chosen[:, None], weights, "int64")
        target, self.source = (asarray(ends, weights, "int64") for ends in (delays.target, delays.source))
        arrive, delayed = np.zeros((n_edges, plan.n_nodes)), np.zeros((plan.n_nodes, plan.n_nodes))
        arrive[np.arange(n_edges), delays.target] = 1
        delayed[delays.target, delays.source] = 1
        self.arrive = asarray(arrive, weights) * weights[target, self.source][:, None]
        self.instantaneous = coupling_matrix(plan.model, weights) - weights * asarray(delayed, weights)
        self.rings = [[self.xp.broadcast_to(s, shape)] * (delays.longest + 1) for s in sent]

    def remember(self, n: int, sent: tuple[Any, ...]) -> None:
        """Take in what is sent at step n."""
        self.n = n
        for ring, s in zip(self.rings, sent, strict=True):
            ring[n % len(ring)] = s

    def input(self, sent: tuple[Any, ...], end: int) -> tuple[Any, ...]:
        """Coupling inputs at the begin (0) or end (1) of the step, where nodes send `sent`."""
        slot = (self.n + end - self.steps) % len(self.rings[0])
        late = (self.xp.stack(ring)[slot, self.simulations, self.source] @ self.arrive for ring in self.rings)
        return tuple(s @ self.instantaneous.T + c for s, c in zip(sent, late, strict=True))


def noise_increments(plan: Plan, n: int, p: Any, like: Any) -> tuple[Any, ...]:
    """Noise increments of step n, one array a state (zero for states without noise)."""
    states = list(plan.model.states.values())
    z: list[Any] = [0.0] * len(states)
    if plan.noisy or (plan.model.noisy and getattr(p.sigma, "requires_grad", False)):
        simulations = plan.simulations(0, plan.n_simulations)
        drawn = normals(plan.seed, simulations, n, plan.stream, len(plan.model.noisy), plan.n_nodes)
        for m, k in enumerate(plan.model.noisy):
            z[k] = p.sigma * (states[k].noise * plan.dt**0.5) * asarray(drawn[:, m], like)
    return tuple(z)


def out_of_range(model: Model, y: tuple[Any, ...]) -> np.ndarray:
    """Simulations with a state that is not finite or outside its valid range."""
    bad = np.zeros(len(y[0]), bool)
    for state, values in zip(model.states.values(), y, strict=True):
        values, (low, high) = host(values), state.valid or (-np.inf, np.inf)
        bad |= ~(np.isfinite(values) & (values >= low) & (values <= high)).all(1)
    return bad


class Observer:
    """Sample, average or filter a signal of the model after the transient; `ts` has one array a sample."""

    def __init__(self, plan: Plan, recording: Any) -> None:
        self.plan, self.recording, self.name = plan, recording, recording.name
        self.ts: list[Any] = [0.0] * recording.n_times if recording.taps is not None else []
        self.out_of_range = np.zeros(plan.n_simulations, bool)
        self.total: Any = 0.0

    def see(self, t: int, y: Any, p: Any) -> None:
        """Take in the state t steps after the transient."""
        every, average = self.recording.every, self.recording.average
        if self.recording.taps is not None:
            self.filter(t, self.plan.model.signals[self.name](y, p))
            if t > 0 and t % every == 0:
                self.out_of_range |= out_of_range(self.plan.model, y)
            return
        if t <= 0 or t > every * self.recording.n_times or (not average and t % every):
            return
        self.total = self.total * average + self.plan.model.signals[self.name](y, p)
        if t % every == 0:
            self.ts.append(self.total / every if average else self.total)
            self.total = 0.0
            self.out_of_range |= out_of_range(self.plan.model, y)

    def filter(self, t: int, value: Any) -> None:
        """Add the value to all samples whose filter reaches it."""
        every, ahead = self.recording.every, self.recording.ahead
        for k in range(max((t - ahead) // every, 0), min((t + ahead) // every, self.recording.n_times)):
            self.ts[k] = self.ts[k] + self.recording.taps[t - every * (k + 1) + ahead] * value


class SlowObserver:
    """An observation model driven by the mean of a signal of the neurons over each of its steps."""

    def __init__(self, plan: Plan, observer: Any, like: Any) -> None:
        self.plan, self.observer, self.name = plan, observer, observer.name
        self.p = type(observer.parameters)(*(asarray(value, like) for value in observer.parameters))
        rest = np.ones((plan.n_simulations, plan.n_nodes))
        self.y = tuple(asarray(state.initial[0] * rest, like) for state in observer.model.states.values())
        self.ts: list[Any] = []
        self.out_of_range = np.zeros(plan.n_simulations, bool)
        self.total: Any = 0.0

    def see(self, t: int, y: Any, p: Any) -> None:
        """Take in the state t steps after the transient."""
        observer, model = self.observer, self.observer.model
        self.total = self.total + self.plan.model.signals[observer.input](y, p)
        if t % observer.step:
            return
        c = model.c(self.total / observer.step)
        self.total = 0.0

        def derivatives(y: tuple[Any, ...], end: int) -> tuple[Any, ...]:
            return model.dfun(model.y(*y), c, self.p)

        still = (0.0,) * len(self.y)
        self.y = INTEGRATORS["heun"](
            derivatives, self.y, observer.step * self.plan.dt, still, lambda y: clip_and_wrap(model, y)
        )
        if t > 0 and t % observer.every == 0 and t // observer.every <= observer.n_times:
            self.ts.append(model.signals[self.name](model.y(*self.y), self.p))
            self.out_of_range |= out_of_range(self.plan.model, y)
