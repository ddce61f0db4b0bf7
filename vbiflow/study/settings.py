"""Settings of a study: its YAML file, checked against the schema and completed with defaults and a scale's entries."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vbiflow.features import expand_sets
from vbiflow.models import find_model, known_models
from vbiflow.places import relative_path, user_path
from vbiflow.provenance import ROOT
from vbiflow.reading import suggest
from vbiflow.study.document import read_document, shorten_value
from vbiflow.study.schema import check_schema

NAME = re.compile(r"[A-Za-z0-9_-]+")
RESULTS = ("comparison", "amortisation", "case_studies")
"""Folders of results that are no study's."""
DEFAULTS: dict[str, Any] = {
    "parameters": {},
    "connectome": {
        "per": "subject",
        "select": {},
        "normalise": ["max"],
        "accept": [],
        "maps": {},
        "streamlines": {},
    },
    "truth": {},
    "simulation": {"transient": 0.0, "precision": "float32", "shard_size": 500, "keep": False},
    "recording": {},
    "preparation": {},
    "discrepancy": [],
    "inference": {"estimator": "maf", "rounds": 1},
    "posterior": {"n_samples": 10000},
    "diagnostics": {
        "n_predictive": 100,
        "n_floor": 20,
        "thresholds": {},
        "scores": [],
        "ablation": False,
        "exact": False,
        "sensitivity": True,
        "local_c2st": False,
        "robust": False,
        "controls": True,
        "require": None,
        "baselines": False,
        "optimise": 0,
        "estimators": [],
        "learning_curve": [],
    },
    "resources": {},
}


def read_settings(name: str, config: Path | None = None) -> tuple[str, dict[str, Any]]:
    """How messages call a study's file, and its settings with the scale's entries and defaults.

    Raises
    ------
    ValueError
        In one line, with the file, the keys, what was found and what is allowed.
    """
    stem, _, scale = name.partition("@")
    path = study_path(stem, config)
    where = relative_path(path)
    settings = read_document(path, where)
    scales = settings.pop("scales", None) or {}
    if not isinstance(scales, dict):
        raise ValueError(f"{where}: scales: found {shorten_value(scales)}; write name: {{key: value}} for each scale")
    unfit = next((each for each in scales if not NAME.fullmatch(each)), None)
    if unfit is not None:
        raise ValueError(f"{where}: scale {shorten_value(unfit)}: name it by letters, digits, - and _")
    if scale:
        if scale not in scales:
            raise ValueError(f"{where}: unknown scale {scale!r}; it has {', '.join(scales) or 'none'}")
        where = f"{where}: scale {scale}"
        if not isinstance(scales[scale], dict):
            raise ValueError(f"{where}: found {shorten_value(scales[scale])}; write the keys that it replaces")
        settings = merge_settings(settings, scales[scale])
    settings = merge_settings(DEFAULTS, check_schema(settings, "study", where))
    if settings["model"] in known_models():
        defaults = find_model(settings["model"]).defaults
        settings["simulation"] = {"integrator": "heun", **defaults, **settings["simulation"]}
    settings["features"] = expand_sets(settings["features"])
    return where, settings


def study_path(stem: str, config: Path | None = None) -> Path:
    """The file of a study; a folder of one's own, the working directory's, comes before the workflow's."""
    if not NAME.fullmatch(stem) or stem in RESULTS:
        raise ValueError(
            f"study {shorten_value(stem)}: name it by letters, digits, - and _, and not {' or '.join(RESULTS)}"
        )
    path = user_path(f"config/studies/{stem}.yaml") if config is None else config / "studies" / f"{stem}.yaml"
    if not path.is_file():
        known = list(dict.fromkeys(file.stem for file in study_files(config)))
        names = ", ".join(known) or "none"
        raise ValueError(
            f"unknown study {stem!r}; choose from {names}, or write {relative_path(path)}{suggest(stem, known)}"
        )
    return path


def study_files(config: Path | None = None) -> list[Path]:
    """Files of the studies that can be asked for; hidden ones, which editors and systems leave behind, are none.

    Nor are folders, pipes and links to nothing, or names that no study may have.
    """
    folders = [Path("config"), ROOT / "config"] if config is None else [config]
    files = [file for folder in folders for file in sorted((folder / "studies").glob("*.yaml"))]
    return [file for file in files if NAME.fullmatch(file.stem) and file.is_file()]


def scales_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Scales of a study's file that can be asked for."""
    found = content.get("scales")
    return {name: scale for name, scale in found.items() if NAME.fullmatch(name)} if isinstance(found, dict) else {}


def known_studies(config: Path | None = None) -> list[str]:
    """Names of the studies, and of their scales as ``name@scale``; of a file that cannot be read the name alone."""
    names: dict[str, None] = {}
    for file in study_files(config):
        try:
            scales = scales_of(read_document(file, file.name))
        except ValueError:
            scales = {}
        names |= dict.fromkeys([file.stem, *(f"{file.stem}@{scale}" for scale in scales)])
    return list(names)


def kept_studies(config: Path | None = None) -> list[str]:
    """Names of the studies that keep their simulated series; files that cannot be read are no matter of this."""
    kept = []
    for file in study_files(config):
        try:
            content = read_document(file, file.name)
        except ValueError:
            continue
        variants = {file.stem: {}} | {f"{file.stem}@{name}": scale for name, scale in scales_of(content).items()}
        for name, scale in variants.items():
            simulation = merge_settings(content, scale if isinstance(scale, dict) else {}).get("simulation")
            if isinstance(simulation, dict) and simulation.get("keep") is True:
                kept.append(name)
    return kept


def load_config(path: Path, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The top configuration: which studies plain `snakemake` runs; what is `given` on the command line comes first."""
    where = relative_path(path)
    content = read_document(path, where) if path.is_file() else {}
    if given:
        with contextlib.suppress(ValueError):
            check_schema(content, "config", where)
            where = "--config or --configfile"
    content = check_schema({**content, **(given or {})}, "config", where)
    studies = content["studies"]
    cases = content.get("case_studies", [])
    return (
        {"scale": "quick"}
        | content
        | {
            "studies": [studies] if isinstance(studies, str) else studies,
            "case_studies": [cases] if isinstance(cases, str) else cases,
        }
    )


def asked_studies(arguments: Iterable[str]) -> list[str]:
    """Names of the studies whose results stand among the arguments of a command."""
    names: dict[str, None] = {}
    for argument in arguments:
        folder, _, rest = argument.partition("/")
        name, _, others = rest.partition("/")
        if folder == "results" and name == "case_studies":
            continue
        if folder == "results" and name in RESULTS:
            names |= dict.fromkeys(others.partition("/")[0].removesuffix(".svg").split("+"))
        elif folder == "results" and name:
            names[name] = None
    return list(names)


def device_of(amounts: Mapping[str, Mapping[str, Any]]) -> str:
    """Device on which a profile lets rules simulate, `cuda` or `cpu`, by the resources that it sets for each rule."""
    given = (str(getattr(own["gpu"], "value", own["gpu"])) for name, own in amounts.items() if own.get("gpu"))
    simulating = [gpu for gpu in given if gpu != "0"]
    return "cuda" if simulating else "cpu"


def merge_settings(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the entries of `over` replaced; the blocks that DEFAULTS names are merged key by key."""
    out = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping) and key not in ("prior", "observation")
        out[key] = {**out[key], **copy.deepcopy(value)} if both else copy.deepcopy(value)
    return out
