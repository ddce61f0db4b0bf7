"""Figure of one recording's posterior by several estimators, which learnt from the same simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.density import density, prior_density, prior_quantiles, top_density
from vbiflow.figures.posterior import known_truth, long_tailed, parameter_panels, place_ticks
from vbiflow.figures.style import PALETTE, SERIES, finite_array, styled, widen
from vbiflow.figures.violins import Violins, draw_intervals
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
    many regions intervals of a parameter are drawn, in the place of densities.
    """
    samples, truth = {name: finite_array("theta", one) for name, one in samples.items()}, known_truth(truth)

    def draw_one(axes: Axes, column: int) -> None:
        known = None if truth is None else truth[column]
        draw_densities(axes, {name: one[:, column] for name, one in samples.items()}, prior[:, column], known)

    def draw_row(axes: Axes, row: Violins) -> None:
        draw_intervals(axes, {name: row.values(one) for name, one in samples.items()}, COLORS, row.values(truth))

    return parameter_panels([*samples.values()], prior, truth, names, units, draw_one, draw_row)


def draw_densities(axes: Axes, samples: Mapping[str, Array], prior: Array, truth: float | None) -> None:
    """Draw one parameter's posterior by each estimator over the whole prior, over the logarithm as `draw_marginal`."""
    logarithmic = long_tailed(prior) and all((values[np.isfinite(values)] > 0).all() for values in samples.values())
    if logarithmic:
        samples, prior = {name: np.log10(values) for name, values in samples.items()}, np.log10(prior)
        truth = None if truth is None else np.log10(truth)
    x, y = prior_density(prior)
    axes.fill_between(x, y, color=PALETTE["prior"], alpha=0.3, linewidth=0, label="prior")
    heights = []
    for (name, values), color in zip(samples.items(), cycle(COLORS)):
        good = values[np.isfinite(values)]
        if good.size:
            grid, height = density(good, min(prior[0], good.min()), max(prior[-1], good.max()))
            axes.fill_between(grid, height, color=color, alpha=0.15, linewidth=0)
            axes.plot(grid, height, color=color, label=name)
            heights.append(top_density(height, y))
    if truth is not None:
        axes.axvline(truth, color=PALETTE["truth"], linewidth=1.2, label="truth")
    axes.set(yticks=[], xlim=widen(prior[0], prior[-1], 0.03), ylim=(0, 1.06 * max(heights, default=1.0)))
    place_ticks(axes, logarithmic)
