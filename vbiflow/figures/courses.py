"""Courses of all regions in their own units, for signals that noise does not drive, such as a seizure that spreads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.style import PALETTE, canvas, letter_panels, quantity, region

Array = NDArray[np.float64]
ZONES = LinearSegmentedColormap.from_list("zones", [PALETTE["prior"], "#e69f00", PALETTE["predicted"], "#7a1f00"])
"""From healthy to where seizures begin."""
ROLES = ("observed", "predicted")
CLOSE = 4
"""Nodes whose two courses are drawn in the same axes."""


class Zones(NamedTuple):
    """What colours the nodes: its name, its values (n_nodes,), and whether seizures begin where it is large."""

    name: str
    values: Array
    rising: bool = True


def zones_of(
    labels: Sequence[str], names: Sequence[str], truth: Array, mode: Array, units: dict[str, str] | None
) -> Zones | None:
    """The first parameter of every region: the truth, or the MAP where it is not known; None without one."""
    for stem, columns in columns_by_parameter(names).items():
        places = {region(names[column]): column for column in columns}
        if all(label in places for label in labels):
            own = [places[label] for label in labels]
            known = bool(np.isfinite(truth[own]).all())
            return Zones(f"{'true' if known else 'MAP of'} {quantity(stem, units)}", (truth if known else mode)[own])
    return None


def onsets(ts: Array, rate: float, span: str) -> Zones:
    """Time at which each node (n_nodes, n_times) first passes the middle of the range of all, else the whole length."""
    beyond = ts > (np.nanmin(ts) + np.nanmax(ts)) / 2
    first = np.where(beyond.any(axis=1), beyond.argmax(axis=1), ts.shape[1])
    return Zones(f"onset [{span}]", first / rate, rising=False)


def draw_courses(
    signals: Sequence[Array], rates: Sequence[float], labels: Sequence[str], zones: Zones | None,
    titles: Sequence[str], label: str, span: str,
) -> Figure:  # fmt: skip
    """Draw recording and prediction side by side, coloured by zone; below, nodes of the most severe in the same axes.

    Parameters
    ----------
    signals : recording and prediction (n_nodes, n_times).
    rates : their samples in one unit of time.
    labels : of the nodes (n_nodes,).
    zones : what colours the nodes; None for their onset.
    titles : of both panels.
    label : of the signal, with its unit.
    span : the unit of time.
    """
    zones = zones or onsets(signals[0], rates[0], span)
    figure = canvas(4.2)
    whole, close = figure.subfigures(2, 1, height_ratios=(1.5, 1))
    panels = whole.subplots(1, 2, sharex=True, sharey=True)
    look = {
        "norm": Normalize(zones.values.min(), zones.values.max()),
        "cmap": ZONES if zones.rising else ZONES.reversed(),
    }
    order = np.argsort(zones.values if zones.rising else -zones.values, kind="stable")
    for axes, ts, rate, role, title in zip(panels, signals, rates, ROLES, titles, strict=True):
        time = np.arange(ts.shape[1]) / rate
        courses = [np.stack([time, ts[node]], axis=1) for node in order]
        axes.add_collection(LineCollection(courses, array=zones.values[order], linewidth=0.7, **look))
        axes.autoscale_view()
        axes.set(xlabel=f"time [{span}]", title=title)
        axes.title.set_color(PALETTE[role])
    panels[0].set_ylabel(label)
    whole.colorbar(ScalarMappable(**look), ax=panels, label=zones.name, aspect=22, pad=0.02)
    shown = order[::-1][:CLOSE]
    below = close.subplots(1, CLOSE, sharex=True, sharey=True)
    for axes, node in zip(below, shown, strict=False):
        for ts, rate, role, line in zip(signals, rates, ROLES, ("-", "--"), strict=True):
            axes.plot(np.arange(ts.shape[1]) / rate, ts[node], line, color=PALETTE[role], linewidth=0.9, label=role)
        axes.set_title(labels[node], fontsize=6.5)
        axes.set_xlabel(f"time [{span}]")
    for axes in below[len(shown) :]:
        axes.remove()
    below[0].set_ylabel(label)
    close.legend(*below[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    letter_panels([*panels, below[0]])
    return figure
