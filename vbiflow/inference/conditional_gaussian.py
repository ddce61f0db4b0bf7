"""A Gaussian of z given the features, by ridge regression: where a flow of many parameters starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from torch import Tensor

from vbiflow.inference.marginal_networks import MarginalNetworks
from vbiflow.inference.regressions import (
    INNER,
    SMALLEST,
    Shared,
    best_regression,
    least_squares,
    linear_and_whole,
    log_size,
    offset_and_gain,
    polynomial,
    powers,
    terms,
    with_gain,
    with_squares,
)
from vbiflow.inference.residual_shape import ResidualShape

ROUNDS = 10
"""Rounds in which the correlation of what all share is found."""
FOLDS = 10
"""Parts of which each in turn gives eigenvalues for the vectors of the others."""
FARTHEST = 5.0
"""Deviations up to which an error counts in the shape of all: one of 30 in thousands would widen every posterior."""


@dataclass(frozen=True)
class ConditionalGaussian:
    """u (n, k) to the mean m and log standard deviation l of each z given u, side by side (n, 2 p) float32.

    First both are linear in u and u^2: ``[m', l'] = offset + [u - centre, u^2 - centre'] @ coefficients``. Then of each
    parameter by itself m is a polynomial of m', and l one of m' and l': so a bend along any sum of features counts, and
    z is told less sharply where it is told less.

    The parameters of one family, as the excitability of every region, are also wrong together: where a strong coupling
    is taken for a weak one, all are estimated too high, in proportion. No single residual shows it. So each simulation
    has an offset and a gain, ``m + offset + gain m``, and a size that adds to l, which are linear in m and m^2.

    Of each parameter by itself ``e = shape((z - m) / S)``, with ``S = exp(l)``, is standard normal, by a
    `ResidualShape` that the family shares. What remains of offset and gain is the correlation of e, the same in every
    simulation but for its directions: ``D (1 + V (F F^T - 1) V^T) D``, with V (p, d) the parameters outside the family
    and the orthonormal directions of m / S and 1 / S in it, and D diagonal so that variances are 1.

    A flow then describes ``r = (1 + V (F^-1 - 1) V^T) e / D`` given m, l and the features. It finds many parameters
    much sooner so than by itself, and does not pass over one among many others. Along the two directions in the family
    a simulation gives one number each to learn from, of all else as many as there are regions; a flow would learn it by
    heart, so in training it meets noise there (`without_shared`).

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
    shape : of the residuals (z - m) / S; with networks of the e that they give.
    factor : (d, d), F, lower triangular; with networks (p, p), and ``r = F^-1 e``, F F^T the correlation of e.
    networks : of single parameters, where simulations are many. They take m and l and give better ones, and more
        numbers. What of their e is not yet normal, `shape` mends from simulations that they have not met.
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
    shape: ResidualShape
    factor: np.ndarray
    networks: MarginalNetworks | None = None

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
        n_directions = 2 + int((family == 0).sum())
        if len(z) <= n_directions:
            raise ValueError(
                f"{len(z)} simulations to learn from are too few for a regression with {n_directions - 2} parameters "
                "outside the largest family; raise n_simulations, or write inference: {regression: none}"
            )
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

        log_sd = (log_sd + scale).clip(*sizes)
        moments = np.concatenate([m, log_sd], axis=1).astype(np.float32)
        shape, e = ResidualShape.fit(residual / np.exp(log_sd), moments, family)
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
            shape,
            np.eye(n_directions),
        )
        return found.with_factor(moments, e), moments

    def with_factor(self, moments: np.ndarray, e: Tensor) -> ConditionalGaussian:
        """The same with the F that simulations of moments (n, 2 p) and e (n, p) ask for."""
        directions, found = self.shared_directions(*self.split_moments(torch.from_numpy(moments))), self
        for _ in range(ROUNDS):  # D depends on F
            along = torch.einsum("npd,np->nd", directions, e / found.deviations(directions)).double().numpy()
            found = replace(found, factor=np.linalg.cholesky(along.T @ along / len(along)))
        return found

    @property
    def n_outputs(self) -> int:
        """Number of network inputs that it gives."""
        return len(self.family) * (self.networks.n_numbers if self.networks else 2)

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """m and l (n, 2 p) float32 of u (n, k), or the numbers that networks give, m and l first (n, p n_numbers)."""
        straight = (with_squares(u) - self.centre) @ self.coefficients + self.offset
        straight = straight.clip(*self.limits)
        m = polynomial(powers(straight[:, : len(self.family)]), self.mean_bends)
        middle, smallest, largest = self.shared_limits
        shared = middle + (with_squares(m) - self.shared_centre) @ self.shared_coefficients
        shared = shared.clip(smallest, largest)
        m = with_gain(m, shared[:, :2], self.family)
        log_sd = polynomial(terms(straight), self.size_bends) + shared[:, 2:] * self.family
        moments = np.concatenate([m, log_sd.clip(*self.sizes)], axis=1).astype(np.float32)
        return self.networks.numbers(u, moments) if self.networks else moments

    def with_networks(
        self, networks: MarginalNetworks, fresh: tuple[np.ndarray, ...], taught: tuple[np.ndarray, ...]
    ) -> ConditionalGaussian:
        """The same with networks, and with what simulations that they have not met say of e and F.

        These are features u (n, k), m and l (n, 2 p) and z (n, p) of `fresh` simulations and of those that `taught` the
        regression, m and l found without the row itself. In the latter errors are larger, by 4 to 36 %: the networks
        know what the regression does wrong, not what it does wrong without a row. So they tell of means and F, which a
        few hundred fresh ones would not give well, and not of sizes.
        """
        found, family = replace(self, networks=networks), self.family
        e, moments = found.network_errors(*fresh)
        shape, e = ResidualShape.fit(e, moments.numpy(), family)
        more, moments = found.network_errors(*taught)
        more = shape.standardise(torch.from_numpy(more), *moments.tensor_split(2, dim=1))[0]
        shape = shape.moved(torch.cat([e, more]))
        each = [part.clamp(-FARTHEST, FARTHEST).double().numpy() for part in (e, more)]
        return replace(found, shape=shape, factor=np.linalg.cholesky(correlation(*each)))

    def network_errors(self, u: np.ndarray, moments: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, Tensor]:
        """Of simulations as in `with_networks`, e before its shape (n, p), and networks' m and l (n, 2 p)."""
        numbers = torch.from_numpy(self.networks.numbers(u, moments)).split(z.shape[1], dim=1)
        e = self.networks.standardise(torch.from_numpy(z).float(), numbers)[0].clamp(-FARTHEST, FARTHEST)
        return e.numpy(), torch.cat(numbers[:2], dim=1)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays, by name, those of the shape as `shape.<name>`, of the networks as `networks.<name>`."""
        parts = ("shape", "networks")
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in parts}
        own |= {f"shape.{name}": array for name, array in self.shape.state().items()}
        networks = self.networks.state_dict() if self.networks else {}
        return own | {f"networks.{name}": array.numpy() for name, array in networks.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> ConditionalGaussian:
        """The one whose `state` this is."""
        parts: dict[str, dict[str, np.ndarray]] = {"": {}, "shape": {}, "networks": {}}
        for name, array in state.items():
            part, dot, key = name.partition(".")
            parts[part if dot else ""][key or part] = array
        networks = {name: torch.from_numpy(array) for name, array in parts["networks"].items()}
        found = MarginalNetworks.from_state(networks) if networks else None
        return cls(**parts[""], shape=ResidualShape(**parts["shape"]), networks=found)

    def standardise(self, z: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What a flow describes, r (..., p), and the logarithm of \\|dr / dz\\| (...), for z and inputs (..., k)."""
        moments = self.split_moments(inputs)
        e, volume = self.standardise_each(z, moments)
        volume = volume - float(np.log(np.diag(self.factor)).sum())
        inverse = torch.as_tensor(np.linalg.inv(self.factor), dtype=z.dtype, device=z.device)
        if self.networks:
            return e @ inverse.T, volume
        directions = self.shared_directions(*moments)
        deviations = self.deviations(directions)
        return along_shared(e / deviations, directions, inverse), volume - torch.log(deviations).sum(-1)

    def standardise_each(self, z: Tensor, moments: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """e (..., p) and the logarithm of \\|de / dz\\| (...)."""
        if self.networks:
            e, volume = self.networks.standardise(z, moments)
            e, bent = self.shape.standardise(e, *moments[:2])
            return e, volume.sum(-1) + bent
        mean, log_sd = moments
        e, bent = self.shape.standardise((z - mean) * torch.exp(-log_sd), mean, log_sd)
        return e, bent - log_sd.sum(-1)

    def undo_standardise(self, r: Tensor, inputs: Tensor) -> Tensor:
        """z (..., p) for r and network inputs (..., k)."""
        moments = self.split_moments(inputs)
        factor = torch.as_tensor(self.factor, dtype=r.dtype, device=r.device)
        if self.networks:
            return self.networks.undo_standardise(self.shape.undo_standardise(r @ factor.T, *moments[:2]), moments)
        mean, log_sd = moments
        directions = self.shared_directions(mean, log_sd)
        e = along_shared(r, directions, factor) * self.deviations(directions)
        return mean + torch.exp(log_sd) * self.shape.undo_standardise(e, mean, log_sd)

    def without_shared(self, r: Tensor, inputs: Tensor) -> Tensor:
        """r (n, p), of network inputs (n, k), with noise along the two directions in the family."""
        within = self.shared_directions(*self.split_moments(inputs))[..., -2:]
        along = torch.randn(len(r), 2, dtype=r.dtype, device=r.device) - (within * r.unsqueeze(-1)).sum(-2)
        return r + (within * along.unsqueeze(-2)).sum(-1)

    def deviations(self, directions: Tensor) -> Tensor:
        """The diagonal (..., p) of D for directions (..., p, d)."""
        excess = torch.as_tensor(self.factor @ self.factor.T - np.eye(len(self.factor)), dtype=directions.dtype)
        return torch.rsqrt(1 + ((directions @ excess) * directions).sum(-1))

    def shared_directions(self, mean: Tensor, log_sd: Tensor) -> Tensor:
        """V (..., p, d): parameters outside the family, and the directions of m / S and 1 / S in it."""
        family = torch.as_tensor(self.family, dtype=log_sd.dtype, device=log_sd.device)
        offset = torch.exp(-log_sd) * family
        gain = torch.nn.functional.normalize(mean * offset, dim=-1)
        offset = offset - (offset * gain).sum(-1, keepdim=True) * gain
        others = torch.eye(len(family), dtype=log_sd.dtype, device=log_sd.device)[:, family == 0]
        within = torch.stack([gain, torch.nn.functional.normalize(offset, dim=-1)], dim=-1)
        return torch.cat([others.expand(*mean.shape, -1), within], dim=-1)

    def split_moments(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """m and l (..., p), or all numbers that networks give, from the end of network inputs (..., k)."""
        return inputs[..., -self.n_outputs :].split(len(self.family), dim=-1)


def along_shared(r: Tensor, directions: Tensor, factor: Tensor) -> Tensor:
    """r (..., p) with its part along the directions (..., p, d) multiplied by the factor (d, d)."""
    along = (r.unsqueeze(-1) * directions).sum(-2)
    return r + (directions * (along @ factor.T - along).unsqueeze(-2)).sum(-1)


def correlation(*samples: np.ndarray) -> np.ndarray:
    """The correlation (p, p) of the columns of samples (n, p), each of mean and size of its own.

    Its eigenvalues are variances of rows that did not give the vectors.

    Eigenvalues of the rows that gave the vectors spread by chance, those of a few hundred rows by far.

    References
    ----------
    Abadir, Distaso & Zikes (2014) Design-free estimation of variance matrices. doi:10.1016/j.jeconom.2014.03.010
    """
    e = np.concatenate([(part - part.mean(axis=0)) / part.std(axis=0) for part in samples])
    fold, values = np.arange(len(e)) % FOLDS, np.zeros(e.shape[1])
    for k in range(FOLDS):
        vectors = np.linalg.eigh(np.cov(e[fold != k].T))[1]
        values += ((e[fold == k] @ vectors) ** 2).mean(axis=0) / FOLDS
    vectors = np.linalg.eigh(np.cov(e.T))[1]
    covariance = (vectors * np.sort(values)) @ vectors.T
    size = np.sqrt(np.diag(covariance))
    return covariance / np.outer(size, size)


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
