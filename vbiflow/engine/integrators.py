"""Integration schemes for the readable reference; the kernels' source follows the same three.

Noise is additive in the sense that its increment, sigma sqrt(dt) N(0, 1), is drawn before the step; Heun uses the same
increment in predictor and corrector (Stratonovich). `derivatives` takes states and whether they are those of the step's
end (1) or begin (0). `bound` keeps states inside their bounds after every stage. `implicit(h, e, y, end)` is
(1 - h J)^-1 e with the Jacobian J of each node alone at the states y (differentiate.py).

References: Kloeden & Platen 1992, doi:10.1007/978-3-662-12616-5; for the semi-implicit scheme, Hairer & Wanner 1996,
doi:10.1007/978-3-642-05221-7
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

States = tuple[Any, ...]
Derivatives = Callable[[States, int], States]


def euler(derivatives: Derivatives, y: States, dt: float, noise: States, bound: Callable[[States], States]) -> States:
    """Euler-Maruyama: y + dt f(y) + noise."""
    k = derivatives(y, 0)
    return bound(tuple(y + dt * k + z for y, k, z in zip(y, k, noise, strict=True)))


def heun(derivatives: Derivatives, y: States, dt: float, noise: States, bound: Callable[[States], States]) -> States:
    """Heun: y + dt (f(y) + f(y + dt f(y) + noise)) / 2 + noise."""
    k = derivatives(y, 0)
    half = derivatives(euler(lambda *_: k, y, dt, noise, bound), 1)
    return bound(tuple(y + dt / 2 * (k + h) + z for y, k, h, z in zip(y, k, half, noise, strict=True)))


def semi_implicit(
    derivatives: Derivatives,
    y: States,
    dt: float,
    noise: States,
    bound: Callable[[States], States],
    implicit: Callable[[float, States, States, int], States],
) -> States:
    """The trapezoidal rule y1 = y + dt (f(y) + f(y1)) / 2 + noise by two of Newton's steps with the Jacobian at y.

    The first starts at y, before the noise, the second where it has led: as many couplings as Heun's, of second order
    too, and stable for linear equations at any dt.
    """
    k = derivatives(y, 0)
    step = implicit(dt / 2, tuple(dt * k for k in k), y, 0)
    trial = bound(tuple(y + s + z for y, s, z in zip(y, step, noise, strict=True)))
    half = derivatives(trial, 1)
    missing = tuple(y + dt / 2 * (k + h) + z - t for y, k, h, z, t in zip(y, k, half, noise, trial, strict=True))
    return bound(tuple(t + s for t, s in zip(trial, implicit(dt / 2, missing, y, 1), strict=True)))


INTEGRATORS = {"euler": euler, "heun": heun, "semi_implicit": semi_implicit}
REFLECTS = ("semi_implicit",)
"""Schemes in which states are reflected at their bounds; a clipped one lies on its bound too often at long steps."""
