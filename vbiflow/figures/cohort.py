"""Figures of a cohort: everybody's posterior side by side, and against what else is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.style import (
    PALETTE,
    canvas,
    finite_array,
    message,
    quantity,
    region,
    signed_number,
    styled,
    symbol,
    widen,
)
from vbiflow.posterior_table import first_units, prior_intervals, read_posterior_table

Array = NDArray[np.float64]
Statistics = Mapping[str, Mapping[str, Array]]
MOST_NAMED = 40
"""Up to this many subjects each has a line of its own name; more are drawn by rank."""
PANELS_A_ROW = 4
GROUPS = 8
"""A column of the cohort with at most this many different words is a grouping."""
VERDICT_STYLES = {
    "trusted": {"color": PALETTE["posterior"], "markerfacecolor": PALETTE["posterior"]},
    "not trusted": {"color": PALETTE["prior"], "markerfacecolor": "white"},
}


def scalar_parameters(parameters: Statistics) -> list[str]:
    """Parameters that are one number a subject."""
    return [name for name in parameters if "[" not in name]


def read_cohort_table(table: str, priors: Sequence[str]) -> dict[str, Any]:
    """Arguments of `cohort`, from cohort.tsv and the priors of its estimators."""
    found = read_posterior_table(table)
    return {key: found[key] for key in ("subjects", "verdicts", "parameters")} | {
        "prior": prior_intervals(priors),
        "units": first_units(priors),
    }


def read_covariates(table: str, priors: Sequence[str]) -> dict[str, Any]:
    """Arguments of `covariates`, from cohort.tsv and the priors of its estimators."""
    found = read_posterior_table(table)
    return {key: found[key] for key in ("subjects", "verdicts", "parameters")} | {
        "columns": found["covariates"],
        "units": first_units(priors),
    }


@styled
def cohort(
    subjects: Sequence[str],
    verdicts: Sequence[str],
    parameters: Statistics,
    prior: Mapping[str, tuple[float, float]],
    units: dict[str, str] | None = None,
) -> Figure:
    """Draw medians and 90 % intervals of all subjects: a panel a parameter, a map of medians a regional parameter.

    `parameters` holds median, q05 and q95 (n_subjects,) by name, not-a-number for subjects left out; `prior` the 5 and
    95 % quantiles of the prior.
    """
    finite_array("medians", np.concatenate([values["median"] for values in parameters.values()]))
    single = scalar_parameters(parameters)
    rows = [single[k : k + PANELS_A_ROW] for k in range(0, len(single), PANELS_A_ROW)]
    regional = list(dict.fromkeys(name.partition("[")[0] for name in parameters if "[" in name))
    each = 0.8 + 0.15 * np.clip(len(subjects), 4, MOST_NAMED) if len(subjects) <= MOST_NAMED else 3.6
    heights = [each] * len(rows) + [each + 1.0] * len(regional)
    figure = canvas(sum(heights) + 0.35, 7.1 if regional else max(1.775 * min(len(single), PANELS_A_ROW), 4.0))
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    for part, names in zip(parts, rows, strict=False):
        panels = part.subplots(1, PANELS_A_ROW if len(rows) > 1 else len(names), squeeze=False, sharey=True)[0]
        for axes, name in zip(panels, names, strict=False):
            draw_forest(axes, verdicts, parameters[name], prior[name])
            axes.set_xlabel(quantity(name, units))
        name_subjects(panels[0], subjects, verdicts)
        for axes in panels[len(names) :]:
            axes.remove()
    for part, stem in zip(parts[len(rows) :], regional, strict=True):
        draw_regional_medians(part.subplots(), subjects, verdicts, stem, parameters, units)
    found = {label: line for axes in figure.axes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if found:
        figure.legend(found.values(), found.keys(), loc="outside upper center", ncols=len(found))
    return figure


def draw_forest(axes: Axes, verdicts: Sequence[str], values: Mapping[str, Array], prior: tuple[float, float]) -> None:
    """Draw one interval a subject over the prior's; the first subject is on top, many are in the order of medians."""
    n = len(verdicts)
    place = np.arange(n) if n <= MOST_NAMED else np.argsort(np.argsort(values["median"], kind="stable"))
    axes.axvspan(*prior, color=PALETTE["prior"], alpha=0.18, linewidth=0, label="prior, 90 %")
    for verdict, look in VERDICT_STYLES.items():
        mine = np.array([other == verdict for other in verdicts]) & np.isfinite(values["median"])
        if mine.any():
            draw_intervals(axes, values["median"][mine], place[mine], error_lengths(values, mine), look, verdict, n)
    middle = np.nanmean(values["median"]) if np.isfinite(values["median"]).any() else np.nan
    axes.axvline(middle, color=PALETTE["ink"], linewidth=0.7, linestyle=":", label="mean of medians")
    drawn = [value for value in (*prior, *values["q05"], *values["q95"]) if np.isfinite(value)]
    axes.set(ylim=(n - 0.4, -0.6), xlim=widen(min(drawn), max(drawn), 0.05))
    axes.locator_params(axis="x", nbins=4)


def error_lengths(values: Mapping[str, Array], mine: NDArray[np.bool_]) -> Array:
    """Lengths (2, n) from the medians of some subjects down and up to the ends of their intervals."""
    middle = values["median"][mine]
    return np.abs(np.stack([middle - values["q05"][mine], values["q95"][mine] - middle]))


def draw_intervals(
    axes: Axes, x: Array, y: Array, xerr: Array | None, look: Mapping[str, str], label: str, n: int,
    yerr: Array | None = None,
) -> None:  # fmt: skip
    """Draw points with intervals, thinner the more there are.

    Parameters
    ----------
    axes : where to draw.
    x, y : the points (n,).
    xerr, yerr : lengths (2, n) down and up to the ends of the intervals; None where there are none.
    look : colours of the points, by matplotlib's names.
    label : of the points in the legend.
    n : how many points the panel has in all, which makes them thinner.
    """
    size = float(np.clip(30 / n**0.5, 2.0, 5.0))
    axes.errorbar(
        x, y, xerr=xerr, yerr=yerr, fmt="o", markersize=size, elinewidth=float(np.clip(12 / n**0.5, 0.4, 1.6)),
        markeredgewidth=0.8, label=label, **look,
    )  # fmt: skip


def name_subjects(axes: Axes, subjects: Sequence[str], verdicts: Sequence[str]) -> None:
    """Name the lines of a forest, or say that they are in order of rank."""
    if len(subjects) > MOST_NAMED:
        out = sum(verdict not in VERDICT_STYLES for verdict in verdicts)
        axes.set_ylabel(f"{len(subjects)} subjects, by rank" + (f" ({out} left out)" if out else ""))
        return
    names = [
        name if verdict in VERDICT_STYLES else f"{name} (left out)"
        for name, verdict in zip(subjects, verdicts, strict=True)
    ]
    axes.set_yticks(range(len(subjects)), names)
    axes.set_ylabel("subject")


def draw_regional_medians(
    axes: Axes, subjects: Sequence[str], verdicts: Sequence[str], stem: str, parameters: Statistics,
    units: dict[str, str] | None,
) -> None:  # fmt: skip
    """Draw the medians of a regional parameter as a map, subjects by regions."""
    mine = [name for name in parameters if name.startswith(f"{stem}[")]
    image = axes.imshow(np.stack([parameters[name]["median"] for name in mine], axis=1), cmap="viridis", aspect="auto")
    axes.set_facecolor(PALETTE["band"])
    axes.figure.colorbar(image, ax=axes, label=f"median of {quantity(stem, units)}", shrink=0.9, aspect=20)
    labels = [region(name) for name in mine]
    if len(mine) <= 100:
        axes.set_xticks(range(len(mine)), labels, rotation=90, fontsize=4.5 if len(mine) > 40 else 6)
    axes.set_xlabel("region")
    name_subjects(axes, subjects, verdicts)


@styled
def covariates(
    subjects: Sequence[str],
    verdicts: Sequence[str],
    parameters: Statistics,
    columns: Mapping[str, Sequence[str]],
    units: dict[str, str] | None = None,
) -> Figure:
    """Draw each parameter's median and 90 % interval against further columns of the cohort: numbers, or groups.

    Regional parameters are drawn as their mean over regions.
    """
    shown = {name: parameters[name] for name in scalar_parameters(parameters)} | regional_means(parameters)
    kept = {name: entries for name, entries in columns.items() if is_drawable(entries)}
    if not kept:
        return message("No column of the cohort holds numbers or a few groups.")
    names = list(shown)[:6]
    figure = canvas(1.55 * len(names) + 0.35, max(1.9 * min(len(kept), PANELS_A_ROW), 3.2))
    panels = figure.subplots(len(names), min(len(kept), PANELS_A_ROW), squeeze=False, sharex="col", sharey="row")
    for line, name in zip(panels, names, strict=True):
        for axes, entries in zip(line, list(kept.values())[:PANELS_A_ROW], strict=True):
            draw_against_column(axes, verdicts, shown[name], entries)
        line[0].set_ylabel(quantity(name, units))
    for axes, column in zip(panels[-1], kept, strict=False):
        axes.set_xlabel(column)
    found = {label: line for axes in figure.axes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(found.values(), found.keys(), loc="outside upper center", ncols=len(found))
    return figure


def regional_means(parameters: Statistics) -> dict[str, dict[str, Array]]:
    """Regional parameters as their mean over regions."""
    stems = dict.fromkeys(name.partition("[")[0] for name in parameters if "[" in name)
    of = {stem: [values for name, values in parameters.items() if name.startswith(f"{stem}[")] for stem in stems}
    return {
        f"mean {symbol(stem)}": {key: np.mean([one[key] for one in mine], axis=0) for key in ("median", "q05", "q95")}
        for stem, mine in of.items()
    }


def is_drawable(entries: Sequence[str]) -> bool:
    """Whether a column holds different numbers, or two to a few groups."""
    numbers = as_numbers(entries)
    if numbers is not None:
        return len(set(numbers[np.isfinite(numbers)])) > 1
    return 1 < len(set(entries) - {"n/a"}) <= GROUPS


def as_numbers(entries: Sequence[str]) -> Array | None:
    """The entries as numbers, n/a as not-a-number; None if one is a word."""
    try:
        return np.array([np.nan if entry == "n/a" else float(entry) for entry in entries])
    except ValueError:
        return None


def draw_against_column(
    axes: Axes, verdicts: Sequence[str], values: Mapping[str, Array], entries: Sequence[str]
) -> None:
    """Draw one parameter against one column."""
    x = as_numbers(entries)
    groups = sorted(set(entries) - {"n/a"}) if x is None else []
    if x is None:
        inside = side_by_side_offsets(entries, groups)
        x = np.array([groups.index(entry) if entry in groups else np.nan for entry in entries]) + inside
        axes.set_xlim(-0.6, len(groups) - 0.4)
    good = np.isfinite(x) & np.isfinite(values["median"])
    for verdict, look in VERDICT_STYLES.items():
        mine = good & np.array([other == verdict for other in verdicts])
        if mine.any():
            draw_intervals(
                axes, x[mine], values["median"][mine], None, look, verdict, len(x), error_lengths(values, mine)
            )
    members = [good & np.array([entry == group for entry in entries]) for group in groups]
    for k, mine in enumerate(members):
        if mine.any():
            axes.plot([k - 0.35, k + 0.35], [values["median"][mine].mean()] * 2, color=PALETTE["ink"], linewidth=1.2)
    if groups:
        names = [f"{group} ({mine.sum()})" for group, mine in zip(groups, members, strict=True)]
        axes.set_xticks(range(len(groups)), names)
    if not groups and good.sum() >= 5 and np.ptp(values["median"][good]) > 0:
        found = scipy.stats.spearmanr(x[good], values["median"][good])
        axes.set_title(f"ρ = {signed_number(found.statistic)}, p = {found.pvalue:.2g}, n = {good.sum()}")


def side_by_side_offsets(entries: Sequence[str], groups: Sequence[str]) -> Array:
    """Offsets that set the members of a group side by side."""
    offsets = np.zeros(len(entries))
    for group in groups:
        mine = [k for k, entry in enumerate(entries) if entry == group]
        offsets[mine] = np.linspace(-0.25, 0.25, len(mine)) if len(mine) > 1 else 0.0
    return offsets
