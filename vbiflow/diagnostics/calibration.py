"""What held-out simulations say about an estimator: ranks, coverage, TARP, z-score, shrinkage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from vbiflow.diagnostics.marginal import marginal_information
from vbiflow.inference.posterior import Posterior
from vbiflow.io import Progress, Quantity
from vbiflow.streams import random_generator

FARTHEST_Z = 5.0
"""Standard deviations of the prior, where it is normal, beyond which it has no mass to speak of (6e-7)."""
LEVELS = np.linspace(0.05, 0.95, 19)
EACH, BOTH = ("simulation",), ("simulation", "parameter")
AXES = {
    **{
        "names": ("parameter",),
        "theta": BOTH,
        "mean": BOTH,
        "sd": BOTH,
        "z": BOTH,
        "shrinkage": BOTH,
        "information": BOTH,
    },
    **{"coverage_level": ("level",), "coverage": ("level", "parameter"), "tarp_level": ("level",)},
    **{"tarp_coverage": ("level",), "tarp": EACH, "leaked": EACH, "log_prob": EACH, "prior_log_prob": EACH},
}


@dataclass(frozen=True)
class Calibration:
    """Results on n held-out simulations with p parameters, whose `units` are those of theta, mean and sd.

    ranks (n, p): how many of `n_samples` posterior samples lie below the true value; uniform if calibrated.
    coverage (level, p): share of simulations whose central interval of probability `level` holds the truth.
    tarp (n,): share of samples nearer to a random reference point than the truth is; uniform if calibrated.
    leaked (n,): share of samples that the prior all but excludes.
    information (n, p): what the marginal posterior tells of a parameter beyond its prior [nat].
    z = \\|mean - truth\\| / sd and shrinkage = 1 - sd^2 / prior sd^2, (n, p); log_prob and
    prior_log_prob (n,) [nat], the latter of the prior that the parameters were drawn from.
    """

    names: tuple[str, ...]
    theta: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    z: np.ndarray
    shrinkage: np.ndarray
    information: np.ndarray
    ranks: np.ndarray
    n_samples: int
    coverage_level: np.ndarray
    coverage: np.ndarray
    tarp: np.ndarray
    leaked: np.ndarray
    tarp_level: np.ndarray
    tarp_coverage: np.ndarray
    log_prob: np.ndarray
    prior_log_prob: np.ndarray
    units: tuple[str, ...]

    @property
    def correlation(self) -> np.ndarray:
        """Correlation (p,) of posterior mean and truth over the simulations; 0 where either is constant."""
        return np.array([pearson(m, t) for m, t in zip(self.mean.T, self.theta.T, strict=True)])

    def quantities(self) -> dict[str, Quantity]:
        """All fields by name, as they are stored."""
        units = dict.fromkeys(AXES, "1") | dict.fromkeys(("theta", "mean", "sd"), self.units)
        units |= {"names": "", "log_prob": "nat", "prior_log_prob": "nat"}
        return {name: Quantity(getattr(self, name), units[name], axes) for name, axes in AXES.items()} | {
            "ranks": Quantity(self.ranks, "1", AXES["theta"], {"n_samples": self.n_samples})
        }


def calibrate(
    posterior: Posterior,
    theta: np.ndarray,
    x: np.ndarray,
    *,
    seed: int,
    n_samples: int = 1000,
    share: float = 1.0,
    progress: Progress | None = None,
) -> Calibration:
    """Draw `n_samples` from q(theta | x_i) for each held-out simulation (theta_i, x_i) and compare with theta_i.

    Parameters
    ----------
    posterior : the estimator.
    theta, x : parameters (n, p) drawn from the prior, and features (n, f) simulated with noise of their own, never used
        in training.
    seed : of the samples.
    n_samples : drawn for each simulation.
    share : of the prior's mass, in which theta was drawn: less than one in the truncated prior of a round.
    progress : told how many of n simulations are done.

    References
    ----------
    Talts et al. (2018) Validating Bayesian inference algorithms with simulation-based calibration, arXiv:1804.06788;
    Lemos et al. (2023) Sampling-based accuracy testing of posterior estimators, arXiv:2302.03026
    """
    theta, x = np.asarray(theta, float), np.asarray(x, float)
    if len(theta) == 0 or len(theta) != len(x):
        raise ValueError(f"calibration needs held-out simulations: found {len(theta)} theta and {len(x)} x")
    summaries = []
    rng = random_generator(seed, 0x74617270)
    references = rng.standard_normal(theta.shape)
    truth = posterior.prior.to_normal(theta)
    inputs = posterior.inputs(x)
    for rows, z in posterior.normal_samples(inputs, n_samples, seed):
        samples = posterior.prior.from_normal(z)
        summaries.append(
            (
                samples.mean(axis=1),
                samples.std(axis=1),
                (samples < theta[rows, None]).sum(axis=1),
                share_nearer(z, truth[rows], references[rows]),
                (np.abs(z) > FARTHEST_Z).any(axis=-1).mean(axis=1),
                marginal_information(ndtr(z)),
            )
        )
        if progress:
            progress(rows.stop, len(theta))
    parts = (np.concatenate(parts) for parts in zip(*summaries, strict=True))
    return assemble_calibration(posterior, theta, x, tuple(parts), n_samples, share)


def share_nearer(z: np.ndarray, truth: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Share (m,) of samples z (m, n, p) nearer to a reference (m, p) than the truth (m, p) is."""
    distance = ((z - references[:, None]) ** 2).sum(axis=-1)
    return (distance < ((truth - references) ** 2).sum(axis=-1)[:, None]).mean(axis=1)


def assemble_calibration(
    posterior: Posterior, theta: np.ndarray, x: np.ndarray, parts: tuple[np.ndarray, ...], n_samples: int, share: float
) -> Calibration:
    """Put a `Calibration` together from means, standard deviations, ranks, TARP shares, leaks and information."""
    mean, sd, ranks, tarp, leaked, information = parts
    floor = np.finfo(float).tiny
    return Calibration(
        names=posterior.parameters,
        theta=theta,
        mean=mean,
        sd=sd,
        z=np.abs(mean - theta) / np.maximum(sd, floor),
        shrinkage=1 - (sd / posterior.prior.std) ** 2,
        information=information,
        ranks=ranks,
        n_samples=n_samples,
        coverage_level=LEVELS,
        coverage=coverage(ranks, n_samples, LEVELS),
        tarp=tarp,
        leaked=leaked,
        tarp_level=LEVELS,
        tarp_coverage=(tarp[:, None] < LEVELS).mean(axis=0),
        log_prob=posterior.log_prob(theta, x),
        prior_log_prob=posterior.prior.log_prob(theta) - np.log(share),
        units=posterior.prior.units,
    )


def coverage(ranks: np.ndarray, n_samples: int, levels: np.ndarray) -> np.ndarray:
    """Share (level, p) of simulations whose truth lies in the central interval of each level, from ranks (n, p)."""
    distance = 2 * np.abs((ranks + 0.5) / (n_samples + 1) - 0.5)
    return (distance[None] <= np.asarray(levels)[:, None, None]).mean(axis=1)


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two series; 0 if one is constant."""
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0
