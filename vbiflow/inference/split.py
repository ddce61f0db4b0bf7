"""Which simulations train, validate and test: a property of the seed and the simulation's index alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.estimator_options import resolve


@dataclass(frozen=True)
class Split:
    """Indices of the valid simulations used to train, to stop the training, and to test the result."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(valid: np.ndarray, seed: int, validation_share: float = 0.1, test_share: float = 0.1) -> Split:
    """Assign every valid simulation to one set by a uniform number u(seed, index).

    A simulation keeps its set when the study grows, so that none moves from test to training.
    """
    valid = np.asarray(valid, bool)
    if validation_share + test_share >= 1:
        raise ValueError(
            f"validation_share {validation_share:g} and test_share {test_share:g} leave nothing to train on; lower them"
        )
    u = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 0x73706C74]))).random(len(valid))
    test, validation = u < test_share, (u >= test_share) & (u < test_share + validation_share)
    return Split(*(np.where(valid & chosen)[0] for chosen in (~test & ~validation, validation, test)))


def held_out(valid: np.ndarray, seed: int, options: Mapping[str, Any] | None) -> np.ndarray:
    """Indices of the valid simulations that training with the study's `inference` options never sees."""
    shares = resolve(options)
    return split(valid, seed, shares["validation_share"], shares["test_share"]).test
