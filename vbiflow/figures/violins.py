"""Posteriors of a parameter of many regions as violins, a row a hemisphere, and how far they lie from the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from numpy.typing import NDArray

from vbiflow.figures.density import density
from vbiflow.figures.regions import hemisphere_rows
from vbiflow.figures.style import PALETTE, quantity, region, symbol, widen, with_unit

Array = NDArray[np.float64]
ROW = 45
"""Violins in one row."""
NARROW = 0.1
"""Width of a 90 % interval, as share of the prior's, below which its distance from the truth is drawn too."""
LETTER = 0.043
"""Height of a letter of a region's name that stands upright [inch]."""
INTERVAL = "90 % interval"


class Violins(NamedTuple):
    """One row of violins: of values over their prior's 90 % interval, or of their distance from a reference."""

    columns: list[int]
    labels: list[str]
    title: str
    ylabel: str
    limits: tuple[float, float]
    prior: Array | None
    reference: Array | float

    def values(self, of: Array | None) -> Array | None:
        """What the row shows `of` all parameters (..., n_parameters), None of what is unknown."""
        return None if of is None else of[..., self.columns] - self.reference

    @property
    def height(self) -> float:
        """Of the axes [inch]."""
        return 1.25 if self.title else 1.05


def arrange_violins(
    samples: Sequence[Array], prior: Array, truth: Array | None, columns: Sequence[int], names: Sequence[str],
    units: dict[str, str] | None,
) -> list[Violins]:  # fmt: skip
    """Rows of violins of the parameter in `columns`; where intervals are narrow each is followed by its distances.

    Arguments are those of ``marginals``, but for `samples` of one or several posteriors. Distances are from the truth,
    from the first posterior's median without one.
    """
    stem, quantiles = names[columns[0]].partition("[")[0], prior[:, columns]
    own = [one[:, columns] for one in samples]
    low, high = quantiles[0].min(), quantiles[-1].max()
    inner = quantiles[[round(share * (len(quantiles) - 1)) for share in (0.05, 0.95)]].mean(axis=1)
    widths = [np.diff(np.nanquantile(one, [0.05, 0.95], axis=0), axis=0) for one in own]
    narrow = np.nanmedian(widths) < NARROW * (high - low)
    middle = np.nanmedian(own[0], axis=0)
    reference = middle if truth is None else np.where(np.isfinite(truth[columns]), truth[columns], middle)
    near = np.nanquantile(np.concatenate(own) - reference, [0.001, 0.999])
    away = with_unit(f"{symbol(stem)} − {'median' if truth is None else 'truth'}", (units or {}).get(stem, "1"))
    rows = []
    for title, places, labels in hemisphere_rows([region(names[column]) for column in columns], ROW):
        shown = [columns[place] for place in places]
        rows.append(Violins(shown, labels, title, quantity(stem, units), widen(low, high, 0.03), inner, 0.0))
        if narrow:
            rows.append(Violins(shown, labels, "", away, widen(*near, 0.1), None, reference[places]))
    return rows


def total_height(rows: Sequence[Violins]) -> float:
    """Height [inch] of rows with their titles and names."""
    longest = [shown * max(map(len, row.labels)) for row, shown in zip(rows, names_shown(rows), strict=True)]
    return sum(row.height + 0.15 for row in rows) + 1.2 * LETTER * sum(longest) + 0.2


def names_shown(rows: Sequence[Violins]) -> list[bool]:
    """Whether the names of the regions stand below each row: not where the next row has the same."""
    following = [row.labels for row in rows[1:]] + [[]]
    return [later[: len(row.labels)] != row.labels for row, later in zip(rows, following, strict=False)]


def draw_rows(part: SubFigure, rows: Sequence[Violins], draw: Callable[[Axes, Violins], None]) -> None:
    """Draw rows below each other, the posteriors of each by `draw`."""
    panels = part.subplots(len(rows), 1, squeeze=False, height_ratios=[row.height for row in rows])[:, 0]
    longest = max(len(row.columns) for row in rows)
    for axes, row, named in zip(panels, rows, names_shown(rows), strict=True):
        if row.prior is not None:
            axes.axhspan(*row.prior, color=PALETTE["prior"], alpha=0.2, linewidth=0, label="prior, 90 %")
        draw(axes, row)
        axes.set(xlim=(-0.7, longest - 0.3), ylim=row.limits, ylabel=row.ylabel)
        axes.set_title(row.title)
        axes.set_xticks(range(len(row.labels)), row.labels, rotation=90, fontsize=5)
        axes.tick_params(axis="x", labelbottom=named)
        axes.grid(axis="x", color=PALETTE["band"], linewidth=0.4)
        axes.set_axisbelow(True)
        axes.locator_params(axis="y", nbins=5)
    part.align_ylabels(panels)


def draw_violins(axes: Axes, samples: Array, mode: Array, truth: Array | None) -> None:
    """Draw the middle 99 % of each column of `samples` with its 90 % interval and its MAP; across it the truth."""
    places = np.arange(samples.shape[1])
    for place, column in enumerate(samples.T):
        good = column[np.isfinite(column)]
        if good.size:
            grid, height = density(good, *widen(*np.quantile(good, [0.005, 0.995]), 1e-3), 60)
            half = 0.42 * height / height.max()
            label = None if place else "posterior"
            look = {"color": PALETTE["posterior"], "alpha": 0.45, "linewidth": 0, "rasterized": True}
            axes.fill_betweenx(grid, place - half, place + half, **look, label=label)
    bars = np.nanquantile(samples, [0.05, 0.95], axis=0)
    draw_segments(axes, (places, places), bars, color=PALETTE["posterior"], linewidth=0.8, label=INTERVAL)
    across = np.array([[-1], [1]])
    draw_segments(axes, places + 0.2 * across, (mode, mode), color=PALETTE["ink"], linewidth=0.9, label="MAP")
    draw_truth(axes, truth)


def draw_intervals(axes: Axes, samples: Mapping[str, Array], colors: Sequence[str], truth: Array | None) -> None:
    """Draw the 90 and 50 % intervals and the median of each column by each estimator, beside each other."""
    asides = np.linspace(-0.2, 0.2, len(samples)) if len(samples) > 1 else [0.0]
    for (name, values), color, aside in zip(samples.items(), colors, asides, strict=False):
        places = np.arange(values.shape[1]) + aside
        low, lower, middle, upper, high = np.nanquantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
        draw_segments(axes, (places, places), (low, high), color=color, linewidth=0.7, label=name)
        draw_segments(axes, (places, places), (lower, upper), color=color, linewidth=1.8)
        axes.plot(places, middle, "o", color=color, markersize=2.2, markeredgewidth=0)
    draw_truth(axes, truth)


def draw_truth(axes: Axes, truth: Array | None) -> None:
    """Draw the truth of each column, where it is known, across its place."""
    if truth is not None:
        beyond = np.arange(len(truth)) + 0.45 * np.array([[-1], [1]])
        draw_segments(axes, beyond, (truth, truth), color=PALETTE["truth"], linewidth=0.9, label="truth")


def draw_segments(axes: Axes, x: Sequence[Array] | Array, y: Sequence[Array] | Array, **look: Any) -> None:
    """Draw a segment from each first to each second of `x` and `y`, both (2, n), as one broken line."""
    gaps = np.full(np.shape(x)[1], np.nan)
    axes.plot(*(np.stack([*ends, gaps], axis=1).ravel() for ends in (x, y)), solid_capstyle="butt", **look)
