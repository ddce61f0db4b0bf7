"""All features by name, and what a study's `features` list means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vbiflow.features import (
    complexity,
    connectivity,
    distribution,
    dynamics,
    information,
    phase,
    spectral,
    states,
    temporal,
)
from vbiflow.features.feature import Feature
from vbiflow.places import load_user_module, user_modules
from vbiflow.reading import suggest
from vbiflow.text_tables import markdown_table

MODULES = (distribution, temporal, spectral, connectivity, dynamics, phase, information, complexity, states)

FEATURES: dict[str, Feature] = {
    member.name: member for module in MODULES for member in vars(module).values() if isinstance(member, Feature)
}

OF_EPOCHS = ("distribution", "spectral", "connectivity")
"""Domains of features that epochs leave sound: windows lie within one, or the order of samples does not matter."""

Spec = str | Mapping[str, Any]

SETS: dict[str, list[Spec]] = {
    "default_bold": ["fc", "fcd", {"variance": {"per": "node"}}, "autocorrelation_time", "kuramoto"],
    "default_eeg": [{"psd": {"per": "node"}}, "spectrum", "envelope", "zero_crossings"],
}
"""Lists of features that a study asks for by one name, for slow signals such as BOLD and for M/EEG."""


def expand_sets(specs: Any) -> Any:
    """A study's list of features with the names of SETS replaced by what they stand for."""
    if isinstance(specs, str | Mapping) or not specs:
        return specs
    return [entry for spec in specs for entry in (SETS.get(spec, [spec]) if isinstance(spec, str) else [spec])]


@dataclass(frozen=True)
class Request:
    """A feature asked for by a study: under which name, with which options, from which file if its own."""

    feature: Feature
    name: str
    options: Mapping[str, Any]
    file: Path | None = None


def read_specs(specs: Sequence[Spec], folder: str | Path | None = None) -> list[Request]:
    """What a study's list of features asks for.

    An entry is a name, or a table of one name with its options; the option `as` gives its values another name. Names
    that are neither in FEATURES nor in SETS are looked for in `folder` as <name>.py.

    Raises
    ------
    ValueError
        If the list is empty, a feature or an option is unknown, a value not allowed, or a name is used twice.
    """
    if isinstance(specs, Mapping):
        specs = [{name: options} for name, options in specs.items()]
    if isinstance(specs, str) or not specs:
        raise ValueError(f"features {specs!r} is not a list of features; choose from {', '.join(FEATURES)}")
    requests = [read_spec(spec, folder) for spec in expand_sets(specs)]
    names = [request.name for request in requests]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"feature {twice[0]} is asked for twice; rename one, as in {{{twice[0]}: {{as: other}}}}")
    return requests


def check_epochs(requests: Sequence[Request]) -> None:
    """Refuse features that run across the borders of epochs; those of a study's own see them as `Batch.epoch`.

    Raises
    ------
    ValueError
        With the features that may be taken from epochs.
    """
    for request in requests:
        if request.file is None and request.feature.domain not in OF_EPOCHS:
            allowed = ", ".join(name for name, feature in FEATURES.items() if feature.domain in OF_EPOCHS)
            raise ValueError(f"feature {request.name} runs across the borders of epochs; from epochs come {allowed}")


def spectral_grid(requests: Sequence[Request], fs: float | None = None) -> dict[str, float]:
    """Resolution and highest frequency [Hz] of the spectra that features need: {"step", "highest"}.

    The resolution is that of the longest segment, in whole samples at `fs` [Hz] if it is given.

    Raises
    ------
    ValueError
        If a feature needs more than spectra, or not those of Welch's method.
    """
    for request in requests:
        if request.feature.domain != "spectral" or request.options.get("method") != "welch":
            allowed = ", ".join(name for name, feature in FEATURES.items() if feature.domain == "spectral")
            raise ValueError(f"feature {request.name} needs the series; from spectra come {allowed}, by method welch")
    segment = max(request.options["segment"] for request in requests)
    step = fs / round(segment * fs) if fs and segment * fs >= 1 else 1 / segment
    limits = [request.options["range"] for request in requests]
    limits += [edges for request in requests for _, edges in request.options.get("bands", ())]
    return {"step": step, "highest": step * math.ceil(max(high for _, high in limits) / step - 1e-9)}


def read_spec(spec: Spec, folder: str | Path | None = None) -> Request:
    """One entry of the list of features."""
    if isinstance(spec, str):
        spec = {spec: {}}
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise ValueError(f"feature {spec!r} is neither a name nor a name with options, such as {{fcd: {{window: 60}}}}")
    ((name, options),) = spec.items()
    options = dict(options or {})
    found = find_feature(str(name), folder)
    alias = str(options.pop("as", found.name))
    if not re.fullmatch(r"\w+", alias):
        raise ValueError(f"feature {name}: as: {alias!r} is not a word of letters, digits and _, such as slow_{name}")
    own = user_modules(folder)[str(name)] if str(name) not in FEATURES else None
    return Request(found, alias, found.read(options), own)


def find_feature(name: str, folder: str | Path | None = None) -> Feature:
    """The feature of that name, from FEATURES or from the study author's file `folder`/<name>.py.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name in FEATURES:
        return FEATURES[name]
    own = user_modules(folder) if folder else {}
    if name in own:
        return load_feature(own[name])
    where = f"; none in {folder}/{name}.py" if folder else ""
    known = (*FEATURES, *own, *SETS)
    raise ValueError(f"unknown feature {name!r}; choose from {', '.join(known)}{where}{suggest(name, known)}")


def load_feature(path: Path) -> Feature:
    """The feature that a Python file defines under the file's own name.

    Raises
    ------
    ValueError
        If the file fails to run or defines no feature of that name.
    """
    for member in vars(load_user_module(path, "a feature's")).values():
        if isinstance(member, Feature) and member.name == path.stem:
            return member
    raise ValueError(f'{path}: no feature named {path.stem!r}; decorate a function with @feature("{path.stem}")')


def features_schema() -> dict[str, Any]:
    """JSON schema of a study's list of features, for the features that vbiflow brings."""
    tables = {
        name: {
            "type": ["object", "null"],
            "properties": {
                "as": {"type": "string", "description": "name of its values, in place of the feature's"},
                **{key: option.schema() for key, option in feature.options.items()},
            },
            "additionalProperties": False,
            "description": feature.summary,
        }
        for name, feature in FEATURES.items()
    }
    table = {"type": "object", "properties": tables, "minProperties": 1, "maxProperties": 1}
    return {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"}, table]}}


def features_table() -> str:
    """The registry as a Markdown table: feature, domain, unit, what it is, options with their defaults."""
    rows = []
    for name, feature in FEATURES.items():
        options = ", ".join(f"`{key}`: {format_default(option.default)}" for key, option in feature.options.items())
        reference = f" ({feature.reference})" if feature.reference else ""
        rows.append((f"`{name}`", feature.domain, feature.unit, f"{feature.summary}{reference}", options))
    return markdown_table(("Feature", "Domain", "Unit", "What it is", "Options"), rows) + "\n"


def format_default(value: Any) -> str:
    """A default as a study file spells it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {format_default(entry)}" for key, entry in value.items()) + "}"
    return "[" + ", ".join(format_default(entry) for entry in value) + "]" if isinstance(value, tuple) else str(value)
