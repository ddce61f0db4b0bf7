"""Write the source of a CPU kernel around a model's equations: one simulation a SIMD lane, one batch of lanes a call.

All that belongs to a node lies in one flat workspace, in blocks of lanes at offsets known to the compiler: arrays of
their own would need so many run-time overlap checks that the loops stay scalar. Coupling is a matrix product over the
batch, computed for a few nodes at a time just before their step. Heun keeps y + dt/2 f(y) + noise in the place of y, so
that the corrector reads no noise and no old derivative.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from functools import partial
from types import ModuleType

import numpy as np
from numba.core.registry import cpu_target

from vbiflow.engine import delayed, float32, float64, noise, processor, product
from vbiflow.engine.antialias import SPAN
from vbiflow.engine.differentiate import implicit_source
from vbiflow.engine.plan import Plan, Recording
from vbiflow.engine.specialise import specialise
from vbiflow.engine.step_source import StepWriter
from vbiflow.models.model import Model

TILE_BYTES = 128 if "+avx512f" in cpu_target.target_context.codegen().magic_tuple()[2] else 64
"""Bytes of a tile's row: two vectors, so that a tile has eight sums and no addition waits for the one before."""
ARGUMENTS = (
    "matrix, fixed, lane_values, ws, haemo, sent, trial, scratch, simulations, seed_low, seed_high, stream, "
    "n_nodes, n_steps, n_transient, dt, every, slow_fixed, slow_step, n_valid, out_of_range"
)
DELAY_ARGUMENTS = ", edges, short, now, sizes, recent, past, sums, delayed"
CACHED = """for made in [*globals().values()]:
    if hasattr(made, "enable_caching"):
        made.enable_caching()"""
"""End of a module that many kernels import: its functions are compiled once for each type, as by njit(cache=True)."""


class Writer(StepWriter):
    """Lines of the kernel's body."""

    steps = "range(n_steps)"
    flag = "out_of_range[b] = True"

    def filter(self, k: int, recording: Recording) -> None:
        """Add a signal to the SPAN samples whose filter reaches this step; write the one that it reaches no longer."""
        name, every, slots = recording.name, f"every[{k}]", range(SPAN)
        begin, length = f"t + {SPAN // 2} * {every}", f"{SPAN} * {every}"
        self.put(f"phase = ({begin}) % ({length})")
        self.put(
            *(f"w{s} = taps_{k}[phase - {s} * {every} + ({length} if phase < {s} * {every} else 0)]" for s in slots)
        )

        def add() -> None:
            self.load("y", self.model)
            self.put(f"value = {self.call(self.model.signals[name].__name__)}")
            self.put(*(f"{self.at(f'fir_{name}_{s}')} = {self.at(f'fir_{name}_{s}')} + w{s} * value" for s in slots))

        def write() -> None:
            at = self.slot(name)
            self.block("if sample >= 0:", body=lambda: self.record(k, at))
            self.put(f"{at} = F(0)")

        def done() -> None:
            self.put(f"sample = t // {every} - {1 + SPAN // 2}", f"slot = ({begin}) // {every} % {SPAN}")
            self.over_nodes(write)

        self.block(f"if t % {every} == 0:", body=done)
        self.over_nodes(add)
        self.block(f"if t > 0 and t % {every} == 0:", body=lambda: self.over_nodes(self.check))

    def slot(self, name: str) -> str:
        """A lane of the filter's sample that number `slot` stands for."""
        return f"ws[U(o + {self.layout.nodes.index(f'fir_{name}_0') * self.lanes} + slot * {self.lanes} + b)]"

    def check(self) -> None:
        """Flag simulations out of their valid range."""
        for state, spec in self.model.states.items():
            low, high = spec.valid or (-3e38, 3e38)
            self.put(f"value = {self.at(f'y_{state}')}")
            self.put(f"if not (value >= F({low!r}) and value <= F({high!r})):", f"    {self.flag}")

    def sample(self, k: int, name: str, average: bool) -> None:
        """Write one sample of every node and simulation, and flag simulations out of their valid range."""

        def write() -> None:
            if average:
                self.put(f"value = {self.at(f'sum_{name}')} * share_{k}", f"{self.at(f'sum_{name}')} = F(0)")
            elif k >= len(self.plan.recordings):
                n = k - len(self.plan.recordings)
                observer = self.plan.observers[n]
                self.load(f"b{n}", observer.model)
                self.put(f"value = {self.slow_call(n, observer.model.signals[name].__name__)}")
            else:
                self.load("y", self.model)
                self.put(f"value = {self.call(self.model.signals[name].__name__)}")
            self.record(k)

        self.put(f"sample = t // every[{k}] - 1")
        self.over_nodes(write, self.check)

    def record(self, k: int, value: str = "value") -> None:
        """Store a sample of recording k."""
        self.put(f"if b < n_valid and sample < out_{k}.shape[2]:", f"    out_{k}[b, i, sample] = {value}")

    def slow_parameters(self, n: int) -> list[str]:
        """Parameters of the n-th observation model."""
        return [f"h{n}_{name}" for name in self.plan.observers[n].model.parameters]

    def slow_call(self, n: int, function: str, *inputs: str) -> str:
        """A function of the n-th observation model at the states y0, y1, ..."""
        states = [f"y{k}" for k in range(len(self.plan.observers[n].model.states))]
        return f"b{n}_{function}({', '.join([*states, *inputs, *self.slow_parameters(n)])})"

    def slow_step(self, n: int) -> None:
        """Heun step of the n-th observation model on the mean input; two loops, short enough for a processor to overlap
        their iterations.
        """
        model = self.plan.observers[n].model
        derivatives = self.slow_call(n, model.dfun.__name__, "x")

        def predict() -> None:
            self.put(f"x = {self.at(f'x{n}')} * slow_mean_{n}")
            self.load(f"b{n}", model)
            self.step(model, derivatives, f"slow_dt_{n}", f"b{n}", f"u{n}", lambda _: "")

        def correct() -> None:
            self.put(f"x = {self.at(f'x{n}')} * slow_mean_{n}", f"{self.at(f'x{n}')} = F(0)")
            self.load(f"u{n}", model)
            self.correct(model, derivatives, f"slow_dt_{n}", f"b{n}")

        self.over_nodes(predict, correct)

    def one_step(self) -> None:
        """One step: coupling, noise, stages, observation."""
        self.advance()
        self.courses(0)
        self.over_groups("sent", self.first_stage, self.noise if self.plan.noisy else None)
        if self.two_stages:
            self.courses(1)
            self.over_groups("trial", self.second_stage)
        else:
            self.put("sent, trial = trial, sent")
        self.put("t = step + 1 - n_transient")
        sums = [f"{self.at(f'sum_{r.name}')} = F(0)" for r in self.plan.recordings if r.average]
        if sums:
            self.block("if t == 0:", body=lambda: self.over_nodes(lambda: self.put(*sums)))
        for n in range(len(self.plan.observers)):
            self.block(f"if t % slow_step[{n}] == 0:", body=partial(self.slow_step, n))
        for k, recording in enumerate(sampled_series(self.plan)):
            if recording.taps is not None:
                self.filter(k, recording)
                continue
            sample = partial(self.sample, k, recording.name, recording.average)
            self.block(f"if t > 0 and t % every[{k}] == 0:", body=sample)

    def begin(self) -> None:
        """What follows once nodes have sent their initial state."""
        if self.plan.delays:
            self.put(f"fill({self.lanes}, sent, sizes[2], recent, past)")
            advance = partial(self.put, "advance(step, edges, short, sizes, recent, past, sums, sent, delayed)")
            self.block(f"for step in range(-{delayed.SPAN}, 0):", body=advance)

    def advance(self) -> None:
        """What a step begins with."""
        if self.plan.delays:
            self.put("advance(step, edges, short, sizes, recent, past, sums, sent, delayed)")

    def body(self) -> None:
        """Scalars into locals, what nodes send at the start, the loop over steps."""
        self.put(*(f"p_{name} = fixed[{k}]" for k, name in enumerate(self.layout.scalars)))
        for m, k in enumerate(self.model.noisy if self.plan.noisy else ()):
            self.put(f"scale_{m} = F({list(self.model.states.values())[k].noise!r}) * sqrt(dt)")
        # a division in the lane loop may round differently in its vector and scalar versions
        self.put(*(f"share_{k} = F(1) / F(every[{k}])" for k in range(len(self.plan.recordings))))
        slow = [name for n in range(len(self.plan.observers)) for name in self.slow_parameters(n)]
        self.put(*(f"{name} = slow_fixed[{k}]" for k, name in enumerate(slow)))
        for n in range(len(self.plan.observers)):
            self.put(f"slow_mean_{n}, slow_dt_{n} = F(1) / F(slow_step[{n}]), F(slow_step[{n}]) * dt")

        def start() -> None:
            self.load("y", self.model)
            self.send("sent")

        self.over_nodes(start)
        self.begin()
        self.block(f"for step in {self.steps}:", body=self.one_step)


def sampled_series(plan: Plan) -> list[Recording]:
    """What is sampled, observation models last."""
    return [*plan.recordings, *(Recording(o.name, o.every, False, o.n_times, o.fs) for o in plan.observers)]


def module_texts(plan: Plan, lanes: int) -> dict[str, str]:
    """Texts of modules by name: those that many kernels share, so that they are compiled once, and last the one whose
    `kernel` simulates one batch. Names hold the hash of the text, which imports the modules before it.
    """
    single = plan.dtype is np.float32
    found: dict[str, str] = {}

    def add(label: str, *parts: str) -> None:
        text = "\n\n\n".join([*(f"from {name} import *" for name in found), *parts]) + "\n"
        found[kernel_name(label, text)] = text

    elementary = inspect.getsource(float32 if single else float64)
    add("float32" if single else "float64", elementary, without_import(noise), CACHED)
    if plan.delays:
        add("delayed", delayed_source(plan, lanes), CACHED)
    add(plan.model.name, *kernel_source(plan, lanes))
    return found


def kernel_name(label: str, text: str) -> str:
    """Name of a module by its content."""
    return f"vbiflow_kernel_{label}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def kernel_source(plan: Plan, lanes: int) -> list[str]:
    """Parts of the text of the kernel's module."""
    writer = Writer(plan, lanes)
    writer.body()
    tile = min(lanes, TILE_BYTES // np.dtype(plan.dtype).itemsize)
    outputs = "".join(f", out_{k}" for k in range(len(sampled_series(plan))))
    extras = (DELAY_ARGUMENTS if plan.delays else "") + (", courses" if plan.stimuli else "")
    extras += "".join(f", taps_{k}" for k, recording in enumerate(plan.recordings) if recording.taps is not None)
    return [
        inspect.getsource(product),
        inspect.getsource(processor),
        f"U, WIDTH = np.uintp, {tile}",
        *equations_text(plan),
        '@njit(nogil=True, cache=True, fastmath=FLAGS, error_model="numpy")\n'
        + "\n    ".join([f"def kernel({ARGUMENTS}{extras}{outputs}):", "before = begin_batch()\n"])
        + "\n".join([*writer.lines, "    end_batch(before)"]),
    ]


def equations_text(plan: Plan) -> list[str]:
    """Text of the model's functions, and of the observation models'."""
    model = plan.model
    signals = [model.signals[recording.name] for recording in plan.recordings]
    signals += [model.signals[observer.input] for observer in plan.observers]
    functions = [specialise((model.send, model.dfun, *signals), "m", field_names(model))]
    if plan.integrator == "semi_implicit":
        functions.append(implicit_source(model.dfun, field_names(model)))
    for n, observer in enumerate(plan.observers):
        slow = observer.model
        functions.append(specialise((slow.dfun, slow.signals[observer.name]), f"b{n}", field_names(slow)))
    return functions


def delayed_source(plan: Plan, lanes: int) -> str:
    """Text of delayed.py for this plan."""
    sizes = f"SENDS, LANES = {len(plan.model.sends)}, {lanes}"
    return without_import(delayed).replace("SENDS, LANES = 1, 32", sizes)


def without_import(module: ModuleType) -> str:
    """Text of a module less what it imports from float32.py; it stands after that or after float64.py."""
    return re.sub(r"from vbiflow.engine.float32 import .*\n", "", inspect.getsource(module))


def field_names(model: Model) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Fields of y, c and p."""
    return ("y", tuple(model.states)), ("c", model.sends), ("p", tuple(model.parameters))
