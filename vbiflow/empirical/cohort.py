"""Cohort tables: one person a line, with the paths of connectome and recording."""

from __future__ import annotations

import csv
import difflib
import os
from pathlib import Path

from vbiflow.arrays.text import read_lines
from vbiflow.datasets import Dataset, find_origin, load_catalogue
from vbiflow.places import user_file
from vbiflow.reading import describe_unreadable, first_repeated, join_problems, suggest, suggest_path

REQUIRED = ("participant_id", "weights")
FILES = ("weights", "tract_lengths", "regions", "parcellation", "streamline_weights", "recording", "atlas", "confounds")
COLUMNS = ("participant_id", *FILES, "kind", "tr")
OTHER_WORDS = {
    **dict.fromkeys(("id", "name", "participant", "person", "sub", "subject", "subject_id"), "participant_id"),
    **dict.fromkeys(("connectome", "connectivity", "sc"), "weights"),
}
"""What others call a required column."""
SENSOR_KINDS = ("eeg", "meg", "seeg")
REGIONAL = ("bold", "source")
TABLES = ("psd", "features")
KINDS = ("bold", *SENSOR_KINDS, "source", *TABLES, "simulated")

Row = dict[str, str]


def read_cohort(path: str | Path, catalogue: dict[str, Dataset] | None = None) -> dict[str, Row]:
    """Read a cohort (tabs): participant_id -> its row, every column present, empty where not given.

    Columns: participant_id, weights; optional tract_lengths, regions, parcellation and streamline_weights (for weights
    that are streamlines), recording, atlas (for a recording that is an image), confounds, kind, tr [s]. Files are
    relative to where the workflow runs, or else to its root; ``file::key`` names an array inside. Further columns are
    kept. ``n/a`` is an empty entry.

    Raises
    ------
    ValueError
        With file and line, if a column or entry is missing, misspelt or given twice, or if a file neither exists nor is
        in the catalogue.
    """
    path = Path(path)
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.tsv"))
        names = ", ".join(known) or "none"
        raise ValueError(
            f"unknown cohort {path.stem!r}; choose from {names}, or write {path}{suggest(path.stem, known)}"
        )
    lines = [(number, line) for number, line in enumerate(read_lines(path), 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise ValueError(f"{path}: empty; write a header ({', '.join(COLUMNS)}) and one line a person")
    header = [name.strip() for name in lines[0][1].split("\t")]
    check_header(path, header)
    catalogue = load_catalogue() if catalogue is None else catalogue
    cohort: dict[str, Row] = {}
    for number, line in lines[1:]:
        where = f"{path}: line {number}"
        row = parse_row(where, header, next(csv.reader([line], delimiter="\t")))
        check_row(where, row, catalogue)
        if row["participant_id"] in cohort:
            raise ValueError(f"{where}: participant {row['participant_id']!r} stands twice; give each line its own id")
        cohort[row["participant_id"]] = row
    if not cohort:
        raise ValueError(f"{path}: no participant below the header")
    return cohort


def check_header(path: Path, header: list[str]) -> None:
    """Refuse a header that lacks a required column, repeats one or misspells one."""
    twice = first_repeated(header)
    if twice:
        raise ValueError(f"{path}: column {twice} stands twice")
    missing = [name for name in REQUIRED if name not in header]
    if missing and len(header) == 1:
        raise ValueError(f"{path}: no column {missing[0]}; found {header[0]}; separate columns by tabs")
    further = sorted(set(header) - set(COLUMNS))
    meant = {name: difflib.get_close_matches(name.lower(), COLUMNS, 1, cutoff=0.75) for name in further}
    meant |= {name: [OTHER_WORDS[name.lower()]] for name in further if OTHER_WORDS.get(name.lower()) in missing}
    wrong = [f"unknown column {name!r}; did you mean {near[0]!r}?" for name, near in meant.items() if near]
    if wrong:
        raise ValueError(f"{path}: {join_problems(wrong)}")
    if missing:
        raise ValueError(f"{path}: no column {missing[0]}; found {', '.join(header)}")


def parse_row(where: str, header: list[str], cells: list[str]) -> Row:
    """One line as a mapping from every column to its entry."""
    if len(cells) != len(header):
        raise ValueError(f"{where}: columns found: {len(cells)}, in the header: {len(header)}; separate them by tabs")
    entries = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    entries = {name: "" if cell == "n/a" else cell for name, cell in entries.items()}
    return dict.fromkeys(COLUMNS, "") | entries | {name: user_file(entries[name]) for name in FILES if name in entries}


def check_row(where: str, row: Row, catalogue: dict[str, Dataset]) -> None:
    """Check one person's entries."""
    name = row["participant_id"]
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"{where}: participant_id {name!r}; write letters, digits, - and _")
    if not row["weights"]:
        raise ValueError(f"{where}: no weights; give the file of the connectome")
    if row["weights"].lower().removesuffix(".gz").endswith((".tck", ".trk")) and not row["parcellation"]:
        raise ValueError(f"{where}: weights are streamlines; give the volume of their regions in a column parcellation")
    if row["recording"] and row["kind"] not in KINDS:
        raise ValueError(f"{where}: kind {row['kind']!r}; choose from {', '.join(KINDS)}")
    if row["recording"] and row["kind"] == "simulated":
        raise ValueError(f"{where}: kind simulated makes its own recording; leave the column recording empty")
    if row["tr"] and not (row["tr"].replace(".", "", 1).isdigit() and float(row["tr"]) > 0):
        raise ValueError(f"{where}: tr {row['tr']!r}; write seconds, as in 0.72")
    for column in FILES:
        check_file(where, column, row[column], catalogue)


def check_file(where: str, column: str, entry: str, catalogue: dict[str, Dataset]) -> None:
    """Refuse a file that neither exists nor can be fetched, or that may not be read."""
    file = Path(entry.partition("::")[0])
    if entry and file.exists() and not os.access(file, os.R_OK):
        raise ValueError(f"{where}: {column}: {describe_unreadable(file)}")
    if not entry or file.exists():
        return
    try:
        found = find_origin(file, catalogue)
    except ValueError as error:
        raise ValueError(f"{where}: {column}: {error}") from None
    if found is None:
        missing = f"{where}: {column}: {file}: no such file, and not one that resources/datasets.yaml provides"
        raise ValueError(f"{missing}{suggest_path(file)}")
