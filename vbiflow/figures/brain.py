"""Figure of a regional parameter on the brain: truth and posterior at the centres of the regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import columns_by_parameter, draw_contraction
from vbiflow.figures.style import PALETTE, canvas, finite_array, letter_panels, message, quantity, region, styled
from vbiflow.prior import Prior

Array = NDArray[np.float64]
VIEWS = {"from above": [0, 1], "from the left": [1, 2]}
"""Axes of the centres (x to the right, y to the front, z up) along the page and up it."""
SIZES = (4.0, 46.0)
"""Areas [points^2] of dots of shrinkage 0 and 1."""
ROOM = 9.0
"""Distance [mm] of the outline from the outermost centres."""


def read_prior_spread(prior: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
    """Arguments of `brain`: standard deviations of the plain prior, and the others as they are."""
    return {"spread": Prior.from_plain(prior).std, **arguments}


@styled
def brain(
    samples: Array, spread: Array, names: Sequence[str], labels: Sequence[str], centres: Array,
    units: dict[str, str] | None = None, truth: Array | None = None,
) -> Figure:  # fmt: skip
    """Draw each regional parameter at the centres (n_nodes, 3) [mm] of the regions `labels`, and z-score by shrinkage.

    Colour is truth or posterior mean, size the shrinkage 1 - var / prior var. Without a truth the maps of the posterior
    stand alone.

    Parameters
    ----------
    samples : of the posterior (n_samples, n_parameters).
    spread : standard deviations (n_parameters,) of the prior.
    names : of the parameters.
    labels, centres : of the regions: (n_nodes,), and (n_nodes, 3) [mm].
    units : of the parameters by name; those not named are pure numbers.
    truth : what made a simulated recording (n_parameters,), None if unknown.
    """
    samples = finite_array("theta", samples)
    regional = {
        stem: columns for stem, columns in columns_by_parameter(names).items() if names[columns[0]].endswith("]")
    }
    centres = dict(zip(labels, np.asarray(centres, float), strict=True))
    places = {stem: np.array([centres[region(names[k])] for k in columns]) for stem, columns in regional.items()}
    if not any(np.isfinite(place).any() for place in places.values()):
        return message("Centres of the regions are not known: there is no map to draw.")
    mean, shrinkage = np.nanmean(samples, axis=0), 1 - np.nanvar(samples, axis=0) / spread**2
    known = truth is not None and np.isfinite(truth).any()
    figure = canvas(3.6 * len(regional), 7.1 if known else 3.4)
    parts = np.atleast_1d(figure.subfigures(len(regional), 1))
    for part, (stem, columns) in zip(parts, regional.items(), strict=True):
        size = SIZES[0] + (SIZES[1] - SIZES[0]) * np.clip(shrinkage[columns], 0, 1)
        maps = {"posterior mean": (mean[columns], size)}
        if known:
            maps = {"truth": (truth[columns], np.full(len(columns), SIZES[1] / 2))} | maps
        left, right = part.subfigures(1, 2, width_ratios=(1.35, 1)) if known else (part, None)
        panels = draw_maps(left, places[stem], maps, quantity(stem, units))
        if known:
            axes = right.subplots()
            z = np.abs(mean - truth) / np.nanstd(samples, axis=0)
            groups = {
                other: members
                for other, members in columns_by_parameter(names).items()
                if other == stem or len(members) == 1
            }
            draw_contraction(axes, z[None], shrinkage[None], groups)
            axes.set_title("z-score against shrinkage, this recording")
            panels.append(axes)
        letter_panels(panels)
    return figure


def draw_maps(part: Any, centres: Array, maps: Mapping[str, tuple[Array, Array]], label: str) -> list[Axes]:
    """Draw values and sizes (n_nodes,) by title, a column each, from above and from the left; return the top panels.

    Values far from the median lie on top, so that a few raised regions are seen; regions without a centre are left out.
    """
    placed = np.isfinite(centres).all(axis=1)
    centres, maps = centres[placed], {title: (v[placed], s[placed]) for title, (v, s) in maps.items()}
    panels = part.subplots(2, len(maps), squeeze=False, height_ratios=(1.35, 1))
    values = np.concatenate([value for value, _ in maps.values()])
    norm = Normalize(np.nanmin(values), np.nanmax(values))
    for column, (title, (value, size)) in enumerate(maps.items()):
        order = np.argsort(np.abs(value - np.nanmedian(value)), kind="stable")
        for axes, (view, along) in zip(panels[:, column], VIEWS.items(), strict=True):
            points = centres[:, along]
            axes.fill(*outline(points).T, facecolor=PALETTE["band"], alpha=0.35)
            axes.plot(*outline(points).T, color=PALETTE["prior"], linewidth=0.8)
            shown = {"s": size[order], "c": value[order], "norm": norm, "cmap": "viridis", "alpha": 0.9}
            dots = axes.scatter(*points[order].T, **shown, linewidth=0.3, edgecolor="white", zorder=3)
            axes.set(aspect="equal", xticks=[], yticks=[], ylabel=view if column == 0 else "")
            axes.spines[:].set_visible(False)
            if view == "from the left":
                axes.invert_xaxis()
        panels[0, column].set_title(title.capitalize())
    bar = part.colorbar(dots, ax=panels, label=label, location="right", shrink=0.6, aspect=24, pad=0.01)
    bar.ax.locator_params(nbins=5)
    marks = {share: (SIZES[0] + share * (SIZES[1] - SIZES[0])) ** 0.5 for share in (0, 0.5, 1)}
    look = {"linestyle": "none", "marker": "o", "color": PALETTE["prior"]}
    handles = [Line2D([], [], **look, markersize=size, label=f"{share:g}") for share, size in marks.items()]
    part.legend(handles=handles, title="shrinkage", title_fontsize=6.5, loc="outside lower left", ncols=3)
    return list(panels[0])


def outline(points: Array) -> Array:
    """A smooth closed line (n, 2) [mm] around points (n_nodes, 2): the hull of discs of radius ROOM about them."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    disc = ROOM * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cloud = (points[:, None] + disc).reshape(-1, 2)
    hull = cloud[scipy.spatial.ConvexHull(cloud).vertices]
    hull = np.concatenate([hull, hull[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(hull, axis=0).T))])
    along = np.linspace(0, length[-1], 360, endpoint=False)
    line = np.stack([np.interp(along, length, side) for side in hull.T], axis=1)
    line = scipy.ndimage.gaussian_filter1d(line, 6, axis=0, mode="wrap")
    return np.concatenate([line, line[:1]])
