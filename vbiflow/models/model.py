"""What a model is: data and pure functions, written once and run by every engine."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, Literal

import numpy as np

from vbiflow.models.contract import check_contract

Function = Callable[..., Any]


@dataclass(frozen=True)
class State:
    """A state variable.

    `initial` is the range of uniform initial values. `bounds` are kept by clipping after every stage of a step. Outside
    `valid` a simulation is flagged. `noise` is the factor of `sigma` for this variable, None if it has no noise. `wrap`
    is the period of an angle.
    """

    initial: tuple[float, float]
    bounds: tuple[float, float] | None = None
    valid: tuple[float, float] | None = None
    noise: float | None = None
    wrap: float | None = None


@dataclass(frozen=True)
class Parameter:
    """A parameter: default value, unit, meaning."""

    value: float
    unit: str
    meaning: str


@dataclass(frozen=True)
class Solution:
    """What a derived parameter is in one simulation: its value, a scalar or (n_nodes,), the states of the fixed point
    that it belongs to, by name, and why it is not allowed, or an empty text.
    """

    value: Any
    states: Mapping[str, Any]
    reason: str = ""


@dataclass(frozen=True)
class Derived:
    """A quantity that can be given in the place of a parameter, which then follows from it in every simulation.

    `solve(weights, p, value)` takes the weights (n_nodes, n_nodes), the parameters p, arrays (n_nodes,), and the
    quantity (n_nodes,), and returns a Solution; without it the engine knows how. `longest_dt` [ms] is the longest
    step at which the network stays there.
    """

    parameter: str
    unit: str
    meaning: str
    solve: Callable[[Any, Any, Any], Solution] | None = None
    longest_dt: float = float("inf")


def remember_last(solve: Function) -> Function:
    """A function of parameters p and a quantity, arrays, that is not computed again where it is asked for the same as
    the last time.
    """
    known: list[tuple[Any, Any]] = [((), None)]

    @wraps(solve)
    def remembered(p: Any, value: Any) -> Any:
        asked = [(np.shape(one), np.asarray(one).tobytes()) for one in (*p, value)]
        before, found = known[0]
        if asked != before:
            found = solve(p, value)
            known[0] = asked, found  # replaced as a whole, since several threads may ask
        return found

    return remembered


@dataclass(frozen=True)
class Model:
    """A neural mass (or observation) model, checked when it is made (contract.py).

    Raises
    ------
    ValueError
        If a name, range or function does not keep the contract, in one line that names it.

    Attributes
    ----------
    states, parameters : by name, in the order of the namedtuples `y` and `p`.
    sends : names of what a node sends, the fields of the namedtuple `c`.
    coupling : "linear", c_i = sum_j w_ij s_j, or "difference", c_i = sum_j w_ij (s_j - s_i).
    send : (y, p) -> tuple, what a node sends.
    gains : the parameter that multiplies an input, by input; where it is zero, kernels need not compute the input.
    dfun : (y, c, p) -> tuple, time derivatives of the states [1/ms], by + - * / **, and the functions of models.maths.
    signals : functions (y, p) that can be recorded, by name.
    time_scale : p -> the shortest time constant [ms]; dt must not exceed it.
    largest_dt : by integrator, the longest step [ms] at which statistics of a noisy, strongly coupled network hold, at
        the default time constants, as tests/benchmarks/step_size.py finds; longer ones must be accepted.
    derived : quantities that can be given in the place of a parameter, by name.
    strength : the parameter that scales the coupling.
    reference : with year and DOI.
    defaults : {"dt": [ms], "integrator": name}, which hold where a simulation names none.
    units : of the signals by name; others are pure numbers.
    """

    name: str
    title: str
    states: Mapping[str, State]
    parameters: Mapping[str, Parameter]
    sends: tuple[str, ...]
    coupling: Literal["linear", "difference"]
    send: Function
    dfun: Function
    signals: Mapping[str, Function]
    time_scale: Function
    reference: str
    largest_dt: Mapping[str, float] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    gains: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    strength: str = "G"
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_contract(self)

    @cached_property
    def y(self) -> type:
        """Namedtuple of the states."""
        return namedtuple("y", self.states)

    @cached_property
    def c(self) -> type:
        """Namedtuple of the coupling inputs."""
        return namedtuple("c", self.sends)

    @cached_property
    def p(self) -> type:
        """Namedtuple of the parameters."""
        return namedtuple("p", self.parameters)

    @cached_property
    def noisy(self) -> tuple[int, ...]:
        """Indices of the states that have noise."""
        return tuple(k for k, state in enumerate(self.states.values()) if state.noise is not None)
