"""Many people's connectomes for one estimator: one drawn for each block of simulations, and its covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.parcellation import OWN_CENTRES
from vbiflow.streams import random_generator

BLOCK = 32
"""Simulations in a row that share a drawn connectome at most, so that they can be computed together."""
FEWEST_DRAWS = 100
"""Connectomes that a study draws at least; fewer simulations than that many blocks share smaller ones."""
EXTRAPOLATION = 0.5
"""How far a mixture may lie beyond one of its two people, in units of their difference."""
CONDITIONING = "connectome."
"""First part of the names of conditioning covariates, the columns that say on which connectome a simulation ran."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
SUMMARIES = (
    *("radius", "total", "density", "within", "asymmetry", "participation", "gap", "length"),
    *(f"strength[{q:g}]" for q in QUANTILES),
)
SUMMARY_UNITS = tuple("mm" if name == "length" else "1" for name in SUMMARIES)


@dataclass(frozen=True)
class Pool:
    """Connectomes of the same regions that simulations draw from.

    `mix`: a draw has the connections of one random person and, where another one has them too, the weights
    w = a W_i + (1 - a) W_j, with a uniform from -BEYOND to 1 + BEYOND and w at least half the smaller of the two. So
    it is as dense as people are, and people lie within the cloud of draws, not at its rim. Tract lengths are mixed by a
    cut to [0, 1]. Without `mix` a draw is one of the people. `perturb`: standard deviation of the logarithm by which
    every weight is scaled at random. `block`: simulations in a row that share a draw.
    """

    people: tuple[Connectome, ...]
    mix: bool = True
    perturb: float = 0.0
    block: int = BLOCK

    def draw(self, seed: int, simulation: int) -> Connectome:
        """The connectome of one simulation; the same for all of its block, a property of the seed and its index.

        A pool of one person always gives that person's.
        """
        rng = random_generator(seed, 0x706F6F6C, simulation // self.block)
        if len(self.people) == 1:
            return self.people[0]
        place = int(rng.integers(len(self.people)))
        first, second = self.people[place], self.people[place - int(rng.integers(1, len(self.people)))]
        share = rng.uniform(-EXTRAPOLATION, 1 + EXTRAPOLATION) if self.mix else 1.0
        weights = mix_weights(first.weights, second.weights, share)
        if self.perturb:
            weights = weights * np.exp(self.perturb * rng.standard_normal(weights.shape))
        inner = min(max(share, 0.0), 1.0)
        return replace(first, weights=weights, tract_lengths=mean_lengths([first, second], [inner, 1 - inner]))

    def blocks(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Ranges of simulations from `start` to `stop` that share a connectome."""
        edges = [start, *range(start - start % self.block + self.block, stop, self.block), stop]
        return list(pairwise(edges))


def block_size(n_simulations: int) -> int:
    """Simulations that share a drawn connectome in a study of so many: BLOCK, or fewer to draw FEWEST_DRAWS."""
    return max(1, min(BLOCK, n_simulations // FEWEST_DRAWS))


def mix_weights(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Weights on the connections of `first`: share * first + (1 - share) * second where both have one, not below half
    of the smaller."""
    mixed = np.maximum(share * first + (1 - share) * second, 0.5 * np.minimum(first, second))
    return np.where((first != 0) & (second != 0), mixed, first)


def draws_from(connectomes: Sequence[Connectome], options: Mapping[str, float]) -> Pool:
    """Connectomes of the same regions as a pool; `options` are mix, perturb and block.

    Raises
    ------
    ValueError
        If their regions differ.
    """
    first = connectomes[0]
    for number, other in enumerate(connectomes[1:], start=2):
        if other.labels != first.labels:
            raise ValueError(f"connectome {number} of the cohort has other regions than the first; select the same")
    return Pool(tuple(connectomes), **options)


def mean_connectome(connectomes: Sequence[Connectome]) -> Connectome:
    """The consensus of a cohort: mean weights and lengths, the first one's regions, and what is said of their centres.

    Raises
    ------
    ValueError
        If there are fewer than two.
    """
    if len(connectomes) < 2:
        raise ValueError(f"{len(connectomes)} connectomes are left to learn from, two or more are needed")
    weights = np.mean([one.weights for one in connectomes], axis=0)
    lengths = mean_lengths(connectomes, np.full(len(connectomes), 1 / len(connectomes)))
    whose = tuple(finding for finding in connectomes[0].findings if finding.name == OWN_CENTRES)
    return replace(connectomes[0], weights=weights, tract_lengths=lengths, findings=whose)


def mean_lengths(connectomes: Sequence[Connectome], shares: Sequence[float] | np.ndarray) -> np.ndarray:
    """Tract lengths [mm] of a weighted mean of connectomes: of each connection, the mean over those that have it."""
    lengths = np.stack([one.tract_lengths for one in connectomes])
    present = np.stack([one.weights != 0 for one in connectomes]) & np.isfinite(lengths)
    share = np.where(present, np.asarray(shares)[:, None, None], 0.0)
    total = share.sum(axis=0)
    mean = np.where(present, share * lengths, 0.0).sum(axis=0) / np.where(total > 0, total, np.nan)
    return np.where(total > 0, mean, connectomes[0].tract_lengths)


def connectome_summaries(connectome: Connectome) -> np.ndarray:
    """Covariates that stand for a connectome: SUMMARIES of its weights w (n, n), row = target, and lengths.

    radius: largest absolute eigenvalue; gap: that over the second; participation: 1 / (n sum v^4) of the leading
    eigenvector; within: share of weight inside a hemisphere; asymmetry: |w - w'| / |w + w'|; length: mean tract length
    [mm], each connection by its weight, not-a-number where one is unknown; strength: quantiles over nodes of the
    incoming weight.
    """
    weights = connectome.weights
    values, vectors = np.linalg.eig(weights)
    order = np.argsort(-np.abs(values))
    leading = np.abs(vectors[:, order[0]])
    total, side = weights.sum(), np.asarray(connectome.hemispheres)
    same, connected = side[:, None] == side[None], weights != 0
    return np.array(
        [
            np.abs(values[order[0]]),
            total,
            connected.mean(),
            weights[same].sum() / max(total, 1e-300),
            np.linalg.norm(weights - weights.T) / max(np.linalg.norm(weights + weights.T), 1e-300),
            1 / (len(weights) * ((leading / np.linalg.norm(leading)) ** 4).sum()),
            np.abs(values[order[0]]) / max(np.abs(values[order[1]]), 1e-300),
            (weights * connectome.tract_lengths)[connected].sum() / max(total, 1e-300),
            *np.quantile(weights.sum(axis=1), QUANTILES),
        ]
    )
