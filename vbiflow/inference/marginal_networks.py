"""A small network a parameter: its marginal posterior as a bounded sinh-arcsinh distribution, from the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from vbiflow.inference.bounded_shape import from_normal, log_prob, to_normal
from vbiflow.inference.scaling import ROWS
from vbiflow.inference.screening import association, rank_cosines

OWN = 16
"""Features that a network sees as they are."""
SUMS = 4
"""Weighted sums of all features that it sees beside them."""
HIDDEN = 32
TRAINING = {"batch_size": 100, "learning_rate": 5e-3, "schedule": "cosine", "max_epochs": 20}
"""How they are trained, where it differs from the flow."""
STEPS = 6000
"""Fewest steps of their training: of few simulations more epochs are trained."""
FARTHEST = 4.0
"""Deviations up to which a parameter outside the family moves the others."""
MOST_OTHERS = 8
"""Parameters outside the family of which each moves the others: of a second family, as large, none does."""
MOST = 6.0
"""Deviations up to which a feature counts in a sum."""


class MarginalNetworks(nn.Module):
    """Features u (n, k) and moments m, l (n, 2 p) to numbers that make the error of each z given u standard normal.

    The distribution of each z is a sinh-arcsinh one between the ends of its prior (`bounded_shape`), of centre, size,
    skew and d; ``slope t + bend (t^2 - 1)`` moves ``centre / size``, with t the e of each parameter outside the largest
    family, where these are few. If such a one is known, as a coupling, the excitability of a region follows from what
    this region shows; if not, all are wrong together, some more and some less.

    Where simulations are many, what single features tell of one parameter is more than a regression finds, and a flow
    finds it late: each of 84 regions shows in a few of hundreds of features, and a layer of the flow divides few hidden
    units among all of them. Here each parameter has two hidden layers of its own. They see the features in which z or
    the size of its error, z - m, shows most by rank, whichever way these bend, its m and l, and the averages of both
    over its family and over the parameters outside. They also see four weighted sums of all features, m and l, whose
    weights are learnt with the layers: what a region receives is the sum over all that project to it.

    Parameters
    ----------
    columns : (p, 16), the features of each parameter, as numbers of columns of u.
    family : (p,), 1 for the parameters of the largest family and 0 for others.
    centre_and_scale : (2, k + 2 p), average and standard deviation of u, m and l.
    limits : (4, p, 22), average, standard deviation, smallest and largest of the inputs of each but for the sums.

    References
    ----------
    Jones & Pewsey (2009) Sinh-arcsinh distributions. Biometrika 96. doi:10.1093/biomet/asp053
    """

    def __init__(
        self, columns: np.ndarray, family: np.ndarray, centre_and_scale: np.ndarray, limits: np.ndarray | None = None
    ) -> None:
        super().__init__()
        n_parameters, n_inputs = columns.shape[0], columns.shape[1] + 6
        limits = np.zeros((4, n_parameters, n_inputs)) if limits is None else limits
        self.register_buffer("columns", torch.from_numpy(columns))
        for name, array in (("family", family), ("centre_and_scale", centre_and_scale), ("limits", limits)):
            self.register_buffer(name, torch.from_numpy(array).float())
        self.n_rows = 1
        others = (self.family == 0).nonzero()[:, 0].tolist()
        self.others = others if len(others) <= MOST_OTHERS else []
        n_seen, widths = self.centre_and_scale.shape[1], (n_inputs + SUMS, HIDDEN, HIDDEN)
        self.sums = nn.Parameter(torch.randn(n_seen, n_parameters * SUMS) * n_seen**-0.5)
        layers = [torch.randn(n_parameters, n, HIDDEN) * n**-0.5 for n in widths[:-1]]
        layers.append(torch.zeros(n_parameters, HIDDEN, self.n_numbers))
        self.weights = nn.ParameterList(layers)
        self.biases = nn.ParameterList([torch.zeros(n_parameters, 1, layer.shape[2]) for layer in layers])

    @classmethod
    def of(cls, u: np.ndarray, moments: np.ndarray, z: np.ndarray, family: np.ndarray, n_rows: int) -> MarginalNetworks:
        """Networks to be trained on `n_rows`, of which u (n, k), m and l (n, 2 p) and z (n, p) tell them features."""
        cosines, error = rank_cosines(u), np.abs(z - moments[:, : z.shape[1]])
        strength = sum(association(cosines, rank_cosines(each).astype(float)) for each in (z, error))
        columns = np.argsort(-strength, axis=0, kind="stable")[:OWN].T.copy()
        seen = np.concatenate([u, moments], axis=1)
        found = cls(columns, family, np.stack([seen.mean(axis=0), seen.std(axis=0) + 1e-6]))
        inputs = found.inputs(torch.from_numpy(u).float(), torch.from_numpy(moments).float())
        ends = inputs.amin(1), inputs.amax(1)
        found.limits, found.n_rows = torch.stack([inputs.mean(1), inputs.std(1) + 1e-6, *ends]), n_rows
        return found

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> MarginalNetworks:
        """Those whose `state_dict` this is."""
        found = cls(*(state[name].numpy() for name in ("columns", "family", "centre_and_scale", "limits")))
        found.load_state_dict(state)
        return found.eval()

    @property
    def n_numbers(self) -> int:
        """How many it gives for each parameter: centre, log size, skew, log d; slope and bend of each one outside."""
        return 4 + 2 * len(self.others)

    def inputs(self, u: Tensor, moments: Tensor) -> Tensor:
        """What each network sees beside the sums (p, n, 22)."""
        both = torch.stack(moments.tensor_split(2, dim=1), -1)
        families = torch.stack([self.family, 1 - self.family])
        shares = families / families.sum(1, keepdim=True).clamp(min=1)
        averages = torch.einsum("npt,fp->nft", both, shares).flatten(1).unsqueeze(1).expand(-1, both.shape[1], -1)
        return torch.cat([u[:, self.columns], both, averages], -1).transpose(0, 1)

    def forward(self, u: Tensor, moments: Tensor) -> tuple[Tensor, ...]:
        """The numbers, (n, p) each; slopes and bends of parameters outside the family are 0."""
        centre, scale, smallest, largest = self.limits.unsqueeze(2)
        own = (self.inputs(u, moments).clamp(smallest, largest) - centre) / scale
        average, deviation = self.centre_and_scale
        seen = ((torch.cat([u, moments], 1) - average) / deviation).clamp(-MOST, MOST)
        sums = (seen @ self.sums).unflatten(1, (-1, SUMS)).transpose(0, 1)
        h = torch.cat([own, sums], -1)
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weight, bias in hidden:
            h = torch.tanh(torch.baddbmm(bias, h, weight))
        moved, widened, skew, log_d, *moves = torch.baddbmm(last[1], h, last[0]).transpose(0, 1).unbind(-1)
        mean, log_sd = moments.tensor_split(2, dim=1)
        own = mean + moved * torch.exp(log_sd), log_sd + widened, skew, log_d
        return *own, *(move * self.family for move in moves)

    @torch.no_grad()
    def numbers(self, u: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """The numbers side by side, (n, p n_numbers) float32."""
        blocks = zip(*(torch.from_numpy(part).float().split(ROWS) for part in (u, moments)), strict=True)
        return torch.cat([torch.cat(self(*block), 1) for block in blocks]).numpy()

    def standardise(self, z: Tensor, numbers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """e and the logarithm of \\|de / dz\\| of each z, all (..., p), for their numbers."""
        return to_normal(z, moved_by(self.known(z, numbers), numbers))

    def known(self, z: Tensor, numbers: Sequence[Tensor]) -> Tensor:
        """e (..., q) of the parameters outside the family."""
        return to_normal(z[..., self.others], [number[..., self.others] for number in numbers[:4]])[0]

    def undo_standardise(self, e: Tensor, numbers: Sequence[Tensor]) -> Tensor:
        """z (..., p) of each e."""
        return from_normal(e, moved_by(e[..., self.others], numbers))

    def loss(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Minus the sum of the log densities (n,) of z (n, p) given u, m and l side by side (n, k + 2 p).

        Parameters outside the family learn from themselves alone: their e would shrink to move the others less.
        In training weights are taken for normal, with the variance that layers begin with: few rows leave them small.
        """
        split = inputs.shape[1] - 2 * z.shape[1]
        numbers = self(inputs[:, :split], inputs[:, split:])
        moved = moved_by(self.known(z, numbers).detach(), numbers)
        return -log_prob(z, moved).sum(1) + (self.penalty() if self.training else 0.0)

    def penalty(self) -> Tensor:
        """Minus the log density of the weights, but for a constant, of each simulation's share."""
        layers = (self.sums, *self.weights)
        return sum((layer**2).sum() * layer.shape[-2] for layer in layers) / (2 * self.n_rows)


def moved_by(known: Tensor, numbers: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Centre, log size, skew and log d (..., p) where the parameters outside the family have e `known` (..., q)."""
    centre, log_size, skew, log_d, *moves = numbers
    for t, slope, bend in zip(
        known.clamp(-FARTHEST, FARTHEST).unsqueeze(-1).unbind(-2), moves[::2], moves[1::2], strict=True
    ):
        centre = centre + torch.exp(log_size) * (slope * t + bend * (t**2 - 1))
    return centre, log_size, skew, log_d
