"""Joint posteriors of pairs of parameters: what to show of each, densities, correlations."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from vbiflow.figures.density import density, highest_density_levels, joint_density, prior_density, top_density
from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.style import PALETTE, canvas, letter_panels, quantity, signed_number, symbol, widen

Array = NDArray[np.float64]
CORNER = 10
"""Above this many parameters, pairs become a matrix of correlations and the strongest pairs."""
TAIL = 0.75
"""How far beyond the 90 % interval tails are drawn, in lengths of it: all of a normal posterior."""
DARK, LIGHT = PALETTE["posterior"], "#a9cbe3"
"""Colours of the regions that hold 50 and 90 % of a joint posterior."""
LINE = 19
"""Characters in one line of the label of a small panel."""


def view_limits(samples: Array, marks: float | Array, prior: Array) -> tuple[float, float]:
    """Return the interval to draw: nearly all of the posterior, without long tails, and marks such as MAP and truth.

    There is room around, but not far beyond the prior.
    """
    good = samples[np.isfinite(samples)]
    if not good.size:
        return widen(prior[0], prior[-1], 0.05)
    first, low, high, last = np.quantile(good, [0.001, 0.05, 0.95, 0.999])
    first, last = max(first, low - TAIL * (high - low)), min(last, high + TAIL * (high - low))
    marks = np.atleast_1d(marks)[np.isfinite(np.atleast_1d(marks))]
    low, high = min(first, *marks, last), max(first, *marks, last)
    room = 0.3 * (high - low) or 0.05 * (prior[-1] - prior[0])
    edge = 0.06 * min(prior[-1] - prior[0], high - low + 2 * room)
    return float(max(low - room, min(prior[0], low) - edge)), float(min(high + room, max(prior[-1], high) + edge))


def limits_within_prior(samples: Array, prior: Array, limits: tuple[float, float]) -> tuple[float, float]:
    """Return the part of `limits` inside the prior, or as far as samples lie beyond its outermost quantiles."""
    low, high = np.nanmin(samples, initial=prior[0]), np.nanmax(samples, initial=prior[-1])
    return max(limits[0], float(low)), min(limits[1], float(high))


def hatch_outside_prior(axes: Axes, box: Array, views: Sequence[tuple[float, float]]) -> None:
    """Hatch what lies outside the prior's box: `box` (2, n) of lower and upper ends along x and, if there, y."""
    for axis, (low, high), (start, stop) in zip("xy", box.T, views, strict=False):
        span = axes.axvspan if axis == "x" else axes.axhspan
        for begin, end in ((start, min(low, stop)), (max(high, start), stop)):
            if end > begin:
                span(begin, end, facecolor=PALETTE["band"], edgecolor="none", linewidth=0, zorder=0)


def prior_in_words(prior: Array, view: tuple[float, float]) -> str:
    """The prior's 90 % interval, where an axis does not show both of its ends."""
    low, high = np.interp([0.05, 0.95], np.linspace(0.0005, 0.9995, len(prior)), prior)  # as prior_quantiles takes them
    seen = view[0] <= prior[0] and prior[-1] <= view[1]
    return "" if seen else f"prior, 90 %: {low:.3g} to {high:.3g}".replace("-", "−")


def name_marks(figure: Figure, known: bool, place: str = "outside upper center", columns: int = 5) -> None:
    """Put the legend of joint posteriors on a figure; `known` says whether a truth is marked."""
    mark = {"linestyle": "none", "markersize": 5}
    handles = [
        Patch(facecolor=DARK, label="posterior, 50 %"),
        Patch(facecolor=LIGHT, label="90 %"),
        Line2D([], [], color=PALETTE["prior"], label="prior"),
        Line2D([], [], marker="+", color=PALETTE["observed"], **mark, label="MAP"),
        Line2D([], [], marker="o", fillstyle="none", color=PALETTE["truth"], **mark, label="truth"),
    ]
    figure.legend(handles=handles[: 5 if known else 4], loc=place, ncols=columns, handletextpad=0.4, columnspacing=1.2)


def draw_diagonal(
    axes: Axes, samples: Array, mode: float, prior: Array, limits: tuple[float, float], truth: float
) -> None:
    """Draw one marginal within `limits`."""
    hatch_outside_prior(axes, prior[[0, -1]][:, None], [limits])
    x, y = prior_density(prior)
    axes.plot([x[0], *x, x[-1]], [0, *y, 0], color=PALETTE["prior"])
    grid, height = density(samples, *limits_within_prior(samples, prior, limits))
    axes.fill_between(grid, height, color=PALETTE["posterior"], alpha=0.25, linewidth=0)
    axes.plot(grid, height, color=PALETTE["posterior"])
    axes.axvline(mode, color=PALETTE["ink"], linewidth=0.8, linestyle="--")
    axes.axvline(truth, color=PALETTE["truth"], linewidth=1.2)
    axes.set(xlim=limits, ylim=(0, 1.08 * top_density(height, y)), yticks=[])


def draw_pair(
    axes: Axes, samples: Array, mode: Array, prior: Array, views: tuple[tuple[float, float], tuple[float, float]],
    truth: Array,
) -> None:  # fmt: skip
    """Draw the joint density of two parameters (n_samples, 2), a plus at the MAP, a ring at the truth."""
    draw_prior_box(axes, prior, views)
    x, y, mass, levels = joint_regions(samples, prior, views)
    if len(levels) > 2:
        axes.contourf(x, y, mass, levels=levels, colors=[LIGHT, DARK], alpha=0.9)
    axes.plot(*mode, "+", color=PALETTE["observed"], markersize=6, markeredgewidth=1.1)
    axes.plot(*truth, "o", color=PALETTE["truth"], markersize=5, markeredgewidth=1.2, fillstyle="none")
    axes.set(xlim=views[0], ylim=views[1])
    axes.locator_params(nbins=3)


def draw_prior_box(axes: Axes, prior: Array, views: Sequence[tuple[float, float]]) -> None:
    """Draw the edge of the prior of two parameters (n_quantiles, 2), and shade what is outside."""
    hatch_outside_prior(axes, prior[[0, -1]], views)
    low, high = prior[0], prior[-1]
    axes.add_patch(Rectangle(low, *(high - low), fill=False, edgecolor=PALETTE["prior"], linewidth=0.8))


def joint_regions(
    samples: Array, prior: Array, views: Sequence[tuple[float, float]]
) -> tuple[Array, Array, Array, list[float]]:
    """Joint density of two parameters (n_samples, 2) on a grid x, y, and the levels that enclose 90 and 50 %."""
    limits = (end for k in (0, 1) for end in limits_within_prior(samples[:, k], prior[:, k], views[k]))
    x, y, mass = joint_density(*samples.T, tuple(limits))
    levels = sorted({*highest_density_levels(mass, (0.5, 0.9)), mass.max() * 1.001}) if mass.sum() > 0 else []
    return x, y, mass, levels


def draw_correlation(axes: Axes, rho: float, size: float = 8) -> None:
    """Write a correlation, in letters of a size [points], on a ground that says its sign and size."""
    color = PALETTE["predicted"] if rho > 0 else PALETTE["posterior"]
    axes.set_facecolor((color, 0.75 * abs(rho) if np.isfinite(rho) else 0))
    axes.text(0.5, 0.5, f"ρ = {signed_number(rho)}", transform=axes.transAxes, ha="center", va="center", fontsize=size)
    axes.set(yticks=[])
    axes.tick_params(axis="x", length=0)
    axes.spines[:].set_visible(False)


def correlations(
    samples: Array, mode: Array, prior: Array, names: Sequence[str], units: dict[str, str] | None,
    views: Sequence[tuple[float, float]], truth: Array,
) -> Figure:  # fmt: skip
    """Draw the matrix of posterior correlations and the joint density of the six strongest pairs.

    Parameters
    ----------
    samples : of the posterior (n_samples, n_parameters).
    mode : the MAP (n_parameters,).
    prior : quantiles of the prior (n_quantiles, n_parameters).
    names : of the parameters.
    units : of the parameters by name; those not named are pure numbers.
    views : the interval to draw of each parameter.
    truth : what made a simulated recording (n_parameters,), not-a-number where unknown.
    """
    rho = np.corrcoef(samples, rowvar=False)
    np.fill_diagonal(rho, np.nan)
    figure = canvas(3.6)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    axes = left.subplots()
    limit = max(0.2, np.nanmax(np.abs(rho)))
    image = axes.imshow(rho, cmap="RdBu_r", vmin=-limit, vmax=limit)
    left.colorbar(image, ax=axes, label="posterior correlation", shrink=0.7, aspect=22)
    groups = columns_by_parameter(names)
    middles, stems = [np.mean(c) for c in groups.values()], [symbol(stem) for stem in groups]
    axes.set_xticks(middles, stems, rotation=90 if max(map(len, stems)) > 4 else 0)
    axes.set_yticks(middles, stems)
    axes.set(xlabel="parameter", ylabel="parameter", title=f"{len(names)} parameters")
    panels = right.subplots(2, 3).ravel()
    strongest = sorted(combinations(range(len(names)), 2), key=lambda p: -abs(np.nan_to_num(rho[p])))[: panels.size]
    for panel, (j, i) in zip(panels, strongest, strict=True):
        draw_pair(panel, samples[:, [j, i]], mode[[j, i]], prior[:, [j, i]], (views[j], views[i]), truth[[j, i]])
        panel.set_title(f"ρ = {signed_number(rho[j, i])}")
        panel.locator_params(axis="x", nbins=3)
        for axis, k in ((panel.xaxis, j), (panel.yaxis, i)):
            lines = textwrap.wrap(quantity(names[k], units), LINE, break_long_words=False)
            axis.set_label_text("\n".join(lines), fontsize=5.5 * min(1, LINE / max(map(len, lines))))
    name_marks(right, bool(np.isfinite(truth).any()), "outside lower center")
    letter_panels([axes, *panels[:1]])
    return figure
