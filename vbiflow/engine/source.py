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
from collections.abc import Callable
from functools import partial
from types import ModuleType

import numpy as np

from vbiflow.engine import delayed, float32, float64, noise, processor, product
from vbiflow.engine.antialias import SPAN
from vbiflow.engine.differentiate import implicit_source
from vbiflow.engine.layout import make_layout, noise_blocks
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan, Recording
from vbiflow.engine.product import ROWS
from vbiflow.engine.specialise import specialise
from vbiflow.models.model import Model

TILE_BYTES = 64
"""Bytes of a tile's row: two vectors of AVX2."""
ARGUMENTS = (
    "matrix, fixed, lane_values, ws, haemo, sent, trial, scratch, simulations, seed_low, seed_high, stream, "
    "n_nodes, n_steps, n_transient, dt, every, slow_fixed, slow_step, n_valid, out_of_range"
)
DELAY_ARGUMENTS = ", edges, short, now, sizes, recent, past, sums, delayed"
CACHED = """for made in [*globals().values()]:
    if hasattr(made, "enable_caching"):
        made.enable_caching()"""
"""End of a module that many kernels import: its functions are compiled once for each type, as by njit(cache=True)."""
Body = Callable[[], None]


class Writer:
    """Lines of the kernel's body."""

    steps = "range(n_steps)"
    flag = "out_of_range[b] = True"

    def __init__(self, plan: Plan, lanes: int) -> None:
        self.plan, self.model, self.lanes, self.layout = plan, plan.model, lanes, make_layout(plan)
        self.width = len(self.layout.sends) * lanes
        self.lines: list[str] = []
        self.indent = 1

    @property
    def two_stages(self) -> bool:
        """Whether the integrator takes a trial step before the step itself."""
        return self.plan.integrator != "euler"

    def put(self, *lines: str) -> None:
        """Append lines at the present indentation."""
        self.lines += ["    " * self.indent + line for line in lines]

    def block(self, *heads: str, body: Body) -> None:
        """`heads` one inside the other, then `body`."""
        for head in heads:
            self.put(head)
            self.indent += 1
        body()
        self.indent -= len(heads)

    def over_lanes(self, body: Body) -> None:
        """A loop over the simulations of a batch."""
        self.block(f"for b in range({self.lanes}):", body=body)

    def over_nodes(self, *bodies: Body, first: str = "0", last: str = "n_nodes") -> None:
        """A loop over nodes, and in it one over lanes for each body."""
        self.put(f"for i in range({first}, {last}):")
        self.indent += 1
        self.put(f"o, h = i * {len(self.layout.nodes) * self.lanes}, i * {len(self.layout.slow) * self.lanes}")
        self.put(f"q, g = i * {self.width}, (i - {first}) * {self.lanes}")
        for body in bodies:
            self.over_lanes(body)
        self.indent -= 1

    def couple(self, sent: str) -> None:
        """Coupling input of a group of nodes."""
        if self.plan.delays:
            position = f"step % {delayed.SPAN} + {int(sent == 'trial')}"
            last = f"min(first + {ROWS}, n_nodes)"
            self.put(f"couple(first, {last}, {position}, sizes, now, {sent}, delayed, scratch)")
            return
        call = f"tile(matrix, first * n_nodes, {sent}, column, {self.width}, scratch, column, n_nodes)"
        self.put(f"for column in range(0, {self.width}, WIDTH):", f"    {call}")

    def over_groups(self, sent: str, body: Body, before: Body | None = None) -> None:
        """A loop over groups of nodes: their coupling input, then `before`, then `body` for each node and lane."""
        self.put(f"for first in range(0, n_nodes, {ROWS}):")
        self.indent += 1
        self.couple(sent)
        if before:
            before()
        self.over_nodes(body, first="first", last=f"min(first + {ROWS}, n_nodes)")
        self.indent -= 1

    def at(self, name: str) -> str:
        """A lane of a node's block in the workspace."""
        if name in self.layout.slow:
            return f"haemo[U(h + {self.layout.slow.index(name) * self.lanes} + b)]"
        return f"ws[U(o + {self.layout.nodes.index(name) * self.lanes} + b)]"

    def parameter(self, name: str) -> str:
        """A parameter of the node in one lane."""
        if name in self.layout.scalars:
            return f"p_{name}"
        if name in self.layout.lanes:
            return f"lane_values[U({self.layout.lanes.index(name) * self.lanes} + b)]"
        return self.at(f"p_{name}")

    def call(self, function: str, coupled: bool = False) -> str:
        """A function of the model at the states y0, y1, ..."""
        states = [f"y{k}" for k in range(len(self.model.states))]
        inputs = [self.input(k) for k in range(len(self.model.sends))]
        parameters = map(self.stimulated if coupled else self.parameter, self.model.parameters)
        return f"m_{function}({', '.join([*states, *inputs * coupled, *parameters])})"

    def stimulated(self, name: str) -> str:
        """A parameter with its stimuli."""
        mine = [k for k, stimulus in enumerate(self.plan.stimuli) if stimulus.parameter == name]
        return self.parameter(name) + "".join(f" + course_{k} * {self.at(f'a_{k}')}" for k in mine)

    def courses(self, end: int) -> None:
        """The stimuli at the begin (0) or end (1) of the step."""
        self.put(*(f"course_{k} = courses[{k}, step + {end}]" for k in range(len(self.plan.stimuli))))

    def input(self, k: int) -> str:
        """A lane of the node's k-th coupling input."""
        sends = self.layout.sends
        return f"scratch[U(g * {len(sends)} + {sends.index(k) * self.lanes} + b)]" if k in sends else "F(0)"

    def load(self, prefix: str, model: Model) -> None:
        """Read the states into y0, y1, ..."""
        self.put(*(f"y{k} = {self.at(f'{prefix}_{name}')}" for k, name in enumerate(model.states)))

    def clip_and_wrap(self, k: int, name: str, model: Model, reflect: bool = False) -> None:
        """Clip y_k to its bounds, after reflecting it there, so that not-a-number passes; wrap an angle."""
        state = model.states[name]
        if state.bounds:
            low, high = state.bounds
            if reflect:
                self.put(
                    f"y{k} = F({2 * low!r}) - y{k} if y{k} < F({low!r}) else y{k}",
                    f"y{k} = F({2 * high!r}) - y{k} if y{k} > F({high!r}) else y{k}",
                )
            self.put(
                f"y{k} = F({low!r}) if y{k} < F({low!r}) else y{k}",
                f"y{k} = F({high!r}) if y{k} > F({high!r}) else y{k}",
            )
        if state.wrap:
            self.put(f"y{k} = y{k} - F({state.wrap!r}) * floor(y{k} * F({1 / state.wrap!r}))")

    def step(
        self, model: Model, derivatives: str, dt: str, keep: str, to: str, increment: Callable[[int], str]
    ) -> None:
        """A step from y0, y1, ... with noise, kept at `to`; if `to` is not `keep`, half a step without clipping is kept
        at `keep`.
        """
        self.put(f"d = {derivatives}")
        for k, name in enumerate(model.states):
            self.put(f"z = y{k}{increment(k)}")
            if to != keep:
                self.put(f"{self.at(f'{keep}_{name}')} = z + F(0.5) * {dt} * d[{k}]")
            self.put(f"y{k} = z + {dt} * d[{k}]")
            self.clip_and_wrap(k, name, model)
            self.put(f"{self.at(f'{to}_{name}')} = y{k}")

    def correct(self, model: Model, derivatives: str, dt: str, keep: str) -> None:
        """Heun's second half step, from the derivative at the trial states."""
        self.put(f"d = {derivatives}")
        for k, name in enumerate(model.states):
            self.put(f"y{k} = {self.at(f'{keep}_{name}')} + F(0.5) * {dt} * d[{k}]")
            self.clip_and_wrap(k, name, model)
            self.put(f"{self.at(f'{keep}_{name}')} = y{k}")

    def first_stage(self) -> None:
        """Euler's step, or the first of two stages."""
        self.load("y", self.model)
        derivatives = self.call("dfun", coupled=True)
        if self.plan.integrator == "semi_implicit":
            self.implicit_step(derivatives)
        else:
            self.step(self.model, derivatives, "dt", "y", "t" if self.two_stages else "y", self.increment)
        self.send("trial")
        if not self.two_stages:
            self.observe()

    def second_stage(self) -> None:
        """The second stage, from what the first has led to."""
        self.load("t", self.model)
        derivatives = self.call("dfun", coupled=True)
        if self.plan.integrator == "semi_implicit":
            self.implicit_correct(derivatives)
        else:
            self.correct(self.model, derivatives, "dt", "y")
        self.send("sent")
        self.observe()

    def implicit(self, states: str) -> str:
        """(1 - dt / 2 J)^-1 of e0, e1, ... with the Jacobian at `states`."""
        n = range(len(self.model.states))
        inputs = [self.input(k) for k in range(len(self.model.sends))]
        given = [*(f"e{k}" for k in n), *(f"{states}{k}" for k in n), *inputs]
        return f"m_implicit({', '.join(['F(0.5) * dt', *given, *map(self.stimulated, self.model.parameters)])})"

    def implicit_step(self, derivatives: str) -> None:
        """Newton's first step towards the trapezoidal rule; the old states are kept, and their half of the rule."""
        self.put(f"d = {derivatives}", *(f"e{k} = dt * d[{k}]" for k in range(len(self.model.states))))
        self.put(f"x = {self.implicit('y')}")
        for k, name in enumerate(self.model.states):
            self.put(f"z = y{k}{self.increment(k)}", f"{self.at(f'k_{name}')} = y{k}")
            self.put(f"{self.at(f'y_{name}')} = z + F(0.5) * dt * d[{k}]", f"y{k} = z + x[{k}]")
            self.clip_and_wrap(k, name, self.model, reflect=True)
            self.put(f"{self.at(f't_{name}')} = y{k}")

    def implicit_correct(self, derivatives: str) -> None:
        """Newton's second step, from the trial states, with the Jacobian at the old ones."""
        self.put(f"d = {derivatives}")
        for k, name in enumerate(self.model.states):
            self.put(f"e{k} = {self.at(f'y_{name}')} + F(0.5) * dt * d[{k}] - y{k}")
            self.put(f"old{k} = {self.at(f'k_{name}')}")
        self.put(f"x = {self.implicit('old')}")
        for k, name in enumerate(self.model.states):
            self.put(f"y{k} = y{k} + x[{k}]")
            self.clip_and_wrap(k, name, self.model, reflect=True)
            self.put(f"{self.at(f'y_{name}')} = y{k}")

    def send(self, to: str) -> None:
        """Store what a node sends; if that calls functions, in a loop of its own, whose iterations a processor can
        overlap.
        """
        if set(self.model.send.__code__.co_names) - {*self.model.states, *self.model.parameters}:
            self.indent -= 1
            self.put(f"for b in range({self.lanes}):")
            self.indent += 1
            self.load("t" if to == "trial" and self.two_stages else "y", self.model)
        self.put(f"s = {self.call('send')}")
        self.put(*(f"{to}[U(q + {n * self.lanes} + b)] = s[{k}]" for n, k in enumerate(self.layout.sends)))

    def noise(self) -> None:
        """Draw the normals of the group of nodes at `first`; nodes share blocks of random words as in philox.py."""
        n, per, blocks = len(self.model.noisy), block_size(len(self.model.noisy)), noise_blocks(self.plan)

        def draw(shift: int) -> None:
            for word in range(blocks * per // 4):
                counter = f"step, first // {per} + {shift // per}, stream + {word}, simulations[b]"
                self.put(f"n = four_normals({counter}, seed_low, seed_high)")
                for slot in range(4):
                    node, m = divmod(4 * word + slot, n if per > 1 else blocks)
                    at = ROWS * self.width + (shift + node + m * ROWS) * self.lanes
                    self.put(f"scratch[U({at} + b)] = n[{slot}]")

        for shift in range(0, ROWS, per):
            self.over_lanes(partial(draw, shift))

    def increment(self, k: int) -> str:
        """Noise increment of state k, as a summand."""
        if not self.plan.noisy or k not in self.model.noisy:
            return ""
        m = self.model.noisy.index(k)
        return f" + scale_{m} * {self.parameter('sigma')} * {self.normal(m)}"

    def normal(self, m: int) -> str:
        """A lane of the node's m-th standard normal."""
        return f"scratch[U({ROWS * (self.width + m * self.lanes)} + g + b)]"

    def observe(self) -> None:
        """Add to the running sums."""
        sums = {f"sum_{recording.name}": recording.name for recording in self.plan.recordings if recording.average}
        sums |= {f"x{k}": observer.input for k, observer in enumerate(self.plan.observers)}
        for block, name in sums.items():
            self.put(f"{self.at(block)} = {self.at(block)} + {self.call(self.model.signals[name].__name__)}")

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
