"""What a simulation needs, checked: one line of error before any work starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, check_integer, check_number, choose, whole_steps
from vbiflow.engine.delays import Delays, check_delays
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.engine.noise_level import Noise, check_noise
from vbiflow.engine.philox import uniforms
from vbiflow.engine.plan_checks import (
    check_angle,
    check_dt,
    check_filter,
    check_parameters,
    check_weights,
    count_samples,
    parameter_kind,
)
from vbiflow.engine.stimulus import Stimulus, check_stimuli
from vbiflow.models import Model, find_model
from vbiflow.models.maths import namespace
from vbiflow.observation import OBSERVATION_MODELS

PRECISIONS = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Recording:
    """A signal sampled every `every` steps after the transient, averaged over them, or filtered by `taps`."""

    name: str
    every: int
    average: bool
    n_times: int
    fs: float
    taps: np.ndarray | None = None

    @property
    def ahead(self) -> int:
        """Steps beyond a sample that its filter looks at."""
        return 0 if self.taps is None else len(self.taps) // 2


@dataclass(frozen=True)
class Observer:
    """An observation model stepped every `step` steps on the mean input, sampled every `every` steps after the
    transient.
    """

    name: str
    model: Model
    input: str
    parameters: Any
    step: int
    every: int
    n_times: int
    fs: float


@dataclass(frozen=True)
class Plan:
    """A checked simulation; parameters are (1 or n_simulations, 1 or n_nodes), weights (target, source)."""

    model: Model
    weights: np.ndarray
    parameters: dict[str, np.ndarray]
    kinds: dict[str, str]
    n_simulations: int
    dt: float
    n_steps: int
    n_transient: int
    integrator: str
    seed: int
    start: int
    stream: int
    recordings: tuple[Recording, ...]
    observers: tuple[Observer, ...]
    dtype: type
    given: dict[str, np.ndarray]
    delays: Delays | None = None
    stimuli: tuple[Stimulus, ...] = ()
    noise: Noise | None = None

    @property
    def n_nodes(self) -> int:
        """Number of regions."""
        return len(self.weights)

    @property
    def coupling(self) -> np.ndarray:
        """Matrix that takes sends to coupling inputs, without delays."""
        return coupling_matrix(self.model, self.weights)

    @property
    def noisy(self) -> bool:
        """Whether any simulation has noise in its equations."""
        return bool(self.model.noisy) and bool(np.any(self.parameters["sigma"] > 0))

    def simulations(self, begin: int, end: int) -> np.ndarray:
        """Global indices of simulations begin to end of this call."""
        return np.arange(self.start + begin, self.start + end, dtype=np.uint64)

    def initial(self, begin: int, end: int) -> np.ndarray:
        """Initial states (end - begin, n_states, n_nodes) of these simulations, drawn from the states' ranges unless
        given.
        """
        states = self.model.states
        u = uniforms(self.seed, self.simulations(begin, end), self.stream, len(states), self.n_nodes)
        low, high = (np.array([state.initial[k] for state in states.values()])[:, None] for k in (0, 1))
        y = low + (high - low) * u
        for k, name in enumerate(states):
            if name in self.given:
                values = self.given[name]
                y[:, k] = values[begin:end] if len(values) > 1 else values
        return y


def coupling_matrix(model: Model, weights: np.ndarray) -> np.ndarray:
    """Matrix that takes sends to coupling inputs; for difference coupling the weights less their row sums."""
    return weights if model.coupling == "linear" else weights - namespace(weights).diag(weights.sum(1))


def check_recordings(model: Model, signals: Any, n_recorded: int, n_transient: int, dt: float) -> tuple[Recording, ...]:
    """Signals by name, each with its sampling period [ms]; a plain list of names records every step."""
    recordings = []
    for name in signals:
        choose(f"signal of {model.name}", name, model.signals)
        options = dict(signals[name]) if isinstance(signals, Mapping) else {}
        for option in options:
            choose(f"option of signal {name}", option, ("period", "average", "filter"))
        period = check_number(f"period of signal {name}", options.get("period", dt), 0, strict=True)
        every = whole_steps(f"period of signal {name}", period, dt)
        angle = check_angle(model, name, options)
        coefficients = check_filter(name, options, every, n_transient, dt)
        average = bool(options.get("average", not angle)) and every > 1 and coefficients is None
        n_times = count_samples(name, n_recorded, every)
        recordings.append(Recording(name, every, average, n_times, 1e3 / (every * dt), coefficients))
    return tuple(recordings)


def check_observers(
    model: Model, observations: Mapping[str, Any], n_recorded: int, n_transient: int, dt: float
) -> tuple[Observer, ...]:
    """Observation models by name, in the order of the registry; one that is None is left out."""
    for name in observations:
        choose("argument or observation model", name, OBSERVATION_MODELS)
    asked = [name for name in OBSERVATION_MODELS if observations.get(name) is not None]
    return tuple(check_observer(model, name, observations[name], n_recorded, n_transient, dt) for name in asked)


def check_observer(
    model: Model, name: str, options: Mapping[str, Any], n_recorded: int, n_transient: int, dt: float
) -> Observer:
    """Parameters, sampling and step of an observation model: the longest step that it allows and that divides TR and
    transient, unless given.
    """
    observation, written = OBSERVATION_MODELS[name], name.upper()
    choose(f"signal of {model.name}", observation.input, model.signals)
    for option in options:
        choose(f"option of {name}", option, ("parameters", "tr", "step"))
    chosen = options.get("parameters", observation.default)
    if isinstance(chosen, Mapping):
        for key in chosen:
            choose(f"parameter of {observation.model.name}", key, observation.model.parameters)
    else:
        chosen = choose(f"{written} parameters", chosen, observation.sets)
    parameters = {key: parameter.value for key, parameter in observation.model.parameters.items()} | dict(chosen)
    every = whole_steps("TR", check_number("TR", options.get("tr"), 0, strict=True), dt)
    common = math.gcd(every, n_transient)
    if "step" in options:
        step = whole_steps(f"{written} step", check_number(f"{written} step", options["step"], 0, strict=True), dt)
        if common % step:
            raise ValueError(
                f"{written} step {options['step']:g} ms does not divide TR and transient; use one that does"
            )
    else:
        most = int(observation.longest_step / dt * (1 + 1e-9))
        step = max((n for n in range(1, most + 1) if common % n == 0), default=1)
    n_times = count_samples(written, n_recorded, every)
    own = observation.model.p(**parameters)
    return Observer(name, observation.model, observation.input, own, step, every, n_times, 1e3 / (every * dt))


def make_plan(
    model: str | Model,
    weights: Any,
    parameters: Mapping[str, Any],
    *,
    n_simulations: int,
    duration: float,
    dt: float | None = None,
    transient: float,
    integrator: str | None = None,
    seed: int,
    start: int,
    stream: int,
    signals: Any,
    initial: Mapping[str, Any] | None,
    precision: str,
    tract_lengths: Any = None,
    speed: Any = None,
    stimulus: Mapping[str, Any] | None = None,
    noise: Any = None,
    accept: Sequence[str] = (),
    **observations: Mapping[str, Any] | None,
) -> Plan:
    """A Plan, or a ValueError of one line.

    Parameters
    ----------
    model, weights, parameters, tract_lengths, speed, initial : as `simulate` takes them.
    n_simulations, seed, start, stream : which simulations, and their random numbers.
    duration, transient, dt : [ms].
    integrator : name in INTEGRATORS; None takes the model's own, as for dt.
    signals : what is recorded: {"name": {"period": [ms], "average": True}}, or names alone.
    precision : float32 or float64.
    stimulus, noise, accept : as `simulate` takes them.
    observations : observation models by name.

    Raises
    ------
    ValueError
        In one line, with what was given and what is allowed.
    """
    model = model if isinstance(model, Model) else find_model(model)
    weights = check_weights(weights)
    n_simulations = check_integer("n_simulations", n_simulations, 1, 2**31)
    dt = check_number("dt", model.defaults.get("dt") if dt is None else dt, 0, strict=True)
    integrator = model.defaults.get("integrator", "heun") if integrator is None else integrator
    choose("integrator", integrator, list(INTEGRATORS))
    n_recorded = whole_steps("duration", check_number("duration", duration, 0, strict=True), dt)
    n_transient = whole_steps("transient", check_number("transient", transient, 0), dt)
    recordings = check_recordings(model, signals, n_recorded, n_transient, dt)
    n_steps = n_recorded + n_transient + max((recording.ahead for recording in recordings), default=0)
    check_integer("number of steps", n_steps, 1, 2**32 - 1)
    arrays = check_parameters(model, parameters, n_simulations, len(weights))
    check_dt(model, arrays, dt, integrator, accept)
    observers = check_observers(model, observations, n_recorded, n_transient, dt)
    if not observers and not signals:
        raise ValueError(
            f"nothing is recorded; give {', '.join(OBSERVATION_MODELS)} or signals, of {', '.join(model.signals)}"
        )
    for name in initial or {}:
        choose(f"state of {model.name}", name, model.states)
    return Plan(
        model=model,
        weights=weights,
        parameters=arrays,
        kinds={name: parameter_kind(parameters.get(name, 0.0), len(weights)) for name in arrays},
        n_simulations=n_simulations,
        dt=dt,
        n_steps=n_steps,
        n_transient=n_transient,
        integrator=integrator,
        seed=check_integer("seed", seed, 0, 2**64 - 1),
        start=check_integer("start", start, 0, 2**32 - 1 - n_simulations),
        stream=check_integer("stream", stream, 0, 2**16 - 1),
        recordings=recordings,
        observers=observers,
        dtype=choose("precision", precision, PRECISIONS),
        given={k: broadcast("initial state", k, v, n_simulations, len(weights)) for k, v in (initial or {}).items()},
        delays=check_delays(model, weights, coupling_matrix(model, weights), tract_lengths, speed, n_simulations, dt),
        stimuli=check_stimuli(model, stimulus, n_simulations, len(weights), (n_steps, n_transient, dt)),
        noise=check_noise(noise, n_simulations, len(weights)),
    )
