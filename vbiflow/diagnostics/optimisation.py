"""Point estimates by optimisation: simulate anew for each observation, move towards its FC, FCD or spectrum."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import differential_evolution

from vbiflow.connectome import Connectome
from vbiflow.diagnostics.posterior_predictive import compared_values
from vbiflow.engine import simulate_draws
from vbiflow.features.score_options import quantity_options
from vbiflow.features.scores import SCORES
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Progress
from vbiflow.prior import Prior
from vbiflow.streams import Stream

Simulate = Callable[[np.ndarray, int, int], tuple[np.ndarray, np.ndarray, float]]
"""(theta (n, p), index of the first, stream) -> series (n, n_nodes, n_times), valid (n,), fs [Hz]."""
EDGE = 1e-6
POPULATION = 15
WORST = 10.0
"""Cost of a simulation that is invalid, beyond any that is valid."""


def point_estimates(
    data: TrainingSet,
    n_recordings: int,
    simulated: Simulate,
    specs: Sequence[Any],
    scores: Sequence[str],
    budget: int,
    *,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Recover theta of held-out simulations by differential evolution, each with a `budget` of simulations.

    The cost is the sum of the study's predictive scores, for BOLD ``-corr(FC, FC_o) + KS(FCD, FCD_o)``, as for fitting
    a recording. Every evaluation has noise of its own.

    Parameters
    ----------
    data, n_recordings : simulations of the study, of which the first so many held-out ones stand for recordings
    simulated : simulates anew
    specs, scores : the study's features, and names of the scores whose sum is the cost
    budget : how many simulations each recording may take
    seed : of the search
    progress : called with (recordings done, all)

    Returns
    -------
    dict: truth and found (m, p), rmse (p,) over the prior's standard deviation, cost (m,), n_simulations and seconds a
    recording

    References
    ----------
    Storn & Price (1997) Differential evolution, doi:10.1023/A:1008202821328; Wang et al. (2019) Inversion of a
    large-scale circuit model, doi:10.1126/sciadv.aat7854
    """
    wanted = {SCORES[name].quantity: quantity_options(SCORES[name].quantity, specs) for name in scores}
    begin, found, costs, spent = time.process_time(), [], [], 0
    prior, rows = data.prior, data.split.test[:n_recordings]
    for done, row in enumerate(rows, start=1):
        ts, _, fs = simulated(data.theta[row : row + 1], row, Stream.PRIOR)
        target = {quantity: compared_values(quantity, ts[0], fs, options) for quantity, options in wanted.items()}

        def cost(u: np.ndarray, target: Mapping[str, np.ndarray] = target) -> np.ndarray:
            nonlocal spent
            ts, valid, fs = simulated(prior.ppf(u.T), spent, Stream.OPTIMISATION)
            spent += u.shape[1]
            return distance(ts, valid, fs, target, scores, wanted)

        best = evolve(cost, len(prior.names), budget, seed + done)
        found.append(prior.ppf(best.x[None])[0])
        costs.append(best.fun)
        if progress:
            progress(done, len(rows))
    truth, found = data.theta[rows], np.array(found)
    return {
        "truth": truth,
        "found": found,
        "rmse": np.sqrt(((found - truth) ** 2).mean(axis=0)) / prior.std,
        "cost": costs,
        "n_simulations": spent // len(found),
        "seconds": (time.process_time() - begin) / len(found),
    }


def simulator(
    model: str, connectome: Connectome, prior: Prior, signal: str, blocks: Sequence[Mapping[str, Any]], **options: Any
) -> Simulate:
    """The study's simulations as a function of theta; `blocks` are its parameters, simulation and observation."""

    def run(theta: np.ndarray, start: int, stream: int) -> tuple[np.ndarray, np.ndarray, float]:
        out = simulate_draws(model, connectome, prior, theta, *blocks, start=start, stream=int(stream), **options)
        return out.ts[signal], out.valid, out.fs[signal]

    return run


def evolve(cost: Callable[[np.ndarray], np.ndarray], n_parameters: int, budget: int, seed: int) -> Any:
    """Minimise `cost` (p, n) -> (n,) over the unit cube, whole generations at a time, within `budget` evaluations.

    Raises
    ------
    ValueError
        If the budget does not allow two generations.
    """
    population = max(5, min(POPULATION * n_parameters, budget // 10))
    if budget < 2 * population:
        raise ValueError(f"point optimisation needs at least {2 * population} simulations, the study has {budget}")
    start = np.random.default_rng(seed).uniform(EDGE, 1 - EDGE, (population, n_parameters))
    return differential_evolution(
        cost,
        [(EDGE, 1 - EDGE)] * n_parameters,
        init=start,
        maxiter=budget // population - 1,
        tol=0.0,
        atol=-1.0,
        polish=False,
        updating="deferred",
        vectorized=True,
        rng=np.random.default_rng([seed, 1]),
    )


def distance(
    ts: np.ndarray,
    valid: np.ndarray,
    fs: float,
    target: Mapping[str, np.ndarray],
    scores: Sequence[str],
    wanted: Mapping[str, Mapping[str, float]],
) -> np.ndarray:
    """Sum of the scores (n,) of simulations against a target, each with the sign that makes less better."""
    out = np.full(len(ts), WORST)
    for k in np.flatnonzero(valid):
        own = {quantity: compared_values(quantity, ts[k], fs, options) for quantity, options in wanted.items()}
        each = (
            -SCORES[name].sign * SCORES[name].compare(own[SCORES[name].quantity][None], target[SCORES[name].quantity])
            for name in scores
        )
        out[k] = sum(float(np.ravel(value)[0]) for value in each)
    return out
