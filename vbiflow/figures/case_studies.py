"""The page of the case studies: summary, claims, and a card for each study with its figures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from matplotlib.figure import Figure

from vbiflow.decisions import CALIBRATED, ENOUGH, RECOVERED, UNTOLD
from vbiflow.figures.diagnostics import columns_by_parameter
from vbiflow.figures.report import as_yaml, caption, inline_svg
from vbiflow.figures.style import PALETTE, SERIES, canvas, dot_options, signed_number, styled, symbol
from vbiflow.io import read_attributes, read_json
from vbiflow.provenance import ROOT

SHOWN = (
    *("series", "psd", "fc", "fcd", "marginals", "brain", "pairs", "sensitivity"),
    *("recovery", "calibration", "features", "scatter", "baselines", "learning_curve"),
)
"""Figures on a card, in the paper's order."""
REPEATED = ("marginals", "brain")
"""Those of the second and further people, whose other figures stand in the study's own report."""
MOST_DOTS = 600
"""Dots of a parameter that are drawn at most."""
ROW = 6
"""Panels in one row of the overview."""


@styled
def overview(held_out: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw posterior mean against truth of held-out simulations, a panel a study, a colour a parameter.

    `held_out` has by title theta and mean (n_simulations, n_parameters) and names. Axes span each parameter's range. At
    most MOST_DOTS dots of a parameter are drawn; the correlation is that of all.
    """
    rows = -(-len(held_out) // ROW)
    across = min(len(held_out), ROW)
    figure = canvas(1.5 * rows, max(1.2 * across, 2.4))
    panels = figure.subplots(rows, across, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (title, found) in zip(panels, held_out.items(), strict=False):
        axes.plot([0, 1], [0, 1], color=PALETTE["ink"], linewidth=0.6, linestyle="--", zorder=3)
        for k, ((stem, columns), color) in enumerate(zip(by_parameter(found["names"]).items(), SERIES, strict=False)):
            truth, mean = (np.asarray(found[key], float)[:, columns] for key in ("theta", "mean"))
            low, high = truth.min(axis=0), truth.max(axis=0)
            truth, mean = (((values - low) / (high - low)).ravel() for values in (truth, mean))
            shown = np.linspace(0, truth.size - 1, min(truth.size, MOST_DOTS)).astype(int)
            axes.plot(truth[shown], mean[shown], color=color, **dot_options(len(shown), 0.8), zorder=2 - k)
            r = np.corrcoef(truth, mean)[0, 1]
            place = {"transform": axes.transAxes, "va": "top", "fontsize": 6, "color": color, "zorder": 4}
            place["bbox"] = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5}
            axes.text(0.04, 0.97 - 0.12 * k, f"{symbol(stem)}, r = {signed_number(r)}", **place)
        axes.set_title(title, fontsize=5.5)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1], box_aspect=1)
    for axes in panels[max(0, len(held_out) - across) : len(held_out)]:
        axes.tick_params(labelbottom=True)  # also where the last row is not full
    for axes in panels[len(held_out) :]:
        axes.remove()
    figure.supxlabel("true value, over the prior's range", fontsize=6.5)
    figure.supylabel("posterior mean", fontsize=6.5)
    return figure


def by_parameter(names: Sequence[str]) -> dict[str, list[int]]:
    """Columns of each parameter: of all its regions, or of all coefficients of its regression."""
    return columns_by_parameter([name.replace(".", "[") for name in names])


def page(
    rows: Sequence[Mapping[str, Any]],
    claims: Sequence[Mapping[str, Any]],
    cards: Sequence[Mapping[str, Any]],
    drawn: str | Path,
    costs: Sequence[Mapping[str, Any]],
) -> str:
    """The page as HTML that opens offline.

    `cards` come from `card`, `drawn` is the PNG file of the overview, `costs` are the rows of `cost_rows`.
    """
    folder = jinja2.FileSystemLoader(ROOT / "vbiflow" / "figures")
    environment = jinja2.Environment(
        loader=folder, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    limits = {"enough": ENOUGH, "recovered": RECOVERED, "untold": UNTOLD, "calibrated": CALIBRATED}
    template = environment.get_template("case_studies.html.jinja")
    picture = base64.b64encode(Path(drawn).read_bytes()).decode()
    return template.render(rows=rows, claims=claims, cards=cards, overview=picture, costs=costs, **limits) + "\n"


def card(name: str, figure: str, paths: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of one study: verdict, the figures in `paths` (folders by owner), settings, versions, data."""
    judged, notes = read_json(paths["diagnostics"]), read_attributes(paths["features"])
    drawn = []
    for number, folder in enumerate(paths["folders"]):
        for shown in SHOWN if number in (0, len(paths["folders"]) - 1) else REPEATED:
            path = Path(folder) / f"{shown}.svg"
            if path.is_file():
                text = caption(ROOT / "rules" / "report" / f"{shown}.rst")
                prefix = f"{name}-{number}-{shown}".replace("@", "-")
                svg, width = inline_svg(path.read_text(encoding="utf-8"), prefix, text)
                drawn.append({"svg": svg, "width": width, "caption": f"{Path(folder).parent.name}: {text}"})
    return {
        "name": name,
        "figure": figure,
        "title": settings["title"],
        "description": settings.get("description", ""),
        "verdict": judged["verdict"],
        "reasons": judged["reasons"][:3],
        "figures": drawn,
        "choices": paths["choices"],
        "settings": as_yaml(dict(settings)),
        "versions": notes.get("versions", {}),
        "sources": notes.get("sources", []),
    }
