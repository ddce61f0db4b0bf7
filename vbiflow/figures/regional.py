"""Figure of the features of every region: the recording among simulations, and re-simulations from the posterior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.style import (
    PALETTE,
    canvas,
    finite_array,
    letter_panels,
    log_ticks,
    signed_number,
    styled,
    with_unit,
)
from vbiflow.io import read, read_rows

Array = NDArray[np.float64]
SIMULATIONS = 2000
"""Simulations that the grey bars are drawn from."""
PANELS = 6
"""Features that are drawn at most, the study's first."""
DECADES = 1.5
"""Decades from which on a positive feature is drawn over its logarithm."""


def read_regional_features(
    features: str, x_o: Array, names: Sequence[str], units: str | Sequence[str], labels: Sequence[str],
    predicted: Array, n_predictive: int, nodes: str,
) -> dict[str, Any]:  # fmt: skip
    """Arguments of `regional_features`: the columns of single nodes, of simulations that are valid.

    Parameters
    ----------
    features : path of features.h5.
    x_o : features of the recording (n_features,).
    names : of all features.
    units : of all features, or the one that they share, as files hold it.
    labels : of the nodes (n_nodes,).
    predicted : features of re-simulations from the posterior (n, n_features), of which the first are drawn.
    n_predictive : how many of them.
    nodes : what the nodes are: regions or sensors.
    """
    groups = regional_columns(names, labels)
    shown = [column for columns in list(groups.values())[:PANELS] for column in columns.values()]
    rows = np.flatnonzero(read(features, "valid")["valid"])[:SIMULATIONS]
    return {
        "x": read_rows(features, "x", rows)[:, shown],
        "x_o": x_o[shown],
        "predicted": predicted[:n_predictive, shown],
        "names": [names[column] for column in shown],
        "units": [units if isinstance(units, str) else units[column] for column in shown],
        "labels": labels,
        "n_features": len(groups),
        "nodes": nodes,
    }


def regional_columns(names: Sequence[str], labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """Columns of each feature that nodes have a value of, such as ``area[lh-insula]``: by feature, then by node."""
    found: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        stem, _, node = name.removesuffix("]").rpartition("[")
        if stem and node in labels:
            found.setdefault(stem, {})[node] = column
    return found


@styled
def regional_features(
    x: Array, x_o: Array, predicted: Array, names: Sequence[str], units: Sequence[str], labels: Sequence[str],
    n_features: int, nodes: str = "regions",
) -> Figure:  # fmt: skip
    """Draw each feature of all nodes: the recording, 90 % of the simulations, and 90 % of re-simulations.

    A title holds the correlation over nodes of the recording with the median of the re-simulations.

    Parameters
    ----------
    x, predicted : features of simulations and of re-simulations from the posterior (n_simulations, n_features).
    x_o : features of the recording (n_features,).
    names, units : of the features, with the node in brackets behind each name.
    labels : of the nodes (n_nodes,).
    n_features : features that nodes have a value of, of which these are the first.
    nodes : what they are: regions or sensors.
    """
    x, x_o, groups = finite_array("x", x), finite_array("x_o", x_o), regional_columns(names, labels)
    figure = canvas(1.15 * len(groups) + 1.3)
    panels = figure.subplots(len(groups), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (stem, own) in zip(panels, groups.items(), strict=True):
        columns = list(own.values())
        places = [list(labels).index(node) for node in own]
        draw_nodes(axes, places, x[:, columns], x_o[columns], predicted[:, columns])
        axes.set_ylabel(with_unit("value", units[columns[0]]))
        middle = np.nanmedian(predicted[:, columns], axis=0)
        both = np.isfinite(middle) & np.isfinite(x_o[columns])
        alike = both.sum() > 2 and middle[both].std() > 0 and x_o[columns][both].std() > 0
        r = np.corrcoef(middle[both], x_o[columns][both])[0, 1] if alike else np.nan
        axes.set_title(f"{stem}, recorded and predicted: r = {signed_number(r)}" if alike else stem)
    panels[0].set_xlim(-0.7, len(labels) - 0.3)
    panels[-1].set_xticks(range(len(labels)), labels, rotation=90, fontsize=min(5, 420 / len(labels)))
    some = f"; the first {len(groups)} of {n_features} features" if n_features > len(groups) else ""
    panels[-1].set_xlabel(nodes.removesuffix("s") + some)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    letter_panels(panels)
    return figure


def draw_nodes(axes: Axes, places: Sequence[int], x: Array, x_o: Array, predicted: Array) -> None:
    """Draw one feature of the nodes at `places`: simulations in grey, re-simulations and the recording on top."""
    outer = np.nanquantile(x, [0.05, 0.95], axis=0)
    inner = np.nanquantile(predicted, [0.05, 0.95], axis=0)
    axes.vlines(places, *outer, color=PALETTE["band"], linewidth=3.2, label="simulations, 90 %")
    axes.vlines(
        places, *inner, color=PALETTE["predicted"], linewidth=1.6, label="re-simulations from the posterior, 90 %"
    )
    axes.plot(places, x_o, "D", color=PALETTE["observed"], markersize=2.2, markeredgewidth=0, label="recording")
    values = np.concatenate([outer.ravel(), inner.ravel(), x_o])
    values = values[np.isfinite(values)]
    if values.min() > 0 and np.log10(values.max() / values.min()) > DECADES:
        axes.set_yscale("log")
        log_ticks(axes.yaxis, 3)
