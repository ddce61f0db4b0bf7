"""Figure of what noise takes from an estimator: shrinkage and z-score of held-out simulations against its level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.style import PALETTE, SERIES, canvas, finite_array, letter_panels, quantity, styled, symbol

Array = NDArray[np.float64]
BINS, LEAST = 10, 20
"""Bins along the level at most, and simulations in each at least."""
CALIBRATED = 0.674
"""Median distance of the truth from the mean of a normal posterior, in its standard deviations."""


@styled
def noise_levels(
    theta: Array, z: Array, shrinkage: Array, names: Sequence[str], noises: Sequence[str],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw shrinkage and \\|z\\| of held-out simulations against the level of noise: medians in bins, and quartiles.

    Parameters
    ----------
    theta : true parameters (n_simulations, n_parameters).
    z : (mean - truth) / sd of the posterior, the same shape.
    shrinkage : 1 - posterior variance / prior variance, the same shape.
    names : of the parameters; those that exist once a node are one line.
    noises : the parameters that are levels of noise, a row each.
    units : of the parameters by name; those not named are pure numbers.
    """
    theta, groups = finite_array("theta", theta), columns_by_parameter(names)
    figure = canvas(2.3 * len(noises) + 0.3, 5.6)
    panels = figure.subplots(len(noises), 2, squeeze=False)
    for row, noise in zip(panels, noises, strict=True):
        level = theta[:, list(names).index(noise)]
        bins = np.array_split(np.argsort(level), int(np.clip(len(level) // LEAST, 1, BINS)))
        places = [np.nanmedian(level[rows]) for rows in bins]
        for axes, values in zip(row, (np.asarray(shrinkage), np.abs(z)), strict=True):
            for (stem, members), color in zip(groups.items(), SERIES * 99, strict=False):
                found = [np.nanquantile(values[np.ix_(rows, members)], [0.25, 0.5, 0.75]) for rows in bins]
                low, middle, high = np.transpose(found)
                axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
                axes.plot(places, middle, "o-", color=color, markersize=3, label=symbol(stem))
            of = "measurement " if noise == "noise" else "noise, "
            axes.set_xlabel(f"level of {of}{quantity(noise, units)}")
        row[0].set(ylabel="posterior shrinkage", title="Shrinkage")
        row[0].set_ylim(float(np.clip(row[0].get_ylim()[0], -0.5, 0)), 1.02)
        row[1].axhline(CALIBRATED, color=PALETTE["ink"], linewidth=0.6, linestyle=":", label="calibrated")
        row[1].set(ylabel="|z-score|", title="Distance from the truth", ylim=(0, max(2, row[1].get_ylim()[1])))
    lines, labels = panels[0, 1].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=min(len(labels), 8))
    letter_panels(panels.ravel())
    return figure
