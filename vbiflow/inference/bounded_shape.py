"""A sinh-arcsinh distribution of a parameter between the ends of its prior."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.special import log_ndtr, ndtr, ndtri

from vbiflow.inference import residual_shape

HALF_LOG_2PI = math.log(2 * math.pi) / 2
FARTHEST_CENTRE, MOST_SKEW, MOST_LOG_D = 6.0, 5.0, 1.5
"""Limits of what a shape may be: beyond them numbers overflow."""
FARTHEST_END = 30.0
"""Deviations beyond which an end of the prior cuts nothing off."""
FARTHEST_NORMAL = 4.0
"""Deviations beyond which the tails of t are not normal, but nearly a power."""
SHARES = -700.0, -1e-12
"""Logarithms of the smallest and largest share of a distribution below a number."""
NEAREST_END = 1e-15
"""Distance of y from the ends of the prior, at least."""


def to_normal(z: Tensor, shape: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """e and the logarithm of \\|de / dz\\| of each z, for their centres m, log sizes l, skews and log d (4, ...).

    ``y = Phi(z)`` is a parameter's place in its prior, from 0 to 1. It has a sinh-arcsinh distribution about Phi(m), of
    size exp(l) where z has it, cut at 0 and 1, and tails that are heavier beyond four deviations; e is standard
    normal. A posterior that reaches the end of its prior, as of a region that is active already whatever more it
    receives, has no tail beyond: in z the widest of them would be too wide, by the tail alone.
    """
    t, below, above, mass, log_density = locate(z, shape)
    parts = (log_mass(below, t) - mass, log_mass(t, above) - mass)
    lower, upper = (torch.exp(part.clamp(*SHARES)) for part in parts)
    e = torch.where(lower < upper, ndtri(lower), -ndtri(upper))  # of two that make 1, the smaller is the more exact
    return e.to(z.dtype), (log_density + e**2 / 2 + HALF_LOG_2PI).to(z.dtype)


def log_prob(z: Tensor, shape: Iterable[Tensor]) -> Tensor:
    """The logarithm of the density of each z, for their shapes (4, ...)."""
    return locate(z, shape)[-1].to(z.dtype)


def locate(z: Tensor, shape: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """t of each z and of both ends of its prior, the logarithms of the mass between these and of the density."""
    y, own = ndtr(z.double()), in_prior(shape)
    t, volume = residual_shape.to_normal(y, own)
    t, volume = shorten(t), volume - torch.log1p(beyond_normal(t))
    below, above = ends(own)
    mass = log_mass(below, above)
    return t, below, above, mass, volume - mass - (t**2 + z.double() ** 2) / 2 - 2 * HALF_LOG_2PI


def from_normal(e: Tensor, shape: Iterable[Tensor]) -> Tensor:
    """z of each e, for their shapes (4, ...)."""
    own = in_prior(shape)
    below, above = ends(own)
    mass = torch.exp(log_mass(below, above))
    left, right = ndtr(below) + ndtr(e.double()) * mass, ndtr(-above) + ndtr(-e.double()) * mass
    t = torch.where(left < right, ndtri(left), -ndtri(right))
    y = residual_shape.from_normal(lengthen(t.clamp(-FARTHEST_END, FARTHEST_END)), own)
    return ndtri(y.clamp(NEAREST_END, 1 - NEAREST_END)).to(e.dtype)


def in_prior(shape: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """The shapes of y of those of z: centre, log size, skew and log d, in double precision."""
    centre, log_size, skew, log_d = (part.double() for part in shape)
    limited = zip((centre, skew, log_d), (FARTHEST_CENTRE, MOST_SKEW, MOST_LOG_D), strict=True)
    centre, skew, log_d = (part.clamp(-most, most) for part, most in limited)
    return ndtr(centre), log_size - centre**2 / 2 - HALF_LOG_2PI, skew, log_d


def beyond_normal(t: Tensor) -> Tensor:
    """By how much t is beyond four deviations."""
    return (t.abs() - FARTHEST_NORMAL).clamp(min=0)


def shorten(t: Tensor) -> Tensor:
    """t, of which what is beyond four deviations is taken by its logarithm: no truth is impossible."""
    beyond = beyond_normal(t)
    return torch.where(beyond > 0, torch.sign(t) * (FARTHEST_NORMAL + torch.log1p(beyond)), t)


def lengthen(t: Tensor) -> Tensor:
    """The t that `shorten` makes this."""
    beyond = beyond_normal(t)
    return t + torch.sign(t) * (torch.expm1(beyond) - beyond)


def ends(shape: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """t of y = 0 and of y = 1."""
    both = (residual_shape.before_sinh(torch.full_like(shape[0], y), shape)[1] for y in (0.0, 1.0))
    below, above = (shorten(torch.sinh(w)).clamp(-FARTHEST_END, FARTHEST_END) for w in both)
    return below, above


def log_mass(low: Tensor, high: Tensor) -> Tensor:
    """Logarithm of what of a standard normal distribution lies between two numbers, from the tail that is nearer."""
    swap = low + high > 0
    low, high = torch.where(swap, -high, low), torch.where(swap, -low, high)
    gap = (log_ndtr(low) - log_ndtr(high)).clamp(max=-1e-12)
    return log_ndtr(high) + torch.log(-torch.expm1(gap))
