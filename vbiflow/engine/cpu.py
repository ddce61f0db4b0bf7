"""Run CPU kernels: generate, compile and cache them, split the work into batches of lanes, one thread a batch."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType
from typing import Any

import numba
import numpy as np

from vbiflow.cache import cache_folder
from vbiflow.engine.delayed import AHEAD, SOURCES, SPAN
from vbiflow.engine.layout import Layout, make_layout, padded_nodes
from vbiflow.engine.plan import Plan
from vbiflow.engine.product import ROWS
from vbiflow.engine.source import module_texts, sampled_series

LANES = 32
"""Simulations in a batch."""


@cache
def load_kernel(name: str, text: str) -> ModuleType:
    """Module of a kernel's source; its file is named by content, and never rewritten, so that compiled code beside it
    stays valid.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    path = cache_folder(f"kernels-numba-{numba.__version__}") / f"{name}.py"
    if not path.exists():
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{name}")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            os.link(part, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(part)
    if path.read_text(encoding="utf-8") != text:
        raise ValueError(f"{path}: not the kernel that its name stands for; delete it and run again")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(
    plan: Plan, threads: int = 1, progress: Callable[[int, int], None] | None = None, lanes: int = LANES
) -> tuple[dict, np.ndarray]:
    """Time series by name, (n_simulations, n_nodes, n_times), and whether a simulation left its valid range."""
    check_memory(plan, threads, lanes)
    *_, module = (load_kernel(*named) for named in module_texts(plan, lanes).items())
    shape = (plan.n_simulations, plan.n_nodes)
    ts = {recording.name: np.empty((*shape, recording.n_times), plan.dtype) for recording in sampled_series(plan)}
    out_of_range = np.zeros(plan.n_simulations, bool)
    extras = [np.array([stimulus.course for stimulus in plan.stimuli], plan.dtype)] if plan.stimuli else []
    extras += [recording.taps.astype(plan.dtype) for recording in plan.recordings if recording.taps is not None]
    lock, done = threading.Lock(), [0]

    def batch(begin: int) -> None:
        end = min(begin + lanes, plan.n_simulations)
        flags = np.zeros(lanes, bool)
        late = delay_arguments(plan, begin, end, lanes) if plan.delays else ()
        module.kernel(
            *kernel_arguments(plan, begin, end, lanes),
            flags,
            *late,
            *extras,
            *(values[begin:end] for values in ts.values()),
        )
        out_of_range[begin:end] = flags[: end - begin]
        with lock:
            done[0] += end - begin
            if progress:
                progress(done[0], plan.n_simulations)

    begins = range(0, plan.n_simulations, lanes)
    if threads == 1:
        for begin in begins:
            batch(begin)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(batch, begins))
    return ts, out_of_range


def check_memory(plan: Plan, threads: int, lanes: int) -> None:
    """What is recorded, and what the batches that run at the same time hold, against the machine's memory."""
    samples = sum(recording.n_times for recording in sampled_series(plan))
    recorded = plan.n_simulations * plan.n_nodes * samples * np.dtype(plan.dtype).itemsize
    batches, held = min(threads, -(-plan.n_simulations // lanes)), batch_bytes(plan, lanes)
    size, most = recorded + batches * held, machine_memory()
    if size > most:
        raise ValueError(
            f"{plan.n_simulations} simulations need {size / 1e9:.3g} GB of memory, {recorded / 1e9:.3g} GB for time "
            f"series and {held / 1e9:.3g} GB for each of {batches} batches at a time, more than this machine's "
            f"{most / 1e9:.3g} GB; simulate fewer at a time, sample more rarely or use fewer threads"
        )


def batch_bytes(plan: Plan, lanes: int) -> int:
    """Memory of a batch: the workspaces, and with delays the past."""
    shape = make_layout(plan)
    rows = padded_nodes(plan.n_nodes) * (len(shape.nodes) + len(shape.slow) + 2 * len(shape.sends)) + shape.scratch
    if plan.delays:
        rows += plan.n_nodes * len(shape.sends) * (3 * SPAN + 1 + length_of_past(plan.delays.longest)[2])
    return rows * lanes * np.dtype(plan.dtype).itemsize


def length_of_past(longest: int) -> tuple[int, int, int]:
    """Steps that the past holds, steps for which there is room before it is moved, and the length of its rows."""
    n_slots = -(-max(longest, SPAN) // SPAN) * SPAN
    room = -(-n_slots // (2 * SPAN)) * SPAN
    return n_slots, room, n_slots + room - SPAN


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def kernel_arguments(plan: Plan, begin: int, end: int, lanes: int) -> tuple[Any, ...]:
    """Arguments of the kernel for simulations begin to end, padded to `lanes` with copies of the last one."""
    chosen = np.minimum(np.arange(begin, begin + lanes), end - 1)
    shape, dtype, n_nodes = make_layout(plan), plan.dtype, plan.n_nodes
    sends = n_nodes * len(shape.sends)
    sent, trial, scratch = (aligned_copy(np.zeros(n * lanes), dtype) for n in (sends, sends, shape.scratch))
    return (
        coupling_tiles(plan.coupling, dtype),
        np.array([plan.parameters[name][0, 0] for name in shape.scalars], dtype),
        aligned_copy(np.array([per_simulation(plan.parameters[name], chosen)[:, 0] for name in shape.lanes]), dtype),
        *initial_workspace(plan, begin, chosen, shape),
        sent,
        trial,
        scratch,
        (plan.start + chosen).astype(np.uint32),
        np.uint32(plan.seed & 0xFFFFFFFF),
        np.uint32(plan.seed >> 32),
        65536 * plan.stream,
        n_nodes,
        plan.n_steps,
        plan.n_transient,
        dtype(plan.dt),
        np.array([recording.every for recording in sampled_series(plan)], np.int64),
        np.array([value for observer in plan.observers for value in observer.parameters], dtype),
        np.array([observer.step for observer in plan.observers], np.int64),
        end - begin,
    )


def initial_workspace(plan: Plan, begin: int, chosen: np.ndarray, shape: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Flat (n_nodes in groups, blocks, lanes) of the neurons and of the observation models; zero where nothing else is
    known.
    """
    n_nodes, lanes = plan.n_nodes, len(chosen)
    fast, slow = (
        np.zeros((padded_nodes(n_nodes), len(blocks), lanes), plan.dtype) for blocks in (shape.nodes, shape.slow)
    )
    y = plan.initial(begin, chosen[-1] + 1)[chosen - begin]
    for k, name in enumerate(plan.model.states):
        fast[:n_nodes, shape.nodes.index(f"y_{name}")] = y[:, k].T
    for k, block in enumerate(shape.nodes):
        if block.startswith("p_"):
            fast[:n_nodes, k] = per_simulation(plan.parameters[block[2:]], chosen).T
        elif block.startswith("a_"):
            fast[:n_nodes, k] = per_simulation(plan.stimuli[int(block[2:])].amplitude, chosen).T
    for k, observer in enumerate(plan.observers):
        for name, state in observer.model.states.items():
            slow[:n_nodes, shape.slow.index(f"b{k}_{name}")] = state.initial[0]
    return aligned_copy(fast, plan.dtype), aligned_copy(slow, plan.dtype)


def delay_arguments(plan: Plan, begin: int, end: int, lanes: int) -> tuple[Any, ...]:
    """Arguments of a kernel with delays: connections by group of sources, then target, and room for what was sent."""
    delays, n_nodes, n_sends, dtype = plan.delays, plan.n_nodes, len(plan.model.sends), plan.dtype
    steps = delays.steps(np.minimum(np.arange(begin, begin + lanes), end - 1))
    n_slots, room, length = length_of_past(int(steps.max()))
    row = n_sends * length

    group = delays.source // SOURCES
    order = np.lexsort((delays.source, delays.target, group))
    key, first = (group * n_nodes + delays.target)[order], np.arange(group.max() + 1)[:, None] * n_nodes
    at = (np.arange(lanes)[:, None] * n_nodes + delays.source) * row - steps
    at[steps < SPAN] = lanes * n_nodes * row - n_slots
    positions = np.append(at[:, order].reshape(-1), np.zeros(AHEAD)).astype(np.int32)
    edges = np.searchsorted(key, first + np.arange(n_nodes + 1)), delays.weight[order].astype(dtype), positions

    late = (steps < SPAN).any(0)
    shared = (steps == steps[0]).all(0)
    short = tuple(values[late] for values in (delays.target, delays.source, delays.weight.astype(dtype), shared))
    short += (np.ascontiguousarray(steps[:, late].T),)
    target, source = np.nonzero(delays.instantaneous)
    weight = delays.instantaneous[target, source].astype(dtype)
    now = np.searchsorted(target, np.arange(n_nodes + 1)), source, weight
    sent = n_nodes * n_sends * lanes
    arrays = (
        aligned_copy(np.zeros(n), dtype)
        for n in (SPAN * sent, lanes * n_nodes * row + row, SPAN * sent, (SPAN + 1) * sent)
    )
    return edges, short, now, (n_slots, room, length, n_sends, lanes), *arrays


def per_simulation(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Rows of the chosen simulations; a single row holds for all of them."""
    return values[chosen if len(values) > 1 else np.zeros_like(chosen)]


def aligned_copy(values: np.ndarray, dtype: type) -> np.ndarray:
    """A flat copy that starts at a cache line."""
    buffer = np.empty(values.size * np.dtype(dtype).itemsize + 64, np.uint8)
    offset = -buffer.ctypes.data % 64
    flat = buffer[offset : offset + values.size * np.dtype(dtype).itemsize].view(dtype)
    flat[:] = values.reshape(-1)
    return flat


def coupling_tiles(matrix: np.ndarray, dtype: type) -> np.ndarray:
    """The coupling matrix as (n_groups, source, ROWS), targets padded with zeros, flat."""
    n_nodes = len(matrix)
    rows = np.zeros((padded_nodes(n_nodes), n_nodes))
    rows[:n_nodes] = matrix
    return aligned_copy(rows.reshape(-1, ROWS, n_nodes).swapaxes(1, 2), dtype)
