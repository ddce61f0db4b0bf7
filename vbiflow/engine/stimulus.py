"""External stimuli: a time course added to a parameter of chosen nodes.

Times are in ms from the begin of the recording, negative in the transient. At a jump the course has the mean of both
sides, so that Heun's scheme keeps its order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, choose
from vbiflow.models import Model


@dataclass(frozen=True)
class Stimulus:
    """`amplitude` (1 or n_simulations, n_nodes), zero where there is no stimulus, times `course` (n_steps + 1,)."""

    parameter: str
    amplitude: np.ndarray
    course: np.ndarray


def step(t: np.ndarray, onset: float = 0.0) -> np.ndarray:
    """1 from the onset on."""
    return np.heaviside(np.round(t - onset, 9), 0.5)


def pulse(t: np.ndarray, duration: float, onset: float = 0.0) -> np.ndarray:
    """1 for a duration."""
    return step(t, onset) - step(t, onset + duration)


def train(t: np.ndarray, duration: float, period: float, count: int, onset: float = 0.0) -> np.ndarray:
    """Pulses, one a period."""
    return sum(pulse(t, duration, onset + k * period) for k in range(int(count)))


def ramp(t: np.ndarray, duration: float, onset: float = 0.0) -> np.ndarray:
    """From 0 to 1 within a duration, then 1."""
    return np.clip((t - onset) / duration, 0.0, 1.0)


def sine(
    t: np.ndarray, frequency: float, onset: float = 0.0, duration: float = np.inf, phase: float = 0.0
) -> np.ndarray:
    """Sine of a frequency [Hz], whose phase counts from the onset."""
    return pulse(t, duration, onset) * np.sin(2e-3 * np.pi * frequency * (t - onset) + phase)


def gaussian(t: np.ndarray, centre: float, sd: float) -> np.ndarray:
    """A bump with its peak of 1 at the centre."""
    return np.exp(-0.5 * ((t - centre) / sd) ** 2)


def samples(t: np.ndarray, values: Any, period: float, onset: float = 0.0) -> np.ndarray:
    """Values given once a period, straight lines between them, zero before and after."""
    values = np.asarray(values, float)
    return np.interp(t, onset + period * np.arange(len(values)), values, left=0.0, right=0.0)


COURSES: dict[str, Callable[..., np.ndarray]] = {
    function.__name__: function for function in (step, pulse, train, ramp, sine, gaussian, samples)
}
OPTIONS = ("parameter", "nodes", "amplitude")


def check_stimuli(
    model: Model,
    stimuli: Mapping[str, Any] | None,
    n_simulations: int,
    n_nodes: int,
    steps: tuple[int, int, float],
) -> tuple[Stimulus, ...]:
    """Stimuli for `steps`: their number, those of the transient, and dt [ms].

    Each is ``{"parameter": name, "nodes": indices (all if left out), "amplitude": number, "<course>": {options}}``; the
    amplitude, in the unit of the parameter, may be one a node, (n_simulations, 1) or (n_simulations, n_nodes).

    Raises
    ------
    ValueError
        In one line, for whatever is unknown, missing, of wrong shape or not finite.
    """
    if not stimuli:
        return ()
    if not isinstance(stimuli, Mapping):
        raise ValueError(
            f"stimulus is {stimuli!r}; give each one by name, as in {{tms: {{parameter: ..., pulse: ...}}}}"
        )
    n_steps, n_transient, dt = steps
    times = (np.arange(n_steps + 1) - n_transient) * dt
    return tuple(check_stimulus(model, *item, n_simulations, n_nodes, times) for item in stimuli.items())


def check_stimulus(
    model: Model, name: str, entry: Any, n_simulations: int, n_nodes: int, times: np.ndarray
) -> Stimulus:
    """One stimulus."""
    what = f"stimulus {name}"
    given = dict(entry) if isinstance(entry, Mapping) else {}
    courses = [key for key in given if key not in OPTIONS]
    if len(courses) != 1:
        found = ", ".join(map(str, courses)) or "none"
        raise ValueError(f"{what}: give one time course out of {', '.join(COURSES)}; found {found}")
    parameter = given.get("parameter")
    if parameter == "sigma":
        raise ValueError(f"{what}: the noise sigma takes no stimulus; choose another parameter of {model.name}")
    choose(f"parameter of {model.name} in {what}", parameter, model.parameters)
    nodes = check_nodes(what, given.get("nodes"), n_nodes)
    amplitude = np.zeros((1, n_nodes)) + broadcast(
        "amplitude of", what, given.get("amplitude", 1.0), n_simulations, n_nodes
    )
    course = evaluate_course(what, choose(f"course of {what}", courses[0], COURSES), given[courses[0]], times)
    return Stimulus(parameter, np.where(np.isin(np.arange(n_nodes), nodes), amplitude, 0.0), course)


def check_nodes(what: str, nodes: Any, n_nodes: int) -> np.ndarray:
    """Indices of nodes, each once; all if there are none."""
    chosen = np.arange(n_nodes) if nodes is None else np.asarray(nodes)
    whole = chosen.ndim == 1 and chosen.size and chosen.dtype.kind in "iu"
    if not whole or chosen.min() < 0 or chosen.max() >= n_nodes or len(set(chosen.tolist())) < chosen.size:
        raise ValueError(f"{what}: nodes are {nodes!r}; give a list of different indices from 0 to {n_nodes - 1}")
    return chosen


def evaluate_course(what: str, course: Callable[..., np.ndarray], options: Any, times: np.ndarray) -> np.ndarray:
    """The time course at `times`, its options checked."""
    _, *known = inspect.signature(course).parameters.values()
    options = dict(options) if isinstance(options, Mapping) else {"": options}
    names = [option.name for option in known]
    missing = [option.name for option in known if option.default is option.empty and option.name not in options]
    unknown = [name for name in options if name not in names]
    if unknown or missing:
        problem = f"unknown option {unknown[0]!r}" if unknown else f"missing {missing[0]}"
        raise ValueError(f"{what}: {course.__name__}: {problem}; it takes {', '.join(names)}")
    for name, value in options.items():
        good = np.asarray(value).dtype.kind in "iuf" and np.ndim(value) == (name == "values") and np.size(value)
        if not good or np.isnan(value).any() or (name in POSITIVE and value <= 0):
            wanted = "numbers" if name == "values" else "a number above 0" if name in POSITIVE else "a number"
            raise ValueError(f"{what}: {course.__name__}: {name} is {value!r}; give {wanted}")
    values = course(times, **options)
    if not np.isfinite(values).all():
        raise ValueError(f"{what}: {course.__name__} is not finite at {times[~np.isfinite(values)][0]:g} ms")
    return values


POSITIVE = ("duration", "period", "count", "frequency", "sd")
