"""Cohorts from BIDS derivatives: one row a subject (and session), by what file names say.

A study names a folder as its cohort, ``cohort: derivatives/xcp_d``, or says which files of which, as in ``cohort:
{folders: [derivatives/qsirecon, derivatives/xcp_d], files: {recording: {task: rest, run: 1}}}``. For a table to edit,
``python -m vbiflow.empirical.bids query.yaml config/cohorts/mine.tsv`` with, for instance::

    folders: [derivatives/qsirecon, derivatives/fmriprep]
    files:
      weights: {suffix: connectivity, extension: .mat, key: aal116_sift_invnodevol_radius2_count_connectivity}
      recording: {task: rest, space: MNI152NLin2009cAsym, desc: preproc, suffix: bold, extension: .nii.gz}
      confounds: {task: rest, desc: confounds, suffix: timeseries, extension: .tsv}
    columns: {kind: bold, regions: resources/atlases/aal2.tsv, atlas: aal116.nii.gz}
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vbiflow import io
from vbiflow.arrays import FORMATS
from vbiflow.arrays.text import read_lines
from vbiflow.datasets import Dataset, load_catalogue
from vbiflow.empirical.bids_files import (
    DESCRIPTION,
    BidsFile,
    choose_file,
    matches_query,
    plain_entity,
    scan,
    stated_tr,
    table_entry,
)
from vbiflow.empirical.cohort import COLUMNS, FILES, Row, check_row
from vbiflow.places import user_file
from vbiflow.reading import first_repeated, pluralise, shorten_list

VOLUMES = (".nii", ".nii.gz")
USUAL: dict[str, tuple[dict[str, Any], ...]] = {
    "weights": ({"datatype": "dwi", "suffix": ("connectivity", "relmat"), "extension": tuple(FORMATS)},),
    "recording": (
        {"datatype": "func", "suffix": "timeseries", "stat": "mean", "extension": tuple(FORMATS)},
        {"datatype": "func", "suffix": "bold", "desc": "preproc", "extension": VOLUMES},
    ),
    "confounds": ({"datatype": "func", "suffix": "timeseries", "desc": "confounds", "extension": ".tsv"},),
}
"""What QSIRecon, XCP-D and fMRIPrep call a file; of several the first that is there."""


def make_cohort(
    files: Iterable[BidsFile], queries: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]
) -> tuple[dict[str, Row], dict[str, str]]:
    """Rows of a cohort, and the subjects left out with the reason.

    Parameters
    ----------
    files
        What `scan` found.
    queries
        Cohort column -> entities that its file must have, of a list any; ``key`` names the array inside.
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
            if matches_query(file, query):
                people.setdefault(person, {}).setdefault(column, []).append(file)
    rows, left_out = {}, {}
    for person, found in sorted(people.items()):
        missing = [column for column in queries if column not in found]
        if missing:
            left_out[person] = f"no file for {', '.join(missing)}"
            continue
        chosen = {column: choose_file(person, column, found[column]) for column in queries}
        entries = {column: table_entry(chosen[column], queries[column]) for column in queries}
        tr = {"tr": stated_tr(chosen["recording"])} if "recording" in chosen else {}
        rows[person] = {**dict.fromkeys(COLUMNS, ""), **tr, **columns, **entries, "participant_id": person}
    if not rows:
        lacking = [column for column in queries if not any(column in found for found in people.values())]
        raise ValueError(f"nobody has files for {', '.join(lacking or queries)}; correct the entities asked for")
    return rows, left_out


def read_folders(
    folders: str | Sequence[str],
    files: Mapping[str, Mapping[str, Any]] | None = None,
    columns: Mapping[str, str | float] | None = None,
    exclude: Sequence[str] = (),
    catalogue: dict[str, Dataset] | None = None,
) -> dict[str, Row]:
    """The cohort in BIDS derivatives: participant_id -> its row, as `read_cohort` reads it from a table.

    Parameters
    ----------
    folders
        One or several, each with a dataset_description.json in it or in the folders directly below.
    files
        Cohort column -> entities, beside those of USUAL unless they name a suffix.
    columns
        Cohort column -> one entry for all; kind is bold if not given.
    exclude
        Participants to leave out.

    Raises
    ------
    ValueError
        If a folder is no BIDS dataset, somebody lacks a file or has several that fit, or an entry is not allowed.
    """
    folders = [folders] if isinstance(folders, str) else list(folders)
    columns = {"kind": "bold", **{name: str(entry) for name, entry in (columns or {}).items()}}
    columns |= {name: user_file(columns[name]) for name in FILES if name in columns}
    where = ", ".join(folders)
    for folder in map(Path, folders):
        if folder.is_dir() and not any((*folder.glob(DESCRIPTION), *folder.glob(f"*/{DESCRIPTION}"))):
            raise ValueError(
                f"{folder}: no {DESCRIPTION} in it or in a folder below; name a folder of BIDS derivatives"
            )
    found = [file for file in scan(folders) if not is_excluded(file, exclude)]
    try:
        queries = complete_queries(found, files or {}, columns["kind"] != "simulated")
        rows, left_out = make_cohort(found, queries, columns)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    for person, why in left_out.items():
        raise ValueError(f"{where}: {person}: {why}; correct files, or leave the person out: exclude: [{person}]")
    known = participant_columns(folders)
    further = dict.fromkeys((name for entries in known.values() for name in entries), "")
    catalogue = load_catalogue() if catalogue is None else catalogue
    for person, row in rows.items():
        check_row(f"{where}: {person}", row, catalogue)
        if row["recording"].endswith(VOLUMES) and not row["recording"].endswith(".ptseries.nii") and not row["atlas"]:
            needed = "give the volume of its regions, as in columns: {atlas: aal.nii.gz}"
            raise ValueError(f"{where}: {row['recording']} is an image; {needed}")
        row |= further | (columns_of_participant(person, known, rows) or {})
    lacking = [person for person in rows if known and columns_of_participant(person, known, rows) is None]
    if lacking:
        print(
            f"{where}: participants.tsv lacks {shorten_list(lacking)}; their further columns are empty", file=sys.stderr
        )
    return rows


def is_excluded(file: BidsFile, exclude: Sequence[str]) -> bool:
    """Whether a file is of somebody to leave out, in all sessions (sub-01) or in one (sub-01_ses-2)."""
    subject = f"sub-{file.entities['sub']}"
    return subject in exclude or f"{subject}_ses-{file.entities.get('ses')}" in exclude


def complete_queries(
    files: Sequence[BidsFile], queries: Mapping[str, Mapping[str, Any]], recorded: bool
) -> dict[str, dict[str, Any]]:
    """Queries for the connectome, the recording and whatever else is asked, with what is usual for each."""
    asked = {"weights": {}, **({"recording": {}} if recorded else {}), **queries}
    return {column: usual_query(files, column, query) for column, query in asked.items()}


def usual_query(files: Sequence[BidsFile], column: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """A query with the entities that a column's files usually have, unless it names a suffix itself."""
    if "suffix" in query or column not in USUAL:
        return dict(query)
    choices = [{**entities, **query} for entities in USUAL[column]]
    return next((choice for choice in choices if any(matches_query(file, choice) for file in files)), choices[-1])


IDS = ("participant_id", "participant", "subject_id", "subject", "sub")
"""What the first column of a table of people is called."""


def participant_columns(folders: Sequence[str]) -> dict[str, Row]:
    """Further columns of the people, such as age, from each folder's participants.tsv.

    Raises
    ------
    ValueError
        If a person or a column stands twice in one of them.
    """
    found: dict[str, Row] = {}
    for path in (Path(folder) / "participants.tsv" for folder in folders):
        if not path.is_file():
            continue
        lines = [line for line in read_lines(path) if line.strip()]
        delimiter = next((mark for mark in "\t;," if lines and mark in lines[0]), "\t")
        header = next(csv.reader(lines[:1], delimiter=delimiter), [])
        person = next((name for name in header if name.strip().lower() in IDS), "participant_id")
        if taken := [name for name in header if name in COLUMNS[1:]]:
            print(f"{path}: columns that nobody reads: {', '.join(taken)}; a cohort has its own", file=sys.stderr)
        rows = list(csv.DictReader(lines, delimiter=delimiter))
        for what, names in (("column", header), ("participant", [row.get(person) or "" for row in rows])):
            twice = first_repeated(list(filter(None, names)))
            if twice is not None:
                raise ValueError(f"{path}: {what} {twice!r} stands twice; delete one")
        for row in rows:
            entries = {name: entry or "" for name, entry in row.items() if name and name not in (*COLUMNS, person)}
            cleaned = {name: "" if entry == "n/a" else entry for name, entry in entries.items()}
            found.setdefault(row.get(person) or "", {}).update(cleaned)
    return found


def columns_of_participant(person: str, known: Mapping[str, Row], people: Iterable[str] = ()) -> Row | None:
    """Further columns of sub-007 or of one of its sessions, whom the table may call sub-007, 007 or 7.

    None if the table lacks this person, or if one of its lines may mean another one of the `people` as well.
    """
    name = person.partition("_")[0]
    others = {one.partition("_")[0] for one in people} - {name}
    for simplify in (str, label_of, bare_id):
        alike = [entry for entry in known if simplify(entry) == simplify(name)]
        if len(alike) == 1 and not any(simplify(other) == simplify(name) for other in others):
            return known[alike[0]]
    return None


def label_of(name: str) -> str:
    """A participant's id without sub-."""
    return name.strip().lower().removeprefix("sub-")


def bare_id(name: str) -> str:
    """A participant's id without sub- and leading zeros."""
    return plain_entity(label_of(name).removesuffix(".0"))


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
    print(f"{target}: {pluralise(len(rows), 'person', 'people')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
