"""Features of the workflow's files: one shard of simulations, all shards gathered, one recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vbiflow import io
from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import CONDITIONING, SUMMARIES, SUMMARY_UNITS, connectome_summaries
from vbiflow.features.extraction import Features, Observer, compute
from vbiflow.features.nodes import Nodes
from vbiflow.features.preparation import prepare as prepared
from vbiflow.features.preparation import read_preparation
from vbiflow.features.registry import Spec
from vbiflow.features.spectra import compute_spectra

STANDARD = ("index", "valid", "reason")
TABLE = ("x", *STANDARD)
FILLED = ("x", "index", "valid")
"""What is stored shard by shard; texts are stored at once, or their bytes would tell where the shards began."""


def series_name(file: h5py.File, signal: str = "") -> str:
    """Name of the time series in an open file of simulations, the only one unless `signal` names it.

    Raises
    ------
    ValueError
        If there is none of that name, or several and none is named.
    """
    names = [name for name in file if file[name].ndim == 3]
    if signal in names or (not signal and len(names) == 1):
        return signal or names[0]
    raise ValueError(f"{file.filename}: holds the series {', '.join(names)}; name one of them, found {signal!r}")


def compute_file(
    path: str | Path,
    specs: Sequence[Spec],
    nodes: Nodes,
    *,
    folder: str | Path | None = None,
    prepare: Mapping[str, Any] | None = None,
    signal: str = "",
    sensors: Observer | None = None,
    progress: io.Progress | None = None,
) -> dict[str, io.Quantity]:
    """Features of the simulations in a file, read one by one; a simulation is valid if it and its features are.

    Parameters
    ----------
    path : file of simulations.
    specs : the study's list of features.
    nodes : what features are taken on: regions or sensors.
    folder : of the user's own features.
    prepare : steps that come before the features.
    signal : which series of the file; not needed if there is one.
    sensors : makes series of `nodes` from those of the simulated regions; see `compute`.
    progress : called with (simulations done, all).
    """
    with io.open_sealed(path) as file:
        series = file[series_name(file, signal)]
        index, valid, reason = (io.read_values(file, name) for name in STANDARD)
        options = {"folder": folder, "prepare": prepare, "index": index, "progress": progress}
        unit = sensors.unit if sensors else series.attrs["unit"]
        if "frequencies" in series.attrs:
            features = compute_spectra(
                series[:], series.attrs["frequencies"], specs, unit, nodes, folder, series.attrs["fs"]
            )
        else:
            features = compute(series, specs, fs=series.attrs["fs"], unit=unit, nodes=nodes, sensors=sensors, **options)
        conditioning = io.read_values(file, "conditioning") if "conditioning" in file else None
    reason = [first or second for first, second in zip(reason, features.reason, strict=True)]
    x, names, units = features.x, features.names, features.units
    if conditioning is not None:
        (x, names), units = append_conditioning(x, names, conditioning), [*units, *SUMMARY_UNITS]
    return feature_quantities(x, names, units, index, valid & features.valid, reason)


def append_conditioning(x: np.ndarray, names: Sequence[str], conditioning: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Features (..., f) and names with the summaries (..., k) of the connectome behind them."""
    return np.concatenate([x, conditioning], axis=-1), [*names, *(CONDITIONING + name for name in SUMMARIES)]


def add_connectome_summaries(quantities: Mapping[str, io.Quantity], connectome: Connectome) -> dict[str, io.Quantity]:
    """What `compute_observed` gives, with the summaries of the person's connectome among the features."""
    x, names = append_conditioning(quantities["x"].values, quantities["names"].values, connectome_summaries(connectome))
    units = [*quantities["x"].unit, *SUMMARY_UNITS]
    return {
        **quantities,
        "x": replace(quantities["x"], values=x, unit=units),
        "names": io.Quantity.text(names, "feature"),
    }


def add_conditioning(
    x: np.ndarray, names: Sequence[str], connectome: Connectome, wanted: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Features (n, f) with the summaries of `connectome` where the features `wanted` by an estimator hold them."""
    if not wanted[-1].startswith(CONDITIONING):
        return x, list(names)
    return append_conditioning(x, names, np.tile(connectome_summaries(connectome), (len(x), 1)))


def feature_quantities(
    x: Any, names: Sequence[str], units: str | Sequence[str], index: Any, valid: Any, reason: Sequence[str]
) -> dict[str, io.Quantity]:
    """The quantities of a features file; `units` are those of the features."""
    return {
        "x": io.Quantity(x, units, ("simulation", "feature")),
        "names": io.Quantity.text(names, "feature"),
        "index": io.Quantity(index, "1", ("simulation",)),
        "valid": io.Quantity(valid, "1", ("simulation",)),
        "reason": io.Quantity.text(reason, "simulation"),
    }


def gather_shards(
    shards: Sequence[str | Path], target: str | Path, n_simulations: int, provenance: Mapping[str, Any]
) -> None:
    """Join shards of features in the order given, one in memory at a time.

    Raises
    ------
    ValueError
        If a shard is damaged, has other features than the first, or its simulations don't follow the last one's.
    """
    done, reasons = 0, []
    with io.sealed(target, provenance.get("seed", -1)) as part, h5py.File(part, "w") as out:
        io.describe(out, provenance)
        for path in shards:
            content, unit = io.read(path, *TABLE, "names"), io.read_attributes(path, "x")["unit"]
            if done == 0:
                names, units = content["names"], unit
                create_datasets(out, content, units, n_simulations)
            if content["names"] != names or unit != units:
                raise ValueError(f"{path}: its features are not those of {shards[0]}; delete it and run again")
            stop = done + len(content["index"])
            if not np.array_equal(content["index"], np.arange(done, stop)):
                raise ValueError(f"{path}: does not hold simulations {done} to {stop - 1}; delete it and run again")
            for name in FILLED:
                out[name][done:stop] = content[name]
            reasons += content["reason"]
            done = stop
        if done != n_simulations:
            raise ValueError(f"{target}: the shards hold {done} simulations, the study asks for {n_simulations}")
        io.store_quantity(out, "reason", io.Quantity.text(reasons, "simulation"))


def create_datasets(out: h5py.File, content: Mapping[str, Any], units: str | Sequence[str], n_simulations: int) -> None:
    """Datasets of the full length, filled shard by shard; but for `reason`, since texts lie in the order of writing."""
    quantities = feature_quantities(content["x"], content["names"], units, *(content[name] for name in STANDARD))
    for name in FILLED:
        io.store_empty(out, name, quantities[name], n_simulations)
    io.store_quantity(out, "names", quantities["names"])


def compute_observed(
    ts: np.ndarray,
    fs: float,
    specs: Sequence[Spec],
    nodes: Nodes,
    *,
    signal: str,
    unit: str,
    folder: str | Path | None = None,
    prepare: Mapping[str, Any] | None = None,
    confounds: np.ndarray | None = None,
) -> dict[str, io.Quantity]:
    """Features x_o (n_features,) of one recording (n_nodes, n_times) [unit] at fs [Hz], with the series behind them.

    Parameters
    ----------
    ts : the recording (n_nodes, n_times) [unit].
    fs : sampling rate [Hz].
    specs : the study's list of features.
    nodes : what features are taken on: regions or sensors.
    signal : name of the series.
    unit : of the series.
    folder : of the user's own features.
    prepare : steps that come before the features, as simulations go through them.
    confounds : series (n, n_times) that are regressed out.

    Raises
    ------
    ValueError
        If the preparation doesn't fit or a feature is undefined for the recording.
    """
    steps = read_preparation(prepare)
    ts = prepared(ts[None], fs, steps, confounds)[0]
    left = windows_alone(steps)
    unit = "1" if steps.get("standardise") else unit
    features: Features = compute(ts, specs, fs=fs, unit=unit, nodes=nodes, folder=folder, prepare=left)
    if not features.valid[0]:
        raise ValueError(f"features of the recording: {features.reason[0]}")
    return {
        "x": io.Quantity(features.x[0], features.units, ("feature",)),
        "names": io.Quantity.text(features.names, "feature"),
        "ts": io.Quantity(ts, unit, ("node", "time"), {"fs": fs, "signal": signal}),
        "labels": io.Quantity.text(nodes.labels, "node"),
        "hemispheres": io.Quantity.text(nodes.hemispheres, "node"),
        "networks": io.Quantity.text(nodes.networks, "node"),
    }


def series_features(
    x_o: str | Path, specs: Sequence[Spec], prepare: Mapping[str, Any] | None = None, folder: str | Path | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from another series (n_nodes, n_times) to features (n_features,), as those in x_o.h5 were taken.

    The series is as the recording's is after its preparation. Summaries of the connectome stay as they are; a feature
    that is undefined is NaN.

    Parameters
    ----------
    x_o : file of a recording.
    specs : the study's list of features.
    prepare : steps that came before the features, of which those are done again that cut windows.
    folder : of the user's own features.
    """
    observed, notes = io.read(x_o, "x", "labels", "hemispheres", "networks"), io.read_attributes(x_o, "ts")
    nodes = Nodes(observed["labels"], observed["hemispheres"], observed["networks"])
    left = windows_alone(read_preparation(prepare))

    def features(ts: np.ndarray) -> np.ndarray:
        own = compute(ts, specs, fs=notes["fs"], unit=notes["unit"], nodes=nodes, folder=folder, prepare=left).x[0]
        return np.concatenate([own, observed["x"][len(own) :]])

    return features


def windows_alone(steps: Mapping[str, Any]) -> dict[str, Any]:
    """Of the steps of a preparation those that a prepared series still needs: where its epochs begin."""
    return {name: value for name, value in steps.items() if name == "epochs"}
