"""Check weights, parameters, time step and filters of a simulation, each with an error of one line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.engine.antialias import SPAN, taps
from vbiflow.engine.checks import broadcast, choose
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.models import Model


def check_weights(weights: Any) -> np.ndarray:
    """Weights (target, source): square, finite, not negative."""
    weights = np.asarray(weights, np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not len(weights):
        raise ValueError(f"weights have shape {weights.shape}; give a square matrix (target, source)")
    if not np.isfinite(weights).all():
        raise ValueError(
            f"weights hold {np.count_nonzero(~np.isfinite(weights))} values that are not finite; clean the connectome"
        )
    if (weights < 0).any():
        raise ValueError(
            f"weights hold {np.count_nonzero(weights < 0)} negative values; set them to zero or take absolute values"
        )
    return weights


def parameter_kind(value: Any, n_nodes: int) -> str:
    """How a parameter is given: "scalar", "lane" (by simulation) or "node" (by node, or both).

    The kind, and with it the kernel, does not depend on the number of simulations of a call.
    """
    shape = np.shape(value)
    return "scalar" if not shape else "lane" if len(shape) == 2 and (shape[1] == 1 or n_nodes == 1) else "node"


def check_parameters(
    model: Model, parameters: Mapping[str, Any], n_simulations: int, n_nodes: int
) -> dict[str, np.ndarray]:
    """Every parameter of the model as a 2-D array, the defaults where none is given."""
    for name in parameters:
        choose(f"parameter of {model.name}", name, model.parameters)
    values = {name: parameters.get(name, parameter.value) for name, parameter in model.parameters.items()}
    arrays = {name: broadcast("parameter", name, value, n_simulations, n_nodes) for name, value in values.items()}
    if "sigma" in arrays and (arrays["sigma"] < 0).any():
        least = arrays["sigma"].min()
        raise ValueError(f"sigma holds {least:g}; noise is a standard deviation, 0 or more: give it a prior above 0")
    return arrays


def check_dt(
    model: Model, parameters: Mapping[str, np.ndarray], dt: float, integrator: str, accept: Sequence[str] = ()
) -> None:
    """dt may not exceed the shortest time constant, which is above 0, nor, unless accepted, the model's own step."""
    with np.errstate(divide="ignore"):
        shortest = float(np.min(model.time_scale(model.p(**parameters))))
    if shortest <= 0:
        times = {name: float(np.min(parameters[name])) for name, one in model.parameters.items() if one.unit == "ms"}
        told = [f"parameter {name} is {value:g} ms" for name, value in times.items() if value <= 0]
        told.append(f"the shortest time constant of {model.name} is {shortest:g} ms")
        raise ValueError(f"{told[0]}; a time constant must be above 0")
    if dt > shortest:
        raise ValueError(
            f"dt {dt:g} ms is longer than the shortest time constant of {model.name}, {shortest:g} ms; use a smaller dt"
        )
    for name in accept:
        choose("acceptance of the simulation", name, ("dt",))
    tried = model.largest_dt or INTEGRATORS
    if integrator not in tried and "dt" not in accept:
        raise ValueError(
            f"integrator {integrator} was not tried on noisy networks of {model.name}; choose from "
            f"{', '.join(tried)}, or simulation.accept: [dt]"
        )
    limit = model.largest_dt.get(integrator, math.inf)
    if dt > limit * (1 + 1e-9) and "dt" not in accept:
        raise ValueError(
            f"dt {dt:g} ms is longer than {limit:.3g} ms, to which statistics of noisy networks of {model.name} hold "
            f"by {integrator}; use a smaller dt, or simulation.accept: [dt]"
        )


def check_angle(model: Model, name: str, options: Mapping[str, Any]) -> bool:
    """Whether a signal is a state that wraps; such a one is sampled, since a mean across its wrap is no mean."""
    angle = name in model.states and model.states[name].wrap is not None
    asked = [option for option in ("average", "filter") if options.get(option)]
    if angle and asked:
        others = ", ".join(other for other in model.signals if other != name)
        raise ValueError(
            f"signal {name} of {model.name} is an angle, of which {asked[0]} makes no sense across its wrap; leave "
            f"{asked[0]} out, and {name} is sampled, or record one of {others}"
        )
    return angle


def check_filter(name: str, options: Mapping[str, Any], every: int, n_transient: int, dt: float) -> np.ndarray | None:
    """Coefficients of the anti-alias filter of a signal; None without."""
    if not options.get("filter", False) or every == 1:
        return None
    if options.get("average"):
        raise ValueError(
            f"signal {name} has both average and filter; the filter takes the place of averaging, keep one"
        )
    before = SPAN // 2 * every
    if n_transient < before:
        raise ValueError(
            f"transient {n_transient * dt:g} ms is shorter than what the filter of signal {name} looks back, "
            f"{before * dt:g} ms; use a longer transient"
        )
    return taps(every)


def count_samples(name: str, n_recorded: int, every: int) -> int:
    """Number of samples, at least one."""
    if n_recorded < every:
        raise ValueError(
            f"duration is shorter than one sample of {name}; it leaves no sample: write duration and periods in ms"
        )
    return n_recorded // every
