"""The most informative features over the simulations: against the parameter that each tells of, and over two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.regional import DECADES
from vbiflow.figures.style import (
    PALETTE,
    SERIES,
    canvas,
    dot_options,
    finite_array,
    letter_panels,
    log_ticks,
    quantity,
    styled,
    symbol,
    with_unit,
)
from vbiflow.io import read, read_attributes, read_rows
from vbiflow.prior import Prior

Array = NDArray[np.float64]
PARAMETERS, COLUMNS = 4, 3
MOST = 1500
"""Simulations that are drawn."""
NAMED = 8
"""People at most in the legend of truths, as many as there are colours."""
PANELS = 6
"""Features at most of one parameter, and over the plane of two."""


def read_scatter(
    informs: Mapping[str, Mapping[str, float]], redundant: Sequence[Sequence[str]], prior: str, features: str,
    units: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Arguments of `scatter`, from the features' report and the paths of prior.h5 and features.h5."""
    found = read(features, "names", "valid")
    rows = np.flatnonzero(found["valid"])[:MOST]
    pairs = informative_pairs(informs, redundant)
    theta, x = read_rows(prior, "theta", rows), read_rows(features, "x", rows)
    parameters = list(read(prior, "names")["names"])
    columns = [(parameters.index(parameter), found["names"].index(feature)) for parameter, feature, _ in pairs]
    return {
        "theta": np.stack([theta[:, j] for j, _ in columns], axis=1),
        "x": np.stack([x[:, k] for _, k in columns], axis=1),
        "pairs": pairs,
        "feature_units": feature_units(features, [k for _, k in columns]),
        "units": units,
    }


def feature_units(path: str, columns: Sequence[int]) -> list[str]:
    """Units of columns of the features in a file, which has one of all features or one each."""
    unit = read_attributes(path, "x")["unit"]
    return [unit if isinstance(unit, str) else unit[column] for column in columns]


def informative_pairs(
    informs: Mapping[str, Mapping[str, float]], redundant: Sequence[Sequence[str]]
) -> list[tuple[str, str, float]]:
    """Parameter, feature and share of variance explained: of four parameters the three features that tell most, of each
    kind (fc, fcd, mean) as many; of two parameters six where there are more kinds.

    Of a parameter that each region has, the best explained region counts; of features that follow each other, the best.
    """
    names, found = list(next(iter(informs.values()))), []
    groups = list(columns_by_parameter(names).values())[:PARAMETERS]
    n = PANELS if len(groups) <= 2 and len({*map(kind, informs)}) > COLUMNS else COLUMNS
    for members in groups:
        own = max((names[k] for k in members), key=lambda name: max(row[name] for row in informs.values()))
        shares = {feature: row[own] for feature, row in informs.items()}
        telling = telling_features(shares, redundant, n)
        found += [(own, feature, shares[feature]) for feature in sorted(telling, key=lambda name: -shares[name])]
    return found


def kind(feature: str) -> str:
    """What a feature is computed by: fc of ``fc.mean``, mean of ``mean[ctx-lh-insula]``."""
    return feature.partition("[")[0].partition(".")[0]


def telling_features(shares: Mapping[str, float], redundant: Sequence[Sequence[str]], n: int) -> list[str]:
    """The `n` features that tell most, of each kind as many, kind by kind; of those that follow each other the best."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(shares, key=lambda name: -shares[name]):
        kinds.setdefault(kind(name), []).append(name)
    ranks = zip_longest(*(distinct(names, redundant) for names in kinds.values()))
    chosen = [name for rank in ranks for name in rank if name][:n]
    return [name for names in kinds.values() for name in names if name in chosen]


def distinct(features: Sequence[str], redundant: Sequence[Sequence[str]]) -> list[str]:
    """The features without those that follow an earlier one."""
    group = {name: str(number) for number, names in enumerate(redundant) for name in names}
    first: dict[str, str] = {}
    for name in features:
        first.setdefault(group.get(name, name), name)
    return list(first.values())


@styled
def scatter(
    theta: Array, x: Array, pairs: Sequence[tuple[str, str, float]], feature_units: Sequence[str],
    units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw features `x` against parameters `theta`, both (n_simulations, n_pairs), a panel a pair.

    `pairs` holds the parameter's and the feature's name and the share of the parameter's variance that it explains,
    `feature_units` the unit of each panel's feature, `units` those of the parameters by name. The outermost half per
    cent of a feature on either side is left out of view.
    """
    theta, x = finite_array("theta", theta), finite_array("x", x)
    columns = min(COLUMNS, max(sum(one[0] == pair[0] for one in pairs) for pair in pairs))
    rows = -(-len(pairs) // columns)
    figure = canvas(1.75 * rows + 0.2, max(2.3 * columns, 3.0))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for k, (axes, (parameter, feature, share), unit) in enumerate(zip(panels, pairs, feature_units, strict=False)):
        axes.plot(theta[:, k], x[:, k], color=PALETTE["posterior"], **dot_options(len(x)))
        low, high = np.nanquantile(x[:, k], [0.005, 0.995])
        if high > low:
            axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        axes.set(xlabel=quantity(parameter, units), ylabel=with_unit("feature", unit))
        title = f"{feature}: {100 * share:.0f} %"
        axes.set_title(title, fontsize=min(6.5, 230 / len(title)))
        axes.locator_params(nbins=4)
    for axes in panels[len(pairs) :]:
        axes.remove()
    letter_panels(panels[: len(pairs)])
    return figure


def read_plane(
    informs: Mapping[str, Mapping[str, float]], redundant: Sequence[Sequence[str]], prior: str, features: str,
    truths: Mapping[str, Mapping[str, Any]], units: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Arguments of `plane`, from the features' report, paths of prior.h5 and features.h5, and `truth` by person."""
    found = read(features, "names", "valid")
    rows = np.flatnonzero(found["valid"])[:MOST]
    shown = telling_features({name: max(shares.values()) for name, shares in informs.items()}, redundant, PANELS)
    columns = [found["names"].index(name) for name in shown]
    whole = Prior.from_plain(read_attributes(prior)["prior"])
    return {
        "theta": read_rows(prior, "theta", rows),
        "x": read_rows(features, "x", rows)[:, columns],
        "truths": {person: np.ravel(whole.theta(values)) for person, values in truths.items()},
        "features": {name: informs[name] for name in shown},
        "feature_units": feature_units(features, columns),
        "units": units,
    }


@styled
def plane(
    theta: Array, x: Array, truths: Mapping[str, Array], features: Mapping[str, Mapping[str, float]],
    feature_units: Sequence[str], units: dict[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw each feature as colour over the plane of the two parameters, a dot a simulation.

    Colours end where half a per cent of the simulations lie beyond on either side; those of a positive feature that
    spans decades are of its logarithm.

    Parameters
    ----------
    theta, x : of the simulations (n_simulations, 2) and (n_simulations, n_features).
    truths : what made the simulated recording of each person (2,), by name.
    features : by the feature's name the share of each parameter's variance that it explains, by the parameter's name.
    feature_units : of the features.
    units : of the parameters by name; those not named are pure numbers.
    """
    theta, x = finite_array("theta", theta), finite_array("x", x)
    rows = 1 if len(features) <= 3 else 2
    columns = -(-len(features) // rows)
    figure = canvas(1.9 * rows + 0.3, max(2.35 * columns, 3.0))
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    mark = {"marker": "o", "markeredgecolor": "white", "markeredgewidth": 1, "markersize": 6, "linestyle": "none"}
    for axes, values, (name, shares), unit in zip(panels, x.T, features.items(), feature_units, strict=False):
        low, high = np.nanquantile(values, [0.005, 0.995])
        logarithmic = low > 0 and high > low * 10**DECADES
        look = {"norm": (LogNorm if logarithmic else Normalize)(low, high), "cmap": "viridis", "linewidth": 0}
        dots = axes.scatter(*theta.T, c=values, s=9, rasterized=True, antialiased=False, **look)
        for color, truth in zip(SERIES * 99, truths.values(), strict=False):
            axes.plot(*truth, color=color, **mark)
        title = " and ".join(f"{100 * share:.0f} % of {symbol(parameter)}" for parameter, share in shares.items())
        axes.set_title(f"tells {title}", fontsize=min(7.5, 280 / len(title)))
        label = with_unit(name, unit)
        bar = figure.colorbar(dots, ax=axes, aspect=24, pad=0.02)
        bar.set_label(label, fontsize=min(7, 200 / len(label)))
        if logarithmic:
            log_ticks(bar.ax.yaxis)
        else:
            bar.ax.locator_params(nbins=5)
    names = list(next(iter(features.values())))
    for k, axes in enumerate(panels[: len(features)]):
        axes.set_xlabel(quantity(names[0], units) if k >= len(features) - columns else "")
        axes.set_ylabel("" if k % columns else quantity(names[1], units))
        axes.tick_params(labelbottom=k >= len(features) - columns)
    for axes in panels[len(features) :]:
        axes.remove()
    if truths:
        handles = [
            Line2D([], [], color=color, **mark, label=f"truth of {person}")
            for color, person in zip(SERIES * 99, truths, strict=False)
        ]
        figure.legend(handles=handles[:NAMED], loc="outside lower center", ncols=4)
    letter_panels(panels[: len(features)])
    return figure
