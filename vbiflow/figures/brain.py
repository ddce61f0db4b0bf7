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
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from vbiflow.connectome.connectome import Connectome
from vbiflow.empirical.spaces import space_of
from vbiflow.figures.diagnostics import columns_by_parameter, draw_contraction
from vbiflow.figures.style import PALETTE, canvas, finite_array, letter_panels, message, quantity, region, styled
from vbiflow.prior import Prior

Array = NDArray[np.float64]
VIEWS = {"l": ("left", [1, 2]), "z": ("from above", [0, 1]), "r": ("right", [1, 2])}
"""By nilearn's name of a view: ours, and the axes of the centres (x to the right, y to the front, z up) in it."""
SIZES = (5.0, 32.0)
"""Areas [points^2] of dots of shrinkage 0 and 1."""
ROOM = 9.0
"""Distance [mm] of the outline from the outermost centres."""


def read_map(prior: Mapping[str, Any], connectome: str, **arguments: Any) -> dict[str, Any]:
    """Arguments of `brain`: from the plain prior, from the path of connectome.h5, and the others as they are."""
    network = Connectome.load(connectome)
    places = {"labels": network.labels, "centres": network.centres, "space": space_of(None, network)}
    return {"spread": Prior.from_plain(prior).std, **places, **arguments}


@styled
def brain(
    samples: Array, spread: Array, names: Sequence[str], labels: Sequence[str], centres: Array,
    space: str = "mni", units: dict[str, str] | None = None, truth: Array | None = None,
) -> Figure:  # fmt: skip
    """Draw each regional parameter at the centres (n_nodes, 3) [mm] of the regions `labels`, and z-score by shrinkage.

    Colour is truth or posterior mean, size the shrinkage 1 - var / prior var. Without a truth the maps of the posterior
    stand alone. In MNI space they lie on nilearn's glass brain, in a person's own space, where its outline would be
    wrong, within the hull of the centres.

    Parameters
    ----------
    samples : of the posterior (n_samples, n_parameters).
    spread : standard deviations (n_parameters,) of the prior.
    names : of the parameters.
    labels, centres : of the regions: (n_nodes,), and (n_nodes, 3) [mm].
    space : of the centres, mni or scanner.
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
    figure = canvas((3.8 if known else 2.6) * len(regional))
    parts = np.atleast_1d(figure.subfigures(len(regional), 1))
    for part, (stem, columns) in zip(parts, regional.items(), strict=True):
        size = SIZES[0] + (SIZES[1] - SIZES[0]) * np.clip(shrinkage[columns], 0, 1)
        maps = {"posterior mean": (mean[columns], size)}
        if known:
            maps = {"truth": (truth[columns], np.full(len(columns), SIZES[1] / 2))} | maps
        left, right = part.subfigures(1, 2, width_ratios=(2.6, 1)) if known else (part, None)
        panels = draw_maps(left, places[stem], space, maps, quantity(stem, units))
        if known:
            axes = right.subplots()
            z = np.abs(mean - truth) / np.nanstd(samples, axis=0)
            groups = {
                other: members
                for other, members in columns_by_parameter(names).items()
                if other == stem or len(members) == 1
            }
            draw_contraction(axes, z[None], shrinkage[None], groups)
            axes.set_title("z-score, this recording")
            panels.append(axes)
        letter_panels(panels)
    return figure


def draw_maps(part: Any, centres: Array, space: str, maps: Mapping[str, tuple[Array, Array]], label: str) -> list[Axes]:
    """Draw values and sizes (n_nodes,) by title, a row each, from left, above and right; return the first column.

    From a side the regions of that half are shown. Values far from the median lie on top, so that a few raised regions
    are seen; regions without a centre are left out.
    """
    placed = np.isfinite(centres).all(axis=1)
    centres, maps = centres[placed], {title: (v[placed], s[placed]) for title, (v, s) in maps.items()}
    panels = part.subplots(len(maps), len(VIEWS), squeeze=False, width_ratios=(1.29, 1, 1.29))
    values = np.concatenate([value for value, _ in maps.values()])
    norm = Normalize(np.nanmin(values), np.nanmax(values))
    seen = {"l": centres[:, 0] <= 0, "z": np.ones(len(centres), bool), "r": centres[:, 0] >= 0}
    for row, (title, (value, size)) in zip(panels, maps.items(), strict=True):
        row[0].set_title(title.capitalize())
        order = np.argsort(np.abs(value - np.nanmedian(value)), kind="stable")
        for axes, (view, (_, along)) in zip(row, VIEWS.items(), strict=True):
            draw_glass_brain(axes, view) if space == "mni" else draw_outline(axes, centres[:, along])
            shown = order[seen[view][order]]
            look = {"s": size[shown], "c": value[shown], "norm": norm, "cmap": "viridis", "alpha": 0.9}
            edge = {"linewidth": 0.3, "edgecolor": "white", "zorder": 3, "clip_on": False}
            dots = axes.scatter(*centres[shown][:, along].T, **look, **edge)
            axes.set(aspect="equal", xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.autoscale()
            axes.margins(0.02)
        half = max(np.ptp(axes.get_ylim()) for axes in row) / 2
        for axes in row:  # the same scale in each
            axes.set_ylim(np.mean(axes.get_ylim()) - half, np.mean(axes.get_ylim()) + half)
        row[0].invert_xaxis()
    for axes, (name, _) in zip(panels[-1], VIEWS.values(), strict=True):
        axes.set_xlabel(name)
    bar = part.colorbar(dots, ax=panels, label=label, location="right", shrink=0.6, aspect=24, pad=0.01)
    bar.ax.locator_params(nbins=5)
    marks = {share: (SIZES[0] + share * (SIZES[1] - SIZES[0])) ** 0.5 for share in (0, 0.5, 1)}
    look = {"linestyle": "none", "marker": "o", "color": PALETTE["prior"]}
    handles = [Line2D([], [], **look, markersize=size, label=f"shrinkage {share:g}") for share, size in marks.items()]
    part.legend(handles=handles, loc="outside lower center", ncols=3, handletextpad=0.1)
    return list(panels[:, 0])


def draw_glass_brain(axes: Axes, view: str) -> None:
    """Draw nilearn's glass brain in MNI space [mm], seen as one of VIEWS."""
    from nilearn.plotting.displays import GlassBrainAxes  # takes seconds

    GlassBrainAxes(axes, view, None)
    strokes: dict[Any, list[Path]] = {}
    for patch in list(axes.patches):
        line = patch.get_path().transformed(patch.get_transform() - axes.transData)
        strokes.setdefault((patch.get_edgecolor(), patch.get_linewidth()), []).append(line)
        patch.remove()
    for (color, width), lines in strokes.items():  # hundreds of strokes as one path each: a tenth of the file
        look = {"fill": False, "edgecolor": color, "linewidth": 0.35 * width, "alpha": 0.6}
        axes.add_patch(PathPatch(Path.make_compound_path(*lines), **look))


def draw_outline(axes: Axes, points: Array) -> None:
    """Draw a smooth line [mm] around points (n_nodes, 2): the hull of discs of radius ROOM about them."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    disc = ROOM * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cloud = (points[:, None] + disc).reshape(-1, 2)
    hull = cloud[scipy.spatial.ConvexHull(cloud).vertices]
    axes.fill(*hull.T, facecolor=PALETTE["band"], edgecolor=PALETTE["prior"], alpha=0.35, linewidth=0.8)
