"""Provenance of a study's results: one JSON file, and a Workflow Run RO-Crate of what went in, ran and came out.

References
----------
Soiland-Reyes et al. 2022, doi:10.3233/DS-210053 (RO-Crate); Leo et al. 2024, doi:10.1371/journal.pone.0309210
(Workflow Run RO-Crate)
"""

from __future__ import annotations

import datetime
import json
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vbiflow.exclusion import read_exclusion
from vbiflow.io import read_attributes, to_plain
from vbiflow.places import relative_path
from vbiflow.provenance import file_digest, source_commit

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
    {"creditText": "http://schema.org/creditText"},  # younger than the first of these
]
ROOT_PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
LICENCE = "https://spdx.org/licenses/Apache-2.0"
WORKFLOW = "workflow/Snakefile"


def collect_provenance(files: Iterable[str | Path], study: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the HDF5 files of a study say of where they come from: code and versions by rule, sources with licences."""
    rules: dict[str, dict[str, Any]] = {}
    sources: dict[str, dict[str, str]] = {}
    for path in files:
        if Path(path).suffix != ".h5" or read_exclusion(path) is not None:
            continue
        found = read_attributes(path)
        sources |= {source["name"]: source for source in found.get("sources", [])}
        rules[found["rule"]] = {"code": found["code"], "versions": found["versions"]}
    made = {"study": study, "commit": source_commit(), "settings": dict(settings), "rules": rules}
    return made | {"sources": list(sources.values())}


def crate_text(
    folder: Path, provenance: Mapping[str, Any], inputs: Sequence[str], outputs: Sequence[str | Path]
) -> str:
    """ro-crate-metadata.json as text; see `describe_crate`."""
    return json.dumps(to_plain(describe_crate(folder, provenance, inputs, outputs)), indent=2, allow_nan=False) + "\n"


def describe_crate(
    folder: Path, provenance: Mapping[str, Any], inputs: Sequence[str], outputs: Sequence[str | Path]
) -> dict[str, Any]:
    """Metadata of the crate whose root is `folder`, with the workflow's Snakefile in it as workflow/Snakefile.

    Parameters
    ----------
    folder
        Folder of the study's results.
    provenance
        As `collect_provenance` makes it.
    inputs
        Files that went in; those that are there are told with their SHA-256.
    outputs
        Files of the folder that came out.
    """
    study, settings = provenance["study"], provenance["settings"]
    made = [file_entity(Path(path).relative_to(folder).as_posix(), path) for path in outputs]
    used = [input_entity(path) for path in inputs if Path(path).is_file()]
    ended = max(Path(path).stat().st_mtime for path in outputs)
    when = datetime.datetime.fromtimestamp(ended, datetime.UTC).isoformat(timespec="seconds")
    parts = [{"@id": WORKFLOW}, *({"@id": one["@id"]} for one in made)]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": settings.get("title", study),
        "description": settings.get("description") or settings.get("title", study),
        "datePublished": when,
        "license": {"@id": LICENCE},
        "conformsTo": [{"@id": profile} for profile in ROOT_PROFILES],
        "hasPart": parts,
        "mainEntity": {"@id": WORKFLOW},
        "mentions": {"@id": "#run"},
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Inference of {study}",
        "description": f"Simulations, features, training and posteriors of the study {study}, with their checks",
        "instrument": {"@id": WORKFLOW},
        "object": [{"@id": one["@id"]} for one in used],
        "result": [{"@id": one["@id"]} for one in made],
        "endTime": when,
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    fixed = [*standard_entities(provenance), root, run]
    return {"@context": CONTEXT, "@graph": [*fixed, *used, *made]}


def standard_entities(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Descriptor, workflow, its language, licence and profiles, and the data sets behind the inputs."""
    profiles = [
        {"@id": one, "@type": "CreativeWork", "name": one.rsplit("/", 2)[-2], "version": one.rsplit("/", 1)[-1]}
        for one in (*ROOT_PROFILES, WORKFLOW_PROFILE)
    ]
    versions = next(iter(provenance["rules"].values()), {}).get("versions", {})
    return [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": ROOT_PROFILES[2]}],
        },
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "vbiflow",
            "conformsTo": {"@id": WORKFLOW_PROFILE},
            "encodingFormat": "text/plain",
            "programmingLanguage": {"@id": LANGUAGE},
            "license": {"@id": LICENCE},
            "version": versions.get("vbiflow", ""),
        },
        {
            "@id": LANGUAGE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": {"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
            "url": {"@id": "https://snakemake.readthedocs.io"},
        },
        {"@id": LICENCE, "@type": "CreativeWork", "name": "Apache License 2.0", "identifier": "Apache-2.0"},
        *profiles,
        *(
            {
                "@id": f"#{source['name']}",
                "@type": "Dataset",
                "name": source["name"],
                "description": source["notice"],
                "license": source["licence"],
                "creditText": source["citation"],
            }
            for source in provenance["sources"]
        ),
    ]


def input_entity(path: str) -> dict[str, Any]:
    """A file that lies elsewhere, by its path as the study names it and its SHA-256."""
    name = relative_path(Path(path))
    return {"@id": f"#input/{quote(name)}", "@type": "CreativeWork", "name": name, "sha256": file_digest(path)}


def file_entity(name: str, path: str | Path) -> dict[str, Any]:
    """A file by its place, with type, size and SHA-256; a folder by its name."""
    path = Path(path)
    if path.is_dir():
        return {"@id": f"{name}/", "@type": "Dataset", "name": path.name}
    kinds = {".h5": "application/x-hdf5", ".pt": "application/zip", ".tsv": "text/tab-separated-values"}
    kind = kinds.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    size = {"contentSize": str(path.stat().st_size), "encodingFormat": kind, "sha256": file_digest(path)}
    return {"@id": name, "@type": "File", "name": path.name, **size}
