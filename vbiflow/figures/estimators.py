"""Figure of one recording's posterior by several estimators, which learnt from the same simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.density import density, prior_density, prior_quantiles, top_density
from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.posterior import MANY, known_truth
from vbiflow.figures.style import PALETTE, SERIES, WIDTH, canvas, finite_array, quantity, styled, widen
from vbiflow.figures.violins import arrange_violins, draw_intervals, draw_rows, total_height
from vbiflow.io import read
from vbiflow.prior import Prior

Array = NDArray[np.float64]
COLORS = [color for color in SERIES if color != PALETTE["truth"]]


def read_estimators(
    prior: Mapping[str, Any], samples: Array, baselines: Sequence[str], estimators: Sequence[str], **arguments: Any
) -> dict[str, Any]:
    """Arguments of `estimators`: quantiles of the plain prior, samples by the study's estimator and from the files."""
    found = [samples, *(read(path, "theta")["theta"] for path in baselines)]
    return {
        "prior": prior_quantiles(Prior.from_plain(prior)),
        "samples": dict(zip(estimators, found, strict=True)),
        **arguments,
    }


@styled
def estimators(
    samples: Mapping[str, Array], prior: Array, names: Sequence[str], units: dict[str, str] | None = None,
    truth: Array | None = None,
) -> Figure:  # fmt: skip
    """Draw each parameter's posterior by each estimator, a colour each, over its prior.

    `samples` (n_samples, n_parameters) by estimator; `prior` (n_levels, n_parameters) holds the prior's quantiles at
    equally spaced levels in (0, 1), `truth` (n_parameters) the parameters that made the data, where they are known. Of
    more than `MANY` regions intervals of a parameter are drawn, in the place of densities.
    """
    samples, truth = {name: finite_array("theta", one) for name, one in samples.items()}, known_truth(truth)
    groups = columns_by_parameter(names).values()
    single = [column for columns in groups if len(columns) <= MANY for column in columns]
    many = [columns for columns in groups if len(columns) > MANY]
    together = np.concatenate(list(samples.values()))
    rows = [row for columns in many for row in arrange_violins(together, prior, truth, columns, names, units)]
    across = min(len(single), 4)
    lines = -(-len(single) // max(across, 1))
    heights = [1.6] * lines + [total_height(rows)] * bool(rows)
    figure = canvas(sum(heights) + 0.3, WIDTH if rows else max(1.775 * across, 3.0))
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    panels = [axes for part in parts[:lines] for axes in part.subplots(1, across, squeeze=False)[0]]
    for k, (axes, column) in enumerate(zip(panels, single, strict=False)):
        known = None if truth is None else truth[column]
        draw_densities(axes, {name: one[:, column] for name, one in samples.items()}, prior[:, column], known)
        axes.set(xlabel=quantity(names[column], units), ylabel="density" if k % across == 0 else "")
    for axes in panels[len(single) :]:
        axes.set_axis_off()
    if rows:
        draw_rows(
            parts[-1],
            rows,
            lambda axes, row: draw_intervals(
                axes, {name: row.values(one) for name, one in samples.items()}, COLORS, row.values(truth)
            ),
        )
    handles, labels = (panels or figure.axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def draw_densities(axes: Axes, samples: Mapping[str, Array], prior: Array, truth: float | None) -> None:
    """Draw one parameter's posterior by each estimator over the whole prior."""
    x, y = prior_density(prior)
    axes.fill_between(x, y, color=PALETTE["prior"], alpha=0.3, linewidth=0, label="prior")
    heights = []
    for (name, values), color in zip(samples.items(), COLORS, strict=False):
        good = values[np.isfinite(values)]
        if good.size:
            grid, height = density(good, min(prior[0], good.min()), max(prior[-1], good.max()))
            axes.fill_between(grid, height, color=color, alpha=0.15, linewidth=0)
            axes.plot(grid, height, color=color, label=name)
            heights.append(top_density(height, y))
    if truth is not None:
        axes.axvline(truth, color=PALETTE["truth"], linewidth=1.2, label="truth")
    axes.set(yticks=[], xlim=widen(prior[0], prior[-1], 0.03), ylim=(0, 1.06 * max(heights, default=1.0)))
    axes.locator_params(axis="x", nbins=5)
