"""Predictive check of a table of spectra: simulations from the posterior against it, in their form over frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow import io
from vbiflow.diagnostics.posterior_predictive import SHUFFLES, valid_simulations
from vbiflow.diagnostics.predictive import predictive_scores
from vbiflow.features.preparation import epoch_of, read_preparation
from vbiflow.features.preparation import prepare as prepared
from vbiflow.features.score_options import quantity_options
from vbiflow.features.scores import SCORES, TABLE_SCORE, relative_spectra
from vbiflow.features.spectral_estimation import welch


def spectral_predictive(
    path: str | Path, power: np.ndarray, frequencies: np.ndarray, specs: Sequence[Any], n_predictive: int,
    signal: str, prepare: Mapping[str, Any] | None = None, others: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> tuple[dict[str, io.Quantity], dict[str, np.ndarray]]:  # fmt: skip
    """Compare re-simulations in a file with a table `power` (n_nodes, n_frequencies) at `frequencies` [Hz].

    Densities are compared at the table's frequencies, as far as the file has them and the features read them; each
    node's counts relative to its mean over these.

    Parameters
    ----------
    path : file of simulations, as `posterior_predictive` takes it: of series or of analytic spectra.
    power, frequencies : the table (n_nodes, n_frequencies), and [Hz].
    specs : the study's list of features.
    n_predictive : how many of the simulations are of posterior samples.
    signal : which series of the file to compare.
    prepare : the steps that series go through before their spectra are taken.
    others : tables of other people and their frequencies, of which those with the same nodes and frequencies count.

    Returns
    -------
    what predictive.h5 holds, and the scores in it as `grade_scores` takes them

    Raises
    ------
    ValueError
        If too few simulations are valid, or if none of the frequencies is theirs.
    """
    with io.open_sealed(path) as file:
        notes = dict(file[signal].attrs)
        kept, drawn = valid_simulations(path, io.read_values(file, "valid"), n_predictive)
        spectra = [spectrum_of(file[signal][k], notes, frequencies, prepare) for k in kept]
    own, (low, high) = spectra[0][0], quantity_options("psd", specs).get("band", (0.0, np.inf))
    inside = (frequencies > 0) & (frequencies >= low) & (frequencies <= high)
    inside &= (frequencies >= own[0]) & (frequencies <= own[-1] * (1 + 1e-9))
    if inside.sum() < 2:
        raise ValueError(
            f"{path}: simulations have a density from {own[0]:g} to {own[-1]:g} Hz, where the table has "
            f"{inside.sum()} frequencies that the features read; two are needed"
        )
    stack = np.array([at_frequencies(*one, frequencies[inside]) for one in spectra])
    table = power[:, inside]
    scores = predictive_scores([TABLE_SCORE], {"psd": stack[drawn]}, {"psd": table}, {"psd": stack[~drawn]})
    same = [other for other, at in others if other.shape == power.shape and np.array_equal(at, frequencies)]
    scores |= rungs(table, [other[:, inside] for other in same])
    mine, own = relative_spectra(stack[drawn]), relative_spectra(table)
    return predictive_quantities(scores, mine, own, frequencies[inside]), scores


def explained_variance(drawn: np.ndarray, table: np.ndarray) -> tuple[float, float]:
    """R^2 over frequency of the median simulation's relative spectrum [dB], of the mean over nodes and of every node.

    A deviation that simulations draw by chance, such as a declared discrepancy, is not in their median.

    Parameters
    ----------
    drawn : relative densities (n_simulations, n_nodes, n_frequencies) of simulations from the posterior.
    table : those of the recording (n_nodes, n_frequencies).
    """
    simulated, observed = (10 * np.log10(np.maximum(values, 1e-300)) for values in (drawn, table))
    pairs = (
        (np.median(simulated.mean(axis=1), axis=0)[None], observed.mean(axis=0)[None]),
        (np.median(simulated, axis=0), observed),
    )
    return tuple(
        float(1 - ((b - a) ** 2).sum() / max(((b - b.mean(axis=1, keepdims=True)) ** 2).sum(), 1e-300))
        for a, b in pairs
    )


def explained_note(quantities: Mapping[str, io.Quantity]) -> list[str]:
    """A sentence on the variance that the model explains of a table's form; none where there is no table."""
    if "r_squared" not in quantities:
        return []
    mean, nodes = quantities["r_squared"].values
    return [
        f"the model explains the form of the mean spectrum with R2 = {mean:.2f} (median simulation, dB over frequency) "
        f"and that of single nodes with R2 = {nodes:.2f}"
    ]


def spectra_of(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """The table (n_nodes, n_frequencies) of an x_o.h5, and its frequencies [Hz]."""
    return io.read(path, "psd")["psd"], np.asarray(io.read_attributes(path, "psd")["frequencies"])


def spectrum_of(
    ts: np.ndarray, notes: Mapping[str, Any], frequencies: np.ndarray, prepare: Mapping[str, Any] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies [Hz] above 0 and densities (n_nodes, n_frequencies) of one simulation.

    Segments of a series are as long as the table's step asks, so that neither resolves more than the other.
    """
    if "frequencies" in notes:
        found, density = np.asarray(notes["frequencies"]), np.asarray(ts, float)
    else:
        steps, fs = read_preparation(prepare), notes["fs"]
        epoch = epoch_of(steps, fs) if "epochs" in steps else None
        ts = prepared(ts[None], fs, steps)[0]
        length = min(round(fs / np.median(np.diff(frequencies))), epoch or ts.shape[-1])
        found, density = welch(ts, fs, length, epoch)
    return found[found > 0], density[..., found > 0]


def at_frequencies(own: np.ndarray, density: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Densities (n_nodes, n_frequencies) at other frequencies [Hz], their logarithms interpolated linearly."""
    logs = np.log(np.maximum(density, 1e-300))
    return np.exp([np.interp(frequencies, own, row) for row in logs])


def rungs(table: np.ndarray, others: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What the table reaches with its nodes shuffled and with other people's tables."""
    compare, rng = SCORES[TABLE_SCORE].compare, np.random.default_rng(0)
    mixed = np.array([table[rng.permutation(len(table))] for _ in range(SHUFFLES)])
    found = {f"chance_{TABLE_SCORE}": compare(mixed, table)} if len(table) > 1 else {}
    return found | ({f"other_{TABLE_SCORE}": compare(np.array(others), table)} if others else {})


def predictive_quantities(
    scores: Mapping[str, np.ndarray], drawn: np.ndarray, table: np.ndarray, frequencies: np.ndarray
) -> dict[str, io.Quantity]:
    """What predictive.h5 holds: scores, and relative densities of table and simulations."""
    score = SCORES[TABLE_SCORE]
    found = {
        "relative_psd": io.Quantity(np.median(drawn, axis=0), "1", ("node", "frequency")),
        "relative_psd_observed": io.Quantity(table, "1", ("node", "frequency")),
        "frequencies": io.Quantity(frequencies, "Hz", ("frequency",)),
        "r_squared": io.Quantity(
            np.array(explained_variance(drawn, table)), "1", ("level",), {"levels": ["mean", "node"]}
        ),
    }
    for name, values in scores.items():
        notes = {"label": score.label, "bounds": score.bounds} if name == TABLE_SCORE else None
        axis = "simulation" if name == TABLE_SCORE else "pair" if name.startswith("floor_") else "recording"
        found[name] = io.Quantity(np.atleast_1d(values), "1", (axis,), notes)
    return found
