"""Sequential rounds for one observation: later simulations only where the posterior so far has mass."""

from __future__ import annotations

import numpy as np

from vbiflow.inference.posterior import Posterior

CUT = 1e-4
BLOCK = 20_000


def truncated_prior(
    posterior: Posterior,
    x_o: np.ndarray,
    n: int,
    *,
    seed: int,
    cut: float = CUT,
    budget: int = 5_000_000,
) -> tuple[np.ndarray, float]:
    """Draw theta (n, n_parameters) from the prior inside the posterior's highest-density region (TSNPE).

    The region holds 1 - `cut` of q(theta | x_o): its border is the `cut` quantile of log q - log p over posterior
    samples. Inside it draws follow the prior, so that the next round trains with the same loss as the first.

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
    inputs = posterior.inputs(x_o)
    _, z = next(iter(posterior.normal_samples(inputs, 10_000, seed)))
    border = np.quantile(density(posterior, z[0], inputs), cut)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 0x726F756E])))
    found, drawn = [], 0
    while sum(map(len, found)) < n:
        if drawn >= budget:
            raise ValueError(
                f"only {sum(map(len, found))} of {drawn} draws of the prior lie in the region of the posterior, {n} "
                "are wanted: raise the budget or take one round less"
            )
        z = rng.standard_normal((BLOCK, len(posterior.parameters)))
        found.append(z[density(posterior, z, inputs) > border])
        drawn += BLOCK
    inside = np.concatenate(found)
    return posterior.prior.from_normal(inside[:n]), len(inside) / drawn


def density(posterior: Posterior, z: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """log q(theta | x) up to the prior's density (n,): that of z relative to the standard normal.

    The ratio does not depend on the units and shape of the prior.
    """
    return posterior.normal_log_prob(z, inputs) + 0.5 * (z**2).sum(axis=1)
