"""Simulations on one connectome, or each on one drawn from many people's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import SUMMARIES, SUMMARY_UNITS, connectome_summaries, draws_from
from vbiflow.engine.draws import simulate_draws
from vbiflow.engine.simulate import Simulations
from vbiflow.io import Progress, Quantity
from vbiflow.prior import Prior


def simulate_pool(
    model: str,
    people: Sequence[Connectome],
    options: Mapping[str, float] | None,
    prior: Prior,
    theta: np.ndarray,
    *settings: Mapping[str, Any],
    seed: int,
    start: int = 0,
    progress: Progress | None = None,
    **given: Any,
) -> tuple[Simulations, dict[str, Quantity]]:
    """`simulate_draws` on the connectome of one person, or of many with the pool's `options`; and covariates of each.

    Each simulation draws its connectome by its index, so that shards do not matter. The second result holds
    `conditioning` (simulation, summary), summaries of the connectomes; it is empty where the options are None.

    Parameters
    ----------
    model : name of the model.
    people : connectomes of the people; one if there is no pool.
    options : how connectomes are drawn from the pool; None if each simulation has the one person's.
    prior, theta : the parameters, (n_simulations, n_parameters), and what they mean.
    settings : blocks parameters, simulation and observation of the study.
    seed : of the study.
    start : index of the first simulation.
    progress : called with (simulations done, n_simulations).
    given : further arguments of `simulate_draws`.
    """
    if options is None:
        given |= {"seed": seed, "start": start, "progress": progress}
        return simulate_draws(model, people[0], prior, theta, *settings, **given), {}
    pool, stop, parts, conditioning = draws_from(people, options), start + len(theta), [], []
    for low, high in pool.blocks(start, stop):
        drawn = pool.draw(seed, low)
        conditioning.append(np.tile(connectome_summaries(drawn), (high - low, 1)))
        rows = theta[low - start : high - start]
        parts.append(simulate_draws(model, drawn, prior, rows, *settings, seed=seed, start=low, **given))
        if progress:
            progress(high - start, len(theta))
    names = {"names": list(SUMMARIES)}
    return join_simulations(parts, start), {
        "conditioning": Quantity(np.concatenate(conditioning), SUMMARY_UNITS, ("simulation", "summary"), names)
    }


def join_simulations(parts: Sequence[Simulations], start: int) -> Simulations:
    """Simulations one after the other."""
    ts = {name: np.concatenate([part.ts[name] for part in parts]) for name in parts[0].ts}
    valid = np.concatenate([part.valid for part in parts])
    reason = [reason for part in parts for reason in part.reason]
    own = {
        name: replace(first, values=np.concatenate([part.observation_parameters[name].values for part in parts]))
        for name, first in parts[0].observation_parameters.items()
    }
    return replace(parts[0], ts=ts, valid=valid, reason=reason, start=start, observation_parameters=own)
