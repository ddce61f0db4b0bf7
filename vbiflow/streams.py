"""Streams of random numbers: what else a simulation is addressed by, beside the study's seed and its index.

Noise, initial states and sensor noise of simulation k follow from (seed, stream, k) alone. Simulations of different
purposes have streams of their own, so that none repeats the noise of another with the same index.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """Purposes of simulations; the values are part of the numbers, so they never change."""

    PRIOR = 0
    """Simulations from the whole prior, which the estimator learns from, is tested and calibrated on."""
    PREDICTIVE = 1
    """Simulations from a person's posterior, to compare with the recording."""
    RECORDING = 2
    """Simulations that stand for the recording of a virtual person."""
    OPTIMISATION = 3
    """Simulations that point optimisation tries for a held-out one."""
    TRANSFER = 4
    """Simulations from the posteriors of other people, to compare with a person's recording."""
    ROUND = 10
    """Sequential rounds: round n has the stream 10 + n, n = 2, 3, ...; see `round_stream`."""


def round_stream(number: int) -> int:
    """The stream of a sequential round; the first round's simulations are those from the prior."""
    return int(Stream.PRIOR) if number == 1 else Stream.ROUND + number


def random_generator(*address: int) -> np.random.Generator:
    """Random numbers that belong to an address (a seed, what they are for, an index), whatever was drawn before.

    Different addresses give independent numbers (Philox4x64, Salmon et al. 2011, doi:10.1145/2063384.2063405).
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(address)))
