"""Figure of a posterior that allows for wrong features, beside the plain one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.diagnostic_options import WRONG
from vbiflow.figures.style import PALETTE, canvas, finite_array, letter_panels, styled, symbol

Array = NDArray[np.float64]
SHOWN = 12


@styled
def robust(
    samples: Array, robust: Array, names: Sequence[str], features: Sequence[str], wrong: Array, shift: Array
) -> Figure:
    """Draw which features have an error of their own, and the posterior with and without that allowance.

    `samples` and `robust` (n_samples, n_parameters) are drawn from the plain and the robust posterior; `wrong` (f,) is
    the probability that a feature is wrong, `shift` (f,) how far it is off, in standard deviations of the simulations.
    The first 12 of either are shown, features with the largest shift first.
    """
    samples, robust = finite_array("theta", samples), finite_array("robust", robust)
    order = np.argsort(-np.abs(shift))[:SHOWN]
    figure = canvas(0.9 + 0.2 * max(len(order), min(len(names), SHOWN)))
    panels = figure.subplots(1, 2)
    draw_features(panels[0], [features[k] for k in order], wrong[order], shift[order])
    draw_intervals(panels[1], samples[:, :SHOWN], robust[:, :SHOWN], names[:SHOWN])
    letter_panels(panels)
    return figure


def draw_features(axes: Axes, names: Sequence[str], wrong: Array, shift: Array) -> None:
    """A line from zero to the error of each feature, full where it is wrong with a probability over 0.9."""
    places = np.arange(len(names))[::-1]
    for place, name_wrong, value in zip(places, wrong, shift, strict=True):
        color = PALETTE["observed"] if name_wrong > WRONG else PALETTE["prior"]
        axes.plot([0, value], [place, place], color=color, linewidth=1.2)
        axes.plot(value, place, "o", color=color, markersize=3.5, fillstyle="full" if name_wrong > WRONG else "none")
        axes.annotate(f"{name_wrong:.2f}", (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=6)
    axes.axvline(0, color=PALETTE["ink"], linewidth=0.6)
    axes.set_yticks(places, names, fontsize=6)
    axes.set(xlabel="recorded − expected [s.d. of simulations]", title="Features, and probability to be wrong")


def draw_intervals(axes: Axes, samples: Array, robust: Array, names: Sequence[str]) -> None:
    """Median and 90 % interval of each parameter, in standard deviations around the mean of the plain posterior."""
    places, scale = np.arange(len(names))[::-1], np.maximum(samples.std(axis=0), 1e-300)
    for values, role, label, off in ((samples, "posterior", "plain", 0.15), (robust, "predicted", "robust", -0.15)):
        low, middle, high = np.quantile((values - samples.mean(axis=0)) / scale, [0.05, 0.5, 0.95], axis=0)
        axes.hlines(places + off, low, high, color=PALETTE[role], linewidth=2)
        axes.plot(middle, places + off, "o", color=PALETTE[role], markersize=3.5, label=label)
    axes.set_yticks(places, [symbol(name) for name in names])
    axes.set(xlabel="s.d. of the plain posterior", title="Median and 90 % interval", ylim=(-0.7, len(names) - 0.3))
    axes.legend(loc="best")
