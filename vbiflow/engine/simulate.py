"""Simulate a model on a connectome: the library's one entry to every engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vbiflow.engine import cpu, gpu, reference
from vbiflow.engine.checks import check_integer, choose
from vbiflow.engine.derived import resolve_derived
from vbiflow.engine.measurement import add_measurement_noise
from vbiflow.engine.plan import Plan, make_plan
from vbiflow.io import Quantity
from vbiflow.models import Model
from vbiflow.models.maths import asarray, host, namespace

ENGINES: dict[str, Callable[..., tuple[dict[str, Any], np.ndarray]]] = {
    "cpu": cpu.run,
    "cuda": gpu.run,
    "reference": reference.run,
}
"""What simulates a plan, by device: series by name, and which simulations left the valid range."""
DEVICES = ("auto", *ENGINES)


@dataclass(frozen=True)
class Simulations:
    """Result of `simulate`.

    Attributes
    ----------
    ts : recorded time series by name, each (n_simulations, n_nodes, n_times); of NumPy, unless the reference was given
        arrays of CuPy or torch, or they stay on the device.
    fs : their sampling rates [Hz].
    units : of the series by name.
    frequencies : [Hz], where the series are spectra over them (spectra.py); None where they are courses in time.
    valid : (n_simulations,) bool, False where a simulation is not finite, left the valid range or is constant.
    reason : why, one text a simulation, empty where valid.
    observation_parameters : what is applied to the series or their features later (n_simulations,), by name, with
        units: noise and gain of the sensors that are to hear the simulations, the discrepancy of features.
    """

    ts: dict[str, Any]
    fs: dict[str, float]
    valid: np.ndarray
    reason: list[str]
    start: int = 0
    observation_parameters: Mapping[str, Quantity] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    frequencies: Any = None

    def quantities(self, compressed: bool = False) -> dict[str, Quantity]:
        """What a file of simulations holds, its series compressed or as they are."""
        each, axis = ("simulation",), "time" if self.frequencies is None else "frequency"
        notes = {} if self.frequencies is None else {"frequencies": self.frequencies}
        series = {
            name: Quantity(host(ts), self.units[name], (*each, "node", axis), {"fs": self.fs[name]} | notes, compressed)
            for name, ts in self.ts.items()
        }
        return {
            **series,
            **self.observation_parameters,
            "index": Quantity(self.start + np.arange(len(self.valid)), "1", each),
            "valid": Quantity(self.valid, "1", each),
            "reason": Quantity.text(self.reason, *each),
        }


def simulate(
    model: str | Model,
    weights: Any,
    parameters: Mapping[str, Any],
    *,
    n_simulations: int,
    duration: float,
    dt: float | None = None,
    transient: float = 0.0,
    integrator: str | None = None,
    seed: int,
    start: int = 0,
    stream: int = 0,
    signals: Mapping[str, Mapping[str, Any]] | Sequence[str] = (),
    initial: Mapping[str, Any] | None = None,
    tract_lengths: Any = None,
    speed: Any = None,
    stimulus: Mapping[str, Any] | None = None,
    noise: Any = None,
    accept: Sequence[str] = (),
    precision: str = "float32",
    device: str = "auto",
    on_device: bool = False,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
    **observations: Mapping[str, Any] | None,
) -> Simulations:
    """Simulate `n_simulations` draws of a stochastic model on one connectome.

    Parameters
    ----------
    model : name of a model in MODELS, or a Model.
    weights : (n_nodes, n_nodes), row = target, column = source.
    parameters : values by name; scalar, (n_nodes,) per node, (n_simulations, 1) per simulation, (n_simulations,
        n_nodes) both. A quantity that stands for a parameter, `share_of_critical` for G or rate_E for J_I of
        wong_wang_ei, is solved for in every simulation (derived.py).
    n_simulations : how many draws.
    duration, transient, dt : [ms]; `duration` is what is recorded, after a `transient` that is discarded. dt is the
        model's default where it is not given.
    integrator : "euler", "heun" or "semi_implicit" (integrators.py); the model's default where it is not given.
    seed, start, stream : simulation k of the call has the noise and initial state of (seed, start + k,
        stream) alone.
    signals : {"name": {"period": [ms], "average": True}}, or "filter": True for an anti-alias filter in the place of
        the average (antialias.py); or names alone, recorded at every step.
    initial : initial values by state, shapes as `parameters`; else drawn from the states' ranges.
    tract_lengths, speed : (n_nodes, n_nodes) [mm], row = target; [m/s], a scalar or (n_simulations, 1). What a node
        sends arrives tract_lengths / speed later, in whole steps. A connection of length zero is instantaneous;
        any other delay must round to at least one step. Before the start every node has sent its initial state for
        ever. Without both there are no delays.
    stimulus : by name, {"parameter": name, "nodes": indices, "amplitude": number, "pulse": {"onset": [ms], "duration":
        [ms]}}, added to a parameter of the equations; see stimulus.py for other courses, and times.
    noise : standard deviation of white noise added to every recorded sample, scalar or (n_simulations, 1), in the unit
        of the signal; {"level": ..., "relative": True} for shares of each simulation's own standard deviation.
    accept : ["dt"] takes a dt above the model's `largest_dt`.
    precision : "float32" or "float64" of states, parameters and time series.
    device : "cpu"; "cuda", the GPU; "auto", the GPU where there is one, else the CPU: devices round differently, with
        "auto" the bytes depend on the machine; or "reference", the readable loop, which takes weights, parameters and
        initial values of NumPy, CuPy or torch and returns time series of the same library. On torch these are
        differentiable with respect to all three, not to speed or lengths, since delays are whole steps; memory grows
        with the steps.
    on_device : whether time series from a GPU stay there, as CuPy arrays, for features that are computed there.
    threads : batches that run at the same time on a CPU; does not change a number.
    progress : called with (simulations done, n_simulations).
    observations : observation models by name, as bold={"parameters": name of a set or a mapping, "tr": [ms], "step":
        [ms], optional}; first sample at the end of the first TR.

    Raises
    ------
    ValueError
        For anything unknown, of wrong size, not finite or inconsistent, and for "cuda" where there is no GPU, before
        work starts.
    """
    initial = initial or {}
    check_gradients(
        {"weights": weights, **parameters, **initial}, {"speed": speed, "tract_lengths": tract_lengths}, device
    )
    derived = resolve_derived(model, weights, parameters, n_simulations, initial, dt, speed is not None)
    parameters, initial = derived.parameters, derived.initial
    plan = make_plan(
        model,
        host(weights),
        {name: host(value) for name, value in parameters.items()},
        n_simulations=n_simulations,
        duration=duration,
        dt=dt,
        transient=transient,
        integrator=integrator,
        seed=seed,
        start=start,
        stream=stream,
        signals=signals,
        initial={name: host(value) for name, value in initial.items()},
        tract_lengths=host(tract_lengths),
        speed=host(speed),
        stimulus=stimulus,
        noise=noise,
        accept=(*accept, "dt") if derived.reason else accept,  # a derived quantity has a longest step of its own
        precision=precision,
        **observations,
    )
    device = choose_device(device)
    threads = check_integer("threads", threads, 1, 1024)
    given = {"cpu": (threads, progress), "cuda": (progress, on_device), "reference": (weights, parameters, initial)}
    ts, out_of_range = ENGINES[device](plan, *given[device])
    ts = {name: asarray(values, values, precision) for name, values in ts.items()}
    reason = invalid_reasons(plan, ts, out_of_range)
    if derived.reason:
        reason = [first or second for first, second in zip(derived.reason, reason, strict=True)]
    if plan.noise:
        ts = {name: add_measurement_noise(values, plan, name) for name, values in ts.items()}
    units = {name: plan.model.units.get(name, "1") for name in ts}
    return Simulations(ts, sampling_rates(plan), np.array([not text for text in reason]), reason, start, units=units)


def check_gradients(smooth: Mapping[str, Any], whole_steps: Mapping[str, Any], device: str) -> None:
    """Gradients are followed by the reference alone, and not through delays in whole steps."""
    for name, values in {**smooth, **whole_steps}.items():
        if not getattr(values, "requires_grad", False):
            continue
        if name in whole_steps:
            raise ValueError(f"{name} requires a gradient, but delays are whole steps and have none; detach {name}")
        if device != "reference":
            raise ValueError(
                f"{name} requires a gradient, which device {device!r} cannot follow; "
                "use device 'reference', or detach it"
            )


def choose_device(device: str) -> str:
    """The device that is meant: "auto" becomes "cuda" or "cpu"; one line if "cuda" is asked for where there is none."""
    choose("device", device, DEVICES)
    if device == "auto":
        return "cpu" if gpu.SIMULATED or gpu.why_no_gpu() else "cuda"
    if device == "cuda" and gpu.why_no_gpu():
        raise ValueError(
            f"device 'cuda': {gpu.why_no_gpu()}, or use device 'cpu' (no gpu in the profile's set-resources)"
        )
    return device


def sampling_rates(plan: Plan) -> dict[str, float]:
    """Sampling rates by name [Hz]."""
    return {recorded.name: recorded.fs for recorded in (*plan.recordings, *plan.observers)}


def invalid_reasons(plan: Plan, ts: Mapping[str, Any], out_of_range: np.ndarray) -> list[str]:
    """Why a simulation is invalid, or an empty text; on a GPU the extremes are found there."""
    reason = ["state out of its valid range" if bad else "" for bad in out_of_range]
    for name, values in ts.items():
        low, high = (host(extreme(values, 2)) for extreme in (namespace(values).amin, namespace(values).amax))
        size = np.maximum(np.abs(low), np.abs(high))
        still = (high - low <= 4 * np.finfo(plan.dtype).eps * size) & (values.shape[2] > 1)
        for k in range(len(values)):
            if not np.isfinite(size[k]).all():
                reason[k] = f"{name} is not finite"
            elif not reason[k] and still[k].any():
                reason[k] = f"{name} is constant in {np.count_nonzero(still[k])} nodes"
    return reason
