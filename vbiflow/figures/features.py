"""Figures of what each feature tells, and of what an estimator loses without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.style import PALETTE, SERIES, canvas, finite_array, letter_panels, quantity, styled, symbol

Array = NDArray[np.float64]
SHARE_COLOURS = "Blues"
MOST_SUBJECTS = 6


@styled
def features(
    informs: Mapping[str, Mapping[str, float]], explained: Mapping[str, float],
    explained_by: Mapping[str, Mapping[str, float]], shown: Sequence[str], correlation: Array,
    outside: Mapping[str, Mapping[str, str]],
) -> Figure:  # fmt: skip
    """Draw what share of each parameter's variance each feature explains, how features correlate, and groups explain.

    Arguments are entries of the features' report. A feature outside of all simulations in any recording is in colour.
    """
    parameters = list(explained)
    matrix = finite_array("correlation", correlation)
    alone = group_by_parameter([[informs[name][parameter] for parameter in parameters] for name in shown], parameters)
    rows = {"all": explained, **explained_by}
    share = group_by_parameter([[row[parameter] for parameter in parameters] for row in rows.values()], parameters)
    figure = canvas(max(2.6, 0.115 * len(shown) + 1.1, 0.2 * len(rows) + 1.2))
    width = max(0.5, 0.22 * alone.shape[1])
    left, middle, right = figure.subplots(1, 3, gridspec_kw={"width_ratios": (width, 2.2, width)})
    draw_shares(left, alone, shown, parameters)
    far = {name for people in outside.values() for name in people}
    for label, name in zip(left.get_yticklabels(), shown, strict=True):
        label.set_color(PALETTE["predicted"] if name in far else PALETTE["ink"])
        label.set_fontsize(min(6.5, 200 / len(shown)))
    left.set_title("One feature")
    image = middle.imshow(np.abs(matrix), cmap=SHARE_COLOURS, vmin=0, vmax=1, aspect="auto")
    middle.set(xticks=[], yticks=[], anchor="N", title="Features with each other", xlabel="in the order of A")
    draw_shares(right, np.clip(share, 0, 1), list(rows), parameters, share)
    right.set_title("Many features")
    bar = figure.colorbar(image, ax=[left, middle, right], location="bottom", aspect=60, shrink=0.6, pad=0.02)
    bar.set_label("A, C: share of the parameter's variance explained; B: |rank correlation|")
    for axes in (left, middle, right):
        axes.set_anchor("N")
    letter_panels([left, middle, right])
    return figure


def group_by_parameter(rows: Sequence[Sequence[float]], parameters: Sequence[str]) -> Array:
    """Return rows (n, parameter) with one column a parameter's stem: the largest over regions."""
    values = np.array(rows, dtype=float)
    return np.stack(
        [np.nanmax(values[:, members], axis=1) for members in columns_by_parameter(parameters).values()], axis=1
    )


def draw_shares(
    axes: Axes, values: Array, rows: Sequence[str], parameters: Sequence[str], numbers: Array | None = None
) -> None:
    """Draw values between 0 and 1 as colours, with `numbers` written in the cells."""
    axes.imshow(values, cmap=SHARE_COLOURS, vmin=0, vmax=1, aspect="auto" if numbers is None else "equal")
    columns = columns_by_parameter(parameters)
    names = [symbol(stem) for stem in columns]
    axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 4 else 0)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    for row, line in enumerate([] if numbers is None else numbers):
        for column, number in enumerate(line):
            color = "white" if number > 0.6 else PALETTE["ink"]
            text = f"{number:.2f}".replace("-", "−")
            turn = 90 if len(line) > 5 else 0
            axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color=color, rotation=turn)


@styled
def ablation(
    features: Mapping[str, Mapping[str, Any]], subjects: Mapping[str, Mapping[str, Any]],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw log probability lost, error and shrinkage without each feature, and the posteriors of recordings.

    Arguments are entries of the comparison of ablations; the first of `features` is the estimator with all of them.
    Posteriors are drawn for six people at most, of parameters that do not exist once a node.
    """
    names = list(features)
    groups = columns_by_parameter(list(features["all"]["error"]))
    single = [stem for stem, members in groups.items() if len(members) == 1][:9] if subjects else []
    rows = 1 + -(-len(single) // 3)
    figure = canvas(rows * (0.15 * len(names) + 1.0) + 0.3)
    panels = figure.subplots(rows, 3, sharey=True, squeeze=False).ravel()
    y = np.arange(len(names))
    draw_lost_log_prob(panels[0], features, y)
    for axes, key, label in (
        (panels[1], "error", "RMSE of the mean / sd of the truth"),
        (panels[2], "shrinkage", "1 − variance / prior variance"),
    ):
        for (stem, members), color in zip(groups.items(), SERIES * 99, strict=False):
            columns = np.array([list(features[name][key].values()) for name in names], dtype=float)[:, members]
            values = finite_array(key, columns.mean(axis=1))
            axes.plot(values, y, "o", color=color, markersize=4, alpha=0.85, label=symbol(stem))
            axes.axvline(values[0], color=color, linewidth=0.6, linestyle=":")
        axes.set(xlabel=label, title=key.capitalize())
    for axes, stem in zip(panels[3:], single, strict=False):
        color = (SERIES * 99)[list(groups).index(stem)]
        draw_posteriors(axes, [person[stem] for person in list(subjects.values())[:MOST_SUBJECTS]], names, color)
        axes.set(xlabel=quantity(stem, units), title=f"Posterior of {symbol(stem)}")
    for axes in panels[3 + len(single) :]:
        axes.remove()
    panels[0].set_yticks(y, ["all"] + [f"without {name}" for name in names[1:]])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    figure.legend(*panels[2].get_legend_handles_labels(), loc="outside lower center", ncols=8)
    letter_panels(panels[: 3 + len(single)])
    return figure


def draw_lost_log_prob(axes: Axes, features: Mapping[str, Mapping[str, Any]], y: Array) -> None:
    """Draw the log probability lost without each feature, with two standard errors."""
    loss = finite_array("loss", [one["loss"] for one in features.values()])
    spread = [2 * one["loss_se"] for one in features.values()]
    axes.barh(
        y[1:], loss[1:], xerr=spread[1:], height=0.6, color=PALETTE["prior"], error_kw={"linewidth": 0.8}, zorder=2
    )
    axes.axvline(0, color=PALETTE["ink"], linewidth=0.6)
    axes.set(xlabel="log probability lost [nat]", title="Loss")


def draw_posteriors(
    axes: Axes, people: Sequence[Mapping[str, Sequence[float]]], names: Sequence[str], color: str
) -> None:
    """Draw mean and sd of one parameter's posterior for each person and each estimator."""
    for k, person in enumerate(people):
        mean, sd = np.array([person[name] for name in names], dtype=float).T
        y = np.arange(len(names)) + 0.5 * (k - (len(people) - 1) / 2) / max(len(people), 3)
        axes.errorbar(mean, y, xerr=sd, fmt="o", color=color, markersize=2.5, elinewidth=0.8)
        axes.axvline(mean[0], color=color, linewidth=0.5, linestyle=":")
