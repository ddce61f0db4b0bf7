"""Figures of an estimator's evidence on held-out simulations: recovery, calibration, invalid simulations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from vbiflow.figures.style import (
    PALETTE,
    SERIES,
    canvas,
    dot_options,
    finite_array,
    letter_panels,
    message,
    quantity,
    signed_number,
    styled,
    symbol,
)

Array = NDArray[np.float64]
FEW = 8
LEAST_LEFT, MOST_LEFT = 1e-7, 2.0
"""Share of the prior's variance that a posterior is drawn with at least, and at most."""


@styled
def recovery(
    theta: Array, mean: Array, sd: Array, z: Array, shrinkage: Array, names: Sequence[str],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw posterior mean +- sd against the truth (n_simulations, n_parameters), and z-score against shrinkage.

    Parameters that exist once a node share one panel.

    Parameters
    ----------
    theta : true parameters (n_simulations, n_parameters).
    mean, sd : of the posterior, the same shape.
    z : (mean - truth) / sd, the same shape.
    shrinkage : 1 - posterior variance / prior variance, the same shape.
    names : of the parameters.
    units : of the parameters by name; those not named are pure numbers.
    """
    theta, mean = finite_array("theta", theta), finite_array("mean", mean)
    groups = columns_by_parameter(names)
    columns = min(len(groups) + 1, 3)
    rows = -(-(len(groups) + 1) // columns)
    figure = canvas(2.3 * rows, 2.4 * columns)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (stem, members), color in zip(panels, groups.items(), SERIES * 99, strict=False):
        draw_recovery(axes, theta[:, members], mean[:, members], sd[:, members], color)
        label = quantity(stem, units) + (f", {len(members)} regions" if len(members) > 1 else "")
        axes.set(xlabel=f"true {label}", ylabel=f"posterior mean of {quantity(stem, units)}")
    draw_contraction(panels[len(groups)], z, shrinkage, groups)
    rest = panels[len(groups) + 1 :]
    for axes in rest:
        axes.set_axis_off()
    if len(groups) > FEW and rest.size:
        rest[0].legend(*panels[len(groups)].get_legend_handles_labels(), loc="upper left", title="colours", fontsize=6)
    letter_panels(panels[: len(groups) + 1])
    return figure


def columns_by_parameter(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of each parameter: one for a scalar, one a node for ``eta[...]``."""
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        groups.setdefault(name.partition("[")[0], []).append(column)
    return groups


def draw_recovery(axes: Axes, truth: Array, mean: Array, sd: Array, color: str) -> None:
    """Draw one parameter's recovery; beyond 1 500 points the error bars go and the points fade."""
    truth, mean, sd = truth.ravel(), mean.ravel(), sd.ravel()
    good = np.isfinite(truth) & np.isfinite(mean)
    truth, mean, sd = truth[good], mean[good], sd[good]
    if truth.size <= 1500:
        axes.errorbar(truth, mean, sd, fmt="none", ecolor=color, elinewidth=0.5, alpha=0.25, rasterized=True)
    axes.plot(truth, mean, color=color, **dot_options(truth.size, 0.8))
    low, high = (truth.min(), truth.max()) if truth.size else (0, 1)
    axes.plot([low, high], [low, high], color=PALETTE["ink"], linewidth=0.8, linestyle="--")
    if truth.size > 2 and truth.std() > 0 and mean.std() > 0:
        error = np.sqrt(np.mean((truth - mean) ** 2))
        axes.set_title(f"r = {signed_number(np.corrcoef(truth, mean)[0, 1])}, RMSE = {error:.2g}")


def shrinkage_axis(axes: Axes, which: str = "x") -> None:
    """Turn an axis of posterior over prior variance into one of shrinkage, one minus it, that tells 0.99 from 0.999."""
    axes.set(**{f"{which}scale": "log"})
    low, high = sorted(getattr(axes, f"get_{which}lim")())
    least = min(low, 0.08)
    marks = [mark for mark in 10.0 ** -np.arange(8) if mark >= least]
    marks = marks[:: -(-len(marks) // 4)] if len(marks) > 2 else [1, 0.5, 0.2, 0.1]
    axes.set(**{f"{which}lim": (max(1.2, high), least), f"{which}label": "posterior shrinkage"})
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks(marks, [f"{1 - mark:.7g}" for mark in marks])
    axis.set_minor_locator(NullLocator())


def draw_contraction(axes: Axes, z: Array, shrinkage: Array, groups: dict[str, list[int]]) -> None:
    """Draw |z| against shrinkage, over the logarithm of what is left of the variance; good ones lie lower right."""
    for (stem, members), color in zip(groups.items(), SERIES * 99, strict=False):
        x, y = np.clip(1 - shrinkage[:, members], LEAST_LEFT, MOST_LEFT).ravel(), np.abs(z[:, members]).ravel()
        axes.plot(x, np.minimum(y, 5), color=color, **dot_options(x.size, 0.4))
        middle = np.nanmedian(x), np.nanmedian(np.minimum(y, 5))
        axes.plot(*middle, "o", color=color, markersize=5.5, markeredgecolor="white", label=symbol(stem), zorder=5)
    axes.axhline(2, color=PALETTE["ink"], linewidth=0.6, linestyle=":")
    axes.set(ylim=(0, 5.05), ylabel="|z-score|", title="z-score against shrinkage")
    axes.set_xlim(np.nanquantile(np.clip(1 - shrinkage, LEAST_LEFT, MOST_LEFT), [0.002, 1.0]))
    shrinkage_axis(axes)
    if len(groups) <= FEW:
        axes.legend(loc="upper left", fontsize=6, handletextpad=0.2)


@styled
def calibration(
    ranks: Array, n_samples: int, names: Sequence[str], level: Array, coverage: Array, tarp_level: Array,
    tarp_coverage: Array,
) -> Figure:  # fmt: skip
    """Draw rank ECDF minus uniform per parameter, expected coverage, and TARP, each in its 95 % band.

    The ECDF band holds for all of a curve at once (Säilynoja et al. 2022, doi:10.1007/s11222-022-10090-6).

    Parameters
    ----------
    ranks : of the truth among posterior samples, (n_simulations, n_parameters) in 0 .. `n_samples`.
    n_samples : how many samples each posterior has.
    names : of the parameters.
    level : credibility levels (n_levels,) of `coverage`.
    coverage : share of truths within the central intervals (n_levels, n_parameters).
    tarp_level, tarp_coverage : the same (n_levels,) of the joint posterior.
    """
    u = (finite_array("ranks", ranks) + 0.5) / (n_samples + 1)
    level, tarp_level = np.asarray(level), np.asarray(tarp_level)
    figure = canvas(2.6)
    panels = figure.subplots(1, 3)
    colored = rank_panel(panels[0], u, names)
    coverage_panel(panels[1], level, coverage, len(u), names, colored)
    panels[1].set_title("Coverage per parameter")
    coverage_panel(panels[2], tarp_level, np.asarray(tarp_coverage)[:, None], len(u), ["all parameters"], [0])
    panels[2].set_title("Joint coverage (TARP)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 9 if len(names) <= FEW else 4))
    letter_panels(panels)
    return figure


def rank_panel(axes: Axes, u: Array, names: Sequence[str]) -> list[int]:
    """Draw ECDF(u) - u of the normalised ranks `u` (n_simulations, n_parameters); return which curves have a colour.

    With many parameters these are the five that leave the band most.
    """
    grid = np.linspace(0.01, 0.99, 99)
    low, high = ecdf_band(len(u), grid)
    axes.fill_between(grid, low - grid, high - grid, color=PALETTE["band"], linewidth=0, label="95 % band")
    axes.axhline(0, color=PALETTE["ink"], linewidth=0.6)
    curves = np.array([np.searchsorted(np.sort(column), grid, side="right") / len(u) for column in u.T])
    outside = ((curves < low) | (curves > high)).sum(axis=1)
    worst = [int(k) for k in np.argsort(-outside, kind="stable")[:5] if outside[k]]
    colored = list(range(len(names))) if len(names) <= FEW else worst
    draw_curves(axes, grid, curves - grid, names, colored)
    limit = 1.15 * max(np.abs(axes.get_ylim()))
    axes.set(title="Ranks of the truth (SBC)", xlabel="normalised rank", ylabel="ECDF − uniform")
    axes.set(xlim=(0, 1), ylim=(-limit, limit), box_aspect=1)
    return colored


def draw_curves(axes: Axes, x: Array, curves: Array, names: Sequence[str], colored: Sequence[int]) -> None:
    """Draw one curve a parameter, those in `colored` in their colour and named, the others grey."""
    others = [k for k in range(len(names)) if k not in colored]
    if others:
        axes.plot(x, curves[others].T, color=PALETTE["prior"], linewidth=0.4, alpha=0.6)
        axes.plot([], [], color=PALETTE["prior"], linewidth=0.6, label=f"{len(others)} parameters")
    for k, color in zip(colored, SERIES, strict=False):
        axes.plot(x, curves[k], color=color, label=symbol(names[k]))


def ecdf_band(n: int, grid: Array, level: float = 0.95, draws: int = 1000) -> tuple[Array, Array]:
    """Return the simultaneous band of the ECDF of `n` uniform draws at `grid`, by simulation."""
    uniform = np.random.default_rng(0).random((draws, n))
    counts = np.stack([(uniform <= point).sum(axis=1) for point in grid], axis=1)
    tails = 2 * np.minimum(scipy.stats.binom.cdf(counts, n, grid), scipy.stats.binom.sf(counts - 1, n, grid))
    gamma = np.quantile(tails.min(axis=1), 1 - level)
    return scipy.stats.binom.ppf(gamma / 2, n, grid) / n, scipy.stats.binom.isf(gamma / 2, n, grid) / n


def coverage_panel(
    axes: Axes, level: Array, coverage: Array, n: int, names: Sequence[str], colored: Sequence[int]
) -> None:
    """Draw coverage (level, curve) of `n` truths against its level, over the 95 % band of each level."""
    axes.fill_between(
        level,
        *scipy.stats.beta.interval(0.95, n * level + 0.5, n * (1 - level) + 0.5),
        color=PALETTE["band"],
        linewidth=0,
    )
    axes.plot([0, 1], [0, 1], color=PALETTE["ink"], linewidth=0.6, linestyle="--")
    draw_curves(axes, level, coverage.T, names, colored)
    axes.text(0.05, 0.95, "underconfident", transform=axes.transAxes, va="top", fontsize=6, color=PALETTE["prior"])
    axes.text(0.95, 0.05, "overconfident", transform=axes.transAxes, ha="right", fontsize=6, color=PALETTE["prior"])
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="credibility level", ylabel="share of truths inside")


@styled
def invalid(
    theta: Array, valid: NDArray[np.bool_], names: Sequence[str], units: dict[str, str] | None = None
) -> Figure:
    """Draw the share of invalid simulations, with its 95 % interval, along each parameter of `theta`.

    Of more than eight parameters, those with the steepest share are shown.
    """
    valid = np.asarray(valid, dtype=bool)
    if valid.size == 0 or valid.all():
        return message(f"All {valid.size:,} simulations are valid.".replace(",", " "))
    shares = [binned_share(column, ~valid) for column in finite_array("theta", theta).T]
    steepest = np.argsort([-np.ptp(share[1]) for share in shares], kind="stable")[:FEW]
    columns = min(len(steepest), 4)
    rows = -(-len(steepest) // columns)
    figure = canvas(1.9 * rows + 0.3, max(1.8 * columns, 3.0))
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for axes, column in zip(panels, sorted(steepest), strict=False):
        x, share, low, high = shares[column]
        axes.fill_between(x, low, high, color=PALETTE["band"], linewidth=0)
        axes.plot(x, share, color=PALETTE["predicted"])
        axes.axhline(1 - valid.mean(), color=PALETTE["ink"], linewidth=0.6, linestyle="--")
        axes.set(xlabel=quantity(names[column], units), ylim=(0, min(1.02, 1.1 * max(s[3].max() for s in shares))))
    for axes in panels[::columns]:
        axes.set_ylabel("share invalid")
    for axes in panels[len(steepest) :]:
        axes.remove()
    figure.suptitle(f"{(~valid).sum()} of {valid.size} simulations invalid ({1 - valid.mean():.1%})", fontsize=7.5)
    return figure


def binned_share(values: Array, event: NDArray[np.bool_], n: int = 12) -> tuple[Array, Array, Array, Array]:
    """Return middles of bins of equal count, the share of `event` in each, and its 95 % interval."""
    groups = np.array_split(np.argsort(values), max(1, min(n, values.size // 25)))
    counts = np.array([[event[group].sum(), len(group)] for group in groups])
    hits, totals = counts.T
    low, high = scipy.stats.beta.interval(0.95, hits + 0.5, totals - hits + 0.5)
    return np.array([np.median(values[group]) for group in groups]), hits / totals, low, high
