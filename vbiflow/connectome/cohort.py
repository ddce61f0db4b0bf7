"""Many people's connectomes for one estimator: one drawn for each block of simulations, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from vbiflow.connectome.connectome import Connectome

BLOCK = 32
"""Simulations in a row that share a drawn connectome, so that they can be computed together."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
SUMMARIES = (
    *("radius", "total", "density", "within", "asymmetry", "participation", "gap"),
    *(f"strength[{q:g}]" for q in QUANTILES),
)


@dataclass(frozen=True)
class Pool:
    """Weights (n_people, n_nodes, n_nodes) that simulations draw from.

    `mix`: a draw lies between two random people, w = a W_i + (1 - a) W_j with a uniform; else it is one of them.
    `perturb`: standard deviation of the logarithm by which every connection is scaled at random.
    """

    weights: np.ndarray
    hemispheres: tuple[str, ...]
    mix: bool = True
    perturb: float = 0.0

    def draw(self, seed: int, simulation: int) -> np.ndarray:
        """The weights of one simulation; the same for all of its block, a property of the seed and its index.

        A pool of one person always gives that person's.
        """
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 0x706F6F6C, simulation // BLOCK])))
        if len(self.weights) == 1:
            return self.weights[0]
        first, second = rng.integers(len(self.weights), size=2)
        share = rng.random() if self.mix else 1.0
        weights = share * self.weights[first] + (1 - share) * self.weights[second]
        return weights * np.exp(self.perturb * rng.standard_normal(weights.shape)) if self.perturb else weights

    def blocks(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Ranges of simulations from `start` to `stop` that share a connectome."""
        edges = [start, *range(start - start % BLOCK + BLOCK, stop, BLOCK), stop]
        return list(pairwise(edges))

    def told(self, seed: int, start: int, stop: int) -> np.ndarray:
        """Summaries (stop - start, n_summaries) of the connectomes of simulations."""
        parts = [
            np.tile(summarise(self.draw(seed, low), self.hemispheres), (high - low, 1))
            for low, high in self.blocks(start, stop)
        ]
        return np.concatenate(parts)


def draws_from(connectomes: Sequence[Connectome], options: Mapping[str, float]) -> Pool:
    """Connectomes of the same regions as a pool; `options` are mix and perturb.

    Raises
    ------
    ValueError
        If their regions differ.
    """
    first = connectomes[0]
    for number, other in enumerate(connectomes[1:], start=2):
        if other.labels != first.labels:
            raise ValueError(f"connectome {number} of the cohort has other regions than the first; select the same")
    return Pool(np.stack([one.weights for one in connectomes]), first.hemispheres, **options)


def mean_connectome(connectomes: Sequence[Connectome]) -> Connectome:
    """What stands for a cohort in figures: the mean weights and lengths, with the first one's regions."""
    lengths = np.stack([one.tract_lengths for one in connectomes])
    known = np.isfinite(lengths)
    mean = np.where(known, lengths, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return replace(
        connectomes[0], weights=np.mean([one.weights for one in connectomes], axis=0), tract_lengths=mean, findings=()
    )


def summarise(weights: np.ndarray, hemispheres: Sequence[str]) -> np.ndarray:
    """What an estimator is told of weights (n, n), row = target: SUMMARIES.

    radius: largest absolute eigenvalue; gap: that over the second; participation: 1 / (n sum v^4) of the leading
    eigenvector; within: share of weight inside a hemisphere; asymmetry: |W - W'| / |W + W'|; strength: quantiles over
    nodes of the incoming weight.
    """
    values, vectors = np.linalg.eig(weights)
    order = np.argsort(-np.abs(values))
    leading = np.abs(vectors[:, order[0]])
    total, side = weights.sum(), np.asarray(hemispheres)
    same = side[:, None] == side[None]
    strength = weights.sum(axis=1)
    return np.array(
        [
            np.abs(values[order[0]]),
            total,
            (weights != 0).mean(),
            weights[same].sum() / max(total, 1e-300),
            np.linalg.norm(weights - weights.T) / max(np.linalg.norm(weights + weights.T), 1e-300),
            1 / (len(weights) * ((leading / np.linalg.norm(leading)) ** 4).sum()),
            np.abs(values[order[0]]) / max(np.abs(values[order[1]]), 1e-300),
            *np.quantile(strength, QUANTILES),
        ]
    )
