"""What every model keeps, checked when it is made: names, ranges, and the shapes that its functions return."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from vbiflow.reading import first_repeated

Model = Any
"""A `vbiflow.models.model.Model`; that module calls this one, which therefore does not import it."""
COUPLINGS = ("linear", "difference")
SHAPE = (2, 3)
"""Two simulations of three nodes, on which the functions are tried."""


def check_contract(model: Model) -> None:
    """Check names, states, parameters and functions of a model.

    Raises
    ------
    ValueError
        In one line that names the model and its member.
    """
    for what, names in (("state", model.states), ("parameter", model.parameters), ("input", model.sends)):
        check_fields(model, what, names)
    require(model, bool(model.states), "it has no state; give at least one")
    require(model, bool(model.signals), "it has no signal; give at least one function (y, p) that can be recorded")
    check_states(model)
    check_options(model)
    check_functions(model)


def require(model: Model, holds: bool, message: str) -> None:
    """Raise an error in the model's name unless the condition holds."""
    if not holds:
        raise ValueError(f"model {model.name}: {message}")


def check_fields(model: Model, what: str, names: Iterable[str]) -> None:
    """Names become fields of namedtuples and arguments of kernels."""
    require(model, not isinstance(names, str), f"its {what}s are the text {names!r}; write a tuple, ({names!r},)")
    names = list(names)
    for name in names:
        good = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name) and name[0] != "_"
        require(model, good, f"{what} {name!r} is no name; use letters, digits and _, beginning with a letter")
    twice = first_repeated(names)
    require(model, twice is None, f"{what} {twice!r} stands twice")


def check_states(model: Model) -> None:
    """Ranges are (low, high); noise needs its level."""
    for name, state in model.states.items():
        for field in ("initial", "bounds", "valid"):
            limits = getattr(state, field)
            if limits is None and field != "initial":
                continue
            good = isinstance(limits, tuple | list) and len(limits) == 2
            good = good and all(isinstance(limit, int | float) for limit in limits) and limits[0] <= limits[1]
            require(model, good, f"{field} of state {name} is {limits!r}; write (low, high)")
        require(model, state.wrap is None or state.wrap > 0, f"wrap of state {name} is {state.wrap!r}; give its period")
    for name, parameter in model.parameters.items():
        good = isinstance(parameter.value, int | float) and np.isfinite(parameter.value)
        require(model, good, f"parameter {name} has the value {parameter.value!r}; give a finite number")
        for field in ("unit", "meaning"):
            text = getattr(parameter, field)
            require(model, isinstance(text, str) and bool(text), f'parameter {name} has no {field}; "1" if it has none')
    if model.noisy:
        first = list(model.states)[model.noisy[0]]
        require(model, "sigma" in model.parameters, f"state {first} has noise; add a parameter sigma, its level")
    else:
        require(model, "sigma" not in model.parameters, "it has sigma, but no state with noise; write State(noise=1.0)")


def check_options(model: Model) -> None:
    """Kind of coupling, gains, default integration."""
    kinds = " or ".join(COUPLINGS)
    require(model, model.coupling in COUPLINGS, f"coupling is {model.coupling!r}; write {kinds}")
    for sent, gain in model.gains.items():
        require(model, sent in model.sends, f"gains name the input {sent!r}; it has {', '.join(model.sends)}")
        require(model, gain in model.parameters, f"gains name the parameter {gain!r}, which it does not have")
    for name in model.units:
        require(model, name in model.signals, f"units name the signal {name!r}; it has {', '.join(model.signals)}")
    for name, derived in model.derived.items():
        good = name.isidentifier() and name not in model.parameters and bool(derived.unit and derived.meaning)
        require(model, good, f"derived {name!r} needs a name that no parameter has, a unit and a meaning")
        known = derived.parameter in model.parameters
        require(model, known, f"derived {name} stands for {derived.parameter!r}, which is no parameter of it")
    unknown = sorted(model.defaults.keys() - {"dt", "integrator"})
    require(model, not unknown, f"defaults hold {', '.join(unknown)}; they are dt and integrator")


def check_functions(model: Model) -> None:
    """Run every function once on arrays, at the middle of the initial ranges and the default parameters."""
    middle = [np.full(SHAPE, sum(state.initial) / 2) for state in model.states.values()]
    y, p = model.y(*middle), model.p(*(np.float64(parameter.value) for parameter in model.parameters.values()))
    c = model.c(*(np.zeros(SHAPE) for _ in model.sends))
    with np.errstate(all="ignore"):
        check_tuple(model, "send", model.send, (y, p), model.sends)
        check_tuple(model, "dfun", model.dfun, (y, c, p), tuple(model.states))
        for name, signal in model.signals.items():
            check_shape(model, f"signal {name}", result(model, f"signal {name}", signal, (y, p)))
        shortest = np.min(result(model, "time_scale", model.time_scale, (p,)))
    require(model, shortest > 0, f"time_scale gives {shortest:g} at the default parameters; it is a time [ms], above 0")
    dt = model.defaults.get("dt")
    good = dt is None or 0 < dt <= shortest
    require(model, good, f"default dt {dt} is not between 0 and its shortest time constant, {shortest:g} ms")


def check_tuple(
    model: Model, what: str, function: Callable[..., Any], given: tuple[Any, ...], names: tuple[str, ...]
) -> None:
    """What `send` and `dfun` return: a tuple, an array a name."""
    values = result(model, what, function, given)
    one, wanted = len(names) == 1, f"a tuple of {len(names)}, one for {', '.join(names)}"
    found = "one array" if isinstance(values, np.ndarray | float) else type(values).__name__
    hint = "; write a comma behind the value, return (value,)" if one else ""
    require(model, isinstance(values, tuple | list), f"{what} returns {found}, not {wanted}{hint}")
    require(model, len(values) == len(names), f"{what} returns {len(values)} values, not {wanted}")
    for name, value in zip(names, values, strict=True):
        check_shape(model, f"{what}, value of {name}", value)


def check_shape(model: Model, what: str, value: Any) -> None:
    """A number, or one a simulation and node."""
    shape = np.shape(value)
    require(model, shape in ((), SHAPE), f"{what}: found shape {shape} for states of {SHAPE} (simulation, node)")


def result(model: Model, what: str, function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    """What a function returns; what goes wrong in it is told in the model's name."""
    try:
        return function(*given)
    except AttributeError as error:
        fields = {type(value).__name__: value._fields for value in given}
        known = "; ".join(f"{name} has {', '.join(names)}" for name, names in fields.items())
        raise ValueError(f"model {model.name}: {what}: {error}; {known}") from error
    except Exception as error:
        raise ValueError(f"model {model.name}: {what}: {type(error).__name__}: {error}") from error
