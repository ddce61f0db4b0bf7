"""Figures of a recording beside what the model predicts: time series, functional connectivity, its dynamics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.courses import ROLES, Zones, draw_courses, zones_of
from vbiflow.figures.density import density
from vbiflow.figures.regions import mark_regions, region_order
from vbiflow.figures.style import (
    PALETTE,
    canvas,
    dot_options,
    finite_array,
    letter_panels,
    signed_number,
    styled,
    with_unit,
)

Array = NDArray[np.float64]
KIND_NAMES = {"bold": "BOLD", "eeg": "EEG", "meg": "MEG", "seeg": "intracranial EEG"}
"""How signals are written that are abbreviations."""
MOST_SAMPLES = 1500
"""Samples of a series that are drawn: more than these no figure of a page's width resolves."""


def read_series(
    labels: Sequence[str], names: Sequence[str], truth: Array, mode: Array, units: dict[str, str], **arguments: Any
) -> dict[str, Any]:
    """Arguments of `series`; `names`, `truth`, `mode` and `units` are of the inferred parameters."""
    return arguments | {"labels": labels, "zones": zones_of(labels, names, truth, mode, units)}


@styled
def series(
    observed: Array, fs: float, predicted: Array, predicted_fs: float, labels: Sequence[str],
    hemispheres: Sequence[str], networks: Sequence[str], name: str = "bold", unit: str = "1",
    nodes: str = "regions", has_course: bool = False, zones: Zones | None = None,
) -> Figure:  # fmt: skip
    """Draw a signal (n_nodes, n_times), sampled at `fs` [Hz], of recording and prediction: all regions, some as traces.

    Every region is shown as z-score, so that amplitudes of the scanner and of the model compare; courses are drawn
    in their own units. Of a long series the first `MOST_SAMPLES` are shown, and its title says so.

    Parameters
    ----------
    observed, predicted : recording and prediction (n_nodes, n_times), which may differ in length.
    fs, predicted_fs : their sampling rates [Hz].
    labels, hemispheres, networks : of the nodes (n_nodes,).
    name, unit : of the signal.
    nodes : what they are: regions or sensors.
    has_course : whether the signal takes the same course each time, as a seizure that no noise drives.
    zones : what colours the courses of the nodes; without, their onset does.
    """
    name = KIND_NAMES.get(name, name)
    signals = [finite_array(role, ts) for role, ts in zip(ROLES, (observed, predicted), strict=True)]
    rates = fs, predicted_fs
    durations = [ts.shape[1] / rate for ts, rate in zip(signals, rates, strict=True)]
    shown = min(MOST_SAMPLES / max(rates), max(durations))
    signals = [ts[:, : round(shown * rate)] for ts, rate in zip(signals, rates, strict=True)]
    span, per = ("ms", 1e3) if shown < 2 else ("s", 1.0)
    rates = fs / per, predicted_fs / per
    titles = []
    for role, ts, duration in zip(ROLES, signals, durations, strict=True):
        part = f", the first {shown:.3g} of {duration:.3g} s" if duration > 1.01 * shown else ""
        titles.append(f"{role.capitalize()} {name}, {len(ts)} {nodes}{part}")
    if has_course:
        return draw_courses(signals, rates, labels, zones, titles, with_unit(name, unit), span)
    order = region_order(hemispheres, networks)
    signals, labels = [standardised(ts)[order] for ts in signals], [labels[node] for node in order]
    figure = canvas(5.0)
    grid = figure.add_gridspec(3, 1, height_ratios=(1, 1, 0.95))
    carpets = [figure.add_subplot(grid[0])]
    carpets.append(figure.add_subplot(grid[1], sharex=carpets[0]))
    for axes, ts, rate, role, title in zip(carpets, signals, rates, ROLES, titles, strict=True):
        extent = (0, ts.shape[1] / rate, len(ts) - 0.5, -0.5)
        image = axes.imshow(ts, aspect="auto", cmap="gray", vmin=-2.5, vmax=2.5, extent=extent, interpolation="none")
        mark_regions(axes, [hemispheres[node] for node in order], [""] * len(ts), "y", nodes.removesuffix("s"))
        axes.set(title=title, xlabel=f"time [{span}]")
        axes.title.set_color(PALETTE[role])
    figure.colorbar(image, ax=carpets, label=f"{name} [s.d. of each of the {nodes}]", aspect=30, pad=0.01)
    traces = figure.add_subplot(grid[2])
    chosen = by_variability(np.asarray(observed, float)[order])
    draw_traces(traces, [ts[chosen] for ts in signals], rates, [labels[row] for row in chosen], span, nodes)
    letter_panels([*carpets, traces])
    return figure


def standardised(ts: Array) -> Array:
    """Return each row with mean 0 and standard deviation 1; a constant row becomes 0."""
    spread = np.nanstd(ts, axis=1, keepdims=True)
    return (ts - np.nanmean(ts, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)


def by_variability(ts: Array, most: int = 4) -> NDArray[np.intp]:
    """Return up to `most` rows of ts (n_nodes, n_times), evenly spaced in rank from the most to the least variable."""
    ranked = np.argsort(-np.nanstd(ts, axis=1), kind="stable")
    return ranked[np.linspace(0, len(ts) - 1, min(most, len(ts))).round().astype(int)]


def draw_traces(
    axes: Axes, signals: Sequence[Array], rates: Sequence[float], labels: Sequence[str], span: str, nodes: str
) -> None:
    """Draw a few regions, observed over predicted."""
    for node in range(len(labels)):
        for ts, rate, role, shift in zip(signals, rates, ROLES, (0.0, -5.0), strict=True):
            time = np.arange(ts.shape[1]) / rate
            name = role if node == 0 else None
            axes.plot(time, ts[node] - 11 * node + shift, color=PALETTE[role], linewidth=0.6, label=name)
    axes.set_yticks([-11 * node - 2.5 for node in range(len(labels))], labels)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    duration = max(ts.shape[1] / rate for ts, rate in zip(signals, rates, strict=True))
    axes.set(xlabel=f"time [{span}]", xlim=(0, duration), ylim=(-11 * len(labels) + 1, 5))
    axes.set_title(f"Some {nodes} [z-score], from the most to the least variable")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderpad=0)


@styled
def fc(
    observed: Array, predicted: Array, values: Array, hemispheres: Sequence[str], networks: Sequence[str],
    nodes: str = "regions",
) -> Figure:  # fmt: skip
    """Draw functional connectivity (n_nodes, n_nodes): observed above the diagonal, predicted below; its edges.

    Parameters
    ----------
    observed : of the recording (n_nodes, n_nodes).
    predicted : of one simulation from the posterior, the same shape, as noisy as the recording is.
    values : those above the diagonal of all simulations (n_values,).
    hemispheres, networks : of the nodes (n_nodes,).
    nodes : what they are: regions or sensors.
    """
    observed, predicted = finite_array("fc_observed", observed), finite_array("fc", predicted)
    order = region_order(hemispheres, networks)
    block = np.ix_(order, order)
    upper = np.triu_indices(len(order), 1)
    edges = observed[upper], predicted[upper]
    both = np.triu(observed[block], 1) + np.tril(predicted[block], -1)
    np.fill_diagonal(both, np.nan)
    figure = canvas(2.75)
    panels = figure.subplots(1, 3, gridspec_kw={"width_ratios": (1.35, 1, 1)})
    limit = max(0.2, np.nanquantile(np.abs(np.concatenate(edges)), 0.99)) if edges[0].size else 1
    image = panels[0].imshow(both, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(image, ax=panels[0], label="correlation", shrink=0.75, aspect=22, extend="both")
    node = nodes.removesuffix("s")
    mark_regions(panels[0], [hemispheres[n] for n in order], [networks[n] for n in order], node=node)
    panels[0].set_title("FC, observed ◥ / predicted ◣")
    edge_scatter(panels[1], *edges)
    draw_histograms(panels[2], edges[0], np.ravel(values), f"correlation of two {nodes}", -1, 1)
    panels[2].set_title("Distribution over edges")
    letter_panels(panels)
    return figure


def edge_scatter(axes: Axes, observed: Array, predicted: Array) -> None:
    """Draw predicted against observed correlations with the identity line; the title holds their correlation."""
    axes.plot(observed, predicted, color=PALETTE["predicted"], **dot_options(observed.size))
    low, high = np.nanmin([axes.get_xlim(), axes.get_ylim()]), np.nanmax([axes.get_xlim(), axes.get_ylim()])
    axes.plot([low, high], [low, high], color=PALETTE["ink"], linewidth=0.8, linestyle="--")
    good = np.isfinite(observed) & np.isfinite(predicted)
    title = f"{observed.size} edges"
    if good.sum() > 2 and observed[good].std() > 0 and predicted[good].std() > 0:
        title += f", r = {signed_number(np.corrcoef(observed[good], predicted[good])[0, 1])}"
    axes.set(xlabel="observed correlation", ylabel="predicted correlation", title=title, box_aspect=1)
    axes.set(xlim=(low, high), ylim=(low, high))


def draw_histograms(axes: Axes, observed: Array, predicted: Array, label: str, lower: float, upper: float) -> None:
    """Draw the densities of observed and predicted values in their colours."""
    for values, role in ((observed, "observed"), (predicted, "predicted")):
        values = values[np.isfinite(values)]
        if values.size:
            x, y = density(values, lower, upper)
            axes.fill_between(x, y, color=PALETTE[role], alpha=0.2, linewidth=0)
            axes.plot(x, y, color=PALETTE[role], label=role)
    both = np.concatenate([observed, predicted])
    both = both[np.isfinite(both)]
    if both.size > 1 and np.ptp(both) > 0:
        low, high = np.quantile(both, [0.0005, 0.9995])
        axes.set_xlim(max(lower, low - 0.1 * (high - low)), min(upper, high + 0.1 * (high - low)))
    axes.set(xlabel=label, ylabel="density", box_aspect=1)
    axes.locator_params(axis="x", nbins=5)
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.legend(loc="upper right", borderaxespad=0.2)


@styled
def psd(
    observed: Array, predicted: Array, mean: Array, frequencies: Array, labels: Sequence[str],
    name: str = "signal", unit: str = "1/Hz", nodes: str = "regions",
) -> Figure:  # fmt: skip
    """Draw power spectral densities (n_nodes, n_frequencies) at `frequencies` [Hz] of recording and prediction.

    Parameters
    ----------
    observed, predicted : densities (n_nodes, n_frequencies) of recording and prediction.
    mean : mean density over the nodes of each re-simulation (n_simulations, n_frequencies).
    frequencies : [Hz].
    labels : of the nodes (n_nodes,).
    name : of the signal.
    unit : of the densities.
    nodes : what they are: regions or sensors.
    """
    name = KIND_NAMES.get(name, name)
    observed, predicted = finite_array("psd_observed", observed), finite_array("psd", predicted)
    figure = canvas(float(np.clip(0.9 + 0.085 * len(observed), 2.75, 5.0)))
    panels = figure.subplots(1, 3, gridspec_kw={"width_ratios": (1.25, 1, 1)})
    low, middle, high = np.nanquantile(mean, [0.05, 0.5, 0.95], axis=0)
    panels[0].fill_between(frequencies, low, high, color=PALETTE["predicted"], alpha=0.3, linewidth=0, label="90 %")
    panels[0].plot(frequencies, middle, color=PALETTE["predicted"], label="predicted")
    panels[0].plot(frequencies, np.nanmean(observed, axis=0), color=PALETTE["observed"], label="observed")
    panels[0].set(yscale="log", xlabel="frequency [Hz]", ylabel=with_unit(f"density of {name}", unit))
    panels[0].set(title=f"Mean over {nodes}", xlim=(np.nanmin(frequencies), np.nanmax(frequencies)), box_aspect=1)
    panels[0].legend(loc="upper right")
    logs = [np.log10(np.maximum(values, 1e-300)) for values in (observed, predicted)]
    limits = np.nanquantile(np.concatenate(logs), [0.01, 0.99])
    first, last = np.nanmin(frequencies), np.nanmax(frequencies)
    step = (last - first) / max(len(frequencies) - 1, 1)
    for axes, values, role in zip(panels[1:], logs, ROLES, strict=True):
        extent = (first - step / 2, last + step / 2, len(values) - 0.5, -0.5)
        image = axes.imshow(
            values, aspect="auto", extent=extent, vmin=limits[0], vmax=limits[1], cmap="viridis", interpolation="none"
        )
        axes.set(xlabel="frequency [Hz]", title=f"{role.capitalize()}, each {nodes.removesuffix('s')}")
        axes.title.set_color(PALETTE[role])
        name_rows(axes, labels if axes is panels[1] else [""] * len(values))
    label = with_unit("log10 of density", unit)
    figure.colorbar(image, ax=panels[1:], label=label, shrink=0.75, aspect=22, extend="both")
    letter_panels(panels)
    return figure


def name_rows(axes: Axes, labels: Sequence[str], most: int = 48) -> None:
    """Name the rows of an image, or every second, third, ... of many."""
    step = -(-len(labels) // most)
    shown = range(0, len(labels), step)
    axes.set_yticks(shown, [labels[row] for row in shown], fontsize=min(6.0, 240 / max(len(shown), 1)))
    axes.tick_params(axis="y", length=0)


@styled
def fcd(
    observed: Array, predicted: Array, observed_values: Array, predicted_values: Array, window: float, step: float
) -> Figure:
    """Draw FC dynamics (n_windows, n_windows) on one colour scale, and how its values are distributed.

    Windows of `window` [s] follow each other by `step` [s]; `*_values` are those above the diagonal. The colours span
    the windows that share no sample.
    """
    observed, predicted = finite_array("fcd_observed", observed), finite_array("fcd", predicted)
    observed_values, predicted_values = np.ravel(observed_values), np.ravel(predicted_values)
    figure = canvas(2.75)
    panels = figure.subplots(1, 3, gridspec_kw={"width_ratios": (1, 1, 0.95)})
    low, high = np.quantile(
        np.concatenate([separate_windows(matrix, window / step) for matrix in (observed, predicted)]), [0.01, 0.99]
    )
    for axes, matrix, role in zip(panels, (observed, predicted), ROLES, strict=False):
        start, stop = window / 2 - step / 2, window / 2 + step * (len(matrix) - 0.5)
        image = axes.imshow(matrix, vmin=low, vmax=high, cmap="viridis", extent=(start, stop, stop, start))
        axes.set(xlabel="time of window [s]", title=f"{role.capitalize()} FCD")
        axes.title.set_color(PALETTE[role])
        axes.spines[:].set_visible(False)
    panels[0].set_ylabel("time of window [s]")
    figure.colorbar(
        image, ax=panels[:2], label="correlation of FC", location="bottom", shrink=0.5, aspect=30, extend="both"
    )
    draw_histograms(panels[2], observed_values, predicted_values, "correlation of FC between windows", -1, 1)
    panels[2].set_title(f"FCD values, KS = {ks_distance(observed_values, predicted_values):.2f}")
    letter_panels(panels)
    return figure


def separate_windows(matrix: Array, lag: float) -> Array:
    """Return the values of window pairs at least `lag` windows apart; of all pairs where fewer than ten are."""
    i, j = np.triu_indices(len(matrix), 1 if len(matrix) > 1 else 0)
    apart = j - i >= lag
    values = matrix[i, j][apart if apart.sum() >= 10 else slice(None)]
    return values[np.isfinite(values)] if np.isfinite(values).any() else np.array([0.0, 1.0])


def ks_distance(a: Array, b: Array) -> float:
    """Return Kolmogorov and Smirnov's distance of two samples, NaN when one is empty."""
    a, b = np.sort(a[np.isfinite(a)]), np.sort(b[np.isfinite(b)])
    if not (a.size and b.size):
        return float("nan")
    both = np.concatenate([a, b])
    shares = [np.searchsorted(sample, both, side="right") / sample.size for sample in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())
