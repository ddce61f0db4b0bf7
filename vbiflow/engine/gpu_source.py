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

from collections.abc import Callable
from functools import partial

from vbiflow.engine import source
from vbiflow.engine.gpu_elementary import function_texts
from vbiflow.engine.gpu_layout import (
    argument_names,
    carried_blocks,
    filter_blocks,
    most_delayed_inputs,
    most_groups,
    nodes_drawn,
    normal_blocks,
    padded_nodes,
    parameters_by_node,
)
from vbiflow.engine.layout import noise_blocks
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan
from vbiflow.engine.step_source import Body

SOURCES = 4
"""Sources of the coupling's product in a round of its loop."""


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
