"""The critical coupling of a network: where the fixed point that it has without coupling loses its stability.

The fixed point is followed as the coupling G grows. It ends where the largest real part of the Jacobian's eigenvalues
reaches zero (saddle-node, transcritical, Hopf), or where the states jump to another branch. Where a node sends one
variable, an eigenvalue of zero is an eigenvalue one of the static loop, -C A^-1 B M, which is as small as the network;
the whole Jacobian is asked once, whether an oscillation came before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.engine.fixed_point import STEP, fixed_point, full_jacobian, local_derivatives
from vbiflow.engine.plan import coupling_matrix
from vbiflow.models import Model

TOLERANCE = 1e-6
"""Relative width of the bracket of the critical coupling."""
JUMP = 3.0
"""Up to a saddle-node the states change by at most twice what their slope foretells; beyond this they have jumped."""
NEAR = 0.05
"""How far from zero, of one, the margin may be where the states jump; farther off, the branch goes on."""
ROUNDING = 1e-9
"""Change of the margin below which it may be rounding: from that, a first step would be 1e14 long."""
DOUBLINGS = 40
Array = np.ndarray


@dataclass(frozen=True)
class Point:
    """States (n_nodes,) of a fixed point at coupling G, their slopes by G (n_nodes, n_states), and its margin: below
    zero it is stable, -1 is the margin of uncoupled nodes, where they send one variable.
    """

    G: float
    y: tuple[Array, ...]
    slope: Array | None
    margin: float


class Branch:
    """The fixed points of a network by its coupling.

    `parameters(G)` gives the model's parameters and, if they are known, the states of the fixed point by name.
    """

    def __init__(
        self, model: Model, weights: Array, parameters: Callable[[float], tuple[Any, dict[str, Array]]]
    ) -> None:
        self.model, self.parameters = model, parameters
        self.matrix = coupling_matrix(model, weights)
        self.static = len(model.sends) == 1
        self.last: Point | None = None

    def at(self, G: float, follow: bool = True) -> tuple[Point, str]:
        """The fixed point at G, and why there is none on this branch."""
        p, known = self.parameters(G)
        if known.keys() == self.model.states.keys():
            y, reason = tuple(known[name] for name in self.model.states), ""
        else:
            start = self.last.y if self.last else self.middle()
            y, reason = fixed_point(self.model, self.matrix, p, start, near=self.last is not None)
        with np.errstate(all="ignore"):
            _, *parts = local_derivatives(self.model, self.matrix, p, y)
        if reason or not all(np.isfinite(part).all() for part in parts):
            return Point(G, y, None, np.inf), reason or "no fixed point was found"
        point = Point(G, y, None if known else self.slope(p, y, parts), self.margin(*parts))
        if follow and self.last is not None and self.jumped(point):
            return point, "the fixed point ends before"
        return point, ""

    def middle(self) -> tuple[Array, ...]:
        """The middle of the states' initial ranges."""
        return tuple(np.full(len(self.matrix), sum(state.initial) / 2) for state in self.model.states.values())

    def slope(self, p: Any, y: tuple[Array, ...], parts: list[Array]) -> Array:
        """Derivatives of the fixed point's states by G, (n_nodes, n_states)."""
        name, n_nodes = self.model.strength, len(self.matrix)
        moved = p._replace(**{name: getattr(p, name) + 1j * STEP})
        states = self.model.y(*y)
        c = self.model.c(*(self.matrix @ np.broadcast_to(s, n_nodes) for s in self.model.send(states, p)))
        change = [np.broadcast_to(np.imag(d), n_nodes) / STEP for d in self.model.dfun(states, c, moved)]
        try:
            return -np.linalg.solve(full_jacobian(*parts, self.matrix), np.array(change).T.reshape(-1)).reshape(
                n_nodes, -1
            )
        except np.linalg.LinAlgError:
            return np.full((n_nodes, len(y)), np.inf)

    def margin(self, local: Array, inputs: Array, sends: Array) -> float:
        """Below zero where the fixed point is stable, but for oscillations if it is static."""
        alone = float(np.linalg.eigvals(local).real.max())
        if not self.static:
            return self.growth(local, inputs, sends) / max(abs(alone), 1e-300)
        if alone >= 0:
            return np.inf
        gain = self.gain(local, inputs, sends)
        if self.symmetric(gain):
            root = np.sqrt(gain)
            return float(np.linalg.eigvalsh(root[:, None] * self.matrix * root).max()) - 1
        return float(np.linalg.eigvals(gain[:, None] * self.matrix).real.max()) - 1

    def gain(self, local: Array, inputs: Array, sends: Array) -> Array:
        """-C A^-1 B (n_nodes,): what a node sends for each unit of a constant input."""
        return -np.einsum("is,ist,it->i", sends[:, 0], np.linalg.inv(local), inputs[:, :, 0])

    def symmetric(self, gain: Array) -> bool:
        """Whether the static loop is symmetric but for scales of the nodes, so that its eigenvalues are real."""
        return bool((gain > 0).all()) and np.allclose(self.matrix, self.matrix.T)

    def growth(self, local: Array, inputs: Array, sends: Array) -> float:
        """Largest real part of the Jacobian's eigenvalues [1/ms]."""
        return float(np.linalg.eigvals(full_jacobian(local, inputs, sends, self.matrix)).real.max())

    def oscillates(self, G: float) -> bool:
        """Whether the fixed point at G is unstable by the whole Jacobian."""
        p, known = self.parameters(G)
        y = tuple(known[name] for name in self.model.states) if known else self.at(G)[0].y
        parts = local_derivatives(self.model, self.matrix, p, y)[1:]
        if len(self.model.states) == 1 and self.symmetric(self.gain(*parts)):
            return False  # the Jacobian's eigenvalues are real too
        return self.growth(*parts) > 0

    def jumped(self, point: Point) -> bool:
        """Whether the states changed by more than their slope at the last point foretells."""
        if self.last.slope is None:
            return False
        foretold = np.abs(self.last.slope).max() * abs(point.G - self.last.G)
        changed = max(np.abs(a - b).max() for a, b in zip(point.y, self.last.y, strict=True))
        return bool(changed > JUMP * foretold + 1e-9)


def critical_coupling(branch: Branch, nominal: float) -> tuple[float, str]:
    """The critical coupling, and a reason where there is none; `nominal` is a coupling of the usual size."""
    low, reason = branch.at(0.0, follow=False)
    if reason or low.margin >= 0:
        return 0.0, f"no critical coupling: without coupling {reason or 'the fixed point is unstable'}"
    branch.last = low
    size, ended = first_step(branch, low, 1e-3 * nominal), 0.0
    for _ in range(DOUBLINGS):
        upper = low.G + size
        point, lost = branch.at(upper)
        if not lost and point.margin < 0:
            branch.last = low = point
            size *= 1.5
            continue
        low, end, margin = narrow_bracket(branch, low, upper, np.inf if lost else point.margin)
        if margin < np.inf or low.margin > -NEAR or end < ended * (1 + 2e-3):
            return last_before_oscillation(branch, (low.G + end) / 2)
        size, ended = 1e-3 * end, end  # it may be a steep part of the same branch
    return 0.0, f"no critical coupling: the fixed point is stable up to {branch.model.strength} {low.G:.3g}"


def first_step(branch: Branch, low: Point, small: float) -> float:
    """A third of the coupling at which the margin would vanish, were it linear."""
    point, lost = branch.at(small)
    rise = point.margin - low.margin
    if lost or not np.isfinite(rise) or rise <= ROUNDING:
        return 100 * small
    return -low.margin / rise * small / 3


def narrow_bracket(branch: Branch, low: Point, upper: float, margin: float) -> tuple[Point, float, float]:
    """The bracket of the end of stability narrowed by the secant, or by halves where the states jump."""
    weight = 1.0
    while upper - low.G > TOLERANCE * upper:
        at = 0.5 if not np.isfinite(margin) else low.margin * weight / (low.margin * weight - margin)
        G = low.G + (upper - low.G) * min(max(at, 1e-3), 1 - 1e-3)
        point, lost = branch.at(G)
        if not lost and point.margin < 0:
            branch.last = low = point
            margin, weight = margin / 2 if np.isfinite(margin) else margin, 1.0
        else:
            upper, margin, weight = G, np.inf if lost else point.margin, weight / 2
        if abs(point.margin) < 1e-9:
            return point, G, 0.0
    return low, upper, margin


def last_before_oscillation(branch: Branch, G: float) -> tuple[float, str]:
    """G, or where the network begins to oscillate before it."""
    below = G * (1 - 10 * TOLERANCE)
    if not branch.static or not branch.oscillates(below):
        return G, ""
    low, high = 0.0, below
    branch.last = None
    while high - low > TOLERANCE * high:
        middle = (low + high) / 2
        low, high = (low, middle) if branch.oscillates(middle) else (middle, high)
    return (low + high) / 2, ""
