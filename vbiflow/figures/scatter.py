"""The most informative features over the simulations, each against the parameter that it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.style import PALETTE, canvas, dot_options, finite_array, letter_panels, quantity, styled
from vbiflow.io import read, read_rows

Array = NDArray[np.float64]
PARAMETERS, COLUMNS = 4, 3
MOST = 1500
"""Simulations that are drawn."""


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
        "units": units,
    }


def informative_pairs(
    informs: Mapping[str, Mapping[str, float]], redundant: Sequence[Sequence[str]]
) -> list[tuple[str, str, float]]:
    """Parameter, feature and share of variance explained: of four parameters the three features that tell most.

    Of a parameter that each region has, the best explained region counts; of features that follow each other, the best.
    """
    group = {name: number for number, names in enumerate(redundant) for name in names}
    found = []
    for members in list(columns_by_parameter(list(next(iter(informs.values())))).values())[:PARAMETERS]:
        names = list(next(iter(informs.values())))
        own = max((names[k] for k in members), key=lambda name: max(row[name] for row in informs.values()))
        taken: set[Any] = set()
        for feature in sorted(informs, key=lambda name: -informs[name][own]):
            if group.get(feature, feature) not in taken and len(taken) < COLUMNS:
                taken.add(group.get(feature, feature))
                found.append((own, feature, informs[feature][own]))
    return found


@styled
def scatter(
    theta: Array, x: Array, pairs: Sequence[tuple[str, str, float]], units: dict[str, str] | None = None
) -> Figure:
    """Draw features `x` against parameters `theta`, both (n_simulations, n_pairs), a panel a pair.

    `pairs` holds the parameter's and the feature's name and the share of the parameter's variance that it explains.
    The outermost half per cent of a feature on either side is left out of view.
    """
    theta, x = finite_array("theta", theta), finite_array("x", x)
    columns = max(sum(one[0] == pair[0] for one in pairs) for pair in pairs)
    rows = -(-len(pairs) // columns)
    figure = canvas(1.75 * rows + 0.2, max(2.3 * columns, 3.0))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for k, (axes, (parameter, feature, share)) in enumerate(zip(panels, pairs, strict=False)):
        axes.plot(theta[:, k], x[:, k], color=PALETTE["posterior"], **dot_options(len(x)))
        low, high = np.nanquantile(x[:, k], [0.005, 0.995])
        if high > low:
            axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        axes.set(xlabel=quantity(parameter, units), ylabel="" if k % columns else "feature")
        title = f"{feature}: {100 * share:.0f} %"
        axes.set_title(title, fontsize=min(6.5, 230 / len(title)))
        axes.locator_params(nbins=4)
    for axes in panels[len(pairs) :]:
        axes.remove()
    letter_panels(panels[: len(pairs)])
    return figure
