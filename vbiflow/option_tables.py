"""Members of the registries as documentation and the schema of a study as JSON for editors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from vbiflow import features
from vbiflow.connectome import CHECKS, NORMALISATIONS
from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.estimator_options import EMBEDDING_OPTIONS, ESTIMATOR_OPTIONS
from vbiflow.features.scores import SCORES
from vbiflow.marginals import FAMILIES
from vbiflow.models import MODELS
from vbiflow.study.schema import validator

HEAD = """\
# What options can be set to

Made from the registries by `make docs`. Every key of a study, with its default, stands in
[config/README.md](../config/README.md).
"""


def options_document() -> str:
    """The page docs/options.md."""
    tables = {
        "Thresholds (`diagnostics.thresholds`)": rows(
            ("threshold", "default"), ((f"`{name}`", f"{value:g}") for name, value in THRESHOLDS.items())
        ),
        "Scores of the predictive check (`diagnostics.scores`)": rows(
            ("score", "compares", "by"), ((f"`{name}`", score.what, score.by) for name, score in SCORES.items())
        ),
        "Normalisation of weights (`connectome.normalise`)": rows(
            ("step", "value", ""),
            ((f"`{name}`", step_value(step), inspect.getdoc(step)) for name, step in NORMALISATIONS.items()),
        ),
        "Findings about a connectome (`connectome.accept`)": rows(
            ("finding", ""), ((f"`{name}`", inspect.getdoc(check)) for name, check in CHECKS.items())
        ),
        "Families of the prior": rows(
            ("family", "numbers"), ((f"`{name}`", ", ".join(names)) for name, (names, _) in FAMILIES.items())
        ),
        "Embeddings (`inference.embedding`)": rows(
            ("embedding", "options"),
            (
                (f"`{name}`", ", ".join(f"`{key}`: {value}" for key, value in options.items()))
                for name, options in EMBEDDING_OPTIONS.items()
            ),
        ),
    }
    sections = "\n\n".join(f"## {title}\n\n{table}" for title, table in tables.items())
    return (
        f"{HEAD}\n{sections}\n\nParameters of every model: [models.md](models.md). Features and their options: "
        "[features.md](features.md). Estimators: [inference.md](inference.md).\n"
    )


def properties(
    node: Mapping[str, Any], path: tuple[str, ...] = (), root: Mapping[str, Any] | None = None
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Paths and entries of all keys that a schema allows, in its order."""
    root = root or node
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    for name, entry in node.get("properties", {}).items():
        target = root["$defs"][entry["$ref"].rpartition("/")[2]] if "$ref" in entry else entry
        yield (*path, name), target
        yield from properties(target, (*path, name), root)
    for choice in node.get("oneOf", ()):
        yield from properties(choice, path, root)
    if isinstance(node.get("additionalProperties"), dict):
        yield from properties(node["additionalProperties"], (*path, "<name>"), root)


def step_value(step: Any) -> str:
    """Name of the value that a step of the normalisation takes."""
    return ", ".join(list(inspect.signature(step).parameters)[1:])


def rows(head: tuple[str, ...], body: Any) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for cells in body:
        lines.append(f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def editor_schema() -> str:
    """The schema of a study as JSON (draft 7) with names out of the registries, as editors complete and check it."""
    content = json.loads(json.dumps(validator("study").schema).replace("#/$defs/", "#/definitions/"))
    content["$schema"] = "http://json-schema.org/draft-07/schema#"
    content["definitions"] = content.pop("$defs")
    known = content["properties"]
    known["model"]["anyOf"] = [{"enum": list(MODELS)}, {"type": "string"}]  # a study may bring its own
    known["connectome"]["properties"]["accept"]["items"]["enum"] = list(CHECKS)
    known["diagnostics"]["properties"]["scores"]["items"]["enum"] = list(SCORES)
    known["diagnostics"]["properties"]["estimators"]["items"]["enum"] = list(ESTIMATOR_OPTIONS)
    known["features"] = features.features_schema() | {"description": known["features"]["description"]}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
