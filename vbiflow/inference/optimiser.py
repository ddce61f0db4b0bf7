"""Adam over one flat vector that holds all weights of a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor


class Adam:
    """Adaptive moments: w <- w - rate m' / (sqrt(v') + 1e-8), with m, v running means of the gradient and its square.

    All weights and gradients become views of two vectors: a step costs a few operations however many layers there are.

    References
    ----------
    Kingma & Ba (2015) Adam: a method for stochastic optimization, arXiv:1412.6980
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float, betas: tuple[float, float] = (0.9, 0.999)):
        parameters = list(parameters)
        self.learning_rate, self.betas, self.steps = learning_rate, betas, 0
        self.weights = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.gradient = torch.zeros_like(self.weights)
        self.mean, self.square = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        position = 0
        for p in parameters:
            part = slice(position, position + p.numel())
            p.data, p.grad = self.weights[part].view_as(p), self.gradient[part].view_as(p)
            position = part.stop

    @torch.no_grad()
    def step(self, clip_norm: float = float("inf")) -> None:
        """Move the weights along the gradient, shortened to `clip_norm`, and clear it."""
        self.steps += 1
        first, second = self.betas
        self.gradient.mul_((clip_norm / (self.gradient.norm() + 1e-6)).clamp(max=1.0))
        self.mean.lerp_(self.gradient, 1 - first)
        self.square.mul_(second).addcmul_(self.gradient, self.gradient, value=1 - second)
        scale = (self.square / (1 - second**self.steps)).sqrt_().add_(1e-8)
        self.weights.addcdiv_(self.mean, scale, value=-self.learning_rate / (1 - first**self.steps))
        self.gradient.zero_()

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, beside the weights."""
        return {"mean": self.mean, "square": self.square, "steps": self.steps, "rate": self.learning_rate}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.mean.copy_(state["mean"])
        self.square.copy_(state["square"])
        self.steps, self.learning_rate = state["steps"], state["rate"]


def cosine_rate(first: float, step: int, n_steps: int) -> float:
    """Learning rate at a step that falls from `first` along a cosine to nothing after `n_steps`."""
    return first * (1 + math.cos(math.pi * step / n_steps)) / 2
