"""Posterior predictive check of one person: simulations from the posterior against the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.diagnostics.predictive import SCORES, predictive_scores
from vbiflow.features import fc, fcd
from vbiflow.features.extraction import Observer
from vbiflow.features.feature import of_signal
from vbiflow.features.preparation import prepare as prepared
from vbiflow.features.preparation import read_preparation
from vbiflow.features.score_options import half_is_enough, half_length, score_options, segment_length
from vbiflow.features.scores import upper_triangle
from vbiflow.features.spectral_estimation import welch

SHOWN = 5000
SHUFFLES = 40


def compared_values(quantity: str, ts: np.ndarray, fs: float, options: Mapping[str, float]) -> np.ndarray:
    """What a score compares, of one series (n_nodes, n_times) at `fs` [Hz]."""
    if quantity == "fc":
        return fc(ts)
    if quantity == "fcd":
        return fcd(ts, fs, **options)
    if quantity == "psd":
        return spectrum(ts, fs, options)[1]
    return ts


def spectrum(ts: np.ndarray, fs: float, options: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies [Hz] above 0, within the band that a filter let pass if there is one, and the densities there."""
    frequencies, density = welch(ts, fs, segment_length(ts.shape[-1], fs, options), options.get("epoch"))
    low, high = options.get("band", (0.0, np.inf))
    kept = (frequencies > 0) & (frequencies >= low) & (frequencies <= high)
    return frequencies[kept], density[..., kept]


def posterior_predictive(
    path: str | Path, series: np.ndarray, fs: float, specs: Sequence[Any], n_predictive: int, names: Sequence[str],
    signal: str = "bold", prepare: Mapping[str, Any] | None = None,
    sensors: Observer | None = None, others: Mapping[str, np.ndarray] | None = None, held_out: np.ndarray | None = None,
) -> tuple[dict[str, io.Quantity], dict[str, np.ndarray]]:  # fmt: skip
    """Compare re-simulations in a file with a recording `series` (n_nodes, n_times) at `fs` [Hz] by scores.

    Invalid simulations are left out, the others go through `sensors` and the steps `prepare`, as the recording did.

    Parameters
    ----------
    path : file of simulations: `n_predictive` of posterior samples, then repeated ones of the MAP for the noise floor.
    series : the recording (n_nodes, n_times) as features were taken from it.
    fs : its sampling rate [Hz].
    specs : the study's list of features, whose windows and bands the scores take over.
    n_predictive : how many of the simulations are of posterior samples.
    names : of the scores.
    signal : which series of the file to compare.
    prepare : the steps that the recording went through.
    sensors : makes series of the sensors from those of the regions; none if the regions are compared.
    others : series (n_nodes, n_times) of other people, by name, which grade the model.
    held_out : the recording's other half (n_nodes, n_times), if the study is shown one alone.

    Returns
    -------
    what predictive.h5 holds, and the scores in it as `judge_predictive` takes them

    Raises
    ------
    ValueError
        If too few simulations are valid to compare.
    """
    steps = read_preparation(prepare)
    wanted = score_options(names, specs, steps, fs)
    found: dict[str, list[np.ndarray]] = {quantity: [] for quantity in wanted}
    with io.open_sealed(path) as file:
        unit = "1" if steps.get("standardise") else sensors.unit if sensors else file[signal].attrs["unit"]
        kept, drawn = valid_simulations(path, io.read_values(file, "valid"), n_predictive)
        for k in kept:
            ts = prepare_simulation(file[signal][k], fs, steps, k, sensors)
            for quantity, options in wanted.items():
                found[quantity].append(compared_values(quantity, ts, fs, options))
        stacks = {quantity: np.array(values) for quantity, values in found.items()}
        observed = {quantity: compared_values(quantity, series, fs, options) for quantity, options in wanted.items()}
        mine, again = ({quantity: stack[part] for quantity, stack in stacks.items()} for part in (drawn, ~drawn))
        scores = predictive_scores(names, mine, observed, again)
        rungs = measured_rungs(names, series, fs, wanted, others or {}, held_out)
        unseen = {} if held_out is None else held_out_scores(names, mine, held_out, fs, wanted)
        last = names[-1]
        best = int(np.argmax(SCORES[last].sign * scores[last]))
        ts = prepare_simulation(file[signal][kept[best]], fs, steps, kept[best], sensors)
    shown = {"ts": io.Quantity(ts, unit, ("node", "time"), {"fs": fs, "signal": signal})}
    for quantity, options in wanted.items():
        if quantity in SUMMARIES:
            shown |= SUMMARIES[quantity](mine[quantity], observed[quantity], best, options, unit)
    if "psd" in wanted:
        shown["frequencies"] = io.Quantity(spectrum(series, fs, wanted["psd"])[0], "Hz", ("frequency",))
    for name in names:
        notes = {"label": SCORES[name].label, "bounds": SCORES[name].bounds}
        shown[name] = io.Quantity(scores[name], "1", ("simulation",), notes)
        shown[f"floor_{name}"] = io.Quantity(scores[f"floor_{name}"], "1", ("pair",))
    for name, values in rungs.items():
        shown[name] = io.Quantity(np.atleast_1d(values), "1", ("recording",))
    for name, values in unseen.items():
        shown[name] = io.Quantity(values, "1", ("simulation",))
    return shown, scores | rungs | unseen


def held_out_scores(
    names: Sequence[str], drawn: Mapping[str, np.ndarray], held_out: np.ndarray, fs: float,
    wanted: Mapping[str, Mapping[str, Any]],
) -> dict[str, np.ndarray]:  # fmt: skip
    """Scores held_out_<score> (n,) of simulations' quantities `drawn` against the half that the study is not shown."""
    found = {}
    for name in (name for name in names if SCORES[name].quantity != "series"):
        quantity = SCORES[name].quantity
        theirs = compared_values(quantity, held_out, fs, wanted[quantity])
        found[f"held_out_{name}"] = SCORES[name].compare(drawn[quantity], theirs)
    return found


def measured_rungs(
    names: Sequence[str], series: np.ndarray, fs: float, wanted: Mapping[str, Mapping[str, Any]],
    others: Mapping[str, np.ndarray], held_out: np.ndarray | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """What the recording reaches with its nodes shuffled, with other people and between its own halves, by score.

    Of a half its other one is `held_out`.
    A course in time has no other half, and chance is left out of FCD, in which the order of nodes plays no part.
    """
    found: dict[str, np.ndarray] = {}
    rng, n_times = np.random.default_rng(0), series.shape[1]
    shuffled = [rng.permutation(len(series)) for _ in range(SHUFFLES)]
    for name in names:
        quantity, compare = SCORES[name].quantity, SCORES[name].compare
        options = wanted[quantity]
        own = compared_values(quantity, series, fs, options)
        same = [other for other in others.values() if other.shape == series.shape]
        if same:
            found[f"other_{name}"] = compare(
                np.array([compared_values(quantity, other, fs, options) for other in same]), own
            )
        if SCORES[name].measures("above_chance"):
            mixed = [own[order][:, order] if quantity == "fc" else own[order] for order in shuffled]
            found[f"chance_{name}"] = compare(np.array(mixed), own)
        if not SCORES[name].measures("own_half"):
            continue
        if held_out is not None:
            other = compared_values(quantity, held_out, fs, options)
            found[f"half_{name}"] = np.atleast_1d(compare(other[None], own))
        elif half_is_enough(n_times, fs, options):
            half = half_length(n_times, options)
            first, second = (
                compared_values(quantity, part, fs, options) for part in (series[:, :half], series[:, -half:])
            )
            found[f"half_{name}"] = np.atleast_1d(compare(first[None], second))
    return found


def prepare_simulation(
    ts: np.ndarray, fs: float, steps: Mapping[str, Any], k: int, sensors: Observer | None = None
) -> np.ndarray:
    """Simulation `k` (n_nodes, n_times) as features saw it: on its sensors, and prepared."""
    rows = ts[None] if sensors is None else sensors(ts[None], [k])
    return prepared(rows, fs, steps)[0]


def fc_quantities(
    drawn: np.ndarray, observed: np.ndarray, best: int, options: Mapping[str, float], unit: str
) -> dict[str, io.Quantity]:
    """FC of the simulation that is shown and of the recording, and the values of all simulations."""
    pair = ("node", "node")
    return {
        "fc": io.Quantity(drawn[best], "1", pair),
        "fc_observed": io.Quantity(observed, "1", pair),
        "fc_values": io.Quantity(values_of_pairs(drawn), "1", ("value",)),
    }


def fcd_quantities(
    drawn: np.ndarray, observed: np.ndarray, best: int, options: Mapping[str, float], unit: str
) -> dict[str, io.Quantity]:
    """FCD of the simulation that is shown and of the recording, and the values of all."""
    axes = ("window", "window")
    return {
        "fcd": io.Quantity(drawn[best], "1", axes, options),
        "fcd_observed": io.Quantity(observed, "1", axes, options),
        "fcd_values": io.Quantity(values_of_pairs(drawn), "1", ("value",)),
        "fcd_observed_values": io.Quantity(values_of_pairs(observed), "1", ("value",)),
    }


def psd_quantities(
    drawn: np.ndarray, observed: np.ndarray, best: int, options: Mapping[str, float], unit: str
) -> dict[str, io.Quantity]:
    """Densities of recording and simulations: of every node (median), and of the nodes' mean in every simulation."""
    density = of_signal("y^2/Hz", unit)
    return {
        "psd": io.Quantity(np.median(drawn, axis=0), density, ("node", "frequency")),
        "psd_observed": io.Quantity(observed, density, ("node", "frequency")),
        "psd_mean": io.Quantity(drawn.mean(axis=1), density, ("simulation", "frequency")),
    }


SUMMARIES = {"fc": fc_quantities, "fcd": fcd_quantities, "psd": psd_quantities}


def values_of_pairs(matrices: np.ndarray) -> np.ndarray:
    """Values above the diagonals of FC or FCD matrices (..., n, n); of FCD they are what fcd_ks compares.

    At most SHOWN of them, evenly spread over their order, for a histogram.
    """
    ordered = np.sort(upper_triangle(matrices), axis=None)
    return ordered[np.linspace(0, len(ordered) - 1, min(len(ordered), SHOWN)).astype(int)]


def valid_simulations(path: str | Path, valid: np.ndarray, n_predictive: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of valid simulations, and whether each is of a posterior sample, as the first `n_predictive` are.

    Raises
    ------
    ValueError
        If there are fewer than two of posterior samples.
    """
    kept = np.flatnonzero(valid)
    drawn = kept < n_predictive
    if drawn.sum() < 2:
        raise ValueError(
            f"{path}: {drawn.sum()} of {n_predictive} simulations from the posterior are valid; two are needed"
        )
    return kept, drawn
