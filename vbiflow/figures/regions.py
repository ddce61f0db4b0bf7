"""Order and marks of brain regions along the axes of a matrix: hemispheres, then networks within them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from vbiflow.labels import split_label

HEMISPHERES = {"L": "left", "R": "right", "": "midline"}


def region_order(hemispheres: Sequence[str], networks: Sequence[str]) -> NDArray[np.intp]:
    """Return the order (n_nodes,) that brings the regions of a hemisphere, and in it of a network, together."""
    sides = list(HEMISPHERES)
    ranks = [sides.index(side) if side in sides else len(sides) for side in hemispheres]
    return np.array(sorted(range(len(ranks)), key=lambda node: (ranks[node], networks[node], node)), dtype=np.intp)


def group_spans(groups: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return each run of equal neighbours as (name, start, stop)."""
    runs, start = [], 0
    for name, members in groupby(groups):
        stop = start + len(list(members))
        runs.append((name, start, stop))
        start = stop
    return runs


def hemisphere_rows(labels: Sequence[str], most: int) -> list[tuple[str, list[int], list[str]]]:
    """Rows of at most `most` regions: title, places among `labels`, and names without the mark of the hemisphere.

    Left and right take turns, the right in the order of the left as far as names are the same; what is of neither comes
    last on the right. Without two hemispheres the order stays, and names are whole.
    """
    found = [split_label(label) for label in labels]
    ranks = {name: rank for rank, (side, name) in enumerate(found) if side == "L"}
    if not ranks or all(side != "R" for side, _ in found):
        titles, sides = [""], [list(range(len(labels)))]
    else:
        titles, places = ["left hemisphere", "right hemisphere"], range(len(labels))
        right = sorted(places, key=lambda k: (found[k][0] == "", ranks.get(found[k][1], len(labels))))
        sides = [[k for k in places if found[k][0] == "L"], [k for k in right if found[k][0] != "L"]]
    parts = [np.array_split(side, -(-max(map(len, sides)) // most)) for side in sides]
    return [
        (title, list(map(int, part)), [found[k][1] if title else labels[k] for k in part])
        for pair in zip(*parts, strict=True) for title, part in zip(titles, pair, strict=True)
    ]  # fmt: skip


def mark_regions(
    axes: Axes, hemispheres: Sequence[str], networks: Sequence[str], which: str = "xy", node: str = "region"
) -> None:
    """Bracket the hemispheres (x, y) and, where there are networks, name them instead along y.

    `hemispheres` and `networks` come in the order drawn; an axis without groups is labelled `node`.
    """
    sides = [(HEMISPHERES.get(name, name), start, stop) for name, start, stop in group_spans(hemispheres)]
    areas = [
        (key.split("\t")[1], *run)
        for key, *run in group_spans([f"{h}\t{n}" for h, n in zip(hemispheres, networks, strict=True)])
    ]
    named = any(networks)
    for axis in which:
        groups = areas if named and axis == "y" else sides
        if len(groups) == 1 and groups[0][0] in ("", "midline"):
            groups = []
        draw_bracket(axes, axis, groups, len(hemispheres), node)
    if len(sides) > 1:
        for _, _, stop in sides[:-1]:
            if "x" in which:
                axes.axvline(stop - 0.5, color="white", linewidth=0.8)
            if "y" in which:
                axes.axhline(stop - 0.5, color="white", linewidth=0.8)


def draw_bracket(axes: Axes, axis: str, groups: Sequence[tuple[str, int, int]], n_nodes: int, node: str) -> None:
    """Tick the bounds of each group and write its name at its middle, the largest first, where there is room."""
    target = axes.xaxis if axis == "x" else axes.yaxis
    target.set_ticks([start - 0.5 for _, start, _ in groups] + ([n_nodes - 0.5] if groups else []), minor=True)
    middles = [(start + stop - 1) / 2 for _, start, stop in groups]
    named: list[int] = []
    for k in sorted(range(len(groups)), key=lambda k: groups[k][1] - groups[k][2]):
        if all(abs(middles[k] - middles[other]) >= 0.038 * n_nodes for other in named):
            named.append(k)
    target.set_ticks(middles, [name if k in named else "" for k, (name, _, _) in enumerate(groups)])
    axes.tick_params(axis=axis, which="major", length=0, pad=3, labelsize=6)
    axes.tick_params(axis=axis, which="minor", length=5)
    if not groups:
        axes.set(**{f"{axis}label": node})
