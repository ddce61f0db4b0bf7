"""Networks that summarise the features before the density estimator sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import nn


@dataclass(frozen=True)
class Embedding:
    """How to build a network from the number of inputs, and the options it takes."""

    build: Callable[..., nn.Module]
    options: Mapping[str, int | float]
    purpose: str


def fully_connected(n_inputs: int, hidden_features: int, num_layers: int, num_outputs: int) -> nn.Module:
    """Layers of `hidden_features` units with ReLU down to `num_outputs` summaries."""
    widths = [n_inputs, *[hidden_features] * num_layers]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_outputs))


EMBEDDINGS: dict[str, Embedding] = {
    "none": Embedding(lambda n_inputs: nn.Identity(), {}, "features go to the estimator as they are"),
    "fully_connected": Embedding(
        fully_connected,
        {"hidden_features": 100, "num_layers": 2, "num_outputs": 20},
        "many features, for instance the triangle of FC, to few summaries",
    ),
}
