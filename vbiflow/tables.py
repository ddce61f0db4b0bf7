"""Tables of the documentation, made from the registries: ``python -m vbiflow.tables`` writes them, a test compares."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import numpy as np

from vbiflow import features
from vbiflow.documented_run import (
    case_studies_brief,
    case_studies_claims,
    case_studies_commands,
    case_studies_costs,
    case_studies_run,
)
from vbiflow.engine.cpu import LANES
from vbiflow.engine.derived import derived_quantities
from vbiflow.engine.plan import make_plan
from vbiflow.engine.source import kernel_source
from vbiflow.estimator_options import ESTIMATOR_OPTIONS
from vbiflow.inference.estimators import ESTIMATORS
from vbiflow.io import write_text
from vbiflow.models import MODELS, Model
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.option_tables import editor_schema, options_document
from vbiflow.provenance import ROOT
from vbiflow.study.document import read_document
from vbiflow.study.reference import configuration_document
from vbiflow.text_tables import markdown_table

CODE = re.compile(r"doi:(\S+?)(?=[;,]?(?:\s|$))")

COMPARED = {
    "study": "study",
    "people": "people",
    "trusted": "trusted",
    "fc_correlation": "FC r, fitted half",
    "fc_correlation_grade": "grade",
    "held_out_fc_correlation": "held-out half",
    "others_fc_correlation": "with parameters of the others",
}
"""Columns of a comparison that the documentation shows, and their headings."""

INTRODUCTION = """\
Made from the registry by `make docs`; options with their defaults. `as` gives a feature's values another name, `per`
says whether they are given for each node, each network of the atlas, or as mean and sd over nodes.

A study brings a feature of its own as `config/features/<name>.py`; a change of the file remakes what it made:

```python
from vbiflow.features import feature, per


@feature("swing", unit="y", per=per("node"))
def swing(batch, *, per):
    \"\"\"Highest less lowest value.\"\"\"
    yield batch.nodes.reduce(batch.ts.max(axis=-1) - batch.ts.min(axis=-1), per)
```

The report of a study says which features vary, which repeat each other, which tell of which parameter and in which
the recording lies outside of all simulations (`features_report.json`). With `diagnostics: {ablation: true}` the
estimator is trained again without each of them.

Some sets go by one name:
"""


def models_table() -> str:
    """Model, states, coupling, recordable signals, reference."""
    rows = []
    for name, model in MODELS.items():
        states, sends, signals = (", ".join(names) for names in (model.states, model.sends, model.signals))
        rows.append((f"`{name}`", model.title, states, sends, model.coupling, signals, link_dois(model.reference)))
    return markdown_table(("model", "", "states", "sends", "coupling", "signals", "reference"), rows)


def studies_table() -> str:
    """The studies that ship: what each is about, its model, what is inferred, how many simulations."""
    rows = []
    for path in sorted((ROOT / "config" / "studies").glob("*.yaml")):
        study = read_document(path, path.name)
        inferred = ", ".join(
            name + (" of each region" if isinstance(entry, dict) and entry.get("per") == "node" else "")
            for name, entry in study["prior"].items()
        )
        number = f"{study['inference']['n_simulations']:,}".replace(",", " ")
        rows.append((f"`{path.stem}`", study["title"], f"`{study['model']}`", inferred, number))
    return markdown_table(("study", "what it is", "model", "inferred", "simulations"), rows)


def parameters_table() -> str:
    """Every parameter of every model and observation model, and what can stand for it."""
    every = [*MODELS.values(), *(observation.model for observation in OBSERVATION_MODELS.values())]
    return "\n\n".join(parameter_table(model) for model in every)


def parameter_table(model: Model) -> str:
    """Value, unit and meaning of a model's parameters."""
    defaults = ", ".join(f"{key} {value}" for key, value in model.defaults.items())
    lines = [f"### {model.title} (`{model.name}`)", "", f"{link_dois(model.reference)}."]
    lines[-1] += f" Integration by default: {defaults.replace('dt ', 'dt [ms] ')}." if defaults else ""
    longest = ", ".join(f"{scheme} {dt:g}" for scheme, dt in model.largest_dt.items())
    lines[-1] += f" Longest steps [ms]: {longest}." if longest else ""
    rows = [(f"`{name}`", f"{one.value:.6g}", one.unit, one.meaning) for name, one in model.parameters.items()]
    for name, derived in derived_quantities(model).items() if model.name in MODELS else ():
        rows.append((f"`{name}`", "", derived.unit, f"in the place of `{derived.parameter}`: {derived.meaning}"))
    return "\n".join([*lines, "", markdown_table(("parameter", "value", "unit", "meaning"), rows)])


def compared_models_table() -> str:
    """Models of the seven people's fMRI, from the table of a comparison that docs/real_people/models.tsv keeps."""
    text = (ROOT / "docs" / "real_people" / "models.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    return markdown_table(COMPARED.values(), ([row[key] for key in COMPARED] for row in rows))


def domains_table() -> str:
    """Names of the features, a line a domain."""
    rows = [
        (domain, ", ".join(f"`{feature.name}`" for feature in group))
        for domain, group in groupby(features.FEATURES.values(), key=lambda feature: feature.domain)
    ]
    return markdown_table(("domain", "features"), rows)


def estimators_table() -> str:
    """Estimator, options with their defaults, reference."""
    rows = []
    for name, estimator in ESTIMATORS.items():
        options = ", ".join(f"`{key}`: {value}" for key, value in ESTIMATOR_OPTIONS[name].items())
        rows.append((f"`{name}`", options, link_dois(estimator.reference)))
    return markdown_table(("estimator", "options", "reference"), rows)


def sets_table() -> str:
    """Sets of features, and what they stand for as a study file spells it."""
    rows = [(f"`{name}`", f"`{json.dumps(specs).replace(chr(34), '')}`") for name, specs in features.SETS.items()]
    return markdown_table(("set", "stands for"), rows)


def link_dois(reference: str) -> str:
    """A reference with its DOIs as links."""
    return CODE.sub(lambda found: f"[doi:{found[1]}](https://doi.org/{quote(found[1])})", reference)


def kernel_listing() -> str:
    """The kernel that is generated for the linear model on four regions, whose coupling differs between simulations."""
    settings = {
        "n_simulations": 2,
        "duration": 10,
        "dt": 1,
        "transient": 0,
        "integrator": "heun",
        "seed": 1,
        "start": 0,
    }
    settings |= {"stream": 0, "bold": None, "signals": {"x": {"period": 5}}, "initial": None, "precision": "float32"}
    plan = make_plan("linear", np.ones((4, 4)), {"G": np.ones((2, 1))}, **settings)
    text = "\n\n\n".join(kernel_source(plan, LANES))
    return f"```python\n{text[text.index('@function') :]}\n```"


def fill_tables(text: str, *tables: Callable[[], str]) -> str:
    """`text` with what stands between ``<!-- models -->`` and ``<!-- end -->`` made anew by `models_table`."""
    for table in tables:
        mark = f"<!-- {table.__name__.removesuffix('_table').removesuffix('_listing')} -->"
        start = text.index(mark) + len(mark)
        text = f"{text[:start]}\n{table()}\n{text[text.index('<!-- end -->', start) :]}"
    return text


def documents() -> dict[Path, str]:
    """The documents that hold tables, as they should be."""
    parts = (
        "# Features",
        domains_table(),
        f"{INTRODUCTION}\n{sets_table()}",
        "## All features",
        features.features_table(),
    )
    listing = "\n\n".join(parts)
    docs = ROOT / "docs"
    tables = {
        ROOT / "README.md": (studies_table, case_studies_brief),
        docs / "engine.md": (kernel_listing,),
        docs / "inference.md": (estimators_table,),
        docs / "models.md": (models_table, parameters_table),
        docs / "case_studies.md": (case_studies_run, case_studies_claims, case_studies_commands, case_studies_costs),
        docs / "real_people.md": (compared_models_table,),
    }
    return {path: fill_tables(path.read_text(encoding="utf-8"), *made) for path, made in tables.items()} | {
        docs / "features.md": listing,
        docs / "options.md": options_document(),
        ROOT / "config" / "schemas" / "study.schema.json": editor_schema(),
        ROOT / "config" / "README.md": configuration_document(),
    }


if __name__ == "__main__":
    for path, text in documents().items():
        write_text(path, text)
