"""The page of the case studies: summary, claims, and a card for each study with its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from vbiflow.claims import CALIBRATED, ENOUGH, RECOVERED, UNTOLD
from vbiflow.figures.report import as_yaml, caption, inline_svg
from vbiflow.io import read_attributes, read_json
from vbiflow.provenance import ROOT

SHOWN = (
    *("series", "psd", "fc", "fcd", "marginals", "brain", "pairs", "sensitivity"),
    *("recovery", "calibration", "features", "baselines", "learning_curve"),
)
"""Figures on a card, in the paper's order."""
REPEATED = ("marginals", "brain")
"""Those of the second and further people, whose other figures stand in the study's own report."""


def page(
    rows: Sequence[Mapping[str, Any]], claims: Sequence[Mapping[str, Any]], cards: Sequence[Mapping[str, Any]]
) -> str:
    """The page as HTML that opens offline; `cards` come from `card`."""
    folder = jinja2.FileSystemLoader(ROOT / "vbiflow" / "figures")
    environment = jinja2.Environment(
        loader=folder, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    limits = {"enough": ENOUGH, "recovered": RECOVERED, "untold": UNTOLD, "calibrated": CALIBRATED}
    template = environment.get_template("case_studies.html.jinja")
    return template.render(rows=rows, claims=claims, cards=cards, **limits) + "\n"


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
        "settings": as_yaml(dict(settings)),
        "versions": notes.get("versions", {}),
        "sources": notes.get("sources", []),
    }
