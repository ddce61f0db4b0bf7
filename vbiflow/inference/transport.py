"""From noise to samples z, for each kind of density estimator: the same noise gives the same samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS = 16384
STEPS = 20


def maf_samples(network: nn.Module, noise: Tensor, x: Tensor) -> Tensor:
    """Samples z (m, n, p) of a masked autoregressive flow from noise (m, n, p + 1), for x (m, f).

    Each layer is inverted in one sweep over the parameters: hidden units are sorted by degree, so that parameter d
    needs only the units of degree d anew. This costs one pass, where inverting layer by layer costs p passes.
    """
    flow, n_samples = network.net, noise.shape[1]
    context = flow._embedding_net(x)
    layers = [Sweep(layer, context) for layer in reversed(list(pairs(flow._transform._transforms)))]
    out = torch.empty_like(noise[..., :-1])
    flat, target = noise[..., :-1].reshape(-1, out.shape[-1]), out.view(-1, out.shape[-1])
    for start in range(0, len(flat), ROWS):
        rows = torch.arange(start, min(start + ROWS, len(flat)), device=noise.device)
        z, owner = flat[rows].T.contiguous(), rows // n_samples
        for layer in layers:
            z = layer.invert(z, owner)
        target[rows] = z.T
    return out


def pairs(transforms: nn.ModuleList) -> list[tuple[nn.Module, Tensor]]:
    """The autoregressive layers of an sbi MAF, each with the permutation that follows it."""
    found = list(transforms)
    return [(layer, after._permutation) for layer, after in zip(found[::2], found[1::2], strict=True)]


class Sweep:
    """One autoregressive layer with its hidden units sorted by degree; arrays are (unit, sample)."""

    def __init__(self, pair: tuple[nn.Module, Tensor], context: Tensor) -> None:
        layer, self.permutation = pair
        net, self.epsilon = layer.autoregressive_net, layer._epsilon
        degrees = net.initial_layer.degrees
        order = torch.argsort(degrees, stable=True)
        self.ends = [int((degrees <= d).sum()) for d in range(layer.features)]
        self.activation = net.activation
        self.context = self.activation(net.context_layer(context))[:, order].T.contiguous()
        first = net.initial_layer
        self.first = (first.weight * first.mask)[order], first.bias[order, None]
        self.blocks = [
            ((b.linear.weight * b.linear.mask)[order][:, order], b.linear.bias[order, None]) for b in net.blocks
        ]
        last = net.final_layer
        self.last = (last.weight * last.mask)[:, order], last.bias[:, None]

    def invert(self, u: Tensor, owner: Tensor) -> Tensor:
        """Solve u = scale(y, x) y + shift(y, x) for y after undoing the permutation; u (p, rows)."""
        u = u[torch.argsort(self.permutation)]
        y = torch.empty_like(u)
        hidden = [u.new_empty(len(self.first[0]), u.shape[1]) for _ in range(1 + len(self.blocks))]
        begin = 0
        for d, end in enumerate(self.ends):
            if end > begin:
                self.advance(hidden, y[:d], owner, begin, end)
            weight, bias = self.last
            scale, shift = (weight[2 * d : 2 * d + 2, :end] @ hidden[-1][:end] + bias[2 * d : 2 * d + 2]).unbind(0)
            y[d] = (u[d] - shift) / (F.softplus(scale) + self.epsilon)
            begin = end
        return y

    def advance(self, hidden: list[Tensor], y: Tensor, owner: Tensor, begin: int, end: int) -> None:
        """Fill rows `begin` to `end` of every hidden layer, which depend on the parameters y known so far."""
        weight, bias = self.first
        start = weight[begin:end, : len(y)] @ y + bias[begin:end] + self.context[begin:end][:, owner]
        hidden[0][begin:end] = self.activation(start)
        for index, (weight, bias) in enumerate(self.blocks):
            hidden[index + 1][begin:end] = self.activation(
                weight[begin:end, :end] @ hidden[index][:end] + bias[begin:end]
            )


def nsf_samples(network: nn.Module, noise: Tensor, x: Tensor) -> Tensor:
    """Samples z (m, n, p) of a spline flow from noise (m, n, p + 1), for x (m, f)."""
    flow, n_samples = network.net, noise.shape[1]
    context = flow._embedding_net(x)
    flat = noise[..., :-1].reshape(-1, noise.shape[-1] - 1)
    out = torch.empty_like(flat)
    for start in range(0, len(flat), ROWS):
        rows = torch.arange(start, min(start + ROWS, len(flat)), device=noise.device)
        with quiet():
            out[rows] = flow._transform.inverse(flat[rows], context=context[rows // n_samples])[0]
    return out.view(*noise.shape[:2], -1)


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
