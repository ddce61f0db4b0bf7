"""From noise to samples z, for each kind of density estimator: the same noise gives the same samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

ROWS = 16384
STEPS = 20


def mdn_samples(network: nn.Module, noise: Tensor, x: Tensor) -> Tensor:
    """Samples z (m, n, p) of a Gaussian mixture from noise (m, n, p + 1), whose last column picks the component."""
    mixture = network.net.get_mixture_components(network._embedding_net(x))
    share = torch.softmax(mixture.logits, -1).cumsum(-1)
    component = torch.searchsorted(share, torch.special.ndtr(noise[..., -1]).contiguous()).clamp(
        max=share.shape[-1] - 1
    )
    precisions = mixture.precisions
    factor = torch.linalg.cholesky(torch.linalg.inv(precisions.double())).to(noise.dtype)
    rows = torch.arange(len(x), device=x.device)[:, None]
    return mixture.means[rows, component] + torch.einsum("mnij,mnj->mni", factor[rows, component], noise[..., :-1])


def neural_flow_samples(network: nn.Module, noise: Tensor, x: Tensor) -> Tensor:
    """Samples z (m, n, p) from noise (m, n, p + 1) along dz/dt = v(z, t; x) from t = 1 to 0 (midpoint rule)."""
    flat = noise[..., :-1].reshape(-1, noise.shape[-1] - 1)
    context = network._embedding_net(x)
    out = torch.empty_like(flat)
    for start in range(0, len(flat), ROWS):
        rows = torch.arange(start, min(start + ROWS, len(flat)), device=noise.device)
        z, embedded = flat[rows], context[rows // noise.shape[1]]
        for step in range(STEPS):
            t, dt = 1 - step / STEPS, 1 / STEPS
            middle = z - 0.5 * dt * velocity(network, z, embedded, t)
            z = z - dt * velocity(network, middle, embedded, t - 0.5 * dt)
        out[rows] = z
    return out.view(*noise.shape[:2], -1)


def flow_density(network: nn.Module, z: Tensor, x: Tensor) -> Tensor:
    """log q(z | x) (n,): log N(z(1)) plus the integral of the divergence of v over t from 0 to 1."""
    embedded = network._embedding_net(x)
    total = z.new_zeros(len(z))
    for step in range(STEPS):
        t, dt = step / STEPS, 1 / STEPS
        middle = z + 0.5 * dt * velocity(network, z, embedded, t)
        total = total + dt * divergence(network, middle, embedded, t + 0.5 * dt)
        z = z + dt * velocity(network, middle, embedded, t + 0.5 * dt)
    return total - 0.5 * (z**2).sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


def velocity(network: nn.Module, z: Tensor, embedded: Tensor, t: float) -> Tensor:
    """v(z, t; x) with the Gaussian baseline, for x embedded already."""
    time = z.new_full(z.shape[:-1], t)
    mean, sd = network._get_time_dependent_stats(time)
    _, scale = network._get_velocity_normalization()
    return network._compute_velocity_baseline(z, time) + scale * network.net((z - mean) / sd, embedded, time)


def divergence(network: nn.Module, z: Tensor, embedded: Tensor, t: float) -> Tensor:
    """Trace of dv/dz (n,), one derivative a parameter."""
    onward = torch.is_grad_enabled()
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_()
        field = velocity(network, z, embedded, t)
        columns = [
            torch.autograd.grad(field[:, k].sum(), z, retain_graph=True, create_graph=onward)[0][:, k]
            for k in range(z.shape[-1])
        ]
    return torch.stack(columns).sum(0)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the notices of retirement that the libraries underneath give each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
