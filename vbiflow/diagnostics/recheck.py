"""Posterior predictive check of one person: FC and FCD of simulations from the posterior against the recording's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.diagnostics.predictive import predictive_scores
from vbiflow.features import fc, fcd

WINDOW = {"window": 60.0, "step": 5.0}
SHOWN = 5000


def fcd_options(specs: Sequence[Any]) -> dict[str, float]:
    """Window and step [s] of the study's first FCD feature; WINDOW if it has none."""
    given = [spec["fcd"] or {} for spec in specs if isinstance(spec, Mapping) and "fcd" in spec]
    return WINDOW | {key: value for key, value in (given[0] if given else {}).items() if key in WINDOW}


def predictive_check(
    path: str | Path, series: np.ndarray, fs: float, specs: Sequence[Any], n_predictive: int, signal: str = "bold"
) -> dict[str, io.Quantity]:
    """Compare re-simulations in a file with a recording `series` (n_nodes, n_times) at `fs` [Hz].

    The file holds `n_predictive` simulations of posterior samples, then repeated ones of the MAP for the noise floor.
    Invalid simulations are left out.

    Raises
    ------
    ValueError
        If too few simulations are valid to compare.
    """
    options = fcd_options(specs)
    matrices, dynamics, kept = [], [], []
    with io.opened(path) as file:
        for k in np.flatnonzero(io.values(file, "valid")):
            ts = file[signal][k]
            matrices.append(fc(ts))
            dynamics.append(fcd(ts, fs, **options))
            kept.append(k)
        drawn = np.array(kept) < n_predictive
        if drawn.sum() < 2 or (~drawn).sum() < 2:
            raise ValueError(
                f"{path}: {drawn.sum()} simulations from the posterior and {(~drawn).sum()} of the MAP are valid; "
                "two of each are needed"
            )
        matrices, dynamics = np.array(matrices), np.array(dynamics)
        observed = fc(series), fcd(series, fs, **options)
        scores = predictive_scores(matrices[drawn], dynamics[drawn], *observed, matrices[~drawn], dynamics[~drawn])
        best = int(np.argmin(scores["fcd_ks"]))
        ts = file[signal][kept[best]]
    pair, apart = ("node", "node"), -(-options["window"] // options["step"])
    values = partial(off_diagonal, apart=int(apart))
    return {
        "fc": io.Quantity(matrices[drawn].mean(axis=0), axes=pair),
        "fc_observed": io.Quantity(observed[0], axes=pair),
        "fcd": io.Quantity(dynamics[best], axes=("window", "window"), attributes=options),
        "fcd_observed": io.Quantity(observed[1], axes=("window", "window"), attributes=options),
        "fcd_values": io.Quantity(values(dynamics[drawn]), axes=("value",)),
        "fcd_observed_values": io.Quantity(values(observed[1]), axes=("value",)),
        signal: io.Quantity(ts, axes=("node", "time"), attributes={"fs": fs}),
        **{
            name: io.Quantity(score, axes=("pair",) if name.startswith("floor") else ("simulation",))
            for name, score in scores.items()
        },
    }


def off_diagonal(matrices: np.ndarray, apart: int) -> np.ndarray:
    """Values of FCD (..., window, window) of windows at least `apart` steps apart, which do not overlap.

    At most SHOWN of them, evenly spread over their order, for a histogram.
    """
    ordered = np.sort(matrices[..., *np.triu_indices(matrices.shape[-1], apart)], axis=None)
    return ordered[np.linspace(0, len(ordered) - 1, min(len(ordered), SHOWN)).astype(int)]
