"""Figure of a structural connectome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.regions import HEMISPHERES, mark_regions, region_order
from vbiflow.figures.style import PALETTE, canvas, dot_options, finite_array, letter_panels, signed_number, styled

Array = NDArray[np.float64]
SIDES = {"L": "#0072b2", "R": "#e69f00"}


@styled
def connectome(
    weights: Array, tract_lengths: Array, labels: Sequence[str], hemispheres: Sequence[str], networks: Sequence[str],
    centres: Array | None = None,
) -> Figure:  # fmt: skip
    """Draw weights, tract lengths [mm], weight against length, node strength and the strongest connections.

    Matrices are (n_nodes, n_nodes); `centres` (n_nodes, 3) [mm] place the regions, without them they stand on a circle.
    """
    weights = finite_array("weights", weights)
    known = np.isfinite(tract_lengths).any()
    order = region_order(hemispheres, networks)
    sides, areas = [hemispheres[node] for node in order], [networks[node] for node in order]
    block = np.ix_(order, order)
    figure = canvas(5.6)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.35, 1))
    panels = [*top.subplots(1, 2), *bottom.subplots(1, 3)]
    draw_matrix(panels[0], weights[block], "weight", weight_scale(weights), "viridis", sides, areas)
    lengths = np.where(tract_lengths > 0, tract_lengths, np.nan)[block]
    longest = np.nanmax(tract_lengths) if known else 1.0
    draw_matrix(panels[1], lengths, "tract length [mm]", Normalize(0, longest), "magma", sides, areas)
    panels[0].set_title(f"Weights, {len(order)} regions")
    panels[1].set_title("Tract lengths" if known else "Tract lengths: unknown")
    draw_decay(panels[2], weights, tract_lengths)
    draw_strength(panels[3], weights, labels, hemispheres)
    draw_strongest(panels[4], weights, hemispheres, centres)
    letter_panels(panels)
    return figure


def weight_scale(weights: Array) -> Normalize:
    """Return a logarithmic colour scale where positive weights span more than two decades, else a linear one."""
    positive = weights[weights > 0]
    if positive.size and positive.max() / positive.min() > 100:
        return LogNorm(max(positive.min(), positive.max() * 1e-6), positive.max())
    return Normalize(0, weights.max() if weights.max() > 0 else 1)


def draw_matrix(
    axes: Axes, values: Array, label: str, norm: Normalize, cmap: str, sides: Sequence[str], areas: Sequence[str]
) -> None:
    """Draw one matrix, row = target and column = source; what is absent is light grey.

    Parameters
    ----------
    axes : where to draw.
    values : (n_nodes, n_nodes), row = target, column = source.
    label : of the colour bar.
    norm, cmap : scale and name of the colours.
    sides, areas : hemisphere and network of each region, empty where unknown.
    """
    image = axes.imshow(np.ma.masked_where(~(values > 0), values), norm=norm, cmap=cmap)
    axes.set_facecolor(PALETTE["band"])
    axes.figure.colorbar(image, ax=axes, label=label, shrink=0.72, aspect=24)
    mark_regions(axes, sides, areas)
    axes.set(xlabel="source", ylabel="target")
    axes.spines[:].set_visible(False)


def draw_decay(axes: Axes, weights: Array, tract_lengths: Array) -> None:
    """Scatter weight against tract length, with the median in bins of equal count."""
    edges = (weights > 0) & (tract_lengths > 0) & ~np.eye(len(weights), dtype=bool)
    length, weight = tract_lengths[edges], weights[edges]
    axes.set(xlabel="tract length [mm]", ylabel="weight", title="Weight against tract length")
    if length.size < 3:
        axes.text(0.5, 0.5, "fewer than three connections\nof known length", transform=axes.transAxes, ha="center")
        return
    axes.plot(length, weight, color=PALETTE["prior"], **dot_options(length.size))
    groups = np.array_split(np.argsort(length), int(np.clip(length.size // 10, 1, 15)))
    middle = [np.median(length[group]) for group in groups], [np.median(weight[group]) for group in groups]
    axes.plot(*middle, color=PALETTE["ink"], linewidth=1.4, label="median")
    if isinstance(weight_scale(weights), LogNorm):
        axes.set_yscale("log")
    share = edges.sum() / (edges.size - len(weights))
    axes.set_title(
        f"Density {share:.2f}, Spearman ρ = {signed_number(scipy.stats.spearmanr(length, weight).statistic)}"
    )
    axes.legend(loc="upper right")


def draw_strength(axes: Axes, weights: Array, labels: Sequence[str], hemispheres: Sequence[str]) -> None:
    """Draw in-strength, the row sum, from the strongest region down, and name the five strongest and weakest."""
    total = weights.sum(axis=1)
    order = np.argsort(-total, kind="stable")
    place = np.arange(len(order))
    for side in dict.fromkeys(hemispheres):
        here = np.array([hemispheres[node] == side for node in order])
        name = HEMISPHERES.get(side, side) if side else "regions"
        axes.bar(place[here], total[order][here], width=0.8, color=SIDES.get(side, PALETTE["prior"]), label=name)
    if len(order) > 10:
        for left, title, ranks in ((0.01, "strongest", range(5)), (0.52, "weakest", range(len(order) - 5, len(order)))):
            text = "\n".join([title, *(f"{rank + 1}. {shorten_name(labels[order[rank]])}" for rank in ranks)])
            axes.text(left, 0.99, text, transform=axes.transAxes, va="top", fontsize=4.8, linespacing=1.25)
        axes.set_ylim(0, np.nanmax(total) / 0.6)  # the names have the upper part for themselves
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= np.nanmax(total)])
    axes.set(xlabel="region, by rank", ylabel="sum of incoming weights", title="Node strength")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)


def shorten_name(name: str, length: int = 23) -> str:
    """A name of a region, its middle left out where it is long."""
    return name if len(name) <= length else f"{name[: length // 2]}…{name[-(length // 2 - 1) :]}"


def draw_strongest(axes: Axes, weights: Array, hemispheres: Sequence[str], centres: Array | None) -> None:
    """Draw the strongest connections, two a region, seen from above, or on a circle where centres are unknown."""
    known = centres is not None and np.isfinite(centres[:, :2]).all()
    places = centres[:, :2] if known else circle_positions(hemispheres)
    mutual = np.triu(np.fmax(weights, weights.T), 1)
    count = min(2 * len(weights), int((mutual > 0).sum()))
    rows, columns = np.unravel_index(np.argsort(-np.nan_to_num(mutual), axis=None)[:count], mutual.shape)
    lines = LineCollection(
        np.stack([places[rows], places[columns]], axis=1), colors=PALETTE["prior"], linewidths=0.5, alpha=0.6
    )
    axes.add_collection(lines)
    sizes = np.nansum(weights, axis=1)
    for side in dict.fromkeys(hemispheres):
        here = [node for node, other in enumerate(hemispheres) if other == side]
        size = 3 + 22 * sizes[here] / max(sizes.max(), 1e-300)
        axes.scatter(*places[here].T, s=size, color=SIDES.get(side, PALETTE["ink"]), linewidth=0, zorder=3)
    axes.set(aspect="equal", title=f"{count} strongest connections")
    if known:
        axes.set(xlabel="left to right [mm]", ylabel="back to front [mm]")
    else:
        axes.set(xticks=[], yticks=[], xlabel="centres unknown: on a circle")


def circle_positions(hemispheres: Sequence[str]) -> Array:
    """Places (n_nodes, 2) on a circle: left regions on the left, right ones opposite, others below."""
    angles = np.zeros(len(hemispheres))
    for side, (begin, end) in {"L": (100, 230), "R": (80, -50), "": (240, 300)}.items():
        here = [node for node, other in enumerate(hemispheres) if other == side]
        whole = len(here) == len(hemispheres)
        angles[here] = np.linspace(*((0, 360) if whole else (begin, end)), len(here), endpoint=not whole)
    return np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1)
