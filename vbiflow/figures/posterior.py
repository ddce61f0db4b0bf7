"""Figures of a posterior: marginals against the prior, and pairs of parameters."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from vbiflow.figures.density import density, prior_density, prior_quantiles, top_density
from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.joint import (
    CORNER,
    correlations,
    draw_correlation,
    draw_diagonal,
    draw_pair,
    name_marks,
    prior_in_words,
    view_limits,
)
from vbiflow.figures.style import (
    PALETTE,
    WIDTH,
    canvas,
    finite_array,
    plain_number,
    power_of_ten,
    quantity,
    styled,
    ticks_between,
    widen,
)
from vbiflow.figures.violins import INTERVAL, Violins, arrange_violins, draw_rows, draw_violins, total_height
from vbiflow.prior import Prior

Array = NDArray[np.float64]
MANY = 12
"""Above this many parameters, those that exist once a node are drawn as violins side by side."""
BESIDE = 3
"""Other parameters that are drawn beside violins at most; more stand above."""
SMALL = 7
"""Parameters from which on the panels of pairs are small."""


def read_samples(prior: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
    """Arguments of `marginals` and `pairs`: quantiles of the plain prior, and the others as they are."""
    return {"prior": prior_quantiles(Prior.from_plain(prior)), **arguments}


@styled
def marginals(
    samples: Array, mode: Array, prior: Array, names: Sequence[str], units: dict[str, str] | None = None,
    truth: Array | None = None,
) -> Figure:  # fmt: skip
    """Draw each parameter's posterior `samples` (n_samples, n_parameters) against its prior, MAP and 90 % interval.

    `prior` (n_levels, n_parameters) holds the prior's quantiles at equally spaced levels in (0, 1), `mode`
    (n_parameters) the MAP, `truth` (n_parameters) the parameters that made the data, where they are known. Of more than
    `MANY` regions a parameter is drawn as violins, and up to `BESIDE` others stand on their left.
    """
    samples, truth = finite_array("theta", samples), known_truth(truth)

    def draw_one(axes: Axes, column: int) -> None:
        known = None if truth is None else truth[column]
        draw_marginal(axes, samples[:, column], mode[column], prior[:, column], known)

    def draw_row(axes: Axes, row: Violins) -> None:
        draw_violins(axes, *map(row.values, (samples, mode, truth)))

    return parameter_panels([samples], prior, truth, names, units, draw_one, draw_row)


def parameter_panels(
    samples: Sequence[Array], prior: Array, truth: Array | None, names: Sequence[str], units: dict[str, str] | None,
    draw_one: Callable[[Axes, int], None], draw_row: Callable[[Axes, Violins], None],
) -> Figure:  # fmt: skip
    """Lay out all parameters: a panel for each, but rows for those of more than `MANY` regions.

    Parameters
    ----------
    samples : of one or several posteriors.
    prior, truth, names, units : as `marginals` takes them.
    draw_one : draws the posterior of the parameter of a column.
    draw_row : draws the posteriors of the regions of a row.
    """
    groups = columns_by_parameter(names).values()
    single = [column for columns in groups if len(columns) <= MANY for column in columns]
    many = [columns for columns in groups if len(columns) > MANY]
    rows = [row for columns in many for row in arrange_violins(samples, prior, truth, columns, names, units)]
    beside, across = bool(rows) and 0 < len(single) <= BESIDE, min(len(single), 4)
    lines = 0 if beside else -(-len(single) // max(across, 1))
    heights = [1.75] * lines + [total_height(rows)] * bool(rows)
    figure = canvas(sum(heights) + 0.3, WIDTH if rows else max(1.775 * across, 3.0))
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    panels = [axes for part in parts[:lines] for axes in part.subplots(1, across, squeeze=False)[0]]
    right = parts[-1]
    if beside:
        left, right = right.subfigures(1, 2, width_ratios=(1, 4.6))
        panels = list(left.subplots(len(single) + 1, 1, height_ratios=[1] * len(single) + [4 - len(single)]))
    if rows:
        draw_rows(right, rows, draw_row)
    for k, (axes, column) in enumerate(zip(panels, single, strict=False)):
        draw_one(axes, column)
        if beside:
            axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        axes.set(xlabel=quantity(names[column], units), ylabel="density" if beside or k % across == 0 else "")
    named = (panels or right.axes)[0].get_legend_handles_labels()
    for axes in panels[len(single) :]:
        axes.set_axis_off()
    if beside:
        panels[-1].legend(*named, loc="upper left", borderaxespad=0)
    else:
        figure.legend(*named, loc="outside upper center", ncols=len(named[1]) if across > 2 else 3)
    return figure


def known_truth(truth: Array | None) -> Array | None:
    """Return the truth, or None where nothing of it is known."""
    return None if truth is None or not np.isfinite(truth).any() else np.asarray(truth)


def draw_marginal(axes: Axes, samples: Array, mode: float, prior: Array, truth: float | None) -> None:
    """Draw one parameter over the whole prior; the bar below the density is the 90 % interval.

    A prior with a long tail, such as a lognormal one, is drawn over the logarithm of the parameter.
    """
    title = interval_in_words(samples[np.isfinite(samples)])
    logarithmic = long_tailed(prior) and not (samples <= 0).any()
    if logarithmic:
        samples, prior, mode = np.log10(samples), np.log10(prior), np.log10(mode)
        truth = None if truth is None else np.log10(truth)
    x, y = prior_density(prior)
    axes.fill_between(x, y, color=PALETTE["prior"], alpha=0.3, linewidth=0, label="prior")
    good = samples[np.isfinite(samples)]
    axes.set(yticks=[], xlim=widen(prior[0], prior[-1], 0.03))
    if not good.size:
        axes.set_title("no finite sample")
        return
    grid, height = density(good, min(prior[0], good.min()), max(prior[-1], good.max()))
    axes.fill_between(grid, height, color=PALETTE["posterior"], alpha=0.25, linewidth=0)
    axes.plot(grid, height, color=PALETTE["posterior"], label="posterior")
    top = top_density(height, y)
    axes.plot(
        np.quantile(good, [0.05, 0.95]),
        [-0.06 * top] * 2,
        color=PALETTE["posterior"],
        linewidth=2.5,
        solid_capstyle="butt",
        label=INTERVAL,
    )
    axes.axvline(mode, color=PALETTE["ink"], linewidth=0.9, linestyle="--", label="MAP")
    if truth is not None:
        axes.axvline(truth, color=PALETTE["truth"], linewidth=1.2, label="truth")
    axes.set_title(title, fontsize=6.5)
    axes.set_ylim(-0.12 * top, 1.06 * top)
    place_ticks(axes, logarithmic)


def place_ticks(axes: Axes, logarithmic: bool) -> None:
    """Ticks of a parameter's axis; where it shows the logarithm they say the parameter."""
    if logarithmic:
        ticks = ticks_between(*10.0 ** np.array(axes.get_xlim()))
        axes.set_xticks(np.log10(ticks), [plain_number(tick) for tick in ticks])
    else:
        axes.locator_params(axis="x", nbins=5)


def interval_in_words(samples: Array) -> str:
    """Median and 90 % interval in words, with a power of ten where the numbers would be long."""
    if not samples.size:
        return ""
    ends = np.quantile(samples, [0.05, 0.5, 0.95])
    largest = np.abs(ends).max()
    exponent = int(np.floor(np.log10(largest))) if largest > 0 else 0
    exponent = 0 if -3 <= exponent < 5 else exponent
    low, middle, high = ends / 10.0**exponent
    words = f"{middle:.3g} [{low:.3g}, {high:.3g}]".replace("-", "−")
    return f"{words} {power_of_ten(exponent)}" if exponent else words


def long_tailed(prior: Array) -> bool:
    """Whether a marginal, given as quantiles, is positive and its upper half reaches much farther than its lower."""
    low, middle, high = np.quantile(prior, [0.005, 0.5, 0.995])
    return bool(low > 0 and high - middle > 5 * (middle - low))


@styled
def pairs(
    samples: Array, mode: Array, prior: Array, names: Sequence[str], units: dict[str, str] | None = None,
    truth: Array | None = None,
) -> Figure:  # fmt: skip
    """Draw the joint posterior of every two parameters as regions of highest density (50, 90 %), and correlations.

    `samples`, `mode`, `prior` and `truth` are as in `marginals`. The axes follow the posterior, and of up to six
    parameters they say where the prior lies if it reaches beyond; what lies outside the prior is shaded. With more than
    ten parameters: the matrix of correlations, and the six strongest pairs.
    """
    samples, truth = finite_array("theta", samples), known_truth(truth)
    truth = np.full(len(names), np.nan) if truth is None else truth
    views = [view_limits(samples[:, k], np.array([mode[k], truth[k]]), prior[:, k]) for k in range(len(names))]
    if len(names) == 1:
        figure = canvas(2.2, 3.0)
        axes = figure.subplots()
        draw_marginal(axes, samples[:, 0], mode[0], prior[:, 0], truth[0] if np.isfinite(truth[0]) else None)
        axes.set(xlabel=quantity(names[0], units), ylabel="density")
        return figure
    if len(names) > CORNER:
        return correlations(samples, mode, prior, names, units, views, truth)
    n = len(names)
    size, letters = min(WIDTH, 1.5 * n + 0.4), min(7, 42 / n)
    figure = canvas(size + 0.2, size)
    panels = figure.subplots(n, n, squeeze=False, sharex="col")
    rho = np.atleast_2d(np.corrcoef(samples, rowvar=False))
    name_marks(figure, bool(np.isfinite(truth).any()), columns=5 if n > 2 else 3)
    labels = [quantity(name, units) if n < SMALL else textwrap.fill(quantity(name, units), 8) for name in names]
    for i, j in np.ndindex(n, n):
        axes = panels[i, j]
        if i == j:
            draw_diagonal(axes, samples[:, i], mode[i], prior[:, i], views[i], truth[i])
            axes.set_title(prior_in_words(prior[:, i], views[i]) if n < SMALL else "", fontsize=min(6, 22 / n))
        elif i > j:
            draw_pair(axes, samples[:, [j, i]], mode[[j, i]], prior[:, [j, i]], (views[j], views[i]), truth[[j, i]])
        else:
            draw_correlation(axes, rho[i, j], letters + 1)
        axes.tick_params(labelbottom=i == n - 1, labelleft=j == 0 and i > 0, labelrotation=0, labelsize=letters)
        axes.locator_params(nbins=3, axis="x")
        if n >= SMALL:
            make_small(axes)
        if i == n - 1:
            axes.set_xlabel(labels[j], fontsize=min(7, letters + 1.2))
        if j == 0:
            axes.set_ylabel("density" if i == 0 else labels[i], fontsize=min(7, letters + 1.2))
    return figure


def make_small(axes: Axes) -> None:
    """Thin out a panel that is as wide as a few tick labels."""
    for line in axes.lines:
        line.set(markersize=3, markeredgewidth=0.8, linewidth=0.7)
    for axis in (axes.xaxis, axes.yaxis):
        if len(axis.get_ticklocs()):
            axis.set_major_locator(MaxNLocator(2))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
