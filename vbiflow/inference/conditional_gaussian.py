"""Mean and standard deviation of z given the features, by ridge regression: where a flow of many parameters starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from torch import Tensor

from vbiflow.inference.reduction import Regression, Spectrum

MOST = 4.0
"""Scaled features are squared up to here, and log standard deviations held within it."""
FOUND = 0.01
"""Share of the variance of the residuals' logarithm from which a regression of it counts."""
SMALLEST = 1e-3
"""Residual, as a share of their standard deviation, below which all count as equally small."""


@dataclass(frozen=True)
class ConditionalGaussian:
    """u (n, k) to the mean m and log standard deviation l of each z given u, side by side (n, 2 p) float32.

    Both are linear in u and u^2: ``[m, l] = offset + [u - centre, u^2 - centre'] @ coefficients``. A flow then
    describes ``r = (z - m) / exp(l)`` given m, l and the features. It finds many parameters much sooner so than by
    itself, and does not pass over one that many others surround.

    Parameters
    ----------
    centre : (2 k,) means of u and u^2.
    coefficients : (2 k, 2 p).
    offset : (2 p,).
    """

    centre: np.ndarray
    coefficients: np.ndarray
    offset: np.ndarray

    @classmethod
    def fit(cls, u: np.ndarray, z: np.ndarray) -> tuple[ConditionalGaussian, np.ndarray]:
        """Regress z (n, p) on u (n, k); also m and l (n, 2 p) of these very rows, each found without the row itself.

        Squares count only for parameters that they tell more of; the standard deviation is the same everywhere where
        no regression of the logarithm of the residuals' size predicts it.
        """
        squared = with_squares(u)
        centre = squared.mean(axis=0)
        design = squared - centre
        both, linear = Spectrum.of(design), Spectrum.of(design[:, : u.shape[1]])
        mean = best_regression(linear, both, z - z.mean(axis=0))
        residual = z - z.mean(axis=0) - mean.predicted
        smallest = SMALLEST * residual.std(axis=0)
        logarithm = np.log(np.abs(residual) + smallest)
        level = logarithm.mean(axis=0)
        spread = best_regression(linear, both, logarithm - level)
        varies = spread.explained > max(FOUND, 16 / len(z))
        log_sd = np.where(varies, spread.predicted, 0.0).clip(-MOST, MOST)
        scale = np.log((residual / np.exp(log_sd)).std(axis=0) + 1e-12)
        coefficients = np.concatenate([mean.coefficients, np.where(varies, spread.coefficients, 0.0)], axis=1)
        offset = np.concatenate([z.mean(axis=0), scale])
        own = np.concatenate([mean.predicted, log_sd], axis=1) + offset
        return cls(centre, coefficients, offset), own.astype(np.float32)

    @property
    def n_outputs(self) -> int:
        """Number of network inputs that it gives."""
        return len(self.offset)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """m and l (n, 2 p) float32 of u (n, k)."""
        found = (with_squares(u) - self.centre) @ self.coefficients
        log_sd = found[:, self.n_outputs // 2 :]
        np.clip(log_sd, -MOST, MOST, out=log_sd)
        return (found + self.offset).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        return {name: getattr(self, name) for name in ("centre", "coefficients", "offset")}


def with_squares(u: np.ndarray) -> np.ndarray:
    """u and u^2 side by side, (n, 2 k)."""
    u = np.asarray(u, float)
    return np.concatenate([u, u.clip(-MOST, MOST) ** 2], axis=1)


def best_regression(linear: Spectrum, both: Spectrum, targets: np.ndarray) -> Regression:
    """Coefficients (2 k, p) for u and u^2, those of u^2 zero for targets (n, p) that u alone predicts better."""
    found, plain = Regression.fit(both, targets), Regression.fit(linear, targets)
    padded = np.zeros_like(found.coefficients)
    padded[: len(plain.coefficients)] = plain.coefficients
    return found.replaced(Regression(padded, plain.predicted, plain.explained), plain.explained > found.explained)


def split_moments(inputs: Tensor, n_parameters: int) -> tuple[Tensor, Tensor]:
    """m and l (n, p) at the end of network inputs (n, k)."""
    return inputs[..., -2 * n_parameters : -n_parameters], inputs[..., -n_parameters:]


def standardise(z: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """r (n, p) and the logarithm of \\|dr / dz\\| (n,) for z (n, p) and network inputs (n, k) that end with m and l."""
    mean, log_sd = split_moments(inputs, z.shape[-1])
    return (z - mean) * torch.exp(-log_sd), -log_sd.sum(-1)


def undo_standardise(r: Tensor, inputs: Tensor) -> Tensor:
    """z (m, n, p) for r (m, n, p) and network inputs (m, k)."""
    mean, log_sd = split_moments(inputs.unsqueeze(1), r.shape[-1])
    return mean + torch.exp(log_sd) * r


class Destandardised(ConditionalDensityEstimator):
    """A network of r given inputs that end with m and l, as sbi's density of z given the same."""

    def __init__(self, network: ConditionalDensityEstimator) -> None:
        super().__init__(network, network.input_shape, network.condition_shape)

    def log_prob(self, input: Tensor, condition: Tensor, **kwargs: Any) -> Tensor:
        """log q(z | x) (m, n) for z (m, n, p) and network inputs (n, k)."""
        r, volume = standardise(input, condition)
        return self.net.log_prob(r, condition, **kwargs) + volume

    def loss(self, input: Tensor, condition: Tensor, **kwargs: Any) -> Tensor:
        """Minus the log density (n,) of z (n, p), inputs (n, k)."""
        return -self.log_prob(input.unsqueeze(0), condition, **kwargs)[0]

    def sample(self, sample_shape: torch.Size, condition: Tensor, **kwargs: Any) -> Tensor:
        """z (*sample_shape, n, p) for network inputs (n, k)."""
        r = self.net.sample(sample_shape, condition, **kwargs)
        mean, log_sd = split_moments(condition, r.shape[-1])
        return mean + torch.exp(log_sd) * r
