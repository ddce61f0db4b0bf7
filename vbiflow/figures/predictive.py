"""Figures of posterior predictive checks, and of the recording's place among the simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.density import density
from vbiflow.figures.style import PALETTE, canvas, dot_options, finite_array, letter_panels, signed_number, styled
from vbiflow.io import read, read_attributes

Array = NDArray[np.float64]
SHOWN = 30
"""Features that are named; of more, the most extreme."""


def read_scores(path: str, scores: Sequence[str]) -> dict[str, Any]:
    """Arguments of `predictive`: the scores of predictive.h5, with the label and bounds that stand there."""
    notes = {name: read_attributes(path, name) for name in scores}
    return {
        "scores": read(path, *scores, *(f"floor_{name}" for name in scores)),
        "labels": {name: note["label"] for name, note in notes.items()},
        "bounds": {name: tuple(note["bounds"]) for name, note in notes.items()},
    }


@styled
def predictive(
    scores: Mapping[str, Array], labels: Mapping[str, str], bounds: Mapping[str, tuple[float, float]]
) -> Figure:
    """Draw how well re-simulations match the recording, and each other: the noise floor.

    `scores` holds <name> (n_simulations,) and floor_<name> (n_pairs,) of each name in `labels`, within its `bounds`.
    A floor that could not be measured is empty, and not drawn. With two scores or more, a last panel shows the first
    two together.
    """
    names = list(labels)
    fits = [finite_array(name, scores[name]) for name in names]
    floors = [finite_array(name, floor) if len(floor := scores[f"floor_{name}"]) else floor for name in names]
    figure = canvas(2.5)
    n_panels = len(names) + (len(names) > 1)
    panels = np.atleast_1d(figure.subplots(1, n_panels))
    for axes, name, fit, floor in zip(panels, names, fits, floors, strict=False):
        draw_distributions(axes, fit, floor, labels[name], bounds[name])
    if len(names) > 1:
        for values, color in ((floors, PALETTE["prior"]), (fits, PALETTE["predicted"])):
            n = min(len(values[0]), len(values[1]))
            if not n:
                continue
            panels[-1].plot(values[0][:n], values[1][:n], color=color, **dot_options(n, 0.8))
        panels[-1].set(xlabel=labels[names[0]], ylabel=labels[names[1]], title="One against the other", box_aspect=1)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=2)
    letter_panels(panels)
    return figure


def draw_distributions(axes: Axes, fit: Array, floor: Array, label: str, bounds: tuple[float, float]) -> None:
    """Draw the densities of fit and noise floor; the title holds their medians."""
    roles = [(fit, "predicted", "re-simulation against recording")]
    if len(floor):
        roles = [(floor, "prior", "re-simulation against re-simulation (noise floor)"), *roles]
    both = np.concatenate([fit, floor])
    low, high = np.nanmin(both), np.nanmax(both)
    room = 0.25 * (high - low) + 0.01
    bounds = bounds[0], min(bounds[1], high + 4 * room)
    for values, role, name in roles:
        x, y = density(values, *bounds)
        axes.fill_between(x, y / y.max(), color=PALETTE[role], alpha=0.25, linewidth=0)
        axes.plot(x, y / y.max(), color=PALETTE[role], label=name)
        axes.axvline(np.nanmedian(values), color=PALETTE[role], linewidth=0.8, linestyle="--")
    axes.set(xlim=(max(bounds[0], low - room), min(bounds[1], high + room)), ylim=(0, 1.1), yticks=[], box_aspect=1)
    title = f"Median {signed_number(np.nanmedian(fit))}"
    title += f", floor {signed_number(np.nanmedian(floor))}" if len(floor) else ""
    axes.set(xlabel=label, ylabel="density, peak at 1", title=title)


def read_simulations(
    x: Array, valid: NDArray[np.bool_], x_o: Array, names: Sequence[str], predicted: Array, n_predictive: int
) -> dict[str, Any]:
    """Arguments of `misspecification`: simulations that are valid, and those from the posterior without the floor's."""
    return {"x": x[valid], "x_o": x_o, "names": names, "predicted": predicted[:n_predictive]}


@styled
def misspecification(x: Array, x_o: Array, names: Sequence[str], predicted: Array | None = None) -> Figure:
    """Draw where each feature of the recording `x_o` (n_features) lies among the simulations `x`.

    `x` is (n_simulations, n_features); features are scaled so that the central 99 % of it span -1 to 1. `predicted`
    holds the features of re-simulations from the posterior. The most extreme features are named, in colour beyond 99 %.
    """
    x, x_o = finite_array("x", x), finite_array("x_o", x_o)
    low, high = np.nanquantile(x, [0.005, 0.995], axis=0)
    half = np.where(high > low, (high - low) / 2, 1)
    scaled = [None if values is None else (values - (low + high) / 2) / half for values in (x, x_o, predicted)]
    far = np.abs(scaled[1])
    rank = np.argsort(-np.nan_to_num(far), kind="stable")[:SHOWN]
    figure = canvas(max(2.4, 0.14 * len(rank) + 0.9))
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": (2.4, 1)})
    draw_forest(left, *(None if values is None else values[..., rank] for values in scaled))
    left.set_yticks(range(len(rank)), [names[k] for k in rank], fontsize=min(6.5, 190 / len(rank)))
    for label, k in zip(left.get_yticklabels(), rank, strict=True):
        label.set_color(PALETTE["predicted"] if far[k] > 1 else PALETTE["ink"])
    some = f"{len(rank)} " + (f"most extreme of {len(names)} " if len(rank) < len(names) else "") + "features"
    left.set_title(f"Recording within the simulations,\n{some}")
    draw_percentiles(right, np.array([share_below(column, value) for column, value in zip(x.T, x_o, strict=True)]))
    right.set_title(f"{(far > 1).sum()} of {len(names)}\nbeyond 99 %")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=5)
    letter_panels([left, right])
    return figure


def share_below(column: Array, value: float) -> float:
    """Return the share of finite simulations below `value`, ties counted half."""
    good = column[np.isfinite(column)]
    return float(((good < value) + 0.5 * (good == value)).mean()) if good.size and np.isfinite(value) else float("nan")


def draw_forest(axes: Axes, x: Array, x_o: Array, predicted: Array | None) -> None:
    """Draw per feature where simulations, re-simulations and the recording lie."""
    rows = np.arange(x.shape[1])
    low, middle, high = np.nanquantile(x, [0.05, 0.5, 0.95], axis=0)
    axes.axvspan(-1, 1, color=PALETTE["band"], alpha=0.5, linewidth=0, label="simulations, 99 %")
    axes.hlines(rows, low, high, color=PALETTE["prior"], linewidth=4, alpha=0.6, label="90 %")
    axes.plot(middle, rows, "|", color=PALETTE["ink"], markersize=5, label="median")
    if predicted is not None:
        inside = np.nanquantile(predicted, [0.05, 0.95], axis=0)
        axes.hlines(rows, *inside, color=PALETTE["predicted"], linewidth=1.6, label="re-simulations, 90 %")
    axes.plot(x_o, rows, "D", color=PALETTE["observed"], markersize=3.2, label="recording")
    if np.nanmax(np.abs(x_o)) > 10:
        axes.set_xscale("symlog", linthresh=1)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="feature, scaled: 99 % of the simulations from −1 to 1")


def draw_percentiles(axes: Axes, place: Array) -> None:
    """Draw the distribution of all features' places; near 0 or 1 the recording is extreme."""
    axes.hist(
        place[np.isfinite(place)], np.linspace(0, 1, 11), color=PALETTE["prior"], edgecolor="white", linewidth=0.4
    )
    axes.set(xlabel="share of simulations below", ylabel="number of features", xlim=(0, 1), box_aspect=1, anchor="N")
    axes.yaxis.get_major_locator().set_params(integer=True)
