"""Features of power spectra: of simulations that are spectra, and of tables of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vbiflow import io
from vbiflow.features.batch import SpectralBatch
from vbiflow.features.extraction import Features, describe_undefined, extract, units_of
from vbiflow.features.feature import of_signal
from vbiflow.features.nodes import Nodes
from vbiflow.features.registry import FEATURES, Spec, read_specs

ARBITRARY = "a.u."
"""Unit of recordings whose files tell none, such as MR signals."""


def compute_spectra(
    power: np.ndarray,
    frequencies: np.ndarray,
    specs: Sequence[Spec],
    unit: str,
    nodes: Nodes,
    folder: str | Path | None = None,
    fs: float | None = None,
) -> Features:
    """Features of simulated power spectral densities.

    Parameters
    ----------
    power : (n_simulations, n_nodes, n_frequencies) [unit].
    frequencies : (n_frequencies,) [Hz].
    specs : the study's list of features.
    unit : of the densities.
    nodes : regions.
    folder : of the user's own features.
    fs : sampling rate [Hz] of the series that they stand for; None where it is not known.
    """
    requests = read_specs(specs, folder)
    names, x = extract(SpectralBatch(power, frequencies, nodes, fs), requests)
    reason = [
        describe_undefined(row, names) if density.any() else "no power" for row, density in zip(x, power, strict=True)
    ]
    valid = np.array([not text for text in reason])
    return Features(x, names, valid, reason, units_of(names, requests, unit.removesuffix("^2/Hz")))


def compute_observed_spectra(
    power: np.ndarray,
    frequencies: np.ndarray,
    specs: Sequence[Spec],
    nodes: Nodes,
    folder: str | Path | None = None,
    fs: float | None = None,
) -> dict[str, io.Quantity]:
    """Features x_o (n_features,) of power spectral densities (n_nodes, n_frequencies) at frequencies [Hz], and these.

    They are read at the frequencies of simulations sampled at `fs` [Hz]: bands hold the same bins on both sides.

    Raises
    ------
    ValueError
        If a feature needs more than spectra, or if the frequencies do not suit it.
    """
    requests = read_specs(specs, folder)
    beyond = [request.name for request in requests if request.feature.domain != "spectral"]
    if beyond:
        allowed = ", ".join(name for name, feature in FEATURES.items() if feature.domain == "spectral")
        raise ValueError(f"feature {beyond[0]} needs the series; from spectra come {allowed}")
    names, values = extract(SpectralBatch(power[None], frequencies, nodes, fs), requests)
    if not np.isfinite(values).all():
        raise ValueError(f"features of the spectra: {describe_undefined(values[0], names)}")
    units = units_of(names, requests, ARBITRARY)
    density = of_signal("y^2/Hz", ARBITRARY)
    notes = {"frequencies": frequencies} | ({"fs": fs} if fs else {})
    return {
        "x": io.Quantity(values[0], units, ("feature",)),
        "names": io.Quantity.text(names, "feature"),
        "psd": io.Quantity(np.asarray(power, float), density, ("node", "frequency"), notes),
        "labels": io.Quantity.text(nodes.labels, "node"),
        "networks": io.Quantity.text(nodes.networks, "node"),
    }


def spectral_features(
    x_o: str | Path, specs: Sequence[Spec], folder: str | Path | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from another table (n_nodes, n_frequencies) to features (n_features,), as those in x_o.h5 were taken.

    Summaries of the connectome among these stay as they are.

    Parameters
    ----------
    x_o : file of a table of spectra.
    specs : the study's list of features.
    folder : of the user's own features.
    """
    observed, notes = io.read(x_o, "x", "labels", "networks"), io.read_attributes(x_o, "psd")
    nodes = Nodes(observed["labels"], networks=observed["networks"])

    def features(table: np.ndarray) -> np.ndarray:
        own = compute_observed_spectra(table, notes["frequencies"], specs, nodes, folder, notes.get("fs"))["x"].values
        return np.concatenate([own, observed["x"][len(own) :]])

    return features
