"""Sequential rounds for one observation: later simulations only where the posterior so far has mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vbiflow.inference.posterior import Posterior
from vbiflow.io import Quantity
from vbiflow.streams import random_generator

CUT = 1e-4
BLOCK = 20_000
BUDGET = 5_000_000


class Region:
    """Where the posteriors of all rounds so far have mass for one observation: the truncated prior's support.

    Each posterior's region holds 1 - `cut` of q(theta | x_o): its border is the `cut` quantile of log q - log p over
    posterior samples. The support is what all regions share.
    """

    def __init__(self, posteriors: Sequence[Posterior], x_o: np.ndarray, seed: int, cut: float = CUT) -> None:
        self.prior, self.parts = posteriors[0].prior, []
        for posterior in posteriors:
            inputs = posterior.inputs(x_o)
            _, z = next(iter(posterior.normal_samples(inputs, 10_000, seed)))
            self.parts.append((posterior, inputs, np.quantile(density(posterior, z[0], inputs), cut)))

    def holds(self, theta: np.ndarray) -> np.ndarray:
        """Which of theta (n, n_parameters) lie inside, (n,)."""
        return self.inside(self.prior.to_normal(theta))

    def inside(self, z: np.ndarray) -> np.ndarray:
        """The same for z = Phi^-1(F(theta))."""
        kept = np.ones(len(z), bool)
        for posterior, inputs, border in reversed(self.parts):
            kept[kept] = density(posterior, z[kept], inputs) > border
        return kept

    def sample(self, n: int, seed: int, budget: int) -> tuple[np.ndarray, float]:
        """Draw theta (n, n_parameters) from the prior inside, and the share of prior mass inside."""
        rng = random_generator(seed, 0x726F756E, len(self.parts))
        found, n_found, drawn = [], 0, 0
        while n_found < n:
            if drawn >= budget:
                raise ValueError(
                    f"only {n_found} of {drawn} draws of the prior lie in the region of the posterior, {n} "
                    "are wanted: raise the budget or take one round less"
                )
            z = rng.standard_normal((BLOCK, len(self.prior.names)))
            found.append(z[self.inside(z)])
            n_found, drawn = n_found + len(found[-1]), drawn + BLOCK
        return self.prior.from_normal(np.concatenate(found)[:n]), n_found / drawn


def truncated_prior(
    posterior: Posterior | Sequence[Posterior],
    x_o: np.ndarray,
    n: int,
    *,
    seed: int,
    cut: float = CUT,
    budget: int = BUDGET,
) -> tuple[np.ndarray, float]:
    """Draw theta (n, n_parameters) from the prior inside the posteriors' highest-density region (TSNPE).

    Inside the `Region` of the posterior, or of those of all rounds so far, draws follow the prior, so that the next
    round trains with the same loss as the first.

    Returns
    -------
    theta, and the share of prior mass inside the region

    Raises
    ------
    ValueError
        If `budget` draws of the prior give fewer than n inside.

    References
    ----------
    Deistler et al. (2022) Truncated proposals for scalable and hassle-free simulation-based inference,
    arXiv:2210.04815
    """
    posteriors = [posterior] if isinstance(posterior, Posterior) else posterior
    return Region(posteriors, x_o, seed, cut).sample(n, seed, budget)


def next_round(
    posteriors: Sequence[Posterior], x_o: np.ndarray, theta: np.ndarray, n: int, *, seed: int
) -> dict[str, Quantity]:
    """What the next round simulates, theta (n, n_parameters), and which earlier simulations it uses again.

    Earlier simulations `theta` that lie inside follow the truncated prior too, and so train together with the new ones.
    """
    region = Region(posteriors, x_o, seed)
    drawn, share = region.sample(n, seed, BUDGET)
    reused = np.flatnonzero(region.holds(theta))
    _, z = next(iter(posteriors[-1].normal_samples(posteriors[-1].inputs(x_o), 1000, seed)))
    units = posteriors[0].prior.units
    return {
        "theta": Quantity(drawn, units, ("simulation", "parameter")),
        "names": Quantity.text(posteriors[0].parameters, "parameter"),
        "reused": Quantity(reused, "1", ("earlier",)),
        "share": Quantity(share, "1"),
        "samples": Quantity(posteriors[0].prior.from_normal(z[0]), units, ("sample", "parameter")),
    }


def join_rounds(
    drawn: Mapping[str, np.ndarray],
    new: Mapping[str, np.ndarray],
    theta: np.ndarray,
    old: Mapping[str, np.ndarray],
    units: tuple[str | Sequence[str], str | Sequence[str]],
) -> tuple[dict[str, Quantity], dict[str, Quantity]]:
    """Quantities of prior.h5 and features.h5 of a round: earlier simulations that are `reused`, then the new ones.

    `units` are those of theta and of the features.

    Raises
    ------
    ValueError
        If the features of the two differ.
    """
    if list(new["names"]) != list(old["names"]):
        raise ValueError("features of this round are not those of the round before; delete the rounds and run again")
    kept = drawn["reused"]
    both = {
        name: np.concatenate([np.asarray(old[name])[kept], np.asarray(new[name])]) for name in ("x", "valid", "reason")
    }
    each, n = ("simulation",), len(both["valid"])
    prior = {
        "theta": Quantity(np.concatenate([theta[kept], drawn["theta"]]), units[0], ("simulation", "parameter")),
        "names": Quantity.text(drawn["names"], "parameter"),
    }
    features = {
        "x": Quantity(both["x"], units[1], ("simulation", "feature")),
        "names": Quantity.text(new["names"], "feature"),
        "index": Quantity(np.arange(n), "1", each),
        "valid": Quantity(both["valid"], "1", each),
        "reason": Quantity.text(both["reason"], *each),
    }
    return prior, features


def density(posterior: Posterior, z: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """log q(theta | x) up to the prior's density (n,): that of z relative to the standard normal.

    The ratio does not depend on the units and shape of the prior.
    """
    return posterior.normal_log_prob(z, inputs) + 0.5 * (z**2).sum(axis=1)
