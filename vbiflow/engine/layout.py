"""Where a batch's numbers lie in the flat workspaces of a kernel."""

from __future__ import annotations

from dataclasses import dataclass

from vbiflow.engine.antialias import SPAN
from vbiflow.engine.philox import block_size
from vbiflow.engine.plan import Plan
from vbiflow.engine.product import ROWS


@dataclass(frozen=True)
class Layout:
    """Names of blocks of lanes.

    `nodes` and `slow` are a node's blocks, of the neurons and of the observation models; `scratch` a group's coupling
    input and noise; `scalars` and `lanes` the parameters that do not vary by node; `sends` indices of what nodes send.
    """

    nodes: tuple[str, ...]
    slow: tuple[str, ...]
    scratch: int
    scalars: tuple[str, ...]
    lanes: tuple[str, ...]
    sends: tuple[int, ...]


def make_layout(plan: Plan) -> Layout:
    """Blocks that this plan needs."""
    model, kinds = plan.model, plan.kinds
    nodes = [f"y_{name}" for name in model.states]
    nodes += [f"t_{name}" for name in model.states] * (plan.integrator != "euler")
    nodes += [f"k_{name}" for name in model.states] * (plan.integrator == "semi_implicit")
    nodes += [f"p_{name}" for name, k in kinds.items() if k == "node"]
    nodes += [f"sum_{recording.name}" for recording in plan.recordings if recording.average]
    nodes += [f"a_{k}" for k in range(len(plan.stimuli))]
    nodes += [f"fir_{r.name}_{slot}" for r in plan.recordings if r.taps is not None for slot in range(SPAN)]
    nodes += [f"x{k}" for k in range(len(plan.observers))]
    slow = [
        f"{prefix}{k}_{name}"
        for k, observer in enumerate(plan.observers)
        for prefix in "bu"
        for name in observer.model.states
    ]
    scalars, lanes = (tuple(name for name, k in kinds.items() if k == which) for which in ("scalar", "lane"))
    sends = active_inputs(plan)
    return Layout(tuple(nodes), tuple(slow), ROWS * (len(sends) + noise_blocks(plan)), scalars, lanes, sends)


def active_inputs(plan: Plan) -> tuple[int, ...]:
    """Indices of the coupling inputs that kernels compute: all but those whose gain is zero everywhere.

    A gain of every node or simulation, or one that a stimulus drives, may be above zero; with delays all inputs are
    computed.
    """
    driven = {stimulus.parameter for stimulus in plan.stimuli}

    def is_active(name: str) -> bool:
        gain = plan.model.gains.get(name)
        return plan.kinds.get(gain) != "scalar" or gain in driven or bool(plan.parameters[gain].any())

    return tuple(k for k, name in enumerate(plan.model.sends) if plan.delays or is_active(name))


def noise_blocks(plan: Plan) -> int:
    """Blocks of normals drawn for a node, whether used or not."""
    n = len(plan.model.noisy)
    return (-(-n * block_size(n) // 4) * 4 // block_size(n)) if plan.noisy else 0


def padded_nodes(n_nodes: int) -> int:
    """Nodes in whole groups."""
    return -(-n_nodes // ROWS) * ROWS
