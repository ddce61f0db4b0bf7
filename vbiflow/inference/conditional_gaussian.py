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
"""Scaled features are squared up to here."""
INNER = 0.01, 0.99
"""Quantiles of the log standard deviations of simulations beyond which none is believed."""
N_MEAN = 5
"""Terms of the mean's polynomial, up to the fourth power."""
SMALLEST = 1e-3
"""Residual, as a share of their standard deviation, below which all count as equally small."""


@dataclass(frozen=True)
class ConditionalGaussian:
    """u (n, k) to the mean m and log standard deviation l of each z given u, side by side (n, 2 p) float32.

    First both are linear in u and u^2: ``[m', l'] = offset + [u - centre, u^2 - centre'] @ coefficients``. Then of each
    parameter by itself m is a polynomial of m', and l one of m' and l': so a bend along any sum of features counts, and
    z is told less sharply where it is told less. A flow then describes ``r = (z - m) / exp(l)`` given m, l and the
    features. It finds many parameters much sooner so than by itself, and does not pass over one among many others.

    Parameters
    ----------
    centre : (2 k,) means of u and u^2.
    coefficients : (2 k, 2 p).
    offset : (2 p,).
    limits : (2, 2 p), smallest and largest m' and l' of the simulations, within which the polynomials hold.
    bends : (8, 2 p), coefficients of the `terms` of the polynomials.
    sizes : (2, p), smallest and largest l: beyond those of nearly all simulations a polynomial knows nothing.
    """

    centre: np.ndarray
    coefficients: np.ndarray
    offset: np.ndarray
    limits: np.ndarray
    bends: np.ndarray
    sizes: np.ndarray

    @classmethod
    def fit(cls, u: np.ndarray, z: np.ndarray) -> tuple[ConditionalGaussian, np.ndarray]:
        """Regress z (n, p) on u (n, k); also m and l (n, 2 p) of these very rows, each found without the row itself.

        Squares count only for parameters that they tell more of, the linear m' and l' only where they predict z and
        the residuals' size: of what the features do not tell, the mean of the other rows would tell a row its own z.
        """
        squared = with_squares(u)
        centre = squared.mean(axis=0)
        design = squared - centre
        both, linear = Spectrum.of(design), Spectrum.of(design[:, : u.shape[1]])
        mean = best_regression(linear, both, z - z.mean(axis=0)).informative(len(z))
        size = log_size(z - z.mean(axis=0) - mean.predicted)
        spread = best_regression(linear, both, size - size.mean(axis=0)).informative(len(z))
        coefficients = np.concatenate([mean.coefficients, spread.coefficients], axis=1)
        offset = np.concatenate([z.mean(axis=0), np.zeros(z.shape[1])])
        own = np.concatenate([mean.predicted, spread.predicted], axis=1) + offset
        limits = np.stack([own.min(axis=0), own.max(axis=0)])
        found = cls(centre, coefficients, offset, limits, *fit_bends(own, z))
        return found, found.bend(own)

    @property
    def n_outputs(self) -> int:
        """Number of network inputs that it gives."""
        return len(self.offset)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """m and l (n, 2 p) float32 of u (n, k)."""
        return self.bend((with_squares(u) - self.centre) @ self.coefficients + self.offset)

    def bend(self, straight: np.ndarray) -> np.ndarray:
        """m and l (n, 2 p) float32 of m' and l' (n, 2 p)."""
        found = np.empty(straight.shape, np.float32)
        p = self.n_outputs // 2
        each = terms(straight.clip(*self.limits))
        found[:, :p] = np.einsum("ntp,tp->np", each, self.bends[:, :p])
        found[:, p:] = np.einsum("ntp,tp->np", each, self.bends[:, p:]).clip(*self.sizes)
        return found

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        return {name: getattr(self, name) for name in ("centre", "coefficients", "offset", "limits", "bends", "sizes")}


def log_size(residual: np.ndarray) -> np.ndarray:
    """Logarithm of the size of residuals (n, p); all that are tiny beside the rest count alike."""
    return np.log(np.abs(residual) + SMALLEST * residual.std(axis=0) + 1e-12)


def terms(straight: np.ndarray) -> np.ndarray:
    """Terms (n, 8, p) of the polynomials of m' and l', given side by side (n, 2 p); the mean has the first five."""
    m, size = np.split(straight, 2, axis=1)
    return np.stack([np.ones_like(m), m, m**2, m**3, m**4, size, size**2, size * m], axis=1)


def fit_bends(own: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (8, 2 p) of the polynomials by least squares, from m' and l' (n, 2 p) of rows and their z (n, p).

    Also the sizes (2, p) within which l stays, those of 98 % of the rows.
    """
    each, p = terms(own), z.shape[1]
    bends, sizes = np.zeros((each.shape[1], 2 * p)), np.zeros((2, p))
    for k in range(p):
        one = each[:, :, k]
        bends[:N_MEAN, k] = np.linalg.lstsq(one[:, :N_MEAN], z[:, k], rcond=None)[0]
        residual = z[:, k] - one @ bends[:, k]
        bends[:, p + k] = np.linalg.lstsq(one, log_size(residual), rcond=None)[0]
        log_sd = one @ bends[:, p + k]
        sizes[:, k] = np.quantile(log_sd, INNER)
        scale = np.log((residual / np.exp(log_sd.clip(*sizes[:, k]))).std() + 1e-12)
        bends[0, p + k] += scale
        sizes[:, k] += scale
    return bends, sizes


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
