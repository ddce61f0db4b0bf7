"""Run GPU kernels: launches over some simulations and some steps, on CuPy arrays, or NumPy's in numba's simulator.

One launch runs as many steps as take about a second, so that a display's watchdog lets it live and progress is seen;
what a launch leaves, the next takes up. CuPy and numba-cuda are imported on first use.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numba
import numpy as np

from vbiflow.engine.antialias import SPAN
from vbiflow.engine.cpu import load_kernel
from vbiflow.engine.gpu_layout import (
    argument_names,
    carried_blocks,
    choose_lanes,
    filter_blocks,
    most_delayed_inputs,
    most_groups,
    padded_nodes,
    parameters_by_node,
    shared_size,
)
from vbiflow.engine.gpu_source import kernel_source
from vbiflow.engine.layout import make_layout
from vbiflow.engine.plan import Plan, Recording
from vbiflow.engine.source import kernel_name, sampled_series
from vbiflow.models.maths import host

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
"""Whether numba simulates a device, for tests."""
FIRST_STEPS, SECONDS = 500, 1.0
"""Steps of the first launch, and what a launch shall take [s]."""
MEMORY = 4 * 10**9
"""Bytes of device memory that the simulations of a launch take, and a quarter of it what they record."""


@cache
def why_no_gpu() -> str:
    """Why there is no GPU to run on, in one line, or an empty text."""
    if SIMULATED:
        return ""
    absent = [name for name in ("cupy", "numba_cuda") if importlib.util.find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} not installed; install vbiflow[gpu]"
    try:
        import cupy
        import numba.cuda  # noqa: F401
    except (ImportError, AttributeError) as error:  # a package that is older than the NumPy it finds lacks names
        return f"cupy or numba-cuda cannot be imported ({error}); install the versions of vbiflow[gpu] together"
    try:
        return "" if cupy.cuda.runtime.getDeviceCount() else "no device is visible; see nvidia-smi"
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"no device is found ({error}); see nvidia-smi"


def array_module() -> ModuleType:
    """CuPy, or NumPy in the simulator."""
    return importlib.import_module("numpy" if SIMULATED else "cupy")


@dataclass(frozen=True)
class Shape:
    """How simulations lie on the device: `lanes` a thread, `groups` of lanes a block, `blocks` a launch."""

    lanes: int
    groups: int
    blocks: int

    @property
    def padded(self) -> int:
        """Simulations with those that fill the last block."""
        return self.lanes * self.groups * self.blocks


def shape_of(plan: Plan, n_simulations: int) -> Shape:
    """Shape for so many simulations."""
    lanes = choose_lanes(plan)
    groups = min(most_groups(plan.n_nodes), -(-n_simulations // lanes))
    return Shape(lanes, groups, -(-n_simulations // (lanes * groups)))


def run(
    plan: Plan, progress: Callable[[int, int], None] | None = None, on_device: bool = False
) -> tuple[dict, np.ndarray]:
    """Time series by name, (n_simulations, n_nodes, n_times), and whether a simulation left its valid range.

    With `on_device` the series stay on the GPU, as CuPy arrays.

    Raises
    ------
    ValueError
        If the network is too large for the kernel.
    """
    lanes = choose_lanes(plan)
    text = kernel_source(plan, lanes, SIMULATED)
    kernel = load_kernel(kernel_name(f"{plan.model.name}_gpu", text), text).kernel
    shape = (plan.n_simulations, plan.n_nodes)
    xp = array_module() if on_device else np
    ts = {recording.name: xp.empty((*shape, recording.n_times), plan.dtype) for recording in sampled_series(plan)}
    out_of_range = np.zeros(plan.n_simulations, bool)
    whole = lanes * most_groups(plan.n_nodes)
    wave = max(1, MEMORY // (simulation_bytes(plan) * whole)) * whole
    for begin in range(0, plan.n_simulations, wave):
        end = min(begin + wave, plan.n_simulations)
        out_of_range[begin:end] = run_wave(plan, kernel, begin, end, ts, progress)
    return ts, out_of_range


def simulation_bytes(plan: Plan) -> int:
    """Bytes of device memory for one simulation, without what it records."""
    numbers = plan.n_nodes * (len(carried_blocks(plan)) + len(filter_blocks(plan)) + len(make_layout(plan).slow))
    if plan.delays:
        numbers += plan.n_nodes * len(plan.model.sends) * (plan.delays.longest + 2)
        numbers += most_delayed_inputs(plan.delays) * padded_nodes(plan.n_nodes) * (len(plan.delays.speed) > 1)
    return numbers * np.dtype(plan.dtype).itemsize


def run_wave(
    plan: Plan, kernel: Any, begin: int, end: int, ts: dict[str, Any], progress: Callable | None
) -> np.ndarray:
    """Simulations begin to end in launches over their steps."""
    xp, n, sampled = array_module(), end - begin, sampled_series(plan)
    shape = shape_of(plan, n)
    values = kernel_arguments(plan, begin, end, shape)
    most = max(1, MEMORY // 4 // (n * plan.n_nodes * np.dtype(plan.dtype).itemsize * len(sampled)))
    first, size = 0, FIRST_STEPS
    while first < plan.n_steps:
        last = min(first + min(size, most), plan.n_steps)
        spans = [tuple(n_samples(plan, recording, step) for step in (first, last)) for recording in sampled]
        out = [xp.empty((max(b - a, 1), n, plan.n_nodes), plan.dtype) for a, b in spans]
        values |= {
            "first": first,
            "last": last,
            "begins": tuple(a for a, _ in spans),
            "ends": tuple(b for _, b in spans),
        }
        values |= {f"out_{k}": flat.reshape(-1) for k, flat in enumerate(out)}
        start = time.monotonic()
        launch_kernel(plan, kernel, shape, [values[name] for name in argument_names(plan)])
        for recording, (a, b), samples in zip(sampled, spans, out, strict=True):
            values_of = xp.moveaxis(samples[: b - a], 0, 2)
            to = ts[recording.name]
            to[begin:end, :, a:b] = host(xp.ascontiguousarray(values_of)) if isinstance(to, np.ndarray) else values_of
        size = max(1, int((last - first) * min(SECONDS / max(time.monotonic() - start, 1e-3), 4)))
        first = last
        if progress:
            progress(begin + n * first // plan.n_steps, plan.n_simulations)
    return host(values["out_of_range"])[:n].astype(bool)


def n_samples(plan: Plan, recording: Recording, step: int) -> int:
    """Samples of a recording that are known after so many steps; a filtered one waits for its filter's second half."""
    late = SPAN // 2 * recording.every if recording.taps is not None else 0
    return min(max(step - plan.n_transient - late, 0) // recording.every, recording.n_times)


def launch_kernel(plan: Plan, kernel: Any, shape: Shape, values: list[Any]) -> None:
    """One launch, waited for."""
    from numba import cuda

    size = shared_size(plan, shape.lanes, shape.groups)
    kernel[(shape.blocks, 1), (plan.n_nodes, shape.groups), 0, size](*values)
    cuda.synchronize()


def kernel_arguments(plan: Plan, begin: int, end: int, shape: Shape) -> dict[str, Any]:
    """Arguments of the kernel for simulations begin to end, but those of a launch."""
    xp, dtype, kinds = array_module(), plan.dtype, make_layout(plan)
    slow = [dtype(value) for observer in plan.observers for value in observer.parameters]
    rows = {name: values[begin:end] if len(values) > 1 else values for name, values in plan.parameters.items()}
    lanes = [np.broadcast_to(rows[name], (end - begin, 1)) for name in kinds.lanes]
    values = {
        "n_simulations": end - begin,
        "first_simulation": plan.start + begin,
        "seed_low": np.uint32(plan.seed & 0xFFFFFFFF),
        "seed_high": np.uint32(plan.seed >> 32),
        "stream": 65536 * plan.stream,
        "n_transient": plan.n_transient,
        "dt": dtype(plan.dt),
        "every": tuple(recording.every for recording in sampled_series(plan)),
        "fixed": tuple(dtype(plan.parameters[name][0, 0]) for name in kinds.scalars) or (dtype(0),),
        "slow_fixed": tuple(slow) or (dtype(0),),
        "slow_step": tuple(observer.step for observer in plan.observers) or (1,),
        "matrix": table_by_source(plan.coupling, dtype),
        "lane_values": np.array(lanes or [0], dtype).reshape(-1),
        "state": initial_block(plan, begin, end, shape),
        "haemo": resting_observers(plan, shape),
        "out_of_range": np.zeros(shape.padded, np.uint8),
    }
    for name in parameters_by_node(plan):
        own = np.broadcast_to(rows[name], (len(rows[name]), plan.n_nodes))
        values[f"values_{name}"] = own.astype(dtype).reshape(-1)
        values[f"stride_{name}"] = plan.n_nodes if len(own) > 1 else 0
    values |= delay_arguments(plan, begin, end, shape) if plan.delays else {}
    values |= {"courses": np.array([stimulus.course for stimulus in plan.stimuli], dtype)} if plan.stimuli else {}
    values |= (
        {"fir": np.zeros(len(filter_blocks(plan)) * shape.padded * plan.n_nodes, dtype)} if filter_blocks(plan) else {}
    )
    taps = {f"taps_{k}": recording.taps for k, recording in enumerate(plan.recordings) if recording.taps is not None}
    values |= {name: coefficients.astype(dtype) for name, coefficients in taps.items()}
    return {name: xp.asarray(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}


def initial_block(plan: Plan, begin: int, end: int, shape: Shape) -> np.ndarray:
    """What the first launch takes up: initial states, stimuli, zero sums; flat (blocks of a node, simulation, node)."""
    state = np.zeros((len(carried_blocks(plan)), shape.padded, plan.n_nodes), plan.dtype)
    chosen = np.minimum(np.arange(shape.padded), end - begin - 1)
    state[: len(plan.model.states)] = np.moveaxis(plan.initial(begin, end)[chosen], 1, 0)
    for k, stimulus in enumerate(plan.stimuli):
        amplitude = stimulus.amplitude[begin:end][chosen] if len(stimulus.amplitude) > 1 else stimulus.amplitude
        state[carried_blocks(plan).index(f"a_{k}")] = amplitude
    return state.reshape(-1)


def resting_observers(plan: Plan, shape: Shape) -> np.ndarray:
    """Observation models at rest, flat (block, simulation, node)."""
    begin = np.zeros(max(len(make_layout(plan).slow), 1), plan.dtype)
    for k, observer in enumerate(plan.observers):
        for name, state in observer.model.states.items():
            begin[make_layout(plan).slow.index(f"b{k}_{name}")] = state.initial[0]
    return np.repeat(begin, shape.padded * plan.n_nodes if plan.observers else 1)


def table_by_source(matrix: np.ndarray, dtype: type) -> np.ndarray:
    """The coupling matrix as flat (source, target), rows padded."""
    table = np.zeros((len(matrix), padded_nodes(len(matrix))), dtype)
    table[:, : len(matrix)] = matrix.T
    return table.reshape(-1)


def delay_arguments(plan: Plan, begin: int, end: int, shape: Shape) -> dict[str, Any]:
    """Connections by target, and room for what was sent."""
    delays, dtype, n_nodes = plan.delays, plan.dtype, plan.n_nodes
    chosen = np.arange(begin, end if len(delays.speed) > 1 else begin + 1)
    n_slots = delays.longest + 2  # a thread may write the next step's slot while another reads the oldest
    target, source = np.nonzero(delays.instantaneous)
    late, now = Table(delays.target, n_nodes), Table(target, n_nodes)
    ring = array_module().zeros(shape.padded * n_nodes * len(plan.model.sends) * n_slots, dtype)
    return {
        "n_slots": n_slots,
        "ring": ring,
        "n_delayed": late.count,
        "delayed_source": late.fill(delays.source, np.int32).reshape(-1),
        "delayed_weight": late.fill(delays.weight, dtype).reshape(-1),
        "delayed_steps": late.fill(delays.steps(chosen), np.int32).reshape(-1),
        "n_direct": now.count,
        "direct_source": now.fill(source, np.int32).reshape(-1),
        "direct_weight": now.fill(delays.instantaneous[target, source], dtype).reshape(-1),
    }


class Table:
    """Connections by target: the e-th of node i lies at (e, i) of a table whose rows are padded."""

    def __init__(self, target: np.ndarray, n_nodes: int) -> None:
        self.target, self.width = target, padded_nodes(n_nodes)
        self.count = np.bincount(target, minlength=n_nodes).astype(np.int32)
        order = np.argsort(target, kind="stable")
        self.row = np.empty(len(target), np.int64)
        self.row[order] = np.arange(len(target)) - (np.cumsum(self.count) - self.count)[target[order]]

    def fill(self, values: np.ndarray, dtype: type) -> np.ndarray:
        """`values` (..., connections) as tables (..., row, padded target)."""
        table = np.zeros((*values.shape[:-1], max(int(self.count.max()), 1), self.width), dtype)
        table[..., self.row, self.target] = values
        return table
