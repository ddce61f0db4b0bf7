"""Figures of what an estimator is worth, and of what it sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import LEAST_LEFT, shrinkage_axis
from vbiflow.figures.style import (
    PALETTE,
    SERIES,
    canvas,
    dot_options,
    finite_array,
    letter_panels,
    log_ticks,
    quantity,
    signed_number,
    styled,
    symbol,
)
from vbiflow.io import read
from vbiflow.prior import Prior

Array = NDArray[np.float64]
FEW = 8
ROOM = 0.02
"""Width of a name that stands upright below eigenvectors, as share of theirs."""
METHODS = {
    "maf": "MAF",
    "nsf": "NSF",
    "mdn": "mixture density",
    "flow_matching": "flow matching",
    "rejection_abc": "rejection ABC",
    "nearest_neighbours": "nearest neighbours",
    "ridge": "ridge regression",
    "differential_evolution": "point optimisation",
}


@styled
def baselines(methods: Mapping[str, Mapping[str, Any]], parameters: Sequence[str], n_simulations: int) -> Figure:
    """Draw error, coverage of 90 % intervals and time of each method, one row a method, one dot a parameter."""
    names = list(methods)[::-1]
    figure = canvas(0.95 + 0.24 * len(names))
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(1.3, 1.1, 1.0))
    places = np.arange(len(names))
    for axes, key in zip(panels, ("rmse", "coverage_90"), strict=False):
        for place, name in zip(places, names, strict=True):
            if methods[name][key] is not None:
                method_row(axes, place, np.asarray(methods[name][key], float), len(parameters))
    panels[0].axvline(1, color=PALETTE["prior"], linewidth=0.8, linestyle="--")
    panels[0].set(xlabel="RMSE / prior s.d.", title=f"Error from {n_simulations:,} simulations".replace(",", " "))
    panels[0].set_xlim(left=0)
    panels[1].axvline(0.9, color=PALETTE["ink"], linewidth=0.8, linestyle="--")
    panels[1].set(xlabel="share of truths inside", title="Coverage of 90 % intervals", xlim=(0, 1.02))
    for place, name in zip(places, names, strict=True):
        if methods[name]["coverage_90"] is None:
            panels[1].text(0.04, place, "gives no interval", va="center", fontsize=6, color=PALETTE["prior"])
    seconds = [methods[name]["seconds"] for name in names]
    panels[2].barh(places, seconds, height=0.55, color=PALETTE["band"], edgecolor=PALETTE["prior"], linewidth=0.5)
    panels[2].set(xscale="log", xlabel="time beyond simulating [s]", title="Time")
    panels[0].set_yticks(places, [METHODS.get(name, name) for name in names])
    handles = [panels[0].plot([], [], "o", color=color, markersize=3.5)[0] for color in SERIES[: len(parameters)]]
    if len(parameters) <= FEW:
        labels = [symbol(name) for name in parameters]
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), handletextpad=0.1)
    letter_panels(panels)
    return figure


def method_row(axes: Axes, place: float, values: Array, n_parameters: int) -> None:
    """Draw one method's values: each parameter in its colour where they are few, and their mean as a bar."""
    colors = SERIES[: len(values)] if n_parameters <= FEW else [PALETTE["posterior"]] * len(values)
    axes.hlines(place, values.min(), values.max(), color=PALETTE["band"], linewidth=3, zorder=1)
    axes.scatter(values, np.full(len(values), place), s=12 if n_parameters <= FEW else 5, c=colors, zorder=2)
    axes.plot([values.mean()] * 2, [place - 0.28, place + 0.28], color=PALETTE["ink"], linewidth=1.2, zorder=3)


@styled
def learning_curve(
    estimators: Sequence[str], n_simulations: Array, rmse: Array, shrinkage: Array, coverage_90: Array, log_prob: Array,
    parameters: Sequence[str],
) -> Figure:  # fmt: skip
    """Draw error, shrinkage, coverage and log probability by number of simulations, a colour an estimator.

    Thin lines are parameters, thick ones their mean.

    Parameters
    ----------
    estimators : names (n_estimators,).
    n_simulations : numbers of simulations that they learnt from (n_sizes,).
    rmse : of the posterior mean over the prior's standard deviation (n_estimators, n_sizes, n_parameters).
    shrinkage : 1 - posterior variance / prior variance, the same shape.
    coverage_90 : share of truths inside central 90 % intervals, the same shape.
    log_prob : of the held-out parameters (n_estimators, n_sizes) [nat].
    parameters : their names.
    """
    figure = canvas(2.1)
    panels = figure.subplots(1, 4)
    for k, (name, color) in enumerate(zip(estimators, SERIES, strict=False)):
        left = np.clip(1 - shrinkage[k], LEAST_LEFT, None)
        for axes, values in zip(panels, (rmse[k], left, coverage_90[k]), strict=False):
            if len(parameters) > 1:
                axes.plot(n_simulations, values, color=color, linewidth=0.4, alpha=0.5)
            axes.plot(
                n_simulations, values.mean(axis=1), "o-", color=color, markersize=3, label=METHODS.get(name, name)
            )
        panels[3].plot(n_simulations, log_prob[k], "o-", color=color, markersize=3)
    panels[0].set(ylabel="RMSE / prior s.d.", title="Error", ylim=(0, None))
    panels[1].set_title("Shrinkage")
    shrinkage_axis(panels[1], "y")
    panels[2].axhline(0.9, color=PALETTE["ink"], linewidth=0.8, linestyle="--")
    panels[2].set(ylabel="share of truths inside", title="90 % intervals", ylim=(min(0.5, coverage_90.min()), 1))
    panels[3].set(ylabel="log q(θ | x) [nat]", title="Log probability")
    for axes in panels:
        axes.set(xscale="log", xlabel="simulations")
        if max(n_simulations) < 100 * min(n_simulations):  # else powers of ten say enough
            axes.xaxis.set_major_locator(FixedLocator(n_simulations))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    panels[0].legend(loc="upper right" if rmse.max() > 1.3 * rmse[:, -1].max() else "lower left")
    letter_panels(panels)
    return figure


@styled
def sensitivity(eigenvalues: Array, eigenvectors: Array, names: Sequence[str]) -> Figure:
    """Draw the eigenvalues of the active subspace and the eigenvectors (direction, parameter), stiffest first.

    Of more than twelve directions, the six stiffest and the six sloppiest are shown. Of more than forty parameters,
    those that weigh most in them are named, as far as there is room.
    """
    values, vectors = finite_array("eigenvalues", eigenvalues), finite_array("eigenvectors", eigenvectors)
    shown = np.arange(len(values)) if len(values) <= 12 else np.r_[:6, len(values) - 6 : len(values)]
    crowded, many = len(names) > 6, len(names) > 40
    figure = canvas(max(1.9, 0.9 + 0.22 * len(shown) + 0.5 * crowded + 0.6 * many))
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.2))
    places = np.arange(len(shown))
    left.barh(places, values[shown] - 1, height=0.6, color=PALETTE["posterior"], left=1)
    left.axvline(1, color=PALETTE["prior"], linewidth=0.8, linestyle="--")
    left.set(xscale="log", xlabel="eigenvalue (1: as the prior)", ylabel="direction", title="Stiffness")
    log_ticks(left.xaxis)
    left.set_yticks(places, shown + 1)
    left.invert_yaxis()
    image = right.imshow(vectors[shown], cmap="RdBu_r", norm=TwoSlopeNorm(0, -1, 1), aspect="auto")
    right.set_yticks(places, shown + 1)
    right.set(ylabel="direction", title="Eigenvectors")
    right.spines[:].set_visible(False)
    named = heaviest(vectors[shown], ROOM * len(names)) if many else range(len(names))
    right.set_xticks(named, [symbol(names[k]) for k in named], rotation=90 if crowded else 0)
    if many:
        right.tick_params(axis="x", labelsize=5)
        right.set_xlabel(f"{len(names)} parameters, those that weigh most by name")
    if vectors[shown].size <= 64:
        for (row, column), value in np.ndenumerate(vectors[shown]):
            color = "white" if abs(value) > 0.6 else PALETTE["ink"]
            right.text(
                column, row, signed_number(round(value, 2) + 0.0), ha="center", va="center", fontsize=6, color=color
            )
    figure.colorbar(image, ax=right, label="component (prior s.d.)", shrink=0.9)
    letter_panels([left, right])
    return figure


def heaviest(vectors: Array, apart: float) -> list[int]:
    """Columns of the largest components of `vectors` (n_directions, n_parameters), each more than `apart` from others.

    What weighs more comes first.
    """
    found: list[int] = []
    for column in np.argsort(-np.nan_to_num(np.abs(vectors)).max(axis=0), kind="stable"):
        if all(abs(column - other) > apart for other in found):
            found.append(int(column))
    return sorted(found)


@styled
def local_c2st(
    theta: Array, score: Array, null: Array, statistic: float, p_value: float, names: Sequence[str],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw the local C2ST at x_o: its statistic among shuffled ones, and the score along each parameter.

    Of more than three parameters, those along which the score varies most are shown.

    Parameters
    ----------
    theta : posterior samples (n, n_parameters).
    score : probability (n,) that the classifier gives to each sample, less 1/2.
    null : the statistic (n_null,) of shuffled samples.
    statistic : that of the posterior.
    p_value : share of `null` that reaches it.
    names : of the parameters.
    units : of the parameters by name; those not named are pure numbers.
    """
    theta, score = finite_array("theta", theta), finite_array("score", score)
    trends = [binned_means(column, score) for column in theta.T]
    steepest = sorted(np.argsort([-np.ptp(middle) for _, middle in trends], kind="stable")[:3])
    figure = canvas(2.2, 1.9 * (1 + len(steepest)))
    first, *panels = figure.subplots(1, 1 + len(steepest))
    first.hist(null, bins=8, color=PALETTE["band"], edgecolor=PALETTE["prior"], linewidth=0.5, label="shuffled")
    first.axvline(statistic, color=PALETTE["predicted"], linewidth=1.5, label=f"posterior, p = {p_value:.2f}")
    first.set(xlabel="statistic, mean (d − ½)²", ylabel="classifiers", title="At this recording")
    first.set_ylim(0, 1.35 * first.get_ylim()[1])
    first.xaxis.set_major_locator(MaxNLocator(3))
    first.ticklabel_format(axis="x", style="plain")
    first.legend(loc="upper left")
    for axes, column in zip(panels, steepest, strict=True):
        axes.plot(theta[:, column], score, color=PALETTE["posterior"], **dot_options(len(score), 0.5))
        axes.plot(*trends[column], color=PALETTE["predicted"], linewidth=1.5)
        axes.axhline(0, color=PALETTE["ink"], linewidth=0.6)
        axes.set(xlabel=quantity(names[column], units), ylim=(-0.5, 0.5))
    panels[0].set(ylabel="d − ½", title="Over 0: q too low")
    for axes in panels[1:]:
        axes.set_yticklabels([])
    letter_panels([first, *panels])
    return figure


def binned_means(x: Array, y: Array, n: int = 12) -> tuple[Array, Array]:
    """Return medians of x and means of y in `n` bins of equal count."""
    groups = np.array_split(np.argsort(x), min(n, len(x)))
    return np.array([np.median(x[group]) for group in groups]), np.array([y[group].mean() for group in groups])


def read_rounds(prior: Mapping[str, Any], rounds: Sequence[str], last: Array, units: dict[str, str]) -> dict[str, Any]:
    """Arguments of `rounds`: the plain prior, files theta.h5 of all rounds but the first, and the last posterior."""
    whole, earlier = Prior.from_plain(prior), [read(path, "samples", "share") for path in rounds]
    return {
        "samples": [*(found["samples"] for found in earlier), last],
        "shares": [float(found["share"]) for found in earlier],
        "names": whole.names,
        "bounds": whole.bounds,
        "units": units,
    }


@styled
def rounds(
    samples: Sequence[Array], shares: Sequence[float], names: Sequence[str], bounds: tuple[Array, Array],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw the share of the prior left in each round, and the posterior samples (n, p) after each.

    `shares` starts with the second round. Of more than five parameters, those that narrow most are shown.
    """
    narrowing = [finite_array("samples", samples[-1])[:, k].std() / samples[0][:, k].std() for k in range(len(names))]
    shown = sorted(np.argsort(narrowing, kind="stable")[:5])
    figure = canvas(2.1, min(1.5 * (1 + len(shown)), 7.1))
    first, *panels = figure.subplots(1, 1 + len(shown))
    places = np.arange(1, len(samples) + 1)
    first.plot(places, [1.0, *shares], "o-", color=PALETTE["prior"], markersize=4)
    steep = min(shares) < 0.1
    first.set(yscale="log" if steep else "linear", ylabel="share of the prior left", title="Truncation")
    first.set_ylim((None, None) if steep else (0, 1.05))
    for axes, k in zip(panels, shown, strict=True):
        for place, drawn in zip(places, samples, strict=True):
            low, inner, middle, outer, high = np.quantile(drawn[:, k], [0.05, 0.25, 0.5, 0.75, 0.95])
            axes.vlines(place, low, high, color=PALETTE["posterior"], linewidth=1)
            axes.vlines(place, inner, outer, color=PALETTE["posterior"], linewidth=4, alpha=0.6)
            axes.plot(place, middle, "o", color=PALETTE["posterior"], markersize=3.5)
        if np.isfinite([bounds[0][k], bounds[1][k]]).all():
            axes.set_ylim(bounds[0][k], bounds[1][k])
        axes.set_ylabel(quantity(names[k], units))
    for axes in (first, *panels):
        axes.set(xlabel="round", xticks=places, xlim=(0.5, len(samples) + 0.5))
    letter_panels([first, *panels])
    return figure
