"""Figure of a few people's posteriors in the same axes, a colour a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from vbiflow.exclusion import not_excluded
from vbiflow.figures.density import density, prior_density, prior_quantiles
from vbiflow.figures.joint import (
    draw_prior_box,
    hatch_outside_prior,
    joint_regions,
    limits_within_prior,
    view_limits,
)
from vbiflow.figures.style import PALETTE, SERIES, canvas, finite_array, quantity, styled
from vbiflow.io import read, read_attributes
from vbiflow.posterior_table import first_result, first_units
from vbiflow.prior import Prior

Array = NDArray[np.float64]
HIGHEST = 0.99
"""Share of the densities that an axis shows whole: a spike at the end of a prior would press the others flat."""
DASHES = (4.0, 4.0)
"""Lengths of a dash and of the gap after it, in line widths."""


def read_people_samples(samples: Sequence[str], priors: Sequence[str]) -> dict[str, Any]:
    """Arguments of `cohort_pairs`: posteriors of those who are not left out, without parameters of single regions."""
    prior = Prior.from_plain(read_attributes(first_result(priors))["prior"])
    columns = [k for k, name in enumerate(prior.names) if "[" not in name]
    found = {Path(path).parent.name: read(path, "theta", "truth") for path in not_excluded(samples)}
    return {
        "samples": {name: one["theta"][:, columns] for name, one in found.items()},
        "truths": {name: one["truth"][columns] for name, one in found.items()},
        "prior": prior_quantiles(prior)[:, columns],
        "names": [prior.names[k] for k in columns],
        "units": first_units(priors),
    }


@styled
def cohort_pairs(
    samples: Mapping[str, Array], truths: Mapping[str, Array], prior: Array, names: Sequence[str],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw everybody's posterior of every two parameters as regions of highest density (50, 90 %), and the marginals.

    Parameters
    ----------
    samples : of each person's posterior (n_samples, n_parameters), by name.
    truths : what made each simulated recording (n_parameters,), not-a-number where unknown, by name.
    prior : quantiles of the prior (n_quantiles, n_parameters).
    names : of the parameters.
    units : of the parameters by name; those not named are pure numbers.
    """
    drawn = [finite_array("theta", one) for one in samples.values()]
    everybody, known = np.concatenate(drawn), np.array([truths[name] for name in samples])
    n, colors = len(names), dict(zip(samples, SERIES * 99, strict=False))
    views = [view_limits(everybody[:, k], known[:, k], prior[:, k]) for k in range(n)]
    size = min(7.1, 1.7 * n + 0.7)
    figure = canvas(size + 0.3, max(size, 3.0))
    panels = figure.subplots(n, n, squeeze=False, sharex="col")
    for i, j in np.ndindex(n, n):
        axes = panels[i, j]
        if j > i:
            axes.remove()
            continue
        heights = []
        for k, (name, color) in enumerate(colors.items()):
            theta, around, view = samples[name][:, [j, i]], prior[:, [j, i]], [views[j], views[i]]
            if i == j:
                heights.append(draw_density(axes, theta, around, view, color))
                dashes = k / len(samples) * sum(DASHES), DASHES  # begun in turn: those of equal truths are all seen
                axes.axvline(truths[name][i], color=color, linewidth=1, linestyle=dashes)
            else:
                draw_joint(axes, theta, truths[name][[j, i]], around, view, color)
        if i == j:
            hatch_outside_prior(axes, prior[[0, -1]][:, [i]], [views[i]])
            x, y = prior_density(prior[:, i])
            axes.plot([x[0], *x, x[-1]], [0, *y, 0], color=PALETTE["prior"], linewidth=0.8)
            axes.set(yticks=[], ylim=(0, 1.1 * np.quantile(heights, HIGHEST)))
        else:
            draw_prior_box(axes, prior[:, [j, i]], (views[j], views[i]))
            axes.set_ylim(views[i])
            axes.locator_params(axis="y", nbins=4)
        axes.set_xlim(views[j])
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(labelbottom=i == n - 1, labelleft=j == 0 and i > 0)
        if i == n - 1:
            axes.set_xlabel(quantity(names[j], units))
        if j == 0:
            axes.set_ylabel("density" if i == 0 else quantity(names[i], units))
    handles = [Line2D([], [], color=color, label=name) for name, color in colors.items()]
    ring = {"linestyle": "--", "linewidth": 0.8, "marker": "o", "fillstyle": "none", "markersize": 4}
    handles += [Line2D([], [], color=PALETTE["ink"], **ring, label="truth")] * bool(np.isfinite(known).any())
    handles += [Line2D([], [], color=PALETTE["prior"], label="prior")]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 3 if n < 3 else 8))
    return figure


def draw_density(axes: Axes, samples: Array, prior: Array, views: Sequence[tuple[float, float]], color: str) -> Array:
    """Draw one person's marginal posterior of the first parameter; the result is its heights on an even grid."""
    grid, height = density(samples[:, 0], *limits_within_prior(samples[:, 0], prior[:, 0], views[0]))
    axes.fill_between(grid, height, color=color, alpha=0.2, linewidth=0)
    axes.plot(grid, height, color=color)
    return height


def draw_joint(
    axes: Axes, samples: Array, truth: Array, prior: Array, views: Sequence[tuple[float, float]], color: str
) -> None:
    """Draw one person's joint posterior of two parameters (n_samples, 2), a ring at the truth."""
    x, y, mass, levels = joint_regions(samples, prior, views)
    if len(levels) > 2:
        axes.contourf(x, y, mass, levels=levels, colors=[(color, 0.2), (color, 0.6)])
        axes.contour(x, y, mass, levels=levels[:-1], colors=[color], linewidths=0.8)
    axes.plot(*truth, "o", color=color, markersize=5, markeredgewidth=1.3, fillstyle="none")
