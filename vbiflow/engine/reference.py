"""The readable reference: arrays (n_simulations, n_nodes), a plain loop over steps, any array library's operations.

Its numbers are what the kernels must reproduce; it is not fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.engine.philox import normals
from vbiflow.engine.plan import Plan
from vbiflow.models.model import Model
from vbiflow.observation import balloon


def settle(model: Model, y: tuple[Any, ...]) -> tuple[Any, ...]:
    """States clipped to their bounds and angles wrapped."""
    settled = []
    for state, values in zip(model.states.values(), y, strict=True):
        if state.bounds:
            values = values.clip(*state.bounds)
        if state.wrap:
            values = values - state.wrap * np.floor(values / state.wrap)
        settled.append(values)
    return tuple(settled)


def run(plan: Plan) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Time series by name, (n_simulations, n_nodes, n_times), and whether a simulation left its valid range."""
    model, p = plan.model, plan.model.p(**plan.parameters)
    step = INTEGRATORS[plan.integrator]
    y = tuple(np.moveaxis(plan.initial(0, plan.n_simulations), 1, 0))
    observers = [Observer(plan, recording) for recording in plan.recordings]
    observers += [Haemodynamics(plan)] if plan.bold else []

    past = Past(plan, model.send(model.y(*y), p)) if plan.delays else None

    def derivatives(y: tuple[Any, ...], end: int) -> tuple[Any, ...]:
        y = model.y(*y)
        sent = model.send(y, p)
        return model.dfun(y, model.c(*(past.input(sent, end) if past else (s @ plan.coupling.T for s in sent))), p)

    for n in range(plan.n_steps):
        if past:
            past.remember(n, model.send(model.y(*y), p))
        y = step(derivatives, y, plan.dt, noise(plan, n), lambda y: settle(model, y))
        for observer in observers:
            observer.see(n + 1 - plan.n_transient, model.y(*y), p)
    strayed = np.zeros(plan.n_simulations, bool)
    for observer in observers:
        strayed |= observer.strayed
    return {observer.name: observer.ts for observer in observers}, strayed


class Past:
    """What nodes sent, in a ring of as many steps as the longest delay and one."""

    def __init__(self, plan: Plan, sent: tuple[Any, ...]) -> None:
        self.delays, self.n = plan.delays, 0
        self.steps = plan.delays.steps(np.arange(plan.n_simulations))
        self.simulations = np.arange(plan.n_simulations)[:, None]
        self.arrive = np.zeros((len(plan.delays.target), plan.n_nodes))
        self.arrive[np.arange(len(plan.delays.target)), plan.delays.target] = plan.delays.weight
        shape = (plan.n_simulations, plan.n_nodes)
        self.ring = [np.tile(np.broadcast_to(s, shape), (plan.delays.longest + 1, 1, 1)) for s in sent]

    def remember(self, n: int, sent: tuple[Any, ...]) -> None:
        """Take in what is sent at step n."""
        self.n = n
        for ring, s in zip(self.ring, sent, strict=True):
            ring[n % len(ring)] = s

    def input(self, sent: tuple[Any, ...], end: int) -> tuple[Any, ...]:
        """Coupling inputs at the begin (0) or end (1) of the step, where nodes send `sent`."""
        slot = (self.n + end - self.steps) % len(self.ring[0])
        late = (ring[slot, self.simulations, self.delays.source] @ self.arrive for ring in self.ring)
        return tuple(s @ self.delays.instantaneous.T + c for s, c in zip(sent, late, strict=True))


def noise(plan: Plan, n: int) -> tuple[Any, ...]:
    """Noise increments of step n, one array a state (zero for states without noise)."""
    states = list(plan.model.states.values())
    z: list[Any] = [0.0] * len(states)
    if plan.noisy:
        drawn = normals(
            plan.seed, plan.simulations(0, plan.n_simulations), n, plan.stream, len(plan.model.noisy), plan.n_nodes
        )
        for m, k in enumerate(plan.model.noisy):
            z[k] = plan.parameters["sigma"] * states[k].noise * np.sqrt(plan.dt) * drawn[:, m]
    return tuple(z)


def outside(model: Model, y: tuple[Any, ...]) -> np.ndarray:
    """Simulations with a state that is not finite or outside its valid range."""
    bad = np.zeros(len(y[0]), bool)
    for state, values in zip(model.states.values(), y, strict=True):
        low, high = state.valid or (-np.inf, np.inf)
        bad |= ~(np.isfinite(values) & (values >= low) & (values <= high)).all(1)
    return bad


class Observer:
    """Sample or average a signal of the model after the transient."""

    def __init__(self, plan: Plan, recording: Any) -> None:
        self.plan, self.recording, self.name = plan, recording, recording.name
        self.ts = np.empty((plan.n_simulations, plan.n_nodes, recording.n_times))
        self.strayed = np.zeros(plan.n_simulations, bool)
        self.total: Any = 0.0

    def see(self, t: int, y: Any, p: Any) -> None:
        """Take in the state t steps after the transient."""
        every, average = self.recording.every, self.recording.average
        if t <= 0 or t > every * self.recording.n_times or (not average and t % every):
            return
        self.total = self.total * average + self.plan.model.signals[self.name](y, p)
        if t % every == 0:
            self.ts[:, :, t // every - 1] = self.total / every if average else self.total
            self.total = 0.0
            self.strayed |= outside(self.plan.model, y)


class Haemodynamics:
    """Balloon-Windkessel driven by the mean of the model's bold_input over each of its steps."""

    name = "bold"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        shape = (plan.n_simulations, plan.n_nodes)
        self.ts = np.empty((*shape, plan.bold.n_times))
        self.y = tuple(np.full(shape, state.initial[0]) for state in balloon.MODEL.states.values())
        self.strayed = np.zeros(plan.n_simulations, bool)
        self.total: Any = 0.0

    def see(self, t: int, y: Any, p: Any) -> None:
        """Take in the state t steps after the transient."""
        bold, model = self.plan.bold, balloon.MODEL
        self.total = self.total + self.plan.model.signals["bold_input"](y, p)
        if t % bold.step:
            return
        c = model.c(self.total / bold.step)
        self.total = 0.0

        def derivatives(y: tuple[Any, ...], end: int) -> tuple[Any, ...]:
            return model.dfun(model.y(*y), c, bold.parameters)

        self.y = INTEGRATORS["heun"](
            derivatives, self.y, bold.step * self.plan.dt, (0.0,) * 4, lambda y: settle(model, y)
        )
        if t > 0 and t % bold.every == 0 and t // bold.every <= bold.n_times:
            self.ts[:, :, t // bold.every - 1] = model.signals["bold"](model.y(*self.y), bold.parameters)
            self.strayed |= outside(self.plan.model, y)
