"""Members of the registries as documentation and the schema of a study as JSON for editors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vbiflow import features
from vbiflow.connectome import CHECKS, NORMALISATIONS
from vbiflow.connectome.quality import SEVERITIES
from vbiflow.connectome.tractogram import SCALES
from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.diagnostics.grade import RUNGS
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.engine.stimulus import COURSES
from vbiflow.estimator_options import EMBEDDING_OPTIONS, ESTIMATOR_OPTIONS
from vbiflow.features.preparation import STEPS
from vbiflow.features.scores import SCORES
from vbiflow.marginals import FAMILIES
from vbiflow.models import MODELS
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.study.reference import kind_of
from vbiflow.study.schema import validator
from vbiflow.text_tables import markdown_table

HEAD = """\
# What options can be set to

Made from the registries by `make docs`. Every key of a study, with its type and default, stands in
[config/README.md](../config/README.md); parameters of every model in [models.md](models.md); features and their options
in [features.md](features.md); what each check of a posterior asks, and what helps where it fails, in
[not_trusted.md](not_trusted.md).
"""
FINDINGS = """\
A severe finding leaves the person out, unless the study accepts it; others are told in log and report. Two other blocks
accept findings of their own: `recording: {accept: [homotopic]}` takes BOLD series whose regions do not go with their
counterparts across, `simulation: {accept: [dt]}` a step longer than the model's longest.

"""


def options_document() -> str:
    """The page docs/options.md."""
    sections = {
        "Thresholds (`diagnostics.thresholds`)": thresholds(),
        "Grades that a study may require (`diagnostics.require`)": markdown_table(
            ("grade", "as good as"), ((f"`{name}`", words) for name, (_, words) in RUNGS.items())
        ),
        "Scores of the predictive check (`diagnostics.scores`)": markdown_table(
            ("score", "compares", "by"), ((f"`{name}`", score.what, score.by) for name, score in SCORES.items())
        ),
        "Normalisation of weights (`connectome.normalise`)": markdown_table(
            ("step", "value", "what it does"),
            ((f"`{name}`", step_value(step), inspect.getdoc(step)) for name, step in NORMALISATIONS.items()),
        ),
        "Findings about a connectome (`connectome.accept`)": (
            FINDINGS
            + markdown_table(
                ("finding", "what it is", "how severe"),
                ((f"`{name}`", inspect.getdoc(check), severities(check)) for name, check in CHECKS.items()),
            )
        ),
        "Weights of streamlines (`connectome.streamlines.scale`)": described_members(SCALES),
        "Integrators (`simulation.integrator`)": described_members(INTEGRATORS),
        "Time courses of a stimulus (`simulation.stimulus.<name>`)": markdown_table(
            ("course", "options", "what it is"),
            ((f"`{name}`", signature(course), inspect.getdoc(course)) for name, course in COURSES.items()),
        ),
        "Sets of haemodynamic parameters (`observation.bold.parameters`)": haemodynamics(),
        "Preparation of series (`preparation`)": markdown_table(
            ("step", "default", "what it is"),
            (
                (f"`{name}`", default_text(step.default), f"{step.meaning}{f' [{step.unit}]' if step.unit else ''}")
                for name, step in STEPS.items()
            ),
        ),
        "Families of the prior (`prior`)": markdown_table(
            ("family", "numbers"), ((f"`{name}`", ", ".join(names)) for name, (names, _) in FAMILIES.items())
        ),
        "Estimators (`inference.estimator`)": options_table("estimator", ESTIMATOR_OPTIONS),
        "Embeddings (`inference.embedding`)": options_table("embedding", EMBEDDING_OPTIONS),
    }
    body = "\n\n".join(f"## {title}\n\n{table}" for title, table in sections.items())
    return f"{HEAD}\n{body}\n"


def thresholds() -> str:
    """Name, default, range and meaning of each threshold."""
    known = dict(properties(validator("study").schema))
    entries = ((name, value, known["diagnostics", "thresholds", name]) for name, value in THRESHOLDS.items())
    return markdown_table(
        ("threshold", "default", "may be", "what it is"),
        ((f"`{name}`", f"{value:g}", kind_of(entry), entry["description"]) for name, value, entry in entries),
    )


def haemodynamics() -> str:
    """Values of every parameter in each named set of each observation model."""
    tables = []
    for observation in OBSERVATION_MODELS.values():
        parameters = observation.model.parameters
        values = (
            (
                f"`{name}`",
                parameter.unit,
                *(f"{one.get(name, parameter.value):.6g}" for one in observation.sets.values()),
            )
            for name, parameter in parameters.items()
        )
        tables.append(markdown_table(("parameter", "unit", *(f"`{name}`" for name in observation.sets)), values))
        tables.append(f"Where none is named: `{observation.default}`. {observation.model.reference}.")
    return "\n\n".join(tables)


def described_members(registry: Mapping[str, Any]) -> str:
    """A table of functions by name with their docstrings' first paragraphs."""
    body = ((f"`{name}`", (inspect.getdoc(member) or "").split("\n\n")[0]) for name, member in registry.items())
    return markdown_table(("name", "what it is"), body)


def options_table(kind: str, registry: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of members of a registry with their options and defaults."""
    cells = (
        (name, ", ".join(f"`{key}`: {value}" for key, value in options.items())) for name, options in registry.items()
    )
    return markdown_table((kind, "options"), ((f"`{name}`", text) for name, text in cells))


def signature(course: Callable[..., Any]) -> str:
    """Options of a time course, those with a default with it."""
    _, *options = inspect.signature(course).parameters.values()
    return ", ".join(f"`{one.name}`" + ("" if one.default is one.empty else f": {one.default:g}") for one in options)


def severities(check: Callable[..., Any]) -> str:
    """How severe the findings of a check can be, the worst first."""
    source = inspect.getsource(check)
    return " or ".join(name for name in SEVERITIES if f'"{name}"' in source)


def default_text(value: Any) -> str:
    """A default as a study file spells it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


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
