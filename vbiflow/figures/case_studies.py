"""The page of the case studies: summary, claims, and a card for each study with its figures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vbiflow.case_results import CALIBRATED, ENOUGH
from vbiflow.case_studies import core_hours, cost_of_figure_7
from vbiflow.decisions import LEAST, RECOVERED, UNTOLD
from vbiflow.figures.diagnostics import LEAST_LEFT, columns_by_parameter, shrinkage_axis
from vbiflow.figures.report import as_yaml, caption, inline_svg
from vbiflow.figures.style import (
    PALETTE,
    SERIES,
    canvas,
    dot_options,
    letter_panels,
    signed_number,
    styled,
    symbol,
)
from vbiflow.io import read_attributes, read_json
from vbiflow.provenance import ROOT

SHOWN = (
    *("series", "psd", "fc", "fcd", "regional_features", "marginals", "estimators", "brain", "pairs"),
    *("sensitivity", "cohort_pairs", "noise_levels", "recovery", "calibration", "features", "scatter", "plane"),
    *("baselines", "learning_curve"),
)
"""Figures on a card, in the paper's order."""
REPEATED = ("series", "psd", "fcd", "marginals", "brain")
"""Those of the second and further people, whose other figures stand in the study's own report."""
PICTURES = {
    "overview": "Posterior mean against truth of held-out simulations, over each parameter's prior; a panel a study, "
    "a colour a parameter, above it their correlation.",
    "accuracy": "How the coupling is told by estimators that learnt from few simulations, tested on the same held-out "
    "ones: error of the posterior mean, shrinkage, and share of truths within 90 % intervals.",
    "costs": "A: time of simulating the Montbrio network of 84 regions with BOLD, by Heun's method at dt 0.1 "
    "(docs/gpu_check.json); dashed, at the cost of the last measured. B: processor time of each study's stages, behind "
    "its name the number of simulations.",
}
"""Captions of the pictures of all studies, by the names of their functions."""
MOST_DOTS = 600
"""Dots of a parameter that are drawn at most."""
ROWS = (6, 5, 7)
"""Panels in one row of the overview: of these the number that leaves the fewest places empty, the first if equal."""
STAGES = {"simulate": "simulation", "features": "features", "train": "training", "sample": "sampling"}
"""What the stages of a study are called, by the columns of the summary."""
CURVES = ("rmse", "shrinkage", "coverage_90")
"""What is drawn of learning curves."""
LINES = ("-", "--", ":")
"""Styles of the lines of estimators, in turn."""
SECONDS, PAPER_SIMULATIONS = 250, 500_000
"""Simulated seconds of one BOLD recording, as in figure 2, supplement 1, and simulations of figure 7."""


@styled
def overview(held_out: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw posterior mean against truth of held-out simulations, a panel a study, a colour a parameter.

    `held_out` has by title theta and mean (n_simulations, n_parameters) and names. Axes span each parameter's range. At
    most MOST_DOTS dots of a parameter are drawn; the correlation is that of all.
    """
    across = min(len(held_out), min(ROWS, key=lambda row: -len(held_out) % row))
    rows = -(-len(held_out) // across)
    lines = max(-(-len(by_parameter(found["names"])) // 2) for found in held_out.values())
    figure = canvas((1.4 + 0.11 * lines) * rows, max(1.2 * across, 2.4))
    panels = figure.subplots(rows, across, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (title, found) in zip(panels, held_out.items(), strict=False):
        axes.plot([0, 1], [0, 1], color=PALETTE["ink"], linewidth=0.6, linestyle="--", zorder=3)
        groups = by_parameter(found["names"])
        last = (len(groups) - 1) // 2
        for k, ((stem, columns), color) in enumerate(zip(groups.items(), SERIES, strict=False)):
            truth, mean = (np.asarray(found[key], float)[:, columns] for key in ("theta", "mean"))
            low, high = truth.min(axis=0), truth.max(axis=0)
            truth, mean = (((values - low) / (high - low)).ravel() for values in (truth, mean))
            shown = np.linspace(0, truth.size - 1, min(truth.size, MOST_DOTS)).astype(int)
            axes.plot(truth[shown], mean[shown], color=color, **dot_options(len(shown), 0.8), zorder=2 - k)
            r = np.corrcoef(truth, mean)[0, 1]
            place = 0.54 * (k % 2), 1.03 + 0.1 * (last - k // 2)  # above the dots, two in a line
            label = f"{symbol(stem)} {signed_number(r)}"
            axes.text(*place, label, transform=axes.transAxes, fontsize=6, color=color)
        axes.set_title(title, fontsize=5.5, pad=12 + 8 * last)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1], box_aspect=1)
    for axes in panels[max(0, len(held_out) - across) : len(held_out)]:
        axes.tick_params(labelbottom=True)  # also where the last row is not full
    for axes in panels[len(held_out) :]:
        axes.remove()
    figure.supxlabel("true value, over the prior's range (above each panel: correlation of both)", fontsize=6.5)
    figure.supylabel("posterior mean", fontsize=6.5)
    return figure


@styled
def costs(rows: Sequence[Mapping[str, Any]], times: Sequence[Mapping[str, Any]], machine: Mapping[str, Any]) -> Figure:
    """Draw what simulations cost on a CPU and on a GPU by their number, and the processor time of each study by stage.

    `rows` are those of the summary; `times` those of a GPU check of one model and number of nodes, each with device,
    n_simulations and ms_per_simulated_s; `machine` has its cores and its GPU, device. Dashed: more at the last cost.
    """
    figure = canvas(max(2.8, 0.9 + 0.135 * len(rows)))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    devices = {"cpu": f"{machine['cores']} CPU cores", "cuda": machine["device"]} if times else {}
    for (device, label), color in zip(devices.items(), SERIES, strict=False):
        found = sorted((one["n_simulations"], one["ms_per_simulated_s"]) for one in times if one["device"] == device)
        number, each = np.transpose(found)
        hours = number * each * SECONDS / 3.6e6
        left.plot(number, hours, "o-", color=color, markersize=3, label=label)
        more = np.array([1, PAPER_SIMULATIONS / number[-1]])
        left.plot(number[-1] * more, hours[-1] * more, "--", color=color, linewidth=0.8)
    left.set(xscale="log", yscale="log", xlabel=f"simulations of {SECONDS} s", ylabel="time [h]")
    left.set_title("Montbrio network with BOLD")
    if times:
        left.legend(loc="upper left")
    else:
        left.set_axis_off()
    places = np.arange(len(rows))
    aside = np.linspace(-0.24, 0.24, len(STAGES))  # so that equal times do not hide each other
    for (stage, label), offset, color in zip(STAGES.items(), aside, SERIES, strict=False):
        seconds = [float(row.get(f"{stage}_s") or "nan") for row in rows]
        right.plot(seconds, places + offset, "o", color=color, markersize=3.5, markeredgewidth=0, label=label)
    right.set(xscale="log", xlabel="processor time [s]", ylim=(len(rows) - 0.4, -0.6), title="Stages of each study")
    right.set_yticks(places, [f"{row['study']}, {row['simulations']}" for row in rows], fontsize=5.5)
    for place in places[1:]:
        right.axhline(place - 0.5, color=PALETTE["band"], linewidth=0.4)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(STAGES), handletextpad=0.1)
    letter_panels([left, right])
    return figure


@styled
def accuracy(curves: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw error, shrinkage and coverage of the first parameter against the number of simulations, a colour a study.

    `curves` holds by study what learning_curve.h5 does. Each estimator has a line style and a panel of coverage.
    """
    figure = canvas(2.7)
    names = dict.fromkeys(name for curve in curves.values() for name in curve["estimators"])
    lines = dict(zip(names, cycle(LINES), strict=False))
    panels = figure.subplots(1, 2 + len(lines))
    inside = dict(zip(lines, panels[2:], strict=True))
    for (study, curve), color in zip(curves.items(), SERIES * 99, strict=False):
        for k, estimator in enumerate(curve["estimators"]):
            look = {"color": color, "markersize": 3, "marker": "o", "linestyle": lines[estimator]}
            label = {} if k else {"label": f"{study}, {symbol(curve['parameters'][0])}"}
            errors, shrinkage, coverage = (np.asarray(curve[key])[k, :, 0] for key in CURVES)
            panels[0].plot(curve["n_simulations"], errors, **look, **label)
            panels[1].plot(curve["n_simulations"], np.clip(1 - shrinkage, LEAST_LEFT, None), **look)
            inside[estimator].plot(curve["n_simulations"], coverage, **look)
    panels[0].set(yscale="log", ylabel="RMSE / prior s.d.", title="Error")
    panels[1].set_title("Shrinkage")
    shrinkage_axis(panels[1], "y")
    least = min(0.75, *(axes.get_ylim()[0] for axes in panels[2:]))
    for estimator, axes in inside.items():
        axes.axhline(0.9, color=PALETTE["ink"], linewidth=0.8, linestyle=":")
        axes.set(ylim=(least, 1), title=f"90 % intervals, {estimator}" if len(lines) > 1 else "90 % intervals")
    panels[2].set_ylabel("share of truths inside")
    for axes in panels:
        axes.set(xscale="log", xlabel="simulations")
    handles, labels = panels[0].get_legend_handles_labels()
    if len(lines) > 1:
        look = {"color": PALETTE["ink"], "linewidth": 1}
        handles += [Line2D([], [], linestyle=line, **look) for line in lines.values()]
        labels += lines
    figure.legend(handles, labels, loc="outside lower center", ncols=4 if len(labels) > 6 else 3, handlelength=2.4)
    letter_panels(panels)
    return figure


def by_parameter(names: Sequence[str]) -> dict[str, list[int]]:
    """Columns of each parameter: of all its regions, or of all coefficients of its regression."""
    return columns_by_parameter([name.replace(".", "[") for name in names])


def page(
    rows: Sequence[Mapping[str, Any]],
    claims: Sequence[Mapping[str, Any]],
    cards: Sequence[Mapping[str, Any]],
    drawn: Mapping[str, str | Path],
    costs: Sequence[Mapping[str, Any]],
) -> str:
    """The page as HTML that opens offline.

    `cards` come from `card`, `drawn` are PNG files of PICTURES by name, those that say something, `costs` are the rows
    of `cost_rows`.
    """
    folder = jinja2.FileSystemLoader(ROOT / "vbiflow" / "figures")
    environment = jinja2.Environment(
        loader=folder, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    limits = {"enough": ENOUGH, "recovered": RECOVERED, "untold": UNTOLD, "least": LEAST, "calibrated": CALIBRATED}
    template = environment.get_template("case_studies.html.jinja")
    pictures = {PICTURES[name]: base64.b64encode(Path(path).read_bytes()).decode() for name, path in drawn.items()}
    tables = {"rows": rows, "claims": claims, "costs": costs, "figure_7": cost_of_figure_7(rows)}
    return template.render(**tables, cards=cards, pictures=pictures, **limits) + "\n"


def card(
    name: str, figure: str, paths: Mapping[str, Any], settings: Mapping[str, Any], row: Mapping[str, Any]
) -> dict[str, Any]:
    """What the page says of one study: verdict, times, figures, settings, versions, data.

    First of `folders` is a person's; `row` is that of the summary.
    """
    judged, notes = read_json(paths["diagnostics"]), read_attributes(paths["features"])
    drawn = []
    for number, folder in enumerate(paths["folders"]):
        further = number > 0 and Path(folder).parents[1].name == "subjects"
        for shown in REPEATED if further else SHOWN:
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
        "minutes": ", ".join(f"{STAGES[stage]} {60 * hours:.1f}" for stage, hours in core_hours(row).items() if hours),
        "figures": drawn,
        "choices": paths["choices"],
        "settings": as_yaml(dict(settings)),
        "versions": notes.get("versions", {}),
        "sources": notes.get("sources", []),
    }
