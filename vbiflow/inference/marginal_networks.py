"""A small network a parameter: its marginal posterior as a sinh-arcsinh distribution, from the features it shows in."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from vbiflow.inference.residual_shape import to_normal
from vbiflow.inference.scaling import ROWS
from vbiflow.inference.screening import association, rank_cosines

OWN = 16
"""Features that a network sees."""
HIDDEN = 32
TRAINING = {"batch_size": 1000, "learning_rate": 3e-3, "annealed": True, "max_epochs": 20, "patience": 20}
"""How they are trained, where it differs from the flow."""
HALF_LOG_2PI = math.log(2 * math.pi) / 2


class MarginalNetworks(nn.Module):
    """Features u (n, k) and moments m, l (n, 2 p) to centre, log size, skew and log d (n, p) each of z given u.

    ``e = sinh(d asinh((z - centre) / size) - skew)`` is standard normal. Where simulations are many, what one feature
    tells of one parameter is more than a regression finds, and a flow finds it late: each of 84 regions shows in a few
    of hundreds of features, and a layer of the flow divides few hidden units among all of them. Here each parameter has
    two hidden layers of its own. They see the features in which z or the size of its error, z - m, shows most by rank,
    whichever way these bend, its m and l, and the averages of both over its family and over the parameters outside.

    Parameters
    ----------
    columns : (p, 16), the features of each parameter, as numbers of columns of u.
    family : (p,), 1 for the parameters of the largest family and 0 for others.
    limits : (4, p, 22), average, standard deviation, smallest and largest of the inputs of each.

    References
    ----------
    Jones & Pewsey (2009) Sinh-arcsinh distributions. Biometrika 96. doi:10.1093/biomet/asp053
    """

    def __init__(self, columns: np.ndarray, family: np.ndarray, limits: np.ndarray | None = None) -> None:
        super().__init__()
        n_parameters, n_inputs = columns.shape[0], columns.shape[1] + 6
        self.register_buffer("columns", torch.from_numpy(columns))
        self.register_buffer("family", torch.from_numpy(family).float())
        limits = np.zeros((4, n_parameters, n_inputs)) if limits is None else limits
        self.register_buffer("limits", torch.from_numpy(limits).float())
        widths = (n_inputs, HIDDEN, HIDDEN)
        layers = [torch.randn(n_parameters, n, HIDDEN) * n**-0.5 for n in widths[:-1]]
        layers.append(torch.zeros(n_parameters, HIDDEN, 4))
        self.weights = nn.ParameterList(layers)
        self.biases = nn.ParameterList([torch.zeros(n_parameters, 1, layer.shape[2]) for layer in layers])

    @classmethod
    def of(cls, u: np.ndarray, moments: np.ndarray, z: np.ndarray, family: np.ndarray) -> MarginalNetworks:
        """Networks to be trained, their features found from simulations u (n, k), m and l (n, 2 p) and z (n, p)."""
        cosines, error = rank_cosines(u), np.abs(z - moments[:, : z.shape[1]])
        strength = sum(association(cosines, rank_cosines(each).astype(float)) for each in (z, error))
        columns = np.argsort(-strength, axis=0, kind="stable")[:OWN].T.copy()
        found = cls(columns, family)
        inputs = found.inputs(torch.from_numpy(u).float(), torch.from_numpy(moments).float())
        ends = inputs.amin(1), inputs.amax(1)
        found.limits = torch.stack([inputs.mean(1), inputs.std(1) + 1e-6, *ends])
        return found

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> MarginalNetworks:
        """Those whose `state_dict` this is."""
        found = cls(*(state[name].numpy() for name in ("columns", "family", "limits")))
        found.load_state_dict(state)
        return found.eval()

    def inputs(self, u: Tensor, moments: Tensor) -> Tensor:
        """What each network sees (p, n, 22)."""
        both = torch.stack(moments.tensor_split(2, dim=1), -1)
        families = torch.stack([self.family, 1 - self.family])
        shares = families / families.sum(1, keepdim=True).clamp(min=1)
        averages = torch.einsum("npt,fp->nft", both, shares).flatten(1).unsqueeze(1).expand(-1, both.shape[1], -1)
        return torch.cat([u[:, self.columns], both, averages], -1).transpose(0, 1)

    def forward(self, u: Tensor, moments: Tensor) -> tuple[Tensor, ...]:
        """Centre, log size, skew and log d (n, p) each."""
        centre, scale, smallest, largest = self.limits.unsqueeze(2)
        h = (self.inputs(u, moments).clamp(smallest, largest) - centre) / scale
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weight, bias in hidden:
            h = torch.tanh(torch.baddbmm(bias, h, weight))
        moved, widened, skew, log_d = torch.baddbmm(last[1], h, last[0]).transpose(0, 1).unbind(-1)
        mean, log_sd = moments.tensor_split(2, dim=1)
        return mean + moved * torch.exp(log_sd), log_sd + widened, skew, log_d

    @torch.no_grad()
    def marginals(self, u: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """The same four side by side, (n, 4 p) float32."""
        blocks = zip(*(torch.from_numpy(part).float().split(ROWS) for part in (u, moments)), strict=True)
        return torch.cat([torch.cat(self(*block), 1) for block in blocks]).numpy()


def marginal_loss(networks: nn.Module, z: Tensor, inputs: Tensor) -> Tensor:
    """Minus the sum of the marginal log densities (n,) of z (n, p) given u, m and l side by side (n, k + 2 p)."""
    split = inputs.shape[1] - 2 * z.shape[1]
    e, volume = to_normal(z, networks(inputs[:, :split], inputs[:, split:]))
    return (e**2 / 2 + HALF_LOG_2PI - volume).sum(1)
