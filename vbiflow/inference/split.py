"""Which simulations train, validate and test: a property of the seed and of which simulations are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vbiflow.estimator_options import resolve_options


@dataclass(frozen=True)
class Split:
    """Indices of the valid simulations used to train, to stop the training, and to test the result."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(valid: np.ndarray, seed: int, validation_share: float = 0.1, test_share: float = 0.1) -> Split:
    """Take every so many-th valid simulation to test, and of the others to validate, so that the shares are exact.

    Simulations are independent draws, so that any choice that does not look at them is fair; the seed says where to
    begin. Of n valid ones `test_share` n are held out, one less or more where that is no whole number. A simulation
    keeps its set when the study grows, so that none moves from test to training.
    """
    valid = np.asarray(valid, bool)
    if validation_share + test_share >= 1:
        raise ValueError(
            f"validation_share {validation_share:g} and test_share {test_share:g} leave nothing to train on; lower them"
        )
    first, second = np.random.default_rng([seed, 0x73706C74]).uniform(0.05, 0.95, 2)
    rows = np.flatnonzero(valid)
    test = every_nth(len(rows), test_share, first)
    rest = rows[~test]
    validation = every_nth(len(rest), validation_share / (1 - test_share), second)
    return Split(rest[~validation], rest[validation], rows[test])


def every_nth(n: int, share: float, phase: float) -> np.ndarray:
    """Which of n in a row are taken, (n,) bool, so that of the first m always floor(share m + phase) are."""
    return np.diff(np.floor(share * np.arange(n + 1) + phase)) > 0


def held_out(valid: np.ndarray, seed: int, options: Mapping[str, Any] | None) -> np.ndarray:
    """Indices of the valid simulations that training with the study's `inference` options never sees."""
    shares = resolve_options(options)
    return split(valid, seed, shares["validation_share"], shares["test_share"]).test
