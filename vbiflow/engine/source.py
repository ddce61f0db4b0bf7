"""Write the source of a CPU kernel around a model's equations: one simulation a SIMD lane, one batch of lanes a call.

All that belongs to a node lies in one flat workspace, in blocks of lanes at offsets known to the compiler: arrays of their own would
need so many run-time overlap checks that the loops stay scalar. Coupling is a matrix product over the batch, computed for a few nodes
at a time just before their step.
Heun keeps y + dt/2 f(y) + noise in the place of y, so that the corrector reads no noise and no old derivative.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vbiflow.engine import float32, float64, noise, product
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan
from vbiflow.engine.product import ROWS
from vbiflow.engine.specialise import specialise
from vbiflow.models.model import Model
from vbiflow.observation import balloon


TILE_BYTES = 64
"""Bytes of a tile's row: two vectors of AVX2."""


def kind(shape: tuple[int, ...]) -> str:
    """How a parameter varies: "scalar", "lane" (by simulation) or "node" (by node, or both)."""
    return "node" if shape[1] > 1 else "lane" if shape[0] > 1 else "scalar"


@dataclass(frozen=True)
class Layout:
    """Blocks of one node in the workspace, by name, and parameters by kind."""

    blocks: tuple[str, ...]
    scalars: tuple[str, ...]
    lanes: tuple[str, ...]


def layout(plan: Plan) -> Layout:
    """States, trial states, noise, node parameters, running sums, haemodynamics."""
    model, kinds = plan.model, {name: kind(values.shape) for name, values in plan.parameters.items()}
    blocks = [f"y_{name}" for name in model.states]
    blocks += [f"t_{name}" for name in model.states] * (plan.integrator == "heun")
    blocks += [f"z_{m}" for m in range(len(model.noisy))] * plan.noisy
    blocks += [f"p_{name}" for name, k in kinds.items() if k == "node"]
    blocks += [f"sum_{recording.name}" for recording in plan.recordings if recording.average]
    blocks += ["x", *(f"b_{name}" for name in balloon.MODEL.states)] * (plan.bold is not None)
    by_kind = {which: tuple(name for name, k in kinds.items() if k == which) for which in ("scalar", "lane")}
    return Layout(tuple(blocks), by_kind["scalar"], by_kind["lane"])


class Writer:
    """Lines of the kernel's body."""

    def __init__(self, plan: Plan, lanes: int) -> None:
        self.plan, self.model, self.lanes, self.layout = plan, plan.model, lanes, layout(plan)
        self.lines: list[str] = []
        self.indent = 1
        self.width = len(self.model.sends) * lanes
        self.stride = len(self.layout.blocks) * lanes
        self.tile_width = min(lanes, TILE_BYTES // np.dtype(plan.dtype).itemsize)

    def put(self, *lines: str) -> None:
        self.lines += ["    " * self.indent + line for line in lines]

    def block(self, *heads: str, body: Callable[[], None]) -> None:
        """`heads` one inside the other, then `body`."""
        for head in heads:
            self.put(head)
            self.indent += 1
        body()
        self.indent -= len(heads)

    def at(self, name: str) -> str:
        """A lane of a node's block in the workspace."""
        return f"ws[U(o + {self.layout.blocks.index(name) * self.lanes} + b)]"

    def parameter(self, name: str) -> str:
        if name in self.layout.scalars:
            return f"p_{name}"
        if name in self.layout.lanes:
            return f"lane_values[U({self.layout.lanes.index(name) * self.lanes} + b)]"
        return self.at(f"p_{name}")

    def call(self, function: str, states: Sequence[str], coupled: bool = False) -> str:
        inputs = [f"c[U(g + {k * self.lanes} + b)]" for k in range(len(self.model.sends))] if coupled else []
        return f"m_{function}({', '.join([*states, *inputs, *map(self.parameter, self.model.parameters)])})"

    def nodes(self, body: Callable[[], None], first: str = "0", last: str = "n_nodes") -> None:
        """A loop over nodes and lanes."""
        self.put(f"for i in range({first}, {last}):")
        self.put(f"    o = i * {self.stride}")
        self.put(f"    q = i * {self.width}")
        self.put(f"    g = (i - {first}) * {self.width}" if first != "0" else "    g = 0")
        self.indent += 1
        self.block(f"for b in range({self.lanes}):", body=body)
        self.indent -= 1

    def groups(self, sent: str, body: Callable[[], None], before: Callable[[], None] | None = None) -> None:
        """A loop over groups of nodes: their coupling input, then `before`, then `body` for each node and lane."""
        self.put(f"for first in range(0, n_nodes, {ROWS}):")
        self.indent += 1
        tile = self.tile_width
        call = f"tile(matrix, first * n_nodes, {sent}, column, {self.width}, c, column, n_nodes)"
        self.put(f"for column in range(0, {self.width}, {tile}):", f"    {call}")
        if before:
            before()
        self.nodes(body, "first", f"min(first + {ROWS}, n_nodes)")
        self.indent -= 1

    def load(self, prefix: str) -> list[str]:
        """Read the states into y0, y1, ..."""
        names = [f"y{k}" for k in range(len(self.model.states))]
        self.put(*(f"{y} = {self.at(f'{prefix}_{name}')}" for y, name in zip(names, self.model.states, strict=True)))
        return names

    def settle(self, k: int, name: str) -> None:
        """Clip y_k to its bounds, so that not-a-number passes; wrap an angle."""
        state = self.model.states[name]
        if state.bounds:
            low, high = state.bounds
            self.put(
                f"y{k} = F({low!r}) if y{k} < F({low!r}) else y{k}",
                f"y{k} = F({high!r}) if y{k} > F({high!r}) else y{k}",
            )
        if state.wrap:
            self.put(f"y{k} = y{k} - F({state.wrap!r}) * np.floor(y{k} * F({1 / state.wrap!r}))")

    def send(self, states: Sequence[str], to: str) -> None:
        self.put(f"s = {self.call('send', states)}")
        self.put(*(f"{to}[U(q + {k * self.lanes} + b)] = s[{k}]" for k in range(len(self.model.sends))))

    def noise(self) -> None:
        """Draw the normals of the group of nodes at `first`; nodes share blocks of random words as in philox.py."""
        n, per = len(self.model.noisy), block_size(len(self.model.noisy))

        def draw(shift: int) -> None:
            for word in range(-(-n * per // 4)):
                counter = f"step, first // {per} + {shift // per}, stream + {word}, seed_high"
                self.put(f"n = four_normals({counter}, simulations[b], seed_low)")
                for slot in range(4 * word, min(4 * word + 4, n * per)):
                    node, m = divmod(slot, n)
                    offset = (shift + node) * self.stride + self.layout.blocks.index(f"z_{m}") * self.lanes
                    self.put(f"ws[U(o + {offset} + b)] = n[{slot - 4 * word}]")

        self.put(f"o = first * {self.stride}")
        for shift in range(0, ROWS, per):
            self.block(f"for b in range({self.lanes}):", body=lambda shift=shift: draw(shift))

    def increment(self, k: int) -> str:
        if not self.plan.noisy or k not in self.model.noisy:
            return ""
        m = self.model.noisy.index(k)
        return f" + scale_{m} * {self.parameter('sigma')} * {self.at(f'z_{m}')}"

    def first_stage(self) -> None:
        """Euler's step, or Heun's predictor."""
        states = self.load("y")
        self.put(f"d = {self.call('dfun', states, coupled=True)}")
        for k, name in enumerate(self.model.states):
            self.put(f"z{k} = y{k}{self.increment(k)}")
            if self.plan.integrator == "heun":
                self.put(f"{self.at(f'y_{name}')} = z{k} + half * d[{k}]")
            self.put(f"y{k} = z{k} + dt * d[{k}]")
            self.settle(k, name)
            self.put(f"{self.at(f'{self.latest}_{name}')} = y{k}")
        self.send(states, "trial")
        if self.plan.integrator == "euler":
            self.observe(states)

    @property
    def latest(self) -> str:
        return "t" if self.plan.integrator == "heun" else "y"

    def corrector(self) -> None:
        states = self.load("t")
        self.put(f"d = {self.call('dfun', states, coupled=True)}")
        for k, name in enumerate(self.model.states):
            self.put(f"y{k} = {self.at(f'y_{name}')} + half * d[{k}]")
            self.settle(k, name)
            self.put(f"{self.at(f'y_{name}')} = y{k}")
        self.send(states, "sent")
        self.observe(states)

    def observe(self, states: Sequence[str]) -> None:
        """Add to the running sums."""
        for recording in self.plan.recordings:
            if recording.average:
                block = self.at(f"sum_{recording.name}")
                self.put(f"{block} = {block} + {self.call(self.model.signals[recording.name].__name__, states)}")
        if self.plan.bold:
            self.put(
                f"{self.at('x')} = {self.at('x')} + {self.call(self.model.signals['bold_input'].__name__, states)}"
            )

    def step(self) -> None:
        """One step: coupling, noise, stages, observation."""
        self.groups("sent", self.first_stage, self.noise if self.plan.noisy else None)
        if self.plan.integrator == "heun":
            self.groups("trial", self.corrector)
        else:
            self.put("sent, trial = trial, sent")
        self.put("t = step + 1 - n_transient")
        averaged = [recording for recording in self.plan.recordings if recording.average]
        if averaged:
            zero = [f"{self.at(f'sum_{recording.name}')} = F(0)" for recording in averaged]
            self.block("if t == 0:", body=lambda: self.nodes(lambda: self.put(*zero)))
        for k, recording in enumerate(self.plan.recordings):
            self.block(
                f"if t > 0 and t % every[{k}] == 0:", body=lambda k=k, r=recording: self.sample(k, r.name, r.average)
            )
        if self.plan.bold:
            self.block("if t % bold_step == 0:", body=lambda: self.nodes(self.haemodynamics))
            k = len(self.plan.recordings)
            self.block(f"if t > 0 and t % every[{k}] == 0:", body=lambda: self.sample(k, "bold", False))

    def sample(self, k: int, name: str, average: bool) -> None:
        """Write one sample of every node and simulation, and flag simulations out of their valid range."""

        def write() -> None:
            if average:
                self.put(f"value = {self.at(f'sum_{name}')} / F(every[{k}])", f"{self.at(f'sum_{name}')} = F(0)")
            elif name == "bold":
                states = [self.at(f"b_{state}") for state in balloon.MODEL.states]
                self.put(f"value = b_bold({', '.join([*states, *self.bold_parameters])})")
            else:
                self.put(f"value = {self.call(self.model.signals[name].__name__, self.load('y'))}")
            self.put("if b < n_valid and sample < " + f"out_{k}.shape[2]:", f"    out_{k}[b, i, sample] = value")

        def check() -> None:
            for state, spec in self.model.states.items():
                low, high = spec.valid or (-3e38, 3e38)
                self.put(f"value = {self.at(f'y_{state}')}")
                self.put(f"if not (value >= F({low!r}) and value <= F({high!r})):", "    strayed[b] = True")

        self.put(f"sample = t // every[{k}] - 1")
        self.nodes(write)
        self.nodes(check)

    @property
    def bold_parameters(self) -> list[str]:
        return [f"h_{name}" for name in balloon.MODEL.parameters]

    def haemodynamics(self) -> None:
        """Heun step of the haemodynamics on the mean input."""
        names = list(balloon.MODEL.states)
        self.put(f"x = {self.at('x')} * bold_mean", f"{self.at('x')} = F(0)")
        for k, name in enumerate(names):
            self.put(f"u{k} = {self.at(f'b_{name}')}", f"y{k} = u{k}")
        states, parameters = [f"y{k}" for k in range(len(names))], ", ".join(["x", *self.bold_parameters])
        clipper = Writer.__new__(Writer)
        clipper.__dict__.update(self.__dict__, model=balloon.MODEL)
        self.put(f"d = b_dfun({', '.join(states)}, {parameters})")
        for k, name in enumerate(names):
            self.put(f"y{k} = u{k} + bold_dt * d[{k}]")
            clipper.settle(k, name)
        self.put(f"e = b_dfun({', '.join(states)}, {parameters})")
        for k, name in enumerate(names):
            self.put(f"y{k} = u{k} + F(0.5) * bold_dt * (d[{k}] + e[{k}])")
            clipper.settle(k, name)
            self.put(f"{self.at(f'b_{name}')} = y{k}")

    def body(self) -> None:
        """Scalars into locals, what nodes send at the start, the loop over steps."""
        self.put(f"n_nodes, half = sent.size // {self.width}, F(0.5) * dt")
        self.put(*(f"p_{name} = fixed[{k}]" for k, name in enumerate(self.layout.scalars)))
        for m, k in enumerate(self.model.noisy if self.plan.noisy else ()):
            self.put(f"scale_{m} = F({list(self.model.states.values())[k].noise!r}) * np.sqrt(dt)")
        if self.plan.bold:
            self.put(*(f"{name} = bold_fixed[{k}]" for k, name in enumerate(self.bold_parameters)))
            self.put("bold_mean, bold_dt = F(1) / F(bold_step), F(bold_step) * dt")
        self.nodes(lambda: self.send(self.load("y"), "sent"))
        self.block("for step in range(n_steps):", body=self.step)


def source(plan: Plan, lanes: int) -> str:
    """Text of a module whose `kernel` simulates one batch."""
    writer, model = Writer(plan, lanes), plan.model
    writer.body()
    signals = [model.signals[recording.name] for recording in plan.recordings]
    signals += [model.signals["bold_input"]] if plan.bold else []
    functions = [specialise([model.send, model.dfun, *signals], "m", names(model))]
    if plan.bold:
        functions.append(specialise([balloon.dfun, balloon.bold], "b", names(balloon.MODEL)))
    outputs = [f"out_{k}" for k in range(len(plan.recordings) + (plan.bold is not None))]
    arguments = (
        "matrix, fixed, lane_values, ws, sent, trial, c, simulations, seed_low, seed_high, stream, n_steps, n_transient, dt, every, "
    )
    arguments += "bold_fixed, bold_step, n_valid, strayed, " + ", ".join(outputs)
    precision = inspect.getsource(float32 if plan.dtype is float32.F else float64)
    random = inspect.getsource(noise).replace("from vbiflow.engine.float32 import circle, radius\n", "")
    head = "\n\n".join(
        [f"U, WIDTH = np.uintp, {writer.tile_width}", *functions, '@njit(nogil=True, cache=True, fastmath=FLAGS, error_model="numpy")']
    )
    return "\n\n".join([precision, random, inspect.getsource(product), head]) + f"\ndef kernel({arguments}):\n" + "\n".join(writer.lines) + "\n"


def names(model: Model) -> dict[str, tuple[str, ...]]:
    """Fields of y, c and p."""
    return {"y": tuple(model.states), "c": model.sends, "p": tuple(model.parameters)}
