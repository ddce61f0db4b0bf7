"""Integration schemes for the readable reference; the kernels' source follows the same two.

Noise is additive in the sense that its increment, sigma sqrt(dt) N(0, 1), is drawn before the step; Heun uses the same
increment in predictor and corrector (Stratonovich). `derivatives` takes states and whether they are those of the step's
end (1) or begin (0). `clip_and_wrap` keeps states inside their bounds after every stage.

Reference: Kloeden & Platen 1992, doi:10.1007/978-3-662-12616-5
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

States = tuple[Any, ...]
Derivatives = Callable[[States, int], States]


def euler(
    derivatives: Derivatives, y: States, dt: float, noise: States, clip_and_wrap: Callable[[States], States]
) -> States:
    """Euler-Maruyama: y + dt f(y) + noise."""
    k = derivatives(y, 0)
    return clip_and_wrap(tuple(y + dt * k + z for y, k, z in zip(y, k, noise, strict=True)))


def heun(
    derivatives: Derivatives, y: States, dt: float, noise: States, clip_and_wrap: Callable[[States], States]
) -> States:
    """Heun: y + dt (f(y) + f(y + dt f(y) + noise)) / 2 + noise."""
    k = derivatives(y, 0)
    half = derivatives(euler(lambda *_: k, y, dt, noise, clip_and_wrap), 1)
    return clip_and_wrap(tuple(y + dt / 2 * (k + h) + z for y, k, h, z in zip(y, k, half, noise, strict=True)))


INTEGRATORS = {"euler": euler, "heun": heun}
