"""Figures of how studies compare, and of one estimator for everybody beside each person's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.exclusion import not_excluded
from vbiflow.features.scores import SCORES
from vbiflow.figures.style import PALETTE, SERIES, canvas, finite_array, letter_panels, quantity, styled, symbol
from vbiflow.io import read_json

Array = NDArray[np.float64]
FEW = 8
OWN_AND_OTHER = (("own", PALETTE["posterior"], -0.15), ("other", PALETTE["predicted"], 0.15))
"""Role, colour and offset of a person's own estimator and of the one from other people."""


@styled
def comparison(scores: Mapping[str, Mapping[str, Array]], ranking: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the predictive scores (n,) of several studies for one subject, best study on top."""
    studies = [row["study"] for row in ranking][::-1]
    shared = [name for name in SCORES if name in ranking[0]]
    figure = canvas(0.9 + 0.45 * len(studies))
    panels = figure.subplots(1, len(shared) + 1, sharey=True, width_ratios=[1.4] * len(shared) + [1])
    places = np.arange(len(studies))
    for axes, name in zip(panels, shared, strict=False):
        for place, study in zip(places, studies, strict=True):
            values = finite_array(name, scores[study][name])
            for body in axes.violinplot(values, [place], orientation="horizontal", showextrema=False)["bodies"]:
                body.set(facecolor=PALETTE["predicted"], alpha=0.35)
            axes.plot(np.quantile(values, [0.05, 0.95]), [place] * 2, color=PALETTE["ink"], linewidth=0.8)
            axes.plot(np.median(values), place, "o", color=PALETTE["predicted"], markersize=4)
        axes.set(xlabel=f"{SCORES[name].label} ({'more' if SCORES[name].sign > 0 else 'less'} is better)")
    best = {row["study"]: row["probability_best"] for row in ranking}
    panels[-1].barh(places, [best[study] for study in studies], height=0.5, color=PALETTE["posterior"])
    panels[-1].set(xlim=(0, 1), xlabel="probability of being best")
    panels[0].set_yticks(places, studies)
    letter_panels(panels)
    return figure


def read_people(people: Sequence[str], studies: Sequence[str]) -> dict[str, Any]:
    """Arguments of `amortisation`: one file a person, who is left out if they are excluded."""
    found = {Path(path).stem: read_json(path) for path in not_excluded(people)}
    return {"people": found, "studies": studies, "units": next((one["units"] for one in found.values()), {})}


@styled
def amortisation(
    people: Mapping[str, Mapping[str, Any]], studies: Sequence[str], units: dict[str, str] | None = None
) -> Figure:
    """Draw each person's own estimator beside one that learned from other people.

    `people` holds by name what results/amortisation/<own>+<other>/<person>.json does; `studies` names own and other.
    Of more than four parameters, those that the own estimators narrow most are shown for the recordings.
    """
    first = next(iter(people.values()))
    names = list(first["parameters"])
    shrinkage = np.mean([person["own"]["shrinkage"] for person in people.values()], axis=0)
    shown = sorted(np.argsort(-shrinkage, kind="stable")[:4])
    figure = canvas(0.9 + 0.17 * max(len(people), 4) + 2.3)
    above, below = figure.subfigures(2, 1, height_ratios=(0.7 + 0.17 * max(len(people), 4), 2.3))
    top = above.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    places = np.arange(len(people))
    for axes, k in zip(top, shown, strict=True):
        for role, color, shift in OWN_AND_OTHER:
            found = [person["posterior"][role][names[k]] for person in people.values()]
            low, middle, high = (np.array([one[key] for one in found]) for key in ("q05", "median", "q95"))
            axes.hlines(places + shift, low, high, color=color, linewidth=1.4)
            axes.plot(middle, places + shift, "o", color=color, markersize=3)
        axes.set(xlabel=quantity(names[k], units), ylim=(len(people) - 0.4, -0.6))
        axes.locator_params(axis="x", nbins=4)
    top[0].set_yticks(places, list(people))
    top[0].set_title("Posterior of the recording")
    handles = [top[0].plot([], [], "o-", color=color, markersize=3)[0] for _, color, _ in OWN_AND_OTHER]
    above.legend(handles, [f"own ({studies[0]})", f"others' ({studies[1]})"], loc="outside upper right", ncols=2)
    bottom = below.subplots(1, 3)
    few = len(names) <= FEW
    for axes, key in zip(bottom, ("rmse", "coverage_90", "log_prob"), strict=True):
        own, other = (np.array([person[role][key] for person in people.values()], float) for role in ("own", "other"))
        if own.ndim == 1:
            axes.plot(own, other, "o", color=PALETTE["ink"], markersize=3.5)
        for k in range(own.shape[1] if own.ndim == 2 else 0):
            color = SERIES[k] if few else PALETTE["posterior"]
            axes.plot(own[:, k], other[:, k], "o", color=color, markersize=3.5 if few else 2)
        low, high = np.nanmin([own, other]), np.nanmax([own, other])
        ends = np.array([low, high]) + np.array([-0.08, 0.08]) * max(high - low, 1e-3)
        axes.plot(ends, ends, color=PALETTE["prior"], linewidth=0.8, linestyle="--")
        axes.set(xlim=ends, ylim=ends, xlabel="own estimator")
        axes.set_box_aspect(1)
    bottom[0].set(ylabel="others' estimator", title="RMSE / prior s.d.")
    bottom[1].set(title="Coverage of 90 % intervals")
    bottom[1].axhline(0.9, color=PALETTE["ink"], linewidth=0.5)
    bottom[1].axvline(0.9, color=PALETTE["ink"], linewidth=0.5)
    bottom[2].set(title="Gain in log probability [nat]")
    if few:
        handles = [bottom[0].plot([], [], "o", color=color, markersize=3.5)[0] for color in SERIES[: len(names)]]
        labels = [symbol(name) for name in names]
        below.legend(handles, labels, loc="outside lower center", ncols=len(names), handletextpad=0.1)
    letter_panels([top[0], *bottom])
    return figure
