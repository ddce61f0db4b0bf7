"""How a GPU kernel lies in memory and over threads: arguments, blocks of a node, shared memory, lanes a thread."""

from __future__ import annotations

import numpy as np

from vbiflow.engine.delays import Delays
from vbiflow.engine.layout import make_layout, noise_blocks
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan
from vbiflow.engine.source import sampled_series

SHARED_BYTES = 48 * 1024
"""Shared memory that every device grants a block."""
THREADS = 128
"""Threads of a block, unless a simulation has more nodes."""
MOST_NODES = 1024
WARP = 32
LANES = (4, 2, 1)
"""Simulations that a thread may work on, the most wanted first. Eight are 6 to 10 % faster on an H100 from 8192
simulations on; but a kernel of its own may contract other operations, and bytes must not depend on how many simulations
a call has."""
COMMON_ARGUMENTS = (
    *("first", "last", "n_simulations", "first_simulation", "seed_low", "seed_high", "stream", "n_transient", "dt"),
    *("every", "fixed", "slow_fixed", "slow_step", "begins", "ends", "matrix", "lane_values", "state", "haemo"),
    "out_of_range",
)
DELAYED = (
    *("n_slots", "ring", "n_delayed", "delayed_source", "delayed_weight", "delayed_steps"),
    *("n_direct", "direct_source", "direct_weight"),
)


def argument_names(plan: Plan) -> list[str]:
    """Arguments of the kernel."""
    own = [f"{prefix}_{name}" for name in parameters_by_node(plan) for prefix in ("values", "stride")]
    more = [
        *(DELAYED if plan.delays else ()),
        *(["courses"] if plan.stimuli else []),
        *(["fir"] if filter_blocks(plan) else []),
    ]
    more += [f"taps_{k}" for k, recording in enumerate(plan.recordings) if recording.taps is not None]
    return [*COMMON_ARGUMENTS, *own, *more, *(f"out_{k}" for k in range(len(sampled_series(plan))))]


def parameters_by_node(plan: Plan, prefix: str = "") -> list[str]:
    """Parameters that vary by node."""
    return [prefix + name for name, kind in plan.kinds.items() if kind == "node"]


def carried_blocks(plan: Plan) -> list[str]:
    """Blocks of a node that go from launch to launch."""
    return [
        name
        for name in make_layout(plan).nodes
        if name[:2] not in ("t_", "k_", "p_") and name not in filter_blocks(plan)
    ]


def filter_blocks(plan: Plan) -> list[str]:
    """Sums of the anti-alias filters, which lie in global memory."""
    return [name for name in make_layout(plan).nodes if name.startswith("fir_")]


def padded_nodes(n_nodes: int) -> int:
    """Nodes in whole warps, the length of a row in tables by target."""
    return -(-n_nodes // WARP) * WARP


def normal_blocks(plan: Plan) -> int:
    """Blocks of nodes that share random words."""
    return -(-plan.n_nodes // block_size(len(plan.model.noisy)))


def nodes_drawn(plan: Plan) -> int:
    """Nodes for which normals are drawn."""
    return normal_blocks(plan) * block_size(len(plan.model.noisy))


def most_delayed_inputs(delays: Delays) -> int:
    """Delayed connections of the node that has most."""
    return int(np.bincount(delays.target).max())


def shared_size(plan: Plan, lanes: int, groups: int) -> int:
    """Bytes of shared memory for `groups` of `lanes` simulations."""
    rows = 2 * len(plan.model.sends) * plan.n_nodes + noise_blocks(plan) * nodes_drawn(plan)
    return rows * lanes * groups * np.dtype(plan.dtype).itemsize


def most_groups(n_nodes: int) -> int:
    """Groups of lanes in a block, each a row of `n_nodes` threads."""
    return max(1, THREADS // n_nodes)


def choose_lanes(plan: Plan) -> int:
    """Simulations a thread: the most wanted number for which shared memory suffices.

    Raises
    ------
    ValueError
        If the network has more nodes than a block has threads, or does not fit.
    """
    groups = most_groups(plan.n_nodes)
    fitting = [lanes for lanes in LANES if shared_size(plan, lanes, groups) <= SHARED_BYTES]
    if plan.n_nodes > MOST_NODES or not fitting:
        raise ValueError(
            f"{plan.n_nodes} nodes of {plan.model.name} in {np.dtype(plan.dtype).name} are more than the GPU kernel "
            f"holds (at most {MOST_NODES}, and {SHARED_BYTES // 1024} kB of shared memory); use device 'cpu'"
        )
    return fitting[0]
