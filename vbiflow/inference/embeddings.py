"""Networks that summarise the features before the density estimator sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Embedding:
    """How to build a network from the number of inputs and its options (`EMBEDDING_OPTIONS`), and what for."""

    build: Callable[..., nn.Module]
    purpose: str


def fully_connected(n_inputs: int, hidden_features: int, num_layers: int, num_outputs: int) -> nn.Module:
    """Layers of `hidden_features` units with ReLU down to `num_outputs` summaries."""
    widths = [n_inputs, *[hidden_features] * num_layers]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_outputs))


class Exchangeable(nn.Module):
    """Summaries of n elements whose order does not matter, rho(mean_i phi(x_i)); inputs are element after element.

    References
    ----------
    Zaheer et al. (2017) Deep sets, arXiv:1703.06114
    """

    def __init__(
        self, n_inputs: int, num_elements: int, hidden_features: int, num_layers: int, num_outputs: int
    ) -> None:
        super().__init__()
        self.shape = num_elements, inputs_a_part("permutation_invariant", n_inputs, num_elements, "num_elements")
        self.each = fully_connected(self.shape[1], hidden_features, num_layers, hidden_features)
        self.together = fully_connected(hidden_features, hidden_features, 1, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Summaries (..., num_outputs) of inputs (..., n_inputs)."""
        return self.together(self.each(x.unflatten(-1, self.shape)).mean(dim=-2))


class Convolutions(nn.Module):
    """Summaries of series: layers of convolution along time with ReLU, each halving the length, then the mean.

    Inputs are the series of one channel (region) after the other.
    """

    def __init__(
        self,
        n_inputs: int,
        num_channels: int,
        hidden_features: int,
        num_layers: int,
        kernel_size: int,
        num_outputs: int,
    ) -> None:
        super().__init__()
        self.shape = num_channels, inputs_a_part("cnn", n_inputs, num_channels, "num_channels")
        widths, layers = [num_channels, *[hidden_features] * num_layers], []
        for before, after in pairwise(widths):
            layers += [nn.Conv1d(before, after, kernel_size, padding=kernel_size // 2), nn.ReLU()]
            layers += [nn.AvgPool1d(2, ceil_mode=True)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(2 * hidden_features, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Summaries (..., num_outputs) of inputs (..., n_inputs)."""
        h = self.layers(x.flatten(0, -2).unflatten(-1, self.shape))
        pooled = torch.cat([h.mean(dim=-1), h.square().mean(dim=-1)], dim=-1)
        return self.last(pooled).unflatten(0, x.shape[:-1])


class Triangle(nn.Module):
    """Summaries of a symmetric matrix from the values above its diagonal, row by row, as `fc_pairs` gives them.

    A layer from each node's row to features of the node, the same for all nodes, then one over all nodes.

    References
    ----------
    Kawahara et al. (2017) BrainNetCNN: convolutional neural networks for brain networks,
    doi:10.1016/j.neuroimage.2016.09.046
    """

    def __init__(self, n_inputs: int, hidden_features: int, num_layers: int, num_outputs: int) -> None:
        super().__init__()
        n = round((1 + (1 + 8 * n_inputs) ** 0.5) / 2)
        if n * (n - 1) // 2 != n_inputs:
            raise ValueError(
                f"embedding fc_triangle: {n_inputs} inputs are not the pairs of any number of nodes; use the feature "
                "fc_pairs alone, with reduction: none and no pair dropped"
            )
        self.n, (rows, columns) = n, torch.triu_indices(n, n, 1)
        self.register_buffer("above", rows * n + columns, persistent=False)
        self.register_buffer("below", columns * n + rows, persistent=False)
        self.row = nn.Linear(n, hidden_features)
        self.whole = fully_connected(n * hidden_features, 4 * hidden_features, num_layers, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Summaries (..., num_outputs) of values above the diagonal (..., n_inputs)."""
        matrix = x.new_zeros(*x.shape[:-1], self.n * self.n)
        matrix[..., self.above] = x
        matrix[..., self.below] = x
        return self.whole(self.row(matrix.unflatten(-1, (self.n, self.n))).relu().flatten(-2))


def inputs_a_part(name: str, n_inputs: int, parts: int, option: str) -> int:
    """Inputs a part; they must be equally many."""
    if n_inputs % parts:
        raise ValueError(
            f"embedding {name}: {n_inputs} inputs are not {parts} equal parts ({option}); drop features that are "
            "constant or missing, use reduction: none"
        )
    return n_inputs // parts


EMBEDDINGS: dict[str, Embedding] = {
    "none": Embedding(lambda n_inputs: nn.Identity(), "features go to the estimator as they are"),
    "fully_connected": Embedding(
        fully_connected,
        "many features, for instance the triangle of FC, to few summaries",
    ),
    "permutation_invariant": Embedding(
        Exchangeable,
        "elements whose order does not matter, for instance repeated recordings",
    ),
    "cnn": Embedding(
        Convolutions,
        "time series (feature `samples`), one channel a region",
    ),
    "fc_triangle": Embedding(
        Triangle,
        "the triangle of FC (feature `fc_pairs`), kept a matrix",
    ),
}
