"""The shape of a regression's residuals: a sinh-arcsinh distribution that the parameters of one family share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from vbiflow.inference.estimators import seeded_torch
from vbiflow.inference.optimiser import Adam, cosine_rate
from vbiflow.inference.scaling import ROWS

HIDDEN = 32
STEPS, PAIRS = 1500, 8192
"""Steps of the fit, and residuals in each."""
LEARNING_RATE = 5e-3
DECAY = 10.0
"""Weight of the network's squared weights beside the misfit of all residuals: few simulations leave them small."""


@dataclass(frozen=True)
class ResidualShape:
    """Residuals r (..., p) to e (..., p), standard normal, given their means m and log standard deviations l.

    ``e = sinh(d asinh((r - centre) / size) - skew)``, with small d where tails are heavy. Near a bifurcation or the
    edge of the prior residuals are skewed, elsewhere their tails are heavy, and from thousands of simulations a flow
    learns no such shape of each of 84 regions. But regions of one model are alike, so one network of two hidden layers
    gives all four numbers of each, and learns them from all.

    The network sees m and l of the parameter, their averages over the family and over all other parameters, and how the
    parameter is told in general: the standard deviation of its m and its average l. Of a parameter outside the family
    the four numbers are the same in every simulation. Last, e of each parameter is centred and scaled to unit variance.

    Parameters
    ----------
    family : (p,) 1 for parameters of the family, 0 for others.
    general : (p, 2), standard deviation of m, and average l.
    limits : (4, 8), centre, scale, smallest and largest of the network's inputs.
    others : (4, p), the numbers of parameters outside the family.
    final : (2, p), average and standard deviation of e, before it is standardised by them.
    first, second, last : (9, 32), (33, 32) and (33, 4) weights of the layers; the last row of each are its biases.

    References
    ----------
    Jones & Pewsey (2009) Sinh-arcsinh distributions. Biometrika 96. doi:10.1093/biomet/asp053
    """

    family: np.ndarray
    general: np.ndarray
    limits: np.ndarray
    others: np.ndarray
    final: np.ndarray
    first: np.ndarray
    second: np.ndarray
    last: np.ndarray

    @classmethod
    def fit(cls, r: np.ndarray, moments: np.ndarray, family: np.ndarray) -> tuple[ResidualShape, Tensor]:
        """The shape under which residuals r (n, p) of moments m and l, side by side (n, 2 p), are likeliest, and e."""
        m, log_sd = torch.from_numpy(moments).float().tensor_split(2, dim=1)
        own, general = torch.from_numpy(family) > 0, torch.stack([m.std(0), log_sd.mean(0)], dim=1)
        seen = shape_context(m, log_sd, own, general).flatten(0, 1)
        limits = torch.stack([seen.mean(0), seen.std(0) + 1e-6, seen.amin(0), seen.amax(0)])
        residuals = torch.from_numpy(r).float()
        within, beside = residuals[:, own].flatten(), residuals[:, ~own]
        with seeded_torch(0):
            layers = [torch.randn(n + 1, HIDDEN) * n**-0.5 for n in (seen.shape[1], HIDDEN)]
            weights = [torch.zeros(4, beside.shape[1]), *layers, torch.zeros(HIDDEN + 1, 4)]
            optimiser = Adam((w.requires_grad_() for w in weights), LEARNING_RATE)
            for step in range(STEPS):
                optimiser.learning_rate = cosine_rate(LEARNING_RATE, step, STEPS)
                drawn = torch.randint(len(seen), (PAIRS,))
                loss = misfit(within[drawn], shape_of(seen[drawn], limits, weights[1:]))
                loss = loss + misfit(beside[drawn % len(beside)], weights[0])
                (loss + DECAY * sum((w**2).sum() for w in weights[1:]) / len(seen)).backward()
                optimiser.step()
        others = torch.zeros(4, len(family))
        others[:, ~own] = weights[0].detach()
        final = torch.stack([torch.zeros(len(family)), torch.ones(len(family))])
        arrays = (tensor.detach().numpy() for tensor in (general, limits, others, final, *weights[1:]))
        found = cls(family, *arrays)
        blocks = zip(*(part.split(ROWS) for part in (residuals, m, log_sd)), strict=True)
        e = torch.cat([found.standardise(*block)[0] for block in blocks])
        average = within_family(e.mean(0), own, 1 / len(e))
        deviation = within_family(e.std(0).log(), own, 1 / (2 * len(e))).exp()
        return replace(found, final=torch.stack([average, deviation]).numpy()), (e - average) / deviation

    def moved(self, e: Tensor) -> ResidualShape:
        """The same with a mean e of nothing in simulations (n, p)."""
        average, deviation = torch.from_numpy(self.final)
        shift = within_family(e.mean(0), torch.from_numpy(self.family) > 0, 1 / len(e))
        return replace(self, final=torch.stack([average + deviation * shift, deviation]).numpy())

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def standardise(self, r: Tensor, mean: Tensor, log_sd: Tensor) -> tuple[Tensor, Tensor]:
        """e (..., p) and the logarithm of \\|de / dr\\| (...) for r, m and l (..., p)."""
        e, volume = to_normal(r, self.shape(mean, log_sd))
        average, deviation = torch.as_tensor(self.final, dtype=r.dtype)
        return (e - average) / deviation, (volume - deviation.log()).sum(-1)

    def undo_standardise(self, e: Tensor, mean: Tensor, log_sd: Tensor) -> Tensor:
        """r (..., p) for e, m and l (..., p)."""
        average, deviation = torch.as_tensor(self.final, dtype=e.dtype)
        return from_normal(e * deviation + average, self.shape(mean, log_sd))

    def shape(self, mean: Tensor, log_sd: Tensor) -> Tensor:
        """Centre, log size, skew and log d (4, ..., p) of each parameter for m and l (..., p)."""
        arrays = (self.general, self.limits, self.others, self.first, self.second, self.last)
        general, limits, others, *weights = (torch.as_tensor(array, dtype=mean.dtype) for array in arrays)
        own = torch.from_numpy(self.family) > 0
        found = shape_of(shape_context(mean, log_sd, own, general), limits, weights)
        whole = others.view(4, *[1] * (mean.ndim - 1), -1).expand(4, *mean.shape)
        return whole.index_copy(-1, own.nonzero()[:, 0], found)


def within_family(values: Tensor, own: Tensor, variance: float) -> Tensor:
    """Values (p,) that are known with an error of this variance, those of the family nearer to its average by it.

    From few simulations the mean error of each of 84 parameters is mostly chance, and would be a bias of its posterior.
    None moves by more than its standard error: one may differ from the rest.

    References
    ----------
    Efron & Morris (1972) Limiting the risk of Bayes and empirical Bayes estimators. doi:10.1080/01621459.1972.10481215
    """
    middle, found = values[own].mean(), values.clone()
    chance = (variance / values[own].var().clamp(min=1e-12)).clamp(max=1.0)
    found[own] -= (chance * (values[own] - middle)).clamp(-(variance**0.5), variance**0.5)
    return found


def shape_context(mean: Tensor, log_sd: Tensor, own: Tensor, general: Tensor) -> Tensor:
    """What a shape depends on (..., q, 8), for each of the q parameters that are `own` (p,), given m and l (..., p)."""
    both = torch.stack([mean, log_sd], -1)
    within = both[..., own, :]
    others = both[..., ~own, :].sum(-2, keepdim=True) / max(1, int((~own).sum()))
    whole = within.mean(-2, keepdim=True)
    return torch.cat([within, *(part.expand_as(within) for part in (whole, others, general[own]))], -1)


def shape_of(inputs: Tensor, limits: Tensor, weights: list[Tensor]) -> Tensor:
    """Centre, log size, skew and log d (4, ...) that the network gives for inputs (..., 8), none beyond its limits."""
    centre, scale, smallest, largest = limits
    h = (inputs.clamp(smallest, largest) - centre) / scale
    first, second, last = weights
    for layer in (first, second):
        h = torch.tanh(h @ layer[:-1] + layer[-1])
    return (h @ last[:-1] + last[-1]).movedim(-1, 0)


def misfit(r: Tensor, shape: Tensor) -> Tensor:
    """Minus the log density of residuals, averaged over them, and summed over parameters if there are several."""
    e, volume = to_normal(r, shape if r.ndim == 1 else shape.unsqueeze(1))
    return (e**2 / 2 - volume).mean(0).sum()


def to_normal(r: Tensor, shape: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """e and the logarithm of \\|de / dr\\| of each residual, for their shapes (4, ...)."""
    _, log_size, _, log_d = shape = tuple(shape)
    y, w = before_sinh(r, shape)
    return torch.sinh(w), torch.log(torch.cosh(w)) + log_d - torch.log1p(y * y) / 2 - log_size


def before_sinh(r: Tensor, shape: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """(r - centre) / size and asinh(e) of each residual, for their shapes (4, ...)."""
    centre, log_size, skew, log_d = shape
    y = (r - centre) * torch.exp(-log_size)
    return y, torch.exp(log_d) * torch.asinh(y) - skew


def from_normal(e: Tensor, shape: Iterable[Tensor]) -> Tensor:
    """r of each e, for their shapes (4, ...)."""
    centre, log_size, skew, log_d = shape
    return centre + torch.exp(log_size) * torch.sinh((torch.asinh(e) + skew) * torch.exp(-log_d))
