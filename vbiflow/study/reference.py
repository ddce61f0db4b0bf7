"""config/README.md: every key of a study, made from its schema and defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.study.schema import SCHEMAS, validator
from vbiflow.study.settings import DEFAULTS
from vbiflow.text_tables import markdown_table

INTRODUCTION = """# Configuration

`config/config.yaml` names the studies that plain `snakemake` runs (`studies`, a list of names, each `study` or
`study@scale`). A study is one file, `config/studies/<study>.yaml`; its people are one table,
`config/cohorts/<cohort>.tsv`, or a folder of BIDS derivatives. Models and features of your own lie in
`config/models/<name>.py` and `config/features/<name>.py`.

All of them are looked for in the working directory first, then in vbiflow's own folder, and so are the files that they
name. `python -m vbiflow init <folder>` writes a repository to begin from, `python -m vbiflow check <study>` reads every
file of a cohort, `python -m vbiflow plan <study>` says what a study costs.

In a workflow of your own:

```python
configfile: "config/config.yaml"


module vbiflow:
    snakefile:
        "path/to/vbiflow/Snakefile"
    config:
        config


use rule * from vbiflow
```

The Snakefile is that of a clone, or of a version of a hosted repository, as in
`github("<owner>/vbiflow", path="Snakefile", tag="<version>")`; `gitlab(...)` likewise. Snakemake clones it once, and
the library is copied from there to `.snakemake/vbiflow`.
`snakedeploy deploy-workflow <address> <folder> --tag <version>` writes such a folder, with a copy of these settings and
profiles. The commands of `python -m vbiflow` need a clone, or `PYTHONPATH=.snakemake/vbiflow`.

`--configfile mine.yaml` and `--config 'studies=["my_study@quick"]'` come before config/config.yaml.

## Keys of a study

Made from the schema (`make docs`). A key that is not listed is refused before anything runs, and the nearest one is
named.
"""


def configuration_document() -> str:
    """The page as Markdown."""
    schema = validator("study").schema
    parts = [INTRODUCTION]
    rows = [row(name, entry, DEFAULTS) for name, entry in schema["properties"].items()]
    parts.append(options_table(rows, schema.get("required", ())))
    for name, entry in schema["properties"].items():
        own = list(nested_rows(name, entry, DEFAULTS.get(name, {})))
        if own:
            parts.append(f"### {name}\n\n{options_table(own, [f'{name}.{key}' for key in entry.get('required', ())])}")
    config = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text(encoding="utf-8"))
    keys = [row(name, entry, {}) for name, entry in config["properties"].items()]
    parts.append(f"## Keys of config.yaml\n\n{options_table(keys, ['studies'])}")
    return "\n".join(parts)


def options_table(rows: list[tuple[str, str, str, str]], required: Any) -> str:
    """Rows (key, type, default, meaning) as a table of Markdown."""
    cells = (
        (f"`{key}`", kind, "required" if key in required else default, meaning) for key, kind, default, meaning in rows
    )
    return markdown_table(("key", "type", "default", "meaning"), cells) + "\n"


def nested_rows(
    name: str, entry: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the keys within a key, and of those within them."""
    for key, part in entry.get("properties", {}).items():
        if name == "observation" and key in OBSERVATION_MODELS:
            part = validator("study").schema["$defs"]["observation_model"]
        yield row(f"{name}.{key}", part, defaults, key)
        below = defaults.get(key) if isinstance(defaults, Mapping) else {}
        yield from nested_rows(f"{name}.{key}", part, below if isinstance(below, Mapping) else {})
    for choice in entry.get("oneOf", ()):
        yield from nested_rows(name, choice, defaults)


def row(label: str, entry: Mapping[str, Any], defaults: Mapping[str, Any], key: str = "") -> tuple[str, str, str, str]:
    """Key, type, default and meaning of one entry of the schema."""
    found = defaults.get(key or label)
    default = "" if isinstance(found, Mapping) or found is None else f"`{format_default(found)}`"
    return label, kind_of(entry), default, entry.get("description", "").replace("|", "\\|").replace("<", "&lt;")


def format_default(value: Any) -> str:
    """A default as a study file spells it."""
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]


def kind_of(entry: Mapping[str, Any]) -> str:
    """Type and limits of an entry, as a user reads them."""
    if "enum" in entry:
        return " / ".join(f"`{'null' if value is None else value}`" for value in entry["enum"])
    if "oneOf" in entry:
        return " or ".join(kind_of(one) for one in entry["oneOf"])
    types = entry.get("type", "any")
    words = {"object": "table", "array": "list", "string": "text", "boolean": "true / false", "null": "nothing"}
    text = " or ".join(words.get(one, one) for one in ([types] if isinstance(types, str) else types))
    low = entry.get("minimum", entry.get("exclusiveMinimum"))
    limits = f"{'from' if 'minimum' in entry else 'above'} {low:g}" if low is not None else ""
    high = f"to {entry['maximum']:g}" if "maximum" in entry else ""
    return " ".join(part for part in (text, limits, high) if part)
