"""What parameters that other people's recordings gave tell of a person: simulations of them beside the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.diagnostic_options import N_TRANSFER
from vbiflow.diagnostics.posterior_predictive import compared_values, prepare_simulation
from vbiflow.features.extraction import Observer
from vbiflow.features.preparation import read_preparation
from vbiflow.features.score_options import score_options
from vbiflow.features.scores import SCORES


def mix_posteriors(samples: Sequence[np.ndarray], n_simulations: int = N_TRANSFER) -> np.ndarray:
    """Parameters (n_simulations, n_parameters) of samples (n, n_parameters) of several posteriors, of each in turn.

    Raises
    ------
    ValueError
        If there is no posterior.
    """
    if not samples:
        raise ValueError("parameters of other people: nobody else has a posterior; take a cohort of two or more")
    return np.array([samples[k % len(samples)][k // len(samples)] for k in range(n_simulations)])


def transfer_scores(
    path: str | Path, series: np.ndarray, fs: float, specs: Sequence[Any], names: Sequence[str], signal: str = "bold",
    prepare: Mapping[str, Any] | None = None, sensors: Observer | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Scores (n,) by name of all valid simulations in a file against a recording `series` (n_nodes, n_times).

    Parameters
    ----------
    path : file of the simulations.
    series : the recording (n_nodes, n_times) as features were taken from it.
    fs : its sampling rate [Hz].
    specs : the study's list of features, whose windows and bands the scores take over.
    names : of the scores.
    signal : which series of the file to compare.
    prepare : the steps that the recording went through.
    sensors : makes series of the sensors from those of the regions; none if the regions are compared.

    Raises
    ------
    ValueError
        If no simulation is valid.
    """
    steps, found = read_preparation(prepare), {}
    wanted = score_options(names, specs, steps, fs)
    with io.open_sealed(path) as file:
        kept = np.flatnonzero(io.read_values(file, "valid"))
        if not len(kept):
            raise ValueError(f"{path}: no simulation of other people's parameters is valid; look at their posteriors")
        simulated = [prepare_simulation(file[signal][k], fs, steps, k, sensors) for k in kept]
    for name in names:
        quantity = SCORES[name].quantity
        theirs = np.array([compared_values(quantity, ts, fs, wanted[quantity]) for ts in simulated])
        found[name] = SCORES[name].compare(theirs, compared_values(quantity, series, fs, wanted[quantity]))
    return found
