"""Normalising flows z <-> noise given x: the networks that sbi builds, evaluated with few operations.

What depends on x alone is computed once for all layers, and once an observation when sampling. Densities and samples
are those of the networks' own methods, to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS = 8192
LEAST = 1e-3
"""Smallest bin, in units of all bins, and smallest slope of a spline."""


def maf_density(network: nn.Module, z: Tensor, x: Tensor) -> Tensor:
    """log q(z | x) (n,) of a masked autoregressive flow; one row of x for each row of z."""
    flow = network.net
    layers = pairs(flow._transform._transforms)
    nets = [layer.autoregressive_net for layer, _ in layers]
    context = nets[0].activation(apply_side_by_side([net.context_layer for net in nets], flow._embedding_net(x)))
    scales = []
    for (layer, permutation), net, known in zip(layers, nets, context.chunk(len(nets), -1), strict=True):
        h = net.activation(net.initial_layer(z) + known)
        for block in net.blocks:
            h = block.dropout(net.activation(block.linear(h)))
        scale, shift = net.final_layer(h).unflatten(-1, (-1, 2)).unbind(-1)
        scales.append(F.softplus(scale) + layer._epsilon)
        z = (scales[-1] * z + shift)[:, permutation]
    return torch.cat(scales, -1).log().sum(-1) + standard_normal(z)


def maf_samples(network: nn.Module, noise: Tensor, x: Tensor) -> Tensor:
    """Samples z (m, n, p) of a masked autoregressive flow from noise (m, n, p + 1), for x (m, f).

    Each layer is inverted in one sweep over the parameters: hidden units are sorted by degree, so that parameter d
    needs only the units of degree d anew. This costs one pass, where inverting layer by layer costs p passes.
    """
    flow = network.net
    context = flow._embedding_net(x)
    layers = [Sweep(layer, context) for layer in reversed(pairs(flow._transform._transforms))]

    def invert(z: Tensor, observations: slice) -> Tensor:
        z = z.permute(2, 0, 1).contiguous()
        for layer in layers:
            z = layer.invert(z, observations)
        return z.permute(1, 2, 0)

    return blockwise(invert, noise[..., :-1])


def pairs(transforms: nn.ModuleList) -> list[tuple[nn.Module, Tensor]]:
    """The autoregressive layers of an sbi MAF, each with the permutation that follows it."""
    found = list(transforms)
    return [(layer, after._permutation) for layer, after in zip(found[::2], found[1::2], strict=True)]


class Sweep:
    """One autoregressive layer with its hidden units sorted by degree; arrays are (unit, observation, sample).

    Hidden units are held as s of tanh(a) = 2 s - 1, s = sigmoid(2 a), which takes a third of the time of tanh: the twos
    and the one go into weights and biases.
    """

    def __init__(self, pair: tuple[nn.Module, Tensor], context: Tensor) -> None:
        layer, permutation = pair
        net, self.epsilon = layer.autoregressive_net, layer._epsilon
        if any(part.activation is not torch.tanh for part in (net, *net.blocks)):
            raise ValueError("a MAF is sampled with tanh units; take the default activation")
        self.undo = torch.argsort(permutation)
        degrees = net.initial_layer.degrees
        order = torch.argsort(degrees, stable=True)
        self.ends = [int((degrees <= d).sum()) for d in range(layer.features)]
        first, last = net.initial_layer, net.final_layer
        context = 2 * (torch.tanh(net.context_layer(context)) + first.bias)
        self.context = context[:, order].T.contiguous()
        self.first = 2 * (first.weight * first.mask)[order]
        self.blocks = [self.sigmoidal(b.linear, order, order, 2.0) for b in net.blocks]
        self.last = self.sigmoidal(last, slice(None), order, 1.0)

    @staticmethod
    def sigmoidal(layer: nn.Module, rows: Any, columns: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """Weight and bias (unit, 1) of scale (W h + b) with h = 2 s - 1."""
        weight = (layer.weight * layer.mask)[rows][:, columns]
        bias = layer.bias[rows] - weight.sum(1)
        return 2 * scale * weight, scale * bias[:, None]

    def invert(self, u: Tensor, observations: slice) -> Tensor:
        """Solve u = scale(y, x) y + shift(y, x) for y after undoing the permutation; u (p, m, n)."""
        shape, u = u.shape, u[self.undo].flatten(1)
        y = torch.empty_like(u)
        hidden = [u.new_empty(len(self.first), u.shape[1]) for _ in range(1 + len(self.blocks))]
        context, begin = self.context[:, observations, None], 0
        for d, end in enumerate(self.ends):
            if end > begin:
                new = [units[begin:end] for units in hidden]
                torch.mm(self.first[begin:end, :d], y[:d], out=new[0])
                new[0].view(-1, *shape[1:]).add_(context[begin:end])
                new[0].sigmoid_()
                for k, (weight, bias) in enumerate(self.blocks):
                    torch.addmm(bias[begin:end], weight[begin:end, :end], hidden[k][:end], out=new[k + 1]).sigmoid_()
            weight, bias = (part[2 * d : 2 * d + 2] for part in self.last)
            scale, shift = torch.addmm(bias, weight[:, :end], hidden[-1][:end])
            y[d] = (u[d] - shift) / (F.softplus(scale) + self.epsilon)
            begin = end
        return y.view(shape)


def nsf_density(network: nn.Module, z: Tensor, x: Tensor) -> Tensor:
    """log q(z | x) (n,) of a spline coupling flow; one row of x for each row of z."""
    if z.shape[-1] == 1:
        return network.log_prob(z.unsqueeze(0), x)[0]
    layers = Couplings(network.net, x)
    z, slopes = z[:, layers.order], []
    for k in range(len(layers.couplings)):
        z, slope = layers.couple(k, z, slice(None))
        slopes.append(slope)
        z = F.linear(z, layers.mixing[k], layers.shift[k])
    return torch.cat(slopes, -1).sum(-1) + layers.log_volume + standard_normal(z)


def nsf_samples(network: nn.Module, noise: Tensor, x: Tensor) -> Tensor:
    """Samples z (m, n, p) of a spline coupling flow from noise (m, n, p + 1), for x (m, f)."""
    flow = network.net
    if noise.shape[-1] == 2:
        rows = flow._embedding_net(x).repeat_interleave(noise.shape[1], 0)
        return flow._transform.inverse(noise[..., :-1].flatten(0, 1), context=rows)[0].view(*noise.shape[:2], 1)
    layers = Couplings(flow, x.unsqueeze(1))
    unmixing = [torch.linalg.inv(matrix.double()).to(noise.dtype) for matrix in layers.mixing]
    undo = torch.argsort(layers.order)

    def invert(z: Tensor, observations: slice) -> Tensor:
        for k in reversed(range(len(layers.couplings))):
            z, _ = layers.couple(k, F.linear(z - layers.shift[k], unmixing[k]), observations, inverse=True)
        return z[..., undo]

    return blockwise(invert, noise[..., :-1])


class Couplings:
    """The coupling layers of an sbi NSF, each followed by a linear mixing, for observations x (m, ..., f).

    In each, half of the parameters pass, and with x set the splines that move the others. z stands in the order
    passing, moved, which the mixing before it, or `order`, brings about.
    """

    def __init__(self, flow: nn.Module, x: Tensor) -> None:
        transforms = list(flow._transform._transforms)
        self.couplings, linear = transforms[::2], transforms[1::2]
        nets = [coupling.transform_net for coupling in self.couplings]
        context = flow._embedding_net(x)
        first, width = [net.initial_layer for net in nets], nets[0].initial_layer.out_features
        weight = torch.cat([layer.weight[:, -context.shape[-1] :] for layer in first])
        self.start = F.linear(context, weight, torch.cat([layer.bias for layer in first])).split(width, -1)
        blocks = [block.context_layer for net in nets for block in net.blocks]
        gates = apply_side_by_side(blocks, context).sigmoid().split(width, -1)
        each = len(nets[0].blocks)
        self.gates = [gates[k : k + each] for k in range(0, len(gates), each)]
        orders = torch.stack([torch.cat([c.identity_features, c.transform_features]) for c in self.couplings])
        self.order, after = orders[0], torch.cat([orders[1:], torch.arange(len(orders[0]), device=x.device)[None]])
        mixing, self.log_volume = mixing_matrices(linear)
        layer = torch.arange(len(orders), device=x.device)[:, None, None]
        self.mixing = mixing[layer, after[:, :, None], orders[:, None, :]].unbind(0)
        self.shift = torch.stack([one.bias for one in linear]).gather(1, after).unbind(0)

    def couple(self, k: int, z: Tensor, observations: slice, inverse: bool = False) -> tuple[Tensor, Tensor]:
        """z (..., p) through coupling k, and the log slopes (..., moved) of its splines."""
        coupling = self.couplings[k]
        net, n_passing = coupling.transform_net, len(coupling.identity_features)
        passing, moved = z.split([n_passing, z.shape[-1] - n_passing], -1)
        h = F.linear(passing, net.initial_layer.weight[:, :n_passing]) + self.start[k][observations]
        for block, gate in zip(net.blocks, self.gates[k], strict=True):
            inner = block.linear_layers[0](block.activation(h))
            inner = block.linear_layers[1](block.dropout(block.activation(inner)))
            h = h + inner * gate[observations]
        shapes = net.final_layer(h).unflatten(-1, (moved.shape[-1], -1))
        moved, slope = spline(moved, shapes, coupling.tail_bound, h.shape[-1] ** -0.5, inverse)
        return torch.cat([passing, moved], -1), slope


def mixing_matrices(layers: list[nn.Module]) -> tuple[Tensor, Tensor]:
    """Matrices L U (k, p, p) of linear layers, and the sum of log |det| over all of them."""
    first = layers[0]
    diagonal = F.softplus(torch.stack([layer.unconstrained_upper_diag for layer in layers])) + first.eps
    lower = torch.eye(first.features, device=diagonal.device).repeat(len(layers), 1, 1)
    lower[:, *first.lower_indices] = torch.stack([layer.lower_entries for layer in layers])
    upper = torch.diag_embed(diagonal)
    upper[:, *first.upper_indices] = torch.stack([layer.upper_entries for layer in layers])
    return lower @ upper, diagonal.log().sum()


def spline(u: Tensor, shapes: Tensor, bound: float, scale: float, inverse: bool) -> tuple[Tensor, Tensor]:
    """Monotone rational-quadratic spline of u (...) on [-bound, bound], the identity outside; and its log slope.

    `shapes` (..., 3 K - 1): K widths and K heights before softmax, times `scale`, K - 1 inner slopes before softplus.

    References
    ----------
    Durkan et al. (2019) Neural spline flows, arXiv:1906.04032
    """
    n_bins = (shapes.shape[-1] + 1) // 3
    share = torch.softmax(shapes[..., : 2 * n_bins].unflatten(-1, (2, n_bins)) * scale, -1)
    share = LEAST + (1 - LEAST * n_bins) * share
    knots = 2 * bound * F.pad(share.cumsum(-1), (1, 0)) - bound
    inside = (u >= -bound) & (u <= bound)
    at = u.clamp(-bound, bound)
    index = (at.detach()[..., None] >= knots.detach()[..., int(inverse), 1:-1]).sum(-1, keepdim=True)
    both = index[..., None].expand(*index.shape[:-1], 2, 1)
    x0, y0 = knots.gather(-1, both)[..., 0].unbind(-1)
    width, height = (2 * bound * share).gather(-1, both)[..., 0].unbind(-1)
    edge = math.log(math.exp(1 - LEAST) - 1)
    slopes = F.pad(shapes[..., 2 * n_bins :], (1, 1), value=edge).gather(-1, torch.cat([index, index + 1], -1))
    low, high = (LEAST + F.softplus(slopes)).unbind(-1)
    slant = height / width
    bend = low + high - 2 * slant
    if inverse:
        rise = at - y0
        b = height * low - rise * bend
        root = (b * b + 4 * slant * rise * (rise * bend + height * (slant - low))).clamp(min=0).sqrt()
        t = 2 * slant * rise / (b + root)
    else:
        t = (at - x0) / width
    mixed = t * (1 - t)
    below = slant + bend * mixed
    out = t * width + x0 if inverse else y0 + height * (slant * t * t + low * mixed) / below
    slope = slant * slant * (high * t * t + 2 * slant * mixed + low * (1 - t) ** 2) / (below * below)
    return torch.where(inside, out, u), torch.where(inside, slope, 1.0).log()


def apply_side_by_side(layers: list[nn.Linear], x: Tensor) -> Tensor:
    """Outputs of several linear layers of the same input, side by side."""
    return F.linear(x, torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers]))


def standard_normal(z: Tensor) -> Tensor:
    """log N(z; 0, 1) (n,)."""
    return -0.5 * (z * z).sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


def blockwise(invert: Callable[[Tensor, slice], Tensor], noise: Tensor) -> Tensor:
    """Invert noise (m, n, p) in blocks of about ROWS samples, of one observation or of several."""
    m, n, _ = noise.shape
    out = torch.empty_like(noise)
    step = max(1, ROWS // n)
    for first in range(0, m, step):
        for start in range(0, n, ROWS):
            part = slice(first, min(first + step, m)), slice(start, min(start + ROWS, n))
            out[part] = invert(noise[part], part[0])
    return out
