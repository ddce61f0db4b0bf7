"""Figure of an estimated posterior beside the exact one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.density import density, highest_density_levels, joint_density
from vbiflow.figures.posterior import known_truth
from vbiflow.figures.style import PALETTE, canvas, finite_array, letter_panels, quantity, styled, widen

Array = NDArray[np.float64]


@styled
def exact(samples: Array, reference: Array, names: Sequence[str], units: dict[str, str] | None = None,
          truth: Array | None = None) -> Figure:  # fmt: skip
    """Draw an estimated posterior (n_samples, n_parameters) over the exact one, of one or two parameters.

    `reference` holds samples of the exact posterior, `truth` the parameters that made the data.
    """
    samples, reference = (
        v[np.isfinite(v).all(axis=1)] for v in (finite_array("theta", samples), finite_array("exact", reference))
    )
    truth, n = known_truth(truth), len(names)
    figure = canvas(2.75, 7.1 if n > 1 else 3.0)
    panels = np.atleast_1d(figure.subplots(1, 3 if n > 1 else 1))
    both = np.concatenate([samples, reference])
    views = [widen(*np.quantile(column, [0.0005, 0.9995]), 0.15) for column in both.T]
    drawings = ((samples, "posterior", "estimated from the features"), (reference, "observed", "exact, of the series"))
    for k, axes in enumerate(panels[:n]):
        for values, role, label in drawings:
            x, y = density(values[:, k], *views[k])
            axes.plot(x, y, color=PALETTE[role], label=label)
            axes.fill_between(x, y, color=PALETTE[role], alpha=0.15, linewidth=0)
        if truth is not None:
            axes.axvline(truth[k], color=PALETTE["truth"], linewidth=1.2, label="truth")
        ratio = samples[:, k].std() / reference[:, k].std()
        axes.set(xlim=views[k], ylim=(0, None), yticks=[], box_aspect=1, xlabel=quantity(names[k], units))
        axes.set(ylabel="density", title=f"sd {ratio:.2f} times the exact one")
    if n > 1:
        for values, role, _ in drawings:
            x, y, mass = joint_density(*values[:, :2].T, (*views[0], *views[1]))
            panels[2].contour(
                x, y, mass, levels=sorted(highest_density_levels(mass, (0.5, 0.9))), colors=PALETTE[role], linewidths=1
            )
        if truth is not None:
            panels[2].plot(*truth[:2], "o", color=PALETTE["truth"], markersize=5, fillstyle="none")
        panels[2].set(xlabel=quantity(names[0], units), ylabel=quantity(names[1], units), box_aspect=1)
        panels[2].set_title("50 and 90 % regions")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    letter_panels(panels)
    return figure
