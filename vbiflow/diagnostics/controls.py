"""Negative controls of a table of spectra: what the tests that it passed would also let pass.

A declared discrepancy makes a model tolerant, and a tolerant model is passed by much. So the same tests, with the same
estimator and simulations, judge tables made from the recording's own that no brain has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.diagnostics.feature_check import rank_p
from vbiflow.diagnostics.held_out_predictive import DRAWS, Neighbourhood
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.inference.training_set import TrainingSet

if TYPE_CHECKING:
    from vbiflow.inference.posterior import Posterior

PURPOSE = 0x636F6E74
"""Tells these random numbers from the others of a study's seed."""
LINE = 10.0
"""Factor, 10 dB, by which one frequency is raised in all nodes."""
CONTROLS = {
    "reversed": "the frequencies in reverse order",
    "white": "white noise, of the same power in each node",
    "line": "a line of 10 dB at one frequency of all nodes",
    "shuffled": "the nodes in another order",
}
"""What is judged in the place of the recording, by name."""


def control_tables(power: np.ndarray, frequencies: np.ndarray, duration: float, seed: int) -> dict[str, np.ndarray]:
    """Tables like `power` (n_nodes, n_frequencies) at `frequencies` [Hz], one for each of CONTROLS.

    White noise is an estimate too, from as many segments as fit into the `duration` [ms].
    """
    segments = max(1, int(duration / 1e3 * np.diff(frequencies).mean()))
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, PURPOSE])))
    line = power.copy()
    line[:, power.shape[1] // 2] *= LINE
    roughness = rng.gamma(segments, 1 / segments, power.shape)
    return {
        "reversed": power[:, ::-1].copy(),
        "white": power.mean(axis=1, keepdims=True) * roughness,
        "line": line,
        "shuffled": power[rng.permutation(len(power))],
    }


def negative_controls(
    tables: Mapping[str, np.ndarray], features: Callable[[np.ndarray], np.ndarray], posterior: Posterior,
    data: TrainingSet, x: np.ndarray, misfits: np.ndarray, *, seed: int, thresholds: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Judge each table as a recording is judged: is it rare among the simulations, does its posterior fit it.

    `rare_p` is the smallest p of the three tests of `misspecification`, `fit_p` that of `calibrated_check`, `outside`
    the number of features beyond all simulations, `passes` whether the control would be let pass.

    Parameters
    ----------
    tables : (n_nodes, n_frequencies) by name, as `control_tables` makes them.
    features : of a table, (n_features,), as those of the recording are taken.
    posterior, data : the estimator, and the simulations that it learned from.
    x : features (n, n_features) of valid simulations from the prior.
    misfits : of held-out simulations, as `held_out_misfits` finds them.
    seed : of the study.
    thresholds : of the study's diagnostics.
    """
    limits, known = resolve_thresholds(thresholds), Neighbourhood.of(data)
    values = np.array([features(table) for table in tables.values()])
    drawn = np.concatenate([z for _, z in posterior.normal_samples(posterior.inputs(values), DRAWS, seed)])
    result = {}
    for name, own, z in zip(tables, values, drawn, strict=True):
        found = misspecification(x, own, data.names, seed=seed, thresholds=thresholds)
        fit = rank_p(misfits, known.misfit(z, own, seed))
        result[name] = {
            "what": CONTROLS[name],
            "rare_p": min(found["p_value"], found["mmd_p"], found["beyond_p"]),
            "outside": len(found["outside"]),
            "fit_p": fit,
            "passes": bool(found["inside"] and fit >= limits["predictive_p"]),
        }
    return result


def controls_note(controls: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence on what the same tests let pass and what they refuse; none without controls."""
    passed, refused = ([CONTROLS[k] for k, one in controls.items() if one["passes"] is kind] for kind in (True, False))
    if not controls:
        return []
    lets = f"would let pass {in_words(passed)}" if passed else "refuse all negative controls"
    return [f"the same tests {lets}" + (f"; they refuse {in_words(refused)}" if passed and refused else "")]


def in_words(items: Sequence[str]) -> str:
    """Items, with a word between the last two."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
