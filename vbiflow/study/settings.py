"""Settings of a study: its YAML file, checked against the schema and completed with defaults and a scale's entries."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from vbiflow.features import expanded
from vbiflow.models import MODELS
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.provenance import ROOT

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
        "baselines": False,
        "optimise": 0,
        "estimators": [],
        "learning_curve": [],
    },
    "resources": {},
}


def read_settings(name: str, config: Path) -> tuple[Path, dict[str, Any]]:
    """The file of a study, and its settings with the scale's entries and defaults.

    Raises
    ------
    ValueError
        In one line, with the file, the key, what was found and what is allowed.
    """
    stem, _, scale = name.partition("@")
    path = config / "studies" / f"{stem}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise ValueError(f"unknown study {stem!r}; choose from {', '.join(known)}, or write {relative_path(path)}")
    settings = parse(path)
    scales = settings.pop("scales", {})
    if scale and scale not in scales:
        raise ValueError(f"{relative_path(path)}: unknown scale {scale!r}; it has {', '.join(scales) or 'none'}")
    settings = merged(settings, scales.get(scale, {}))
    check_schema(settings, config / "schemas" / "study.schema.yaml", path)
    settings = merged(DEFAULTS, settings)
    if settings["model"] in MODELS:
        settings["simulation"] = {"integrator": "heun", **MODELS[settings["model"]].defaults, **settings["simulation"]}
    settings["features"] = expanded(settings["features"])
    return path, settings


def known_studies(config: Path = ROOT / "config") -> list[str]:
    """Names of the study files, and of their scales as ``name@scale``."""
    files = sorted((config / "studies").glob("*.yaml"))
    return [
        name for file in files for name in (file.stem, *(f"{file.stem}@{s}" for s in parse(file).get("scales", {})))
    ]


def load_config(path: Path) -> dict[str, Any]:
    """The top configuration: which studies plain `snakemake` runs."""
    content = parse(path)
    check_schema(content, path.parent / "schemas" / "config.schema.yaml", path)
    return content


def relative_path(path: Path) -> str:
    """`path` as a user of the repository writes it."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def parse(path: Path) -> dict[str, Any]:
    """YAML mapping of a file; a syntax error is told with its line."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{relative_path(path)}: line {line}: {error.problem}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{relative_path(path)}: found {content!r}; write key: value pairs")
    return content


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the entries of `over` replaced; the blocks that DEFAULTS names are merged key by key."""
    out = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping) and key not in ("prior", "observation")
        out[key] = {**out[key], **copy.deepcopy(value)} if both else copy.deepcopy(value)
    return out


def check_schema(content: Mapping[str, Any], schema: Path, path: Path) -> None:
    """Raise the first violation of `schema` as one line."""
    found = validator(schema.read_text(encoding="utf-8")).iter_errors(content)
    for error in sorted(found, key=lambda error: list(map(str, error.path))):
        raise ValueError(f"{relative_path(path)}: {described(error)}")


@cache
def validator(schema: str) -> Draft202012Validator:
    """What checks content against the text of a schema, which is parsed once for all studies."""
    content = yaml.safe_load(schema)
    if "observation_model" in content.get("$defs", {}):
        own = {name: {"$ref": "#/$defs/observation_model"} for name in OBSERVATION_MODELS}
        content["properties"]["observation"]["properties"] |= own
    return Draft202012Validator(content)


def described(error: Any) -> str:
    """One line on a jsonschema error: where, what was found, what is allowed."""
    where = ".".join(map(str, error.path)) or "top level"
    if error.validator == "additionalProperties":
        allowed = list(error.schema["properties"])
        unknown = [key for key in error.instance if key not in allowed]
        near = difflib.get_close_matches(str(unknown[0]), allowed, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{where}: unknown key {unknown[0]!r}{hint} Allowed: {', '.join(allowed)}"
    if error.validator == "required":
        missing = [key for key in error.schema["required"] if key not in error.instance]
        return f"{where}: missing {', '.join(missing)}"
    return f"{where}: {error.message}"
