"""A Gaussian of z given the features, by ridge regression: where a flow of many parameters starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from torch import Tensor

from vbiflow.inference.reduction import Regression, Spectrum

MOST = 4.0
"""Scaled features are squared up to here."""
INNER = 0.01, 0.99
"""Quantiles of log standard deviations, and of what all parameters share, beyond which none is believed."""
FEWEST = 10
"""Parameters of one name that are a family."""
SMALLEST = 1e-3
"""Residual, as a share of their standard deviation, below which all count as equally small."""


@dataclass(frozen=True)
class ConditionalGaussian:
    """u (n, k) to the mean m and log standard deviation l of each z given u, side by side (n, 2 p) float32.

    First both are linear in u and u^2: ``[m', l'] = offset + [u - centre, u^2 - centre'] @ coefficients``. Then of each
    parameter by itself m is a polynomial of m', and l one of m' and l': so a bend along any sum of features counts, and
    z is told less sharply where it is told less.

    The parameters of one family, as the excitability of every region, are also wrong together: where a strong coupling
    is taken for a weak one, all are estimated too high, in proportion. No single residual shows it. So each simulation
    has an offset and a gain, ``m + offset + gain m``, and a size that adds to l, which are linear in m and m^2. What
    remains of offset and gain is the correlation of the Gaussian: its covariance is ``S (1 + V (F F^T - 1) V^T) S``,
    with ``S = exp(l)`` on the diagonal, V (p, 2) the orthonormal directions of m / S and 1 / S in the family, and the
    same F in every simulation.

    A flow then describes ``r = (1 + V (F^-1 - 1) V^T) (z - m) / S`` given m, l and the features. It finds many
    parameters much sooner so than by itself, and does not pass over one among many others.

    Parameters
    ----------
    centre : (2 k,) means of u and u^2.
    coefficients : (2 k, 2 p).
    offset : (2 p,).
    limits : (2, 2 p), smallest and largest m' and l' of the simulations, within which the polynomials hold.
    mean_bends : (5, p), coefficients of the `powers` of the mean's polynomials.
    size_bends : (8, p), coefficients of the `terms` of those of l.
    sizes : (2, p), smallest and largest l: beyond those of nearly all simulations a polynomial knows nothing.
    family : (p,) 1 for the parameters that share offset, gain and size, at least three, and 0 for others.
    shared_centre : (2 p,) means of m and m^2.
    shared_coefficients : (2 p, 3), of offset, gain and size.
    shared_limits : (3, 3), each at the centre, its smallest and its largest.
    factor : (2, 2), F, lower triangular.
    """

    centre: np.ndarray
    coefficients: np.ndarray
    offset: np.ndarray
    limits: np.ndarray
    mean_bends: np.ndarray
    size_bends: np.ndarray
    sizes: np.ndarray
    family: np.ndarray
    shared_centre: np.ndarray
    shared_coefficients: np.ndarray
    shared_limits: np.ndarray
    factor: np.ndarray

    @classmethod
    def fit(
        cls, u: np.ndarray, z: np.ndarray, family: np.ndarray | None = None
    ) -> tuple[ConditionalGaussian, np.ndarray]:
        """Regress z (n, p) on u (n, k); also m and l (n, 2 p) of these very rows, each found without the row itself.

        All parameters are one family unless it is given (p,).

        Squares count only for parameters that they tell more of, the linear m' and l' only where they predict z and
        the residuals' size: of what the features do not tell, the mean of the other rows would tell a row its own z.
        What all share is regressed on m alone: a row's u beside an m that was found without the row would tell it too.
        """
        squared, average = with_squares(u), z.mean(axis=0)
        family = np.ones_like(average) if family is None else np.asarray(family, float)
        centre = squared.mean(axis=0)
        spectra = linear_and_whole(squared - centre)
        mean = best_regression(spectra, z - average).informative(len(z))
        straight = mean.predicted + average
        each = powers(straight)
        mean_bends = least_squares(each, z)
        m = polynomial(each, mean_bends)

        squared_means = with_squares(m)
        shared_centre = squared_means.mean(axis=0)
        shared_spectra = linear_and_whole(squared_means - shared_centre)
        moved = Shared.fit(shared_spectra, offset_and_gain(m, z, family))
        m = with_gain(m, moved.own, family)
        residual = z - m

        log_residual = log_size(residual)
        spread = best_regression(spectra, log_residual - log_residual.mean(axis=0)).informative(len(z))
        own = np.concatenate([straight, spread.predicted], axis=1)
        each = terms(own)
        size_bends = least_squares(each, log_residual)
        log_sd = polynomial(each, size_bends)
        believed = log_sd.clip(*np.quantile(log_sd, INNER, axis=0))
        squares = ((residual / np.exp(believed)) ** 2) @ family[:, None] / family.sum()
        size = Shared.fit(shared_spectra, np.log(squares + SMALLEST) / 2)
        log_sd += size.own * family
        sizes = np.quantile(log_sd, INNER, axis=0)
        scale = np.log((residual / np.exp(log_sd.clip(*sizes))).std(axis=0) + 1e-12)
        size_bends[0] += scale
        sizes += scale

        moments = np.concatenate([m, (log_sd + scale).clip(*sizes)], axis=1).astype(np.float32)
        found = cls(
            centre,
            np.concatenate([mean.coefficients, spread.coefficients], axis=1),
            np.concatenate([average, np.zeros_like(average)]),
            np.stack([own.min(axis=0), own.max(axis=0)]),
            mean_bends,
            size_bends,
            sizes,
            family,
            shared_centre,
            np.concatenate([moved.coefficients, size.coefficients], axis=1),
            np.concatenate([moved.limits, size.limits], axis=1),
            np.eye(2),
        )
        return found.with_factor(moments, z), moments

    def with_factor(self, moments: np.ndarray, z: np.ndarray) -> ConditionalGaussian:
        """The same, of factor 1, with the F that simulations of moments (n, 2 p) and z (n, p) ask for."""
        inputs = torch.from_numpy(moments).double()
        r, _ = self.standardise(torch.from_numpy(np.asarray(z, float)), inputs)
        along = torch.einsum("npd,np->nd", self.shared_directions(*self.split_moments(inputs)), r).numpy()
        factor = np.linalg.cholesky(along.T @ along / len(along))
        return replace(self, factor=factor)

    @property
    def n_outputs(self) -> int:
        """Number of network inputs that it gives."""
        return len(self.offset)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """m and l (n, 2 p) float32 of u (n, k)."""
        straight = (with_squares(u) - self.centre) @ self.coefficients + self.offset
        straight = straight.clip(*self.limits)
        m = polynomial(powers(straight[:, : self.n_outputs // 2]), self.mean_bends)
        middle, smallest, largest = self.shared_limits
        shared = middle + (with_squares(m) - self.shared_centre) @ self.shared_coefficients
        shared = shared.clip(smallest, largest)
        m = with_gain(m, shared[:, :2], self.family)
        log_sd = polynomial(terms(straight), self.size_bends) + shared[:, 2:] * self.family
        return np.concatenate([m, log_sd.clip(*self.sizes)], axis=1).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def standardise(self, z: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """r (..., p) and the logarithm of \\|dr / dz\\| (...) for z and inputs (..., k) that end with m and l."""
        mean, log_sd = self.split_moments(inputs)
        inverse = torch.as_tensor(np.linalg.inv(self.factor), dtype=z.dtype, device=z.device)
        volume = -log_sd.sum(-1) - float(np.log(np.diag(self.factor)).sum())
        return along_shared((z - mean) * torch.exp(-log_sd), self.shared_directions(mean, log_sd), inverse), volume

    def undo_standardise(self, r: Tensor, inputs: Tensor) -> Tensor:
        """z (..., p) for r and network inputs (..., k)."""
        mean, log_sd = self.split_moments(inputs)
        factor = torch.as_tensor(self.factor, dtype=r.dtype, device=r.device)
        return mean + torch.exp(log_sd) * along_shared(r, self.shared_directions(mean, log_sd), factor)

    def shared_directions(self, mean: Tensor, log_sd: Tensor) -> Tensor:
        """Orthonormal directions (..., p, 2) of m / S and 1 / S in the family."""
        offset = torch.exp(-log_sd) * torch.as_tensor(self.family, dtype=log_sd.dtype, device=log_sd.device)
        gain = torch.nn.functional.normalize(mean * offset, dim=-1)
        offset = offset - (offset * gain).sum(-1, keepdim=True) * gain
        return torch.stack([gain, torch.nn.functional.normalize(offset, dim=-1)], dim=-1)

    def split_moments(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """m and l (..., p) at the end of network inputs (..., k)."""
        return inputs[..., -self.n_outputs :].tensor_split(2, dim=-1)


@dataclass(frozen=True)
class Shared:
    """Numbers of a simulation (n, t) regressed on m and m^2: predictions without the row, coefficients, limits."""

    own: np.ndarray
    coefficients: np.ndarray
    limits: np.ndarray

    @classmethod
    def fit(cls, spectra: tuple[Spectrum, Spectrum], targets: np.ndarray) -> Shared:
        """Regress; predictions stay within those of 98 % of the rows, and are the average where m tells nothing."""
        middle = targets.mean(axis=0)
        found = best_regression(spectra, targets - middle).informative(len(targets))
        smallest, largest = middle + np.quantile(found.predicted, INNER, axis=0)
        own = (middle + found.predicted).clip(smallest, largest)
        return cls(own, found.coefficients, np.stack([middle, smallest, largest]))


def largest_family(names: Sequence[str]) -> np.ndarray:
    """1 for the parameters (p,) of the commonest name, as ``eta[...]`` of every region; for all if few share one."""
    stems = np.array([name.split("[")[0] for name in names])
    found, counts = np.unique(stems, return_counts=True)
    return np.ones(len(names)) if counts.max() < FEWEST else (stems == found[counts.argmax()]).astype(float)


def offset_and_gain(m: np.ndarray, z: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Offset and gain (n, 2) by which z (n, p) differs from m in a simulation's family, by weighted least squares."""
    weights = family / ((z - m).std(axis=0) + 1e-12)
    design = np.stack([np.ones_like(m), m], axis=-1) * weights[:, None]
    normal = np.einsum("npi,npj->nij", design, design) + 1e-9 * np.eye(2)
    return np.linalg.solve(normal, np.einsum("npi,np->ni", design, (z - m) * weights)[..., None])[..., 0]


def with_gain(m: np.ndarray, shared: np.ndarray, family: np.ndarray) -> np.ndarray:
    """m (n, p) moved by offset and gain (n, 2), those of the family."""
    return m + (shared[:, :1] + shared[:, 1:] * m) * family


def along_shared(r: Tensor, directions: Tensor, factor: Tensor) -> Tensor:
    """r (..., p) with its part along the directions (..., p, 2) multiplied by the factor (2, 2)."""
    along = (r.unsqueeze(-1) * directions).sum(-2)
    return r + (directions * (along @ factor.T - along).unsqueeze(-2)).sum(-1)


def log_size(residual: np.ndarray) -> np.ndarray:
    """Logarithm of the size of residuals (n, p); all that are tiny beside the rest count alike."""
    return np.log(np.abs(residual) + SMALLEST * residual.std(axis=0) + 1e-12)


def powers(m: np.ndarray) -> np.ndarray:
    """Powers (n, 5, p) of m' (n, p), from the zeroth to the fourth."""
    return np.stack([np.ones_like(m), m, m**2, m**3, m**4], axis=1)


def terms(straight: np.ndarray) -> np.ndarray:
    """Terms (n, 8, p) of the polynomials of l: powers of m', l', its square and l' m', given m' and l' (n, 2 p)."""
    m, size = np.split(straight, 2, axis=1)
    return np.concatenate([powers(m), np.stack([size, size**2, size * m], axis=1)], axis=1)


def polynomial(each: np.ndarray, bends: np.ndarray) -> np.ndarray:
    """Values (n, p) of polynomials whose terms (n, t, p) have coefficients (t, p)."""
    return np.einsum("ntp,tp->np", each, bends)


def least_squares(each: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Coefficients (t, p) of terms (n, t, p) for targets (n, p), of every parameter by itself."""
    columns = [np.linalg.lstsq(each[:, :, k], targets[:, k], rcond=None)[0] for k in range(targets.shape[1])]
    return np.stack(columns, axis=1)


def with_squares(u: np.ndarray) -> np.ndarray:
    """u and u^2 side by side, (n, 2 k)."""
    u = np.asarray(u, float)
    return np.concatenate([u, u.clip(-MOST, MOST) ** 2], axis=1)


def linear_and_whole(design: np.ndarray) -> tuple[Spectrum, Spectrum]:
    """Spectra of the first half of the columns of a design (n, 2 k), and of all."""
    return Spectrum.of(design[:, : design.shape[1] // 2]), Spectrum.of(design)


def best_regression(spectra: tuple[Spectrum, Spectrum], targets: np.ndarray) -> Regression:
    """Coefficients (2 k, p) for u and u^2, those of u^2 zero for targets (n, p) that u alone predicts better."""
    plain, found = (Regression.fit(spectrum, targets) for spectrum in spectra)
    padded = np.zeros_like(found.coefficients)
    padded[: len(plain.coefficients)] = plain.coefficients
    return found.replaced(Regression(padded, plain.predicted, plain.explained), plain.explained > found.explained)


class Destandardised(ConditionalDensityEstimator):
    """A network of r given inputs that end with m and l, as sbi's density of z given the same."""

    def __init__(self, network: ConditionalDensityEstimator, regression: ConditionalGaussian) -> None:
        super().__init__(network, network.input_shape, network.condition_shape)
        self.regression = regression

    def log_prob(self, input: Tensor, condition: Tensor, **kwargs: Any) -> Tensor:
        """log q(z | x) (m, n) for z (m, n, p) and network inputs (n, k)."""
        r, volume = self.regression.standardise(input, condition)
        return self.net.log_prob(r, condition, **kwargs) + volume

    def loss(self, input: Tensor, condition: Tensor, **kwargs: Any) -> Tensor:
        """Minus the log density (n,) of z (n, p), inputs (n, k)."""
        return -self.log_prob(input.unsqueeze(0), condition, **kwargs)[0]

    def sample(self, sample_shape: torch.Size, condition: Tensor, **kwargs: Any) -> Tensor:
        """z (*sample_shape, n, p) for network inputs (n, k)."""
        return self.regression.undo_standardise(self.net.sample(sample_shape, condition, **kwargs), condition)
