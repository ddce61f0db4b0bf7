"""Write the lines of a CPU kernel that take a step: loops over nodes and lanes, coupling, integrator, noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vbiflow.engine import delayed
from vbiflow.engine.layout import make_layout, noise_blocks
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan
from vbiflow.engine.product import ROWS
from vbiflow.models.model import Model

Body = Callable[[], None]


class StepWriter:
    """Lines of a kernel's body, and the step of its model among them."""

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
