"""Cohort tables from BIDS derivatives: one row a subject (and session), by what file names say.

``python -m vbiflow.empirical.bids query.yaml config/cohorts/mine.tsv`` with, for instance::

    folders: [derivatives/qsirecon, derivatives/fmriprep]
    files:
      weights: {suffix: connectivity, extension: .mat, key: aal116_sift_invnodevol_radius2_count_connectivity}
      recording: {task: rest, space: MNI152NLin2009cAsym, desc: preproc, suffix: bold, extension: .nii.gz}
      confounds: {task: rest, desc: confounds, suffix: timeseries, extension: .tsv}
    columns: {kind: bold, regions: resources/atlases/aal2.tsv, atlas: aal116.nii.gz}
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from vbiflow import io
from vbiflow.empirical.cohort import COLUMNS, FILES, Row

NAME = re.compile(
    r"^(?P<entities>sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9.+]+)*)_(?P<suffix>[A-Za-z0-9]+)(?P<extension>\..+)$"
)


@dataclass(frozen=True)
class BidsFile:
    """A file and what its name says: entities such as sub, ses, task, with suffix and extension among them."""

    path: Path
    entities: Mapping[str, str]


def parse_name(path: Path) -> BidsFile | None:
    """Entities of a file name; None for one that does not follow BIDS."""
    found = NAME.match(path.name)
    if found is None:
        return None
    entities = dict(part.split("-", 1) for part in found["entities"].split("_"))
    return BidsFile(path, {**entities, "suffix": found["suffix"], "extension": found["extension"]})


def scan(folders: Sequence[str | Path]) -> list[BidsFile]:
    """All files below folders whose names follow BIDS, sorted.

    Raises
    ------
    ValueError
        If a folder is missing or holds no such file.
    """
    files: list[BidsFile] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise ValueError(f"{folder}: no such folder")
        found = [parsed for path in sorted(folder.rglob("sub-*_*")) if (parsed := parse_name(path)) is not None]
        if not found:
            raise ValueError(f"{folder}: no file named as BIDS does, sub-01_..._bold.nii.gz")
        files += found
    return files


def make_cohort(
    files: Iterable[BidsFile], queries: Mapping[str, Mapping[str, str]], columns: Mapping[str, str]
) -> tuple[dict[str, Row], dict[str, str]]:
    """Rows of a cohort, and the subjects left out with the reason.

    Parameters
    ----------
    files
        What `scan` found.
    queries
        Cohort column -> entities that its file must have; ``key`` names the array inside.
    columns
        Cohort column -> one entry for all, such as kind, regions or atlas.

    Raises
    ------
    ValueError
        If a column is unknown, a query fits two files of one person, or nobody is left.
    """
    unknown = [name for name in queries if name not in FILES] + [name for name in columns if name not in COLUMNS]
    if unknown:
        raise ValueError(f"unknown column {unknown[0]!r}; choose from {', '.join(COLUMNS)}")
    people: dict[str, dict[str, list[BidsFile]]] = {}
    for file in files:
        person = "_".join(f"{key}-{file.entities[key]}" for key in ("sub", "ses") if key in file.entities)
        for column, query in queries.items():
            if fits(file, query):
                people.setdefault(person, {}).setdefault(column, []).append(file)
    rows, left_out = {}, {}
    for person, found in sorted(people.items()):
        missing = [column for column in queries if column not in found]
        if missing:
            left_out[person] = f"no file for {', '.join(missing)}"
            continue
        chosen = {column: only(person, column, found[column]) for column in queries}
        entries = {column: named(chosen[column], queries[column]) for column in queries}
        tr = {"tr": sidecar_tr(chosen["recording"].path)} if "recording" in chosen else {}
        rows[person] = {**dict.fromkeys(COLUMNS, ""), **tr, **columns, **entries, "participant_id": person}
    if not rows:
        raise ValueError(f"nobody has files for {', '.join(queries)}; correct the entities asked for")
    return rows, left_out


def fits(file: BidsFile, query: Mapping[str, str]) -> bool:
    """Whether a file has all entities of a query."""
    return all(file.entities.get(name) == str(value) for name, value in query.items() if name != "key")


def only(person: str, column: str, files: Sequence[BidsFile]) -> BidsFile:
    """The one file of a person for a column; of two, the entities that tell them apart are named."""
    if len(files) == 1:
        return files[0]
    names = sorted({name for file in files for name in file.entities})
    differ = [name for name in names if len({file.entities.get(name) for file in files}) > 1]
    values = ", ".join(sorted({f"{name}-{file.entities.get(name, 'none')}" for name in differ for file in files}))
    raise ValueError(f"{person}: {len(files)} files for {column}; choose one by {values}")


def named(file: BidsFile, query: Mapping[str, str]) -> str:
    """Entry of the cohort table for a file."""
    return f"{file.path}::{query['key']}" if "key" in query else str(file.path)


def sidecar_tr(path: Path) -> str:
    """TR [s] of the JSON beside a recording, as text; empty if there is none."""
    sidecar = path.with_name(path.name.partition(".")[0] + ".json")
    if not sidecar.is_file():
        return ""
    content = json.loads(sidecar.read_text(encoding="utf-8"))
    if "RepetitionTime" in content:
        return f"{content['RepetitionTime']:g}"
    return f"{1 / content['SamplingFrequency']:g}" if content.get("SamplingFrequency") else ""


def write_cohort(path: str | Path, rows: Mapping[str, Row]) -> None:
    """Write a cohort table."""
    lines = ["\t".join(COLUMNS)] + ["\t".join(row[column] for column in COLUMNS) for row in rows.values()]
    io.write_text(path, "\n".join(lines) + "\n")


def main(arguments: Sequence[str]) -> int:
    """Write the cohort table that a query file asks for, and tell who is left out."""
    if len(arguments) != 2:
        print("usage: python -m vbiflow.empirical.bids query.yaml cohort.tsv", file=sys.stderr)
        return 2
    query, target = arguments
    try:
        content = yaml.safe_load(Path(query).read_text(encoding="utf-8"))
        unknown = set(content) - {"folders", "files", "columns"}
        if unknown or not {"folders", "files"} <= set(content):
            raise ValueError(f"{query}: write folders, files and columns; found {', '.join(content)}")
        rows, left_out = make_cohort(scan(content["folders"]), content["files"], content.get("columns", {}))
    except (ValueError, OSError, yaml.YAMLError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    write_cohort(target, rows)
    for person, why in left_out.items():
        print(f"{person}: left out, {why}")
    print(f"{target}: {len(rows)} people")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
