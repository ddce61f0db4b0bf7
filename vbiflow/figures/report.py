"""The report of a study: one HTML page that holds everything it shows, verdicts first."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

import vbiflow
from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.diagnostics.grade import GRADES, grade_in_words
from vbiflow.exclusion import read_exclusion
from vbiflow.figures.style import NOT_DRAWN, WIDTH, symbol
from vbiflow.io import read, read_attributes, read_json
from vbiflow.marginals import read_prior
from vbiflow.pools import AVERAGE, LEAVE_ONE_OUT, POOLED
from vbiflow.posterior_table import statistics
from vbiflow.prior import Prior
from vbiflow.provenance import source_commit

REM = 60.0
"""Width [rem] on the page of a figure that is WIDTH inches wide."""
OF_ESTIMATOR = ("connectome", "prior", "features", "training", "diagnostics", "features_report")
MNE = "Gramfort et al. 2013, MEG and EEG data analysis with MNE-Python, doi:10.3389/fnins.2013.00267."
COLUMNS = 8
"""Parameters that the table of a cohort shows; all are in cohort.tsv."""
REFERENCE = re.compile(r'(?<=href="#)[^"]+|(?<=url\(#)[^)]+')
IDS = re.compile(r' id="([^"]*)"')
DOI = re.compile(r"doi:(10\.\S+?)(?=[;,)\s]|\.?$)")


def report(template: str | Path, files: Mapping[str, Sequence[str]], settings: Mapping[str, Any]) -> str:
    """Return the page of a study.

    Parameters
    ----------
    template : path of the Jinja2 template.
    files : paths by kind. One an estimator: connectome, prior, features, and training, diagnostics, features_report
        (.json). One a subject: samples, verdict, x_o, and pages, where subjects have their own. Any number:
        estimator_figures and subject_figures (folders <owner>/figures of .svg), cohort (.tsv, and the folder figures),
        and captions (.rst), named as the figures; figures come in their order. Where a note stands in place of a file
        its subject is left out.
    settings : study (its name), alone (the subject whose own page it is, or empty), settings (the study file), model
        (title and reference), nodes (regions or sensors), estimator_of (the estimator of each subject), figures (names
        of those that the study wants, by kind and owner): one that is not in its folder is told in its place.
    """
    notes = {Path(path).parent.name: read_exclusion(path) for path in files["verdict"]}
    files = {kind: [path for path in paths if read_exclusion(path) is None] for kind, paths in files.items()}
    captions = {Path(path).stem: caption(path, settings["nodes"]) for path in files["captions"]}
    number = count(1)

    def drawn(kind: str, owner: str = "", without: Sequence[str] = ()) -> list[dict[str, Any]]:
        folders = [Path(path) for path in files[kind] if owner in ("", Path(path).parent.name)]
        paths = {path.stem: path for folder in folders for path in folder.glob("*.svg")}
        if any(folder.is_dir() for folder in folders):
            wanted = settings["figures"].get(kind, {}).get(owner, ())
            paths = {name: folders[-1] / f"{name}.svg" for name in wanted} | paths
        return [
            describe_figure(paths[name], captions[name], f"{kind[0]}-{owner}-{name}", number)
            for name in captions
            if name in paths and name not in without
        ]

    cohort = drawn("cohort")  # figures are numbered in the order of the page
    owned = {kind: {Path(path).parent.name: path for path in paths} for kind, paths in files.items()}
    subjects = {
        name: describe_subject(
            owned["samples"][name], owned["verdict"][name], owned["prior"][settings["estimator_of"][name]]
        )
        | {
            "recording": describe_recording(owned["x_o"][name]),
            "figures": drawn("subject_figures", name),
            "estimator": settings["estimator_of"][name],
        }
        for name in owned["verdict"]
    }
    estimators = {
        name: describe_estimator({kind: owned[kind][name] for kind in OF_ESTIMATOR}) for name in owned["diagnostics"]
    }
    for name, one in estimators.items():
        one["figures"] = drawn("estimator_figures", name, [] if one["n_invalid"] else ["invalid"])
    shown_figures = [
        item for one in ({"figures": cohort}, *subjects.values(), *estimators.values()) for item in one["figures"]
    ]
    reached = Counter(one["verdict"]["parts"]["model"]["grade"] for one in subjects.values())
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {
        "symbol": symbol,
        "linked": link_dois,
        "estimator": estimator_title,
        "lower_first": lower_first,
        "number": format_value,
        "share": format_share,
        "yaml": as_yaml,
    }
    text = Path(template).read_text(encoding="utf-8")
    heading = {"title": settings["study"], "description": ""} | dict(settings["settings"])
    return page.from_string(text).render(
        **settings,
        marginals=read_prior(settings["settings"]["prior"]),
        version=vbiflow.__version__,
        commit=source_commit(),
        title=heading["title"],
        description=heading["description"],
        estimators=estimators,
        subjects=subjects,
        left_out={name: note.reason for name, note in notes.items() if note},
        cohort=cohort,
        grades=[(grade_in_words(grade), reached[grade]) for grade in reversed(GRADES) if grade in reached],
        not_drawn=[item for item in shown_figures if not item["drawn"]],
        untold=THRESHOLDS["information"],
        columns=[row["name"] for row in next(iter(subjects.values()))["rows"] if "[" not in row["name"]][:COLUMNS],
        table=[Path(path).name for path in files["cohort"] if Path(path).suffix == ".tsv"],
        pages={Path(path).parent.name: f"subjects/{Path(path).parent.name}/report.html" for path in files["pages"]},
        served={name: [one for one, by in subjects.items() if by["estimator"] == name] for name in estimators},
        mne=MNE if any("mne" in read_attributes(path).get("versions", {}) for path in files["x_o"]) else "",
        provenance=collect_provenance(files),
        stages=list_stages(files),
    )


def describe_estimator(paths: Mapping[str, str]) -> dict[str, Any]:
    """What the page says of one estimator and the connectome that it was trained on."""
    simulated, history = read(paths["features"], "valid", "reason", "names"), read_json(paths["training"])
    prior = Prior.from_plain(read_attributes(paths["prior"])["prior"])
    reasons = Counter(reason for reason, good in zip(simulated["reason"], simulated["valid"], strict=True) if not good)
    return {
        "verdict": read_json(paths["diagnostics"]),
        "training": {key: value for key, value in history.items() if not isinstance(value, list | dict)},
        "n_simulations": len(simulated["valid"]),
        "n_invalid": int((~simulated["valid"]).sum()),
        "invalid_reasons": reasons.most_common(5),
        "features": simulated["names"],
        "choice": read_json(paths["features_report"]),
        "n_nodes": len(read(paths["connectome"], "labels")["labels"]),
        "findings": read_attributes(paths["connectome"]).get("findings", []),
        "prior": prior.to_config()["prior"],
    }


def describe_subject(samples: str, verdict: str, prior: str) -> dict[str, Any]:
    """What the page says of one subject: verdict, and a row a parameter."""
    truth = read(samples, "truth")["truth"]
    found = statistics(samples, prior).items()
    units = read_attributes(prior)["prior"]["units"]
    rows = [
        {"name": name, "unit": units[name.partition("[")[0].partition(".")[0]], **values, "truth": true}
        for (name, values), true in zip(found, truth, strict=True)
    ]
    held = sum(row["q05"] <= row["truth"] <= row["q95"] for row in rows)
    return {"verdict": read_json(verdict), "rows": rows, "truth": bool(np.isfinite(truth).any()), "held": held}


def describe_figure(path: Path, caption: str, name: str, number: Any) -> dict[str, Any]:
    """One figure: its drawing as markup to stand in the page, caption, number, and width on the page.

    In place of one whose file is missing stands a line that says so.
    """
    if not path.is_file():
        line = Markup("<p>{} is missing; delete its folder and run again.</p>").format(path)
        return {"id": name, "svg": line, "caption": caption, "number": next(number), "width": REM, "drawn": False}
    svg = path.read_text(encoding="utf-8")
    drawing, width = inline_svg(svg, name, caption)
    drawn = f'id="{NOT_DRAWN}"' not in svg
    return {"id": name, "svg": drawing, "caption": caption, "number": next(number), "width": width, "drawn": drawn}


def inline_svg(svg: str, prefix: str, label: str) -> tuple[Markup, float]:
    """Return an SVG file as an element of an HTML page, its ids short and unique by `prefix`, and its width [rem]."""
    start = svg.find("<svg")
    match = re.search(r'width="([\d.]+)pt"', svg)
    if start < 0 or not match:
        raise ValueError(f"{prefix}: not an SVG figure with a width in pt; delete it and run again")
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg[start:], flags=re.DOTALL)
    head, rest = body.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    stem = f"{zlib.crc32(prefix.encode()):x}"
    short = {name: f"i{stem}.{k:x}" for k, name in enumerate(dict.fromkeys(REFERENCE.findall(rest)))}
    rest = REFERENCE.sub(lambda found: short[found[0]], rest)
    rest = IDS.sub(lambda found: f' id="{short[found[1]]}"' if found[1] in short else "", rest)
    opening = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(label)}">'
    return Markup(opening + rest.rstrip()), REM * float(match[1]) / 72 / WIDTH


def caption(path: str | Path, nodes: str = "regions") -> str:
    """Caption of a figure on one line, with what its nodes are: regions or sensors."""
    text = " ".join(Path(path).read_text(encoding="utf-8").split())
    return text.format(nodes=nodes, node=nodes.removesuffix("s"))


def estimator_title(name: str) -> str:
    """What an estimator is called on the page, so that nobody takes it for the subject whose folder's name it has."""
    if name == POOLED:
        return "Estimator pooled over all connectomes"
    if name == AVERAGE:
        return "Estimator on the mean of all connectomes"
    if name.startswith(LEAVE_ONE_OUT):
        return f"Estimator pooled without {name.removeprefix(LEAVE_ONE_OUT)}"
    return f"Estimator on the connectome of {name}"


def lower_first(text: str) -> str:
    """Text as it stands within a sentence."""
    return text[:1].lower() + text[1:]


def describe_recording(x_o: str) -> str:
    """What a subject's recording was, on one line: file, kind, length, channels, rate, reference, unread columns."""
    notes = read_attributes(x_o)
    parts = [str(notes.get("recording_kind", "")).upper().replace("SIMULATED", "a simulation")]
    if "recording_duration" in notes:
        seconds, channels = notes["recording_duration"], notes["recording_channels"]
        parts.append(f"{seconds / 60:.3g} min used" if seconds >= 90 else f"{seconds:.3g} s used")
        rate = notes["recording_rate"]
        sampling = f"{rate:.4g} samples a second" if rate >= 2 else f"a sample every {1 / rate:.4g} s"
        parts += [f"{channels} channels", sampling]
    if notes.get("recording_reference", "none") != "none":
        parts.append(f"reference {notes['recording_reference']}")
    if notes.get("recording_time_scale"):
        parts.append(f"a simulated second stands for {notes['recording_time_scale']:.4g} s")
    if notes.get("recording_space"):
        parts.append(f"contacts and regions in {notes['recording_space']}")
    if notes.get("recording_unread"):
        parts.append(f"columns of the cohort that nobody reads: {notes['recording_unread']}")
    return ", ".join([notes["recording_file"], *filter(None, parts)]) if "recording_file" in notes else ""


def list_stages(files: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Stage, seed and hashes of settings and code of one file of each stage."""
    found = []
    for kind in ("connectome", "prior", "features", "samples"):
        notes = read_attributes(files[kind][0])
        found.append({key: notes.get(key, "") for key in ("rule", "seed", "config_hash", "code")})
    return found


def collect_provenance(files: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Versions and data sources noted in all files, and the seed."""
    kinds = ("connectome", "prior", "features", "x_o", "samples")
    notes = [read_attributes(path) for kind in kinds for path in files[kind]]
    versions, sources = {}, {}
    for note in notes:
        versions |= note.get("versions", {})
        sources |= {source["name"]: source for source in note.get("sources", [])}
    seeds = sorted({note["seed"] for note in notes if note.get("seed", -1) >= 0})
    return {"versions": dict(sorted(versions.items())), "sources": list(sources.values()), "seeds": seeds}


def link_dois(text: str) -> Markup:
    """Escape text and turn each doi:... in it into a link."""
    return Markup(DOI.sub(r'<a href="https://doi.org/\1">doi:\1</a>', str(escape(text))))


def format_value(value: float | None) -> str:
    """Three significant digits, no fewer than the integer part has, and a true minus sign; a dash for no value."""
    if value is None or not np.isfinite(value):
        return "–"
    return (f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}").replace("-", "−")


def format_share(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.3g} %"


def as_yaml(content: Any) -> str:
    """Plain data as the YAML of a study file."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100).strip()
