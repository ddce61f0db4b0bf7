"""Parameters that follow from others in every simulation: solved before the kernels start, the same on every device.

A model declares quantities that stand for one of its parameters (models.model.Derived), such as `rate_E` for the
feedback inhibition J_I. Every model whose coupling has a strength G knows `share_of_critical` besides: G is that share
of the critical coupling, at which the fixed point that is reached from G = 0 loses its stability (largest real part of
the Jacobian's eigenvalues zero). Both can be fixed or inferred like any parameter. A simulation starts at its fixed
point unless initial values are given; where there is no solution it is invalid and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vbiflow.engine.checks import broadcast, check_integer
from vbiflow.engine.criticality import Branch, Point, critical_coupling
from vbiflow.engine.plan_checks import check_weights
from vbiflow.models import Derived, Model, Solution, find_model
from vbiflow.models.maths import host

SHARE = "share_of_critical"
Array = np.ndarray


def derived_quantities(model: Model) -> dict[str, Derived]:
    """What can be given in the place of a parameter, by name."""
    known = dict(model.derived)
    if model.strength in model.parameters:
        meaning = f"{model.strength} as a share of the critical coupling"
        known[SHARE] = Derived(model.strength, "1", meaning)
    return known


@dataclass(frozen=True)
class Resolved:
    """Parameters with what was derived, initial states with the fixed points, and a reason a simulation; no reasons
    where nothing was derived.
    """

    parameters: dict[str, Any]
    initial: dict[str, Any]
    reason: list[str]


def split_derived(
    model: Model, parameters: Mapping[str, Any], dt: float | None = None, delayed: bool = False
) -> tuple[dict, dict]:
    """Parameters, and the derived quantities among them.

    Raises
    ------
    ValueError
        If a quantity and the parameter that follows from it are both given, dt is too long for it, or a share of the
        critical coupling is asked for with delays.
    """
    known = derived_quantities(model)
    given = {name: value for name, value in parameters.items() if name in known}
    if delayed and SHARE in given:
        raise ValueError(
            f"{SHARE} is that of a network without delays, which may lose its stability elsewhere with them; leave "
            f"speed out, or give {model.strength}"
        )
    for name in given:
        parameter, longest = known[name].parameter, known[name].longest_dt
        if parameter in parameters:
            raise ValueError(f"{name} and {parameter} are both given; {parameter} follows from {name}, keep one")
        used = model.defaults.get("dt") if dt is None else dt
        if used is not None and isinstance(used, int | float) and used > longest:
            raise ValueError(f"dt {used:g} ms is too long for {name} of {model.name}; use at most {longest:g} ms")
    return {name: value for name, value in parameters.items() if name not in known}, given


def resolve_derived(
    model: str | Model,
    weights: Any,
    parameters: Mapping[str, Any],
    n_simulations: int,
    initial: Mapping[str, Any] | None = None,
    dt: float | None = None,
    delayed: bool = False,
) -> Resolved:
    """Solve for the parameters that are derived, one simulation at a time, so that no shard changes a number.

    Parameters
    ----------
    model : name of a model, or a Model.
    weights : (n_nodes, n_nodes), row = target.
    parameters : values by name, as `simulate` takes them, those of derived quantities among them.
    n_simulations : of the call.
    initial : initial values by state, as `simulate` takes them.
    dt : time step [ms]; None takes the model's own.
    delayed : whether what nodes send arrives later.

    Raises
    ------
    ValueError
        As `split_derived`, and for weights or values of wrong shape, or not positive.
    """
    model = model if isinstance(model, Model) else find_model(model)
    own, given = split_derived(model, parameters, dt, delayed)
    if not given:
        return Resolved(own, dict(initial or {}), [])
    known, weights = derived_quantities(model), check_weights(host(weights))
    n_simulations = check_integer("n_simulations", n_simulations, 1, 2**31)
    n_nodes = len(weights)
    values = {name: check_quantity(name, value, n_simulations, n_nodes) for name, value in given.items()}
    rows = {
        name: broadcast("parameter", name, host(own.get(name, parameter.value)), n_simulations, n_nodes)
        for name, parameter in model.parameters.items()
    }
    solutions = [
        solve_derived(model, known, weights, row_of_simulation(rows, k, n_nodes), row_of_simulation(values, k, n_nodes))
        for k in range(n_simulations)
    ]
    for name in given:
        per_node = name != SHARE
        found = [solution[name].value for solution in solutions]
        own[known[name].parameter] = np.array(found).reshape(n_simulations, n_nodes if per_node else 1)
    starts = {
        state: np.array([solution[""].states[state] for solution in solutions]) for state in solutions[0][""].states
    }
    reason = [next((one.reason for one in solution.values() if one.reason), "") for solution in solutions]
    return Resolved(own, starts | dict(initial or {}), reason)


def check_quantity(name: str, value: Any, n_simulations: int, n_nodes: int) -> Array:
    """A positive quantity, (1 or n_simulations, 1 or n_nodes); the share is one number for the whole network."""
    array = broadcast("parameter", name, host(value), n_simulations, 1 if name == SHARE else n_nodes)
    if (array <= 0).any():
        raise ValueError(f"parameter {name} is {array.min():g}; it must be above 0")
    return array


def row_of_simulation(rows: Mapping[str, Array], k: int, n_nodes: int) -> dict[str, Array]:
    """Values (n_nodes,) of simulation k."""
    return {name: np.broadcast_to(row[k if len(row) > 1 else 0], n_nodes).copy() for name, row in rows.items()}


def solve_derived(
    model: Model, known: Mapping[str, Derived], weights: Array, own: dict[str, Array], values: Mapping[str, Array]
) -> dict[str, Solution]:
    """Solutions of one simulation by quantity; under the empty name the fixed point to start from.

    The share of critical comes last: the other quantities are solved again for each coupling that it tries.
    """
    solutions: dict[str, Solution] = {}

    def balanced(own: dict[str, Array]) -> dict[str, Array]:
        for name, value in values.items():
            if name != SHARE:
                solutions[name] = known[name].solve(weights, model.p(**own), value)
                own = own | {known[name].parameter: np.broadcast_to(solutions[name].value, len(weights))}
        return own

    if SHARE in values:
        strength, n_nodes = model.strength, len(weights)

        def parameters(G: float) -> tuple[Any, dict[str, Array]]:
            p = model.p(**balanced(own | {strength: np.full(n_nodes, G)}))
            return p, {name: value for one in solutions.values() for name, value in one.states.items()}

        branch = Branch(model, weights, parameters)
        critical, reason = critical_coupling(branch, abs(model.parameters[strength].value) or 1.0)
        G = float(values[SHARE][0]) * critical if not reason else model.parameters[strength].value
        point, lost = branch.at(G)
        lost = lost or (describe_instability(point, solutions) if solutions else "")
        solutions[SHARE] = Solution(G, dict(zip(model.states, point.y, strict=True)), reason or lost)
        return solutions | {"": solutions[SHARE]}
    p = model.p(**balanced(own))
    first = next(iter(solutions.values()))
    if not first.reason:
        point, lost = Branch(model, weights, lambda G: (p, dict(first.states))).at(0.0, follow=False)
        first = replace(first, reason=lost or describe_instability(point, solutions))
    return solutions | {"": first}


def describe_instability(point: Point, solutions: Mapping[str, Solution]) -> str:
    """Why a network does not stay at the fixed point of derived quantities, an empty text if it does."""
    if point.margin < 0:
        return ""
    names = ", ".join(name for name in solutions if name != SHARE)
    return f"the fixed point that keeps {names} is unstable: the coupling is beyond the critical one"
