"""Local C2ST: is the posterior right at this very x_o, not only on average over the prior."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from vbiflow.diagnostic_options import LOCAL_TEST
from vbiflow.inference.posterior import Posterior

HIDDEN_UNITS = (30, 30)
N_NULL = 20


def local_c2st(
    posterior: Posterior, theta: np.ndarray, x: np.ndarray, x_o: np.ndarray, *, seed: int, n_samples: int = 1000
) -> dict[str, Any]:
    """Test q(theta | x_o) = p(theta | x_o) with a classifier trained on held-out simulations.

    A classifier learns to tell (theta_i, x_i) from (samples of q(. | x_i), x_i); evaluated at x_o on samples of q, its
    probabilities d are 1/2 if the posterior is right there. `statistic` is the mean of (d - 1/2)^2, `p_value` ranks it
    among those of classifiers trained with shuffled labels, `null`; `score` (n_samples,) is d - 1/2 for `theta`
    (n_samples, n_parameters): where positive, the truth lies more often than q says.

    References
    ----------
    Linhart et al. (2023) L-C2ST: local diagnostics for posterior approximations in simulation-based inference,
    arXiv:2306.03580
    """
    if len(theta) < LOCAL_TEST:
        raise ValueError(f"a local C2ST needs at least {LOCAL_TEST} held-out simulations, found {len(theta)}")
    inputs = posterior.inputs(x)
    drawn = np.concatenate([z[:, 0] for _, z in posterior.normal_samples(inputs, 1, seed)])
    at = posterior.inputs(x_o)
    _, z_o = next(iter(posterior.normal_samples(at, n_samples, seed)))
    data = np.concatenate(
        [np.column_stack([posterior.prior.to_normal(theta), inputs]), np.column_stack([drawn, inputs])]
    )
    label = np.repeat([1, 0], len(theta))
    asked = np.column_stack([z_o[0], np.repeat(at, n_samples, axis=0)])
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x6C633273]))
    own = class_probability(data, label, asked, seed) - 0.5
    swapped = []
    for k in range(N_NULL):
        flip = rng.random(len(theta)) < 0.5
        shuffled = np.concatenate([~flip, flip]).astype(int)
        swapped.append(((class_probability(data, shuffled, asked, seed + k + 1) - 0.5) ** 2).mean())
    statistic = float((own**2).mean())
    return {
        "statistic": statistic,
        "p_value": float((1 + (np.array(swapped) >= statistic).sum()) / (1 + N_NULL)),
        "null": np.array(swapped),
        "theta": posterior.prior.from_normal(z_o[0]),
        "score": own,
    }


def class_probability(data: np.ndarray, label: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
    """Probability (m,) of label 1 at `asked` (m, k), by a small network trained on `data` (n, k)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(HIDDEN_UNITS, alpha=1e-2, early_stopping=True, max_iter=100, random_state=seed % 2**32)
        return model.fit(data, label).predict_proba(asked)[:, 1]
