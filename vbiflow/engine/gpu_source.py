"""Write the source of a GPU kernel around a model's equations: one thread a node and a few simulations (lanes).

Reasons, for an A100 or H100 and 80 to 400 nodes:

- A node's own state (with Heun's trial states, running sums, parameters of its own) is the thread's own for the whole
  time loop: arrays of lanes that the compiler keeps in registers, or in the L1 cache beside shared memory. Shared
  memory holds only what threads exchange: what nodes send, twice, and the normals; 5 kB for 84 nodes and one sent
  variable, so that it never limits how many blocks a multiprocessor holds, and leaves the rest to the cache.
- The coupling is a product: a thread takes the row of its node for all its lanes, so that a weight, read coalesced
  over targets, serves four fused multiply-adds, and what a source sends is one broadcast vector of 16 bytes. The
  weights of 84 nodes lie in the L1 cache (28 kB), those of 400 in the L2 cache (640 kB; reading them is the limit).
- Normals are drawn by all threads together, since nodes share blocks of random words (philox.py), in the interval
  before the barrier that the coupling needs anyway: two barriers a step.
- Delayed: a ring in global memory, (slot, node, lane, send), so that a gather brings all that a source sent in one
  piece (32 bytes, a sector, for two variables); connections are listed by target, one after the other, coalesced over
  targets. Reading the ring is the limit.
- Sizes are literals of the source: addresses become immediate offsets.
- No fast-math: division and square root round as IEEE 754 says, and subnormal numbers stay. Contraction to fused
  multiply-adds is left to the compiler, so that bytes belong to a kind of device; the number of simulations, of blocks
  and of launches changes none, since the same code runs for all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from vbiflow.engine import float32, float64, noise, source
from vbiflow.engine.delays import Delays
from vbiflow.engine.layout import make_layout, noise_blocks
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan
from vbiflow.engine.source import Body, sampled_series

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
SOURCES = 4
"""Sources of the coupling's product in a round of its loop."""
BOTH_PRECISIONS = ("log_mantissa", "split", "sin_cos_quarter", "turn", "sin_cos", "sin", "cos", "radius", "circle")
"""Functions of float32.py and float64.py that run on a GPU as they are."""
DOUBLE = {
    "np.float32, np.int32, np.uint32, np.uint32, numba.float32": (
        "np.float64, np.int64, np.uint64, np.uint32, numba.float64"
    ),
    "libdevice.int_as_float, libdevice.float_as_int": "libdevice.longlong_as_double, libdevice.double_as_longlong",
}
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


class Writer(source.Writer):
    """Lines of the kernel's body: a node's blocks are the thread's own arrays of lanes."""

    steps = "range(first, last)"
    flag = "out_of_range[U(sim)] = 1"

    def over_lanes(self, body: Body) -> None:
        """A loop over the simulations that the thread works on."""
        self.block(f"for b in range({self.lanes}):", body=lambda: (self.put("sim = first_own + b"), body()))

    def over_nodes(self, *bodies: Body, first: str = "", last: str = "") -> None:
        """The thread's own node."""
        for body in bodies:
            self.over_lanes(body)

    def over_groups(self, sent: str, body: Body, before: Body | None = None) -> None:
        """`before`, a barrier, the node's coupling input, `body`, and what the node sends then."""
        if before:
            if self.plan.integrator == "euler":
                self.put("cuda.syncthreads()")  # the last step's normals have been read
            before()
        self.put("cuda.syncthreads()")
        self.couple(sent)
        self.over_lanes(body)
        self.store("trial" if sent == "sent" else "sent")

    def couple(self, sent: str) -> None:
        """Coupling inputs of the node, of all lanes."""
        self.put(" = ".join(f"a{k}_{lane}" for k, lane in self.accumulators) + " = F(0)")
        if self.plan.delays:
            ahead = "" if sent == "sent" else " + 1"
            self.block("for e in range(n_delayed[U(i)]):", body=partial(self.delayed_input, f"now{ahead}"))
            self.block("for e in range(n_direct[U(i)]):", body=partial(self.direct_input, sent))
        else:
            rounds, rest = divmod(self.plan.n_nodes, SOURCES)
            self.put(f"at, column = i, {sent} + group_sent")
            self.block(f"for _ in range({rounds}):", body=partial(self.product, SOURCES))
            if rest:
                self.product(rest)
        self.put(*(f"c{k}[{lane}] = a{k}_{lane}" for k, lane in self.accumulators))

    def product(self, n_sources: int) -> None:
        """The next sources, each connected to all targets; masking shows the compiler that lanes load as one vector."""
        row = padded_nodes(self.plan.n_nodes)
        self.put(f"place = U(column) & U({2**64 - self.lanes})")
        for j in range(n_sources):
            self.put(f"w = matrix[U(at + {j * row})]")
            self.accumulate(lambda k, lane, first=j * self.lanes: f"shared[place + U({first + self.offset(k, lane)})]")
        self.put(f"at += {n_sources * row}", f"column += {n_sources * self.lanes}")

    def delayed_input(self, now: str) -> None:
        """One delayed connection."""
        row, own = padded_nodes(self.plan.n_nodes), len(self.plan.delays.speed) > 1
        self.put(
            f"at = e * {row} + i", "w = delayed_weight[U(at)]", f"column = delayed_source[U(at)] * {self.own_size}"
        )
        for lane in range(self.lanes if own else 1):
            row_of = f"min(first_own + {lane}, n_simulations - 1) * {most_delayed_inputs(self.plan.delays)}"
            self.put(
                f"slot = {now} - delayed_steps[U({f'({row_of} + e) * {row} + i' if own else 'at'})]",
                "slot += n_slots if slot < 0 else 0",
                f"from_{lane} = group_ring + slot * {self.size} + column",
            )
        self.accumulate(lambda k, lane: f"ring[U(from_{lane if own else 0} + {self.ring_offset(k, lane)})]")

    def direct_input(self, sent: str) -> None:
        """One instantaneous connection."""
        self.put(f"at = e * {padded_nodes(self.plan.n_nodes)} + i", "w = direct_weight[U(at)]")
        self.put(f"column = {sent} + group_sent + direct_source[U(at)] * {self.lanes}")
        self.accumulate(lambda k, lane: f"shared[U(column + {self.offset(k, lane)})]")

    def accumulate(self, value: Callable[[int, int], str]) -> None:
        """Add what one source sends, times its weight w, to the coupling inputs."""
        self.put(*(f"a{k}_{lane} = cuda.fma(w, {value(k, lane)}, a{k}_{lane})" for k, lane in self.accumulators))

    @property
    def accumulators(self) -> list[tuple[int, int]]:
        """Variables that gather the coupling inputs: (what is sent, lane)."""
        return [(k, lane) for k in range(len(self.model.sends)) for lane in range(self.lanes)]

    @property
    def size(self) -> int:
        """Numbers that a group of lanes sends."""
        return len(self.model.sends) * self.plan.n_nodes * self.lanes

    @property
    def own_size(self) -> int:
        """Numbers that a node sends, of a group of lanes."""
        return len(self.model.sends) * self.lanes

    def ring_offset(self, k: int, lane: int) -> int:
        """Place of the k-th that a node sent, from the node's place in the ring."""
        return lane * len(self.model.sends) + k

    def offset(self, k: int, lane: int) -> int:
        """Place of the k-th that a node sends, from the node's place."""
        return k * self.plan.n_nodes * self.lanes + lane

    def at(self, name: str) -> str:
        """A lane of a node's block; the state of an observation model, rarely used, lies in global memory."""
        if name in self.layout.slow and name.startswith("b"):
            return f"haemo[U(({self.layout.slow.index(name)} * n_lanes + sim) * {self.plan.n_nodes} + i)]"
        if name in self.filters:
            return f"fir[U(({self.filters.index(name)} * n_lanes + sim) * {self.plan.n_nodes} + i)]"
        return f"own_{name}[U(b)]"

    def parameter(self, name: str) -> str:
        """A parameter of the node in one lane."""
        return f"p_{name}" if name in self.layout.scalars else f"own_p_{name}[U(b)]"

    def input(self, k: int) -> str:
        """A lane of the node's k-th coupling input."""
        return f"c{k}[U(b)]"

    def normal(self, m: int) -> str:
        """A lane of the node's m-th standard normal, in shared memory."""
        return f"shared[U(normals + {m} * normals_row + b * {nodes_drawn(self.plan)})]"

    def send(self, to: str) -> None:
        """Compute what a node sends, and keep it in the thread."""
        self.put(f"s = {self.call('send')}", *(f"s{k}[U(b)] = s[{k}]" for k in range(len(self.model.sends))))

    def store(self, to: str) -> None:
        """Let the other nodes see what this one sends."""
        self.put(
            *(f"shared[U({to} + own_sent + {self.offset(k, lane)})] = s{k}[{lane}]" for k, lane in self.accumulators)
        )

    def noise(self) -> None:
        """Draw the step's normals, a block of random words a task."""
        n_nodes = self.plan.n_nodes
        self.block(f"for task in range(g * {n_nodes} + i, n_tasks, groups * {n_nodes}):", body=self.draw)

    def draw(self) -> None:
        """One task: the normals of a block of nodes of one lane."""
        n, rows = len(self.model.noisy), noise_blocks(self.plan)
        per = block_size(n)
        self.put(f"lane, q = task // {normal_blocks(self.plan)}, task % {normal_blocks(self.plan)}")
        self.put(f"at = all_normals + lane * {nodes_drawn(self.plan)} + q * {per}")
        for word in range(rows * per // 4):
            self.put(f"n = four_normals(step, q, stream + {word}, first_lane + lane, seed_low, seed_high)")
            for slot in range(4):
                node, m = divmod(4 * word + slot, n if per > 1 else rows)
                self.put(f"shared[U(at + {m} * normals_row + {node})] = n[{slot}]")

    def record(self, k: int, value: str = "value") -> None:
        """Store a sample of recording k, if this launch records it."""
        at = f"((sample - begins[{k}]) * n_simulations + sim) * {self.plan.n_nodes} + i"
        self.put(f"if sim < n_simulations and sample < ends[{k}]:", f"    out_{k}[U({at})] = {value}")

    @property
    def filters(self) -> list[str]:
        """Blocks that hold the running sums of anti-aliasing filters."""
        return filter_blocks(self.plan)

    def slot(self, name: str) -> str:
        """A lane of the filter's sample that number `slot` stands for."""
        first = self.filters.index(f"fir_{name}_0")
        return f"fir[U((({first} + slot) * n_lanes + sim) * {self.plan.n_nodes} + i)]"

    def remember(self, slot: str) -> None:
        """Put what the node sends into the ring."""
        at = f"group_ring + {slot} * {self.size} + i * {self.own_size}"
        self.put(*(f"ring[U({at} + {self.ring_offset(k, lane)})] = s{k}[{lane}]" for k, lane in self.accumulators))

    def begin(self) -> None:
        """What follows once nodes have sent their initial state: others see it, and with delays it fills the ring."""
        self.store("sent")
        if self.plan.delays:
            self.block("if first == 0:", "for slot in range(n_slots):", body=partial(self.remember, "slot"))

    def advance(self) -> None:
        """What a step begins with: with delays, what was sent last is put into the ring."""
        if self.plan.delays:
            self.put("now = step % n_slots")
            self.remember("now")

    def load_state(self) -> None:
        """Take up what the launch before this one left; parameters that vary by simulation or node."""
        for row, name in enumerate(carried_blocks(self.plan)):
            self.put(f"own_{name}[U(b)] = {self.stored_lane(row)}")
        self.put("row = min(sim, n_simulations - 1)")
        for k, name in enumerate(self.layout.lanes):
            self.put(f"own_p_{name}[U(b)] = lane_values[U({k} * n_simulations + row)]")
        for name in parameters_by_node(self.plan):
            self.put(f"own_p_{name}[U(b)] = values_{name}[U(row * stride_{name} + i)]")

    def save_state(self) -> None:
        """Leave the state to the next launch."""
        for row, name in enumerate(carried_blocks(self.plan)):
            self.put(f"{self.stored_lane(row)} = own_{name}[U(b)]")

    def stored_lane(self, row: int) -> str:
        """A lane of a node's block between launches."""
        return f"state[U(({row} * n_lanes + sim) * {self.plan.n_nodes} + i)]"

    def body(self) -> None:
        """Who this thread is, the state that it begins with, the loop over steps, the state that it leaves."""
        lanes, size, row = self.lanes, self.size, self.lanes * nodes_drawn(self.plan)
        own = [
            *(
                f"own_{name}"
                for name in self.layout.nodes
                if name not in (*parameters_by_node(self.plan, "p_"), *self.filters)
            )
        ]
        own += [f"own_p_{name}" for name in (*self.layout.lanes, *parameters_by_node(self.plan))]
        own += [f"own_{name}" for name in self.layout.slow if name.startswith("u")]
        own += [f"{name}{k}" for name in "cs" for k in range(len(self.model.sends))]
        self.put(
            "i, g, groups = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockDim.y",
            "shared = cuda.shared.array(0, REAL, alignment=16)",
            *(f"{name} = cuda.local.array({lanes}, REAL)" for name in own),
            f"n_lanes, base = cuda.gridDim.x * groups * {lanes}, cuda.blockIdx.x * groups * {lanes}",
            f"first_own, first_lane = base + g * {lanes}, first_simulation + base",
            f"sent, trial, group_sent = 0, groups * {size}, g * {size}",
            f"own_sent, all_normals = group_sent + i * {lanes}, groups * {2 * size}",
            f"normals, normals_row = all_normals + g * {row} + i, groups * {row}",
            f"n_tasks = groups * {lanes * normal_blocks(self.plan)}",
        )
        if self.plan.delays:
            self.put(f"group_ring = (cuda.blockIdx.x * groups + g) * n_slots * {size}")
        self.over_lanes(self.load_state)
        super().body()
        self.over_lanes(self.save_state)


def text_of(function: Callable) -> str:
    """A kernel function's text, decorated for the GPU."""
    text = inspect.getsource(function.py_func)
    return "@function\n" + text[text.index("def ") :]


def function_texts(plan: Plan) -> str:
    """Elementary functions and noise in the plan's precision."""
    text = Path(__file__).with_name("gpu_functions.py").read_text(encoding="utf-8")
    if plan.dtype is np.float64:
        for single, double in DOUBLE.items():
            text = text.replace(single, double)
    module = float32 if plan.dtype is np.float32 else float64
    parts = [text_of(getattr(module, name)) for name in BOTH_PRECISIONS]
    return "\n\n\n".join([text, *parts, text_of(noise.philox), text_of(noise.four_normals)])


def kernel_source(plan: Plan, lanes: int, simulated: bool) -> str:
    """Text of a module whose `kernel` simulates blocks of simulations over some steps."""
    writer = Writer(plan, lanes)
    writer.body()
    lines = writer.lines
    if simulated:  # its arrays are aligned already
        lines = [line.replace(", alignment=16", "") for line in lines]
    head = f"@cuda.jit(**OPTIONS)\ndef kernel({', '.join(argument_names(plan))}):"
    threads = f"THREADS = {plan.n_nodes * most_groups(plan.n_nodes)}"
    text = "\n\n\n".join([threads, function_texts(plan), *source.equations_text(plan), "\n".join([head, *lines])])
    return text + "\n"
