"""Figures of posterior predictive checks, and of the recording's place among the simulations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.density import density
from vbiflow.figures.style import PALETTE, canvas, finite, letters, styled

Array = NDArray[np.float64]
SHOWN = 30
"""Features that are named; of more, the most extreme."""


@styled
def predictive(fc_correlation: Array, fcd_ks: Array, floor_fc_correlation: Array, floor_fcd_ks: Array) -> Figure:
    """Draw how well re-simulations (n_simulations) match the recording, and each other: the noise floor.

    FC correlation is best at 1, the Kolmogorov-Smirnov distance of FCD values at 0.
    """
    fits = finite("fc_correlation", fc_correlation), finite("fcd_ks", fcd_ks)
    floors = finite("floor_fc_correlation", floor_fc_correlation), finite("floor_fcd_ks", floor_fcd_ks)
    figure = canvas(2.5)
    panels = figure.subplots(1, 3)
    distributions(panels[0], fits[0], floors[0], "FC correlation", (-1, 1))
    distributions(panels[1], fits[1], floors[1], "FCD distance (KS)", (0, 1))
    for values, color in ((floors, PALETTE["prior"]), (fits, PALETTE["predicted"])):
        n = min(len(values[0]), len(values[1]))
        panels[2].plot(values[0][:n], values[1][:n], ".", color=color, markersize=3.5, alpha=0.6, markeredgewidth=0)
    panels[2].set(xlabel="FC correlation", ylabel="FCD distance (KS)", title="Both; best: lower right", box_aspect=1)
    names, labels = panels[0].get_legend_handles_labels()
    figure.legend(names, labels, loc="outside lower center", ncols=2)
    letters(panels)
    return figure


def distributions(axes: Axes, fit: Array, floor: Array, label: str, bounds: tuple[float, float]) -> None:
    """Draw the densities of fit and noise floor; the title holds their medians."""
    roles = (
        (floor, "prior", "re-simulation against re-simulation (noise floor)"),
        (fit, "predicted", "re-simulation against recording"),
    )
    for values, role, name in roles:
        x, y = density(values, *bounds)
        axes.fill_between(x, y / y.max(), color=PALETTE[role], alpha=0.25, linewidth=0)
        axes.plot(x, y / y.max(), color=PALETTE[role], label=name)
        axes.axvline(np.nanmedian(values), color=PALETTE[role], linewidth=0.8, linestyle="--")
    both = np.concatenate([fit, floor])
    low, high = np.nanmin(both), np.nanmax(both)
    room = 0.25 * (high - low) + 0.01
    axes.set(xlim=(max(bounds[0], low - room), min(bounds[1], high + room)), ylim=(0, 1.1), yticks=[], box_aspect=1)
    axes.set(
        xlabel=label,
        ylabel="density, peak at 1",
        title=f"Median {np.nanmedian(fit):.2f}, floor {np.nanmedian(floor):.2f}",
    )


@styled
def misspecification(x: Array, x_o: Array, names: Sequence[str], predicted: Array | None = None) -> Figure:
    """Draw where each feature of the recording `x_o` (n_features) lies among the simulations `x`.

    `x` is (n_simulations, n_features); features are scaled by its median and half of its central 90 % range.
    `predicted` holds the features of re-simulations from the posterior. The most extreme features are named.
    """
    x, x_o = finite("x", x), finite("x_o", x_o)
    place = np.array([share_below(column, value) for column, value in zip(x.T, x_o, strict=True)])
    low, middle, high = np.nanquantile(x, [0.05, 0.5, 0.95], axis=0)
    scale = np.where(high > low, (high - low) / 2, 1)
    rank = np.argsort(-np.nan_to_num(np.abs((x_o - middle) / scale)), kind="stable")[:SHOWN]
    figure = canvas(max(2.4, 0.14 * len(rank) + 0.9))
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": (2.4, 1)})
    scaled = [(values[..., rank] - middle[rank]) / scale[rank] for values in (x, x_o)]
    forest(left, *scaled, None if predicted is None else (predicted[:, rank] - middle[rank]) / scale[rank])
    left.set_yticks(range(len(rank)), [names[k] for k in rank], fontsize=min(6.5, 190 / len(rank)))
    for label, k in zip(left.get_yticklabels(), rank, strict=True):
        outside = not 0.005 <= place[k] <= 0.995
        label.set(color=PALETTE["predicted"] if outside else PALETTE["ink"], weight="bold" if outside else "normal")
    some = f"{len(rank)} " + (f"most extreme of {len(names)} " if len(rank) < len(names) else "") + "features"
    left.set_title(f"Recording within the simulations, {some}")
    places(right, place)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
    letters([left, right])
    return figure


def share_below(column: Array, value: float) -> float:
    """Return the share of finite simulations below `value`, ties counted half."""
    good = column[np.isfinite(column)]
    return float(((good < value) + 0.5 * (good == value)).mean()) if good.size and np.isfinite(value) else float("nan")


def forest(axes: Axes, x: Array, x_o: Array, predicted: Array | None) -> None:
    """Draw per feature the central 99 and 90 % of simulations, of re-simulations, and the recording."""
    rows = np.arange(x.shape[1])
    outer, inner = np.nanquantile(x, [0.005, 0.995], axis=0), np.nanquantile(x, [0.05, 0.95], axis=0)
    axes.hlines(rows, *outer, color=PALETTE["prior"], linewidth=0.8, label="simulations, 99 %")
    axes.hlines(rows, *inner, color=PALETTE["prior"], linewidth=3.5, alpha=0.55, label="simulations, 90 %")
    if predicted is not None:
        inside = np.nanquantile(predicted, [0.05, 0.95], axis=0)
        axes.hlines(rows, *inside, color=PALETTE["predicted"], linewidth=2, label="re-simulations, 90 %")
    axes.plot(x_o, rows, "D", color=PALETTE["observed"], markersize=3.2, label="recording")
    spread = np.concatenate([np.ravel(outer), x_o])
    if np.nanmax(np.abs(spread)) > 20:
        axes.set_xscale("symlog", linthresh=2)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="feature, in half-widths of the simulations' central 90 %")
    axes.axvline(0, color=PALETTE["ink"], linewidth=0.4)


def places(axes: Axes, place: Array) -> None:
    """Draw the distribution of all features' places; near 0 or 1 the recording is extreme."""
    good = place[np.isfinite(place)]
    axes.hist(good, bins=np.linspace(0, 1, 11), color=PALETTE["prior"], edgecolor="white", linewidth=0.4)
    extreme = int(((good < 0.005) | (good > 0.995)).sum())
    axes.set(xlabel="share of simulations below", ylabel="number of features", xlim=(0, 1), box_aspect=1, anchor="N")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_title(f"{extreme} of {place.size} beyond 99 %")
