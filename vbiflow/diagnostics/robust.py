"""A posterior that allows for wrong features, beside the plain one (robust neural posterior estimation)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vbiflow.connectome.pool import CONDITIONING
from vbiflow.diagnostic_options import MOST_ROBUST, WRONG
from vbiflow.inference.training_set import TrainingSet
from vbiflow.reading import shorten_list
from vbiflow.streams import random_generator

if TYPE_CHECKING:
    from vbiflow.inference.posterior import Posterior

SPIKE, SLAB, SLAB_SHARE = 0.01, 0.25, 0.5
"""Spread of a right feature, scale and share of wrong ones, in standard deviations of the simulations; as published."""
CHAINS, BURN, SWEEPS, KEPT_EVERY = 50, 200, 100, 5
COMPONENTS = (1, 2, 5, 10, 20)
ROWS_A_TERM = 2
MOST_ROWS = 10_000
MISSING = 1e8
MOST_LISTED = 3


@dataclass(frozen=True)
class RobustPosterior:
    """Samples theta (n, p); for each feature the probability that it is wrong; what it should have been.

    `wrong` and `shift` (f,) hold, by `names`, the share of samples in which the feature has an error of its own, and
    the mean of recorded less expected value in standard deviations of the simulations.
    """

    theta: np.ndarray
    names: tuple[str, ...]
    wrong: np.ndarray
    shift: np.ndarray

    def offending(self) -> list[str]:
        """Names of features that are wrong with a probability above 0.9, farthest first."""
        return offending_features(self.names, self.wrong, self.shift)


def offending_features(names: Sequence[str], wrong: np.ndarray, shift: np.ndarray) -> list[str]:
    """Those of the features `names` (f,) that are wrong with a probability (f,) above 0.9, largest shift (f,) first."""
    return [names[k] for k in np.argsort(-np.abs(shift)) if wrong[k] > WRONG]


def summarise_robust(
    found: Mapping[str, Any], parameters: Sequence[str], samples: np.ndarray
) -> tuple[np.ndarray, list[str], str]:
    """5, 50 and 95 % quantiles (3, p) of the robust posterior, the offending features, and a sentence on both.

    Parameters
    ----------
    found
        What robust.h5 holds: `theta` (n, p), `features`, `wrong` and `shift` (f,).
    parameters
        Names of the parameters.
    samples
        (m, p), of the plain posterior.
    """
    ends, plain = (np.quantile(theta, [0.05, 0.5, 0.95], axis=0) for theta in (found["theta"], samples))
    off = offending_features(list(found["features"]), found["wrong"], found["shift"])
    if not off:
        return ends, off, "no feature is found wrong by the robust posterior"
    width = np.maximum(plain[2] - plain[0], np.finfo(float).tiny)
    most, them = int(np.argmax(np.abs(ends[1] - plain[1]) / width)), "it" if len(off) == 1 else "them"
    return (
        ends,
        off,
        (
            f"the robust posterior finds {shorten_list(off, MOST_LISTED)} wrong, beside the other features of the "
            f"recording; without {them} {parameters[most]} lies between {ends[0, most]:.3g} and {ends[2, most]:.3g} "
            f"(90 %), with {them} between {plain[0, most]:.3g} and {plain[2, most]:.3g}"
        ),
    )


def robust_posterior(
    posterior: Posterior, data: TrainingSet, x_o: np.ndarray, n: int = 1000, *, seed: int
) -> RobustPosterior:
    """Sample theta given x_o (f,) where some features may be wrong, and find which.

    The recorded features are u = v + e, with v a simulation and e_j small (normal, 0.01) or, with probability 1/2,
    large (Cauchy, 0.25). The density of v is a mixture of Gaussians, fitted to the simulations that the estimator
    learned from, so that v, e and the components are drawn from their conditional distributions (Gibbs). theta is drawn
    from the plain posterior of each v. Covariates of the connectome are taken to be right, missing features stay so.

    Raises
    ------
    ValueError
        If there are more than 300 features: their joint density cannot be learned.

    References
    ----------
    Ward et al. (2022) Robust neural posterior estimation and statistical model criticism, arXiv:2210.06564
    """
    kept = np.flatnonzero(posterior.scaling.keep)
    if len(kept) > MOST_ROBUST:
        raise ValueError(f"{len(kept)} features are too many for a robust posterior; take {MOST_ROBUST} or fewer")
    names = tuple(data.names[k] for k in kept)
    rng = random_generator(seed, 0x726F6275)
    _, x = data.rows(rng.permutation(data.learnt)[:MOST_ROWS])
    law = Mixture.fit(posterior.scaling(x)[:, : len(kept)].astype(float), seed)
    u = posterior.scaling(np.atleast_2d(np.asarray(x_o, float)))[0].astype(float)
    right = np.array([name.startswith(CONDITIONING) for name in names])
    v, wrong = denoise(law, u[: len(kept)], right, ~np.isfinite(np.asarray(x_o, float)[kept]), rng)
    inputs = np.tile(u, (n, 1))
    inputs[:, : len(kept)] = v[rng.integers(len(v), size=n)]
    z = [drawn[:, 0] for _, drawn in posterior.normal_samples(posterior.condenser(inputs.astype(np.float32)), 1, seed)]
    theta = posterior.prior.from_normal(np.concatenate(z))
    return RobustPosterior(theta, names, wrong, u[: len(kept)] - v.mean(axis=0))


@dataclass(frozen=True)
class Mixture:
    """Gaussian components: logarithms of weights (k,), means (k, d), covariances (k, d, d)."""

    log_weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    @classmethod
    def fit(cls, u: np.ndarray, seed: int) -> Mixture:
        """Fit to u (n, d), with as many components as explain a tenth of it, left out, best."""
        from sklearn.mixture import GaussianMixture

        learn, test = u[: -(len(u) // 10)], u[-(len(u) // 10) :]
        terms = u.shape[1] * (u.shape[1] + 3) / 2
        best: tuple[float, Any] = (-np.inf, None)
        for k in COMPONENTS:
            if k > 1 and k * terms > ROWS_A_TERM * len(learn) * u.shape[1]:
                break
            model = GaussianMixture(k, reg_covar=SPIKE**2, random_state=seed, max_iter=50, tol=1e-2)
            score = model.fit(learn).score(test)
            if score < best[0]:
                break
            best = (score, model)
        model = best[1]
        return cls(np.log(model.weights_), model.means_, model.covariances_)


def denoise(
    law: Mixture, u: np.ndarray, right: np.ndarray, missing: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Simulations v (m, d) that u (d,) may be without its errors, and how often each feature has one, (d,).

    Features that are `right` have none, `missing` ones stay as they are in u. Chains start with all features wrong.
    """
    d = len(u)
    variance = (SLAB**2 / rng.gamma(0.5, 2.0, (CHAINS, d))).clip(SPIKE**2, MISSING)
    kept, share = [], np.zeros(d)
    for sweep in range(BURN + SWEEPS):
        variance[:, right], variance[:, missing] = SPIKE**2, MISSING
        v = draw_simulations(law, u, variance, rng)
        error = u - v
        rate = (error / SLAB) ** 2
        spike = np.log1p(-SLAB_SHARE) - np.log(SPIKE) - 0.5 * (error / SPIKE) ** 2 - 0.5 * np.log(2 * np.pi)
        slab = np.log(SLAB_SHARE) - np.log(np.pi * SLAB) - np.log1p(rate)
        wrong = rng.random((CHAINS, d)) < 1 / (1 + np.exp(np.clip(spike - slab, -700, 700)))
        wide = SLAB**2 / rng.gamma(1.0, 1.0, (CHAINS, d)) * (1 + rate) / 2
        variance = np.where(wrong, wide, SPIKE**2)
        if sweep >= BURN:
            share += wrong.mean(axis=0) / SWEEPS
            if sweep % KEPT_EVERY == 0:
                kept.append(np.where(missing, u, v))
    share[right | missing] = 0.0
    return np.concatenate(kept), share


def draw_simulations(law: Mixture, u: np.ndarray, variance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw v (m, d) from its law given u (d,) = v + e, errors e with `variance` (m, d)."""
    m, d = variance.shape
    diagonal = np.arange(d)
    factors, fits = [], []
    for mean, covariance in zip(law.means, law.covariances, strict=True):
        total = np.tile(covariance, (m, 1, 1))
        total[:, diagonal, diagonal] += variance
        factor = np.linalg.cholesky(total)
        white = np.linalg.solve(factor, np.broadcast_to((u - mean)[:, None], (m, d, 1)))[..., 0]
        fits.append(-0.5 * (white**2).sum(axis=1) - np.log(factor[:, diagonal, diagonal]).sum(axis=1))
        factors.append(total)
    weights = np.array(fits).T + law.log_weights
    chosen = (weights + rng.gumbel(size=weights.shape)).argmax(axis=1)
    v = np.empty((m, d))
    for k in np.unique(chosen):
        mine = np.flatnonzero(chosen == k)
        prior = rng.multivariate_normal(law.means[k], law.covariances[k], len(mine), method="cholesky")
        gap = u - prior - np.sqrt(variance[mine]) * rng.standard_normal((len(mine), d))
        v[mine] = prior + np.linalg.solve(factors[k][mine], gap[..., None])[..., 0] @ law.covariances[k]
    return v
