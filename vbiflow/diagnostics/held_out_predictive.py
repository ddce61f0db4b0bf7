"""What the posterior predictive check finds for held-out simulations, where nothing is wrong with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from vbiflow.connectome.pool import CONDITIONING
from vbiflow.diagnostics.feature_check import check_features, rank_p
from vbiflow.diagnostics.normal_scores import SmoothScores
from vbiflow.inference.training_set import TrainingSet
from vbiflow.streams import random_generator

if TYPE_CHECKING:
    from vbiflow.inference.posterior import Posterior

MOST_COMPARED = 300
MOST_KNOWN = 5000
"""Simulations among which neighbours are sought."""
NEIGHBOURS = 30
DRAWS = 100
"""Approximate simulations for each recording or held-out simulation."""
DEGREES = (3, 2)
ROWS_A_TERM = 10


def held_out_misfits(posterior: Posterior, data: TrainingSet, held_out: np.ndarray, *, seed: int) -> np.ndarray:
    """`Neighbourhood.misfit` (m,) of the first 300 held-out simulations (n, f), each in the place of a recording."""
    known, observed = Neighbourhood.of(data), held_out[:MOST_COMPARED]
    found = np.empty(len(observed))
    for rows, z in posterior.normal_samples(posterior.inputs(observed), DRAWS, seed):
        for k, drawn in zip(range(rows.start, rows.stop), z, strict=True):
            found[k] = known.misfit(drawn, observed[k], seed + k)
    return found


def calibrated_check(
    features: Mapping[str, Any], data: TrainingSet, samples: np.ndarray, x_o: np.ndarray, misfits: np.ndarray,
    *, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """What `check_features` found for a recording x_o (f,), with a p-value that comes true as often as it says.

    A recording has shaped its own posterior, so that the share of re-simulations at least as far as a right model's
    recording keeps to the middle. `calibrated_p` is the share of held-out simulations whose `misfits` (m,) are at least
    the recording's, found in the same way from posterior `samples` (n, p): of a right model it is uniform.

    References
    ----------
    Hjort, Dahl & Steinbakk (2006) Post-processing posterior predictive p values, doi:10.1198/016214505000001393
    """
    z = data.prior.to_normal(samples[:DRAWS])
    misfit = Neighbourhood.of(data).misfit(z, np.asarray(x_o, float), seed)
    p = rank_p(misfits, misfit)
    return dict(features) | {"calibrated_p": p, "calibrated_misfit": misfit, "n_held_out": len(misfits)}


@dataclass(frozen=True)
class Neighbourhood:
    """Simulations from anywhere in the prior, approximated from those that are known.

    At parameters theta' they are x_k + f(theta') - f(theta_k), where theta_k is one of the 30 known parameters nearest
    to theta', drawn by chance, and f the regression of features on parameters: neighbours give the noise, the
    regression what lies between them. Near is meant among parameters, standard normal under the prior, and covariates
    of the connectome, which are `columns` of the features x (n, f).

    References
    ----------
    Beaumont, Zhang & Balding (2002) Approximate Bayesian computation in population genetics,
    doi:10.1093/genetics/162.4.2025
    """

    x: np.ndarray
    columns: np.ndarray
    fitted: np.ndarray
    scaler: Any
    regression: Any
    search: Any
    scores: SmoothScores

    @classmethod
    def of(cls, data: TrainingSet) -> Neighbourhood:
        """Learn from the first 5 000 simulations that are not held out.

        The regression is a polynomial of third or second degree where each term has ten simulations, else linear.
        """
        from sklearn.linear_model import Ridge
        from sklearn.neighbors import NearestNeighbors
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import PolynomialFeatures, StandardScaler

        theta, x = data.rows(data.learnt[:MOST_KNOWN])
        columns = np.array([name.startswith(CONDITIONING) for name in data.names])
        scaler = StandardScaler().fit(x[:, columns]) if columns.any() else None
        places = regression_inputs(data.prior.to_normal(theta), x[:, columns], scaler)
        n, q = places.shape
        degree = next((d for d in DEGREES if comb(q + d, d) * ROWS_A_TERM <= n), 1)
        regression = make_pipeline(PolynomialFeatures(degree), StandardScaler(), Ridge(1e-3 * n))
        regression.fit(places, fill_missing(x))
        search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, n)).fit(places)
        return cls(x, columns, regression.predict(places), scaler, regression, search, SmoothScores.of(x))

    def simulate(self, z: np.ndarray, x_i: np.ndarray, seed: int) -> np.ndarray:
        """Features (m, f) of approximate simulations at z (m, p), with the covariates of x_i (f,)."""
        at = regression_inputs(z, np.tile(x_i[self.columns], (len(z), 1)), self.scaler)
        near = self.search.kneighbors(at, return_distance=False)
        rng = random_generator(seed, 0x70707265)
        k = near[np.arange(len(z)), rng.integers(near.shape[1], size=len(z))]
        out = self.x[k] + self.regression.predict(at).reshape(len(z), -1) - self.fitted[k]
        out[:, self.columns] = x_i[self.columns]
        return out

    def misfit(self, z: np.ndarray, x_i: np.ndarray, seed: int) -> float:
        """`misfit` of `check_features` for x_i (f,) and approximate simulations from its posterior samples z (m, p)."""
        return check_features(self.scores(self.simulate(z, x_i, seed)), self.scores(x_i))["misfit"]


def regression_inputs(z: np.ndarray, covariates: np.ndarray, scaler: Any) -> np.ndarray:
    """Parameters, standard normal under the prior, and standardised covariates."""
    return z if scaler is None else np.hstack([z, scaler.transform(covariates)])


def fill_missing(x: np.ndarray) -> np.ndarray:
    """Features (n, f) with the median of a column where it is not finite, 0 where it never is."""
    finite = np.isfinite(x)
    if finite.all():
        return x
    middle = [np.median(column[good]) if good.any() else 0.0 for column, good in zip(x.T, finite.T, strict=True)]
    return np.where(finite, x, middle)
