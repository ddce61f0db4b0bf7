"""Negative controls of a recording: what the tests that it passed would also let pass.

A declared discrepancy makes a model tolerant, and a tolerant model is passed by much. So the same tests, with the same
estimator and simulations, judge series or spectra made from the recording's own that no brain has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.diagnostics.feature_check import rank_p
from vbiflow.diagnostics.held_out_predictive import DRAWS, Neighbourhood
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.features.batch import standardise
from vbiflow.inference.training_set import TrainingSet
from vbiflow.streams import random_generator

if TYPE_CHECKING:
    from vbiflow.inference.posterior import Posterior

PURPOSE = 0x636F6E74
"""Tells these random numbers from the others of a study's seed."""
LINE = 10.0
"""Factor, 10 dB, by which one frequency is raised in all nodes."""
SHUFFLED = {"shuffled": "the nodes in another order"}
OF_SPECTRA = {
    "reversed": "the frequencies in reverse order",
    "white": "white noise, of the same power in each node",
    "line": "a line of 10 dB at one frequency of all nodes",
    **SHUFFLED,
}
OF_SERIES = {
    "independent": "nodes that have nothing to do with each other",
    "uniform": "the same correlation of all nodes",
    "stationary": "a stationary series of the same FC and spectra",
    **SHUFFLED,
}
CONTROLS = OF_SPECTRA | OF_SERIES
"""What is judged in the place of the recording, by name."""


def control_tables(power: np.ndarray, frequencies: np.ndarray, duration: float, seed: int) -> dict[str, np.ndarray]:
    """Tables like `power` (n_nodes, n_frequencies) at `frequencies` [Hz], one for each of OF_SPECTRA.

    White noise is an estimate too, from as many segments as fit into the `duration` [ms].
    """
    segments = max(1, int(duration / 1e3 * np.diff(frequencies).mean()))
    rng = random_numbers(seed)
    line = power.copy()
    line[:, power.shape[1] // 2] *= LINE
    roughness = rng.gamma(segments, 1 / segments, power.shape)
    return {
        "reversed": power[:, ::-1].copy(),
        "white": power.mean(axis=1, keepdims=True) * roughness,
        "line": line,
        "shuffled": power[rng.permutation(len(power))],
    }


def control_series(ts: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Series like `ts` (n_nodes, n_times), one for each of OF_SERIES.

    Their phases are random. Each node's own leave no correlation, the same in all nodes keep every correlation, also
    with lags, but none of its changes. In `uniform` any two nodes correlate by the mean FC of the recording.

    References
    ----------
    Prichard & Theiler (1994) Generating surrogate data for time series with several simultaneously measured variables,
    doi:10.1103/PhysRevLett.73.951; Liegeois et al. (2017) Interpreting temporal fluctuations in resting-state
    functional connectivity MRI, doi:10.1016/j.neuroimage.2017.09.012
    """
    rng, n = random_numbers(seed), len(ts)
    mean = ts.mean(axis=1, keepdims=True)
    independent = with_random_phases(ts, rng, n)
    fc = max(0.0, np.corrcoef(ts)[np.triu_indices(n, 1)].mean()) if n > 1 else 0.0
    common = with_random_phases(ts[:1], rng, 1)
    alike = fc**0.5 * standardise(common) + (1 - fc) ** 0.5 * standardise(independent)
    return {
        "independent": independent,
        "uniform": mean + np.linalg.norm(ts - mean, axis=1, keepdims=True) * alike,
        "stationary": with_random_phases(ts, rng, 1),
        "shuffled": ts[rng.permutation(n)],
    }


def with_random_phases(ts: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    """Series ts (n_nodes, n_times) with `n` sets of random phases added: one a node, or one for all."""
    spectrum = np.fft.rfft(ts, axis=1)
    phases = rng.uniform(0, 2 * np.pi, (n, spectrum.shape[1]))
    phases[:, 0] = 0.0
    if ts.shape[1] % 2 == 0:
        phases[:, -1] = 0.0
    return np.fft.irfft(spectrum * np.exp(1j * phases), ts.shape[1], axis=1)


def random_numbers(seed: int) -> np.random.Generator:
    """Those of the controls of a study's seed."""
    return random_generator(seed, PURPOSE)


def negative_controls(
    controls: Mapping[str, np.ndarray], features: Callable[[np.ndarray], np.ndarray], posterior: Posterior,
    data: TrainingSet, x: np.ndarray, misfits: np.ndarray, *, seed: int, thresholds: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Judge each control as a recording is judged: is it rare among the simulations, does its posterior fit it.

    `rare_p` is the smallest p of the three tests of `misspecification`, `fit_p` that of `calibrated_check`, `outside`
    the number of features beyond all simulations, `passes` whether the control would be let pass. One with a feature
    that is undefined is not.

    Parameters
    ----------
    controls : spectra or series by name, as `control_tables` or `control_series` make them.
    features : of one of them, (n_features,), as those of the recording are taken.
    posterior, data : the estimator, and the simulations that it learned from.
    x : features (n, n_features) of valid simulations from the prior.
    misfits : of held-out simulations, as `held_out_misfits` finds them.
    seed : of the study.
    thresholds : of the study's diagnostics.
    """
    least, known, result = resolve_thresholds(thresholds)["predictive_p"], Neighbourhood.of(data), {}
    for name, control in controls.items():
        own = features(control)
        undefined = np.count_nonzero(~np.isfinite(own))
        found = {"what": CONTROLS[name], "rare_p": 0.0, "outside": undefined, "fit_p": 0.0, "passes": False}
        if not undefined:
            rare = misspecification(x, own, data.names, seed=seed, thresholds=thresholds)
            ((_, drawn),) = posterior.normal_samples(posterior.inputs(own[None]), DRAWS, seed)
            found["rare_p"] = min(rare["p_value"], rare["mmd_p"], rare["beyond_p"])
            found["outside"] = len(rare["outside"])
            found["fit_p"] = rank_p(misfits, known.misfit(drawn[0], own, seed))
            found["passes"] = bool(rare["inside"] and found["fit_p"] >= least)
        result[name] = found
    return result


def controls_note(controls: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence on what the same tests let pass and what they refuse; none without controls."""
    passed, refused = ([CONTROLS[k] for k, one in controls.items() if one["passes"] is kind] for kind in (True, False))
    if not controls:
        return []
    lets = f"would let pass {in_words(passed)}" if passed else "refuse all negative controls"
    words = f"the same tests, but for re-simulation, {lets}"
    words += f"; they refuse {in_words(refused)}" if passed and refused else ""
    return [words + ("; from what passes only the model's grade tells the recording" if passed else "")]


def in_words(items: Sequence[str]) -> str:
    """Items, with a word between the last two."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
