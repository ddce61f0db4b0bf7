"""Tables of brain regions as programs write them: columns with a header, colour tables, lists of names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from vbiflow.arrays.table import MISSING, is_whole
from vbiflow.arrays.text import delimiter_of, read_lines, split_cells
from vbiflow.connectome.regions import INDICES, Regions, unique_labels
from vbiflow.labels import side_of, split_label

LABELS = ("label", "name", "region", "labels", "names", "regions", "roi")
"""What programs call the column of names, the first that there is."""
COLOURS = (
    re.compile(r"^\s*(\d+)\s+(?:\S+\s+)?(\S*[^\s\d]\S*)(?:\s+\d+){3,4}\s*$"),
    re.compile(r'^\s*(\d+)(?:\s+\d+){3}\s+[\d.]+\s+\d\s+\d\s+"(.+)"\s*$'),
)
"""Lines of colour tables: of FreeSurfer and MRtrix, of ITK-SNAP."""
COLUMNS = ("label", "hemisphere", "network", "x", "y", "z", *INDICES, "code")
"""Columns of a table of regions that are read whatever a study selects by."""
NUMBERED = re.compile(r"^\s*(\d+)[\s,;:]+([^\d\s,;].*?|\d+\S*[^\d\s.,;]\S*?)(?:[\s,;]+(\d+))?\s*$")
"""A line of index, name and perhaps a code, as MRIcron's tables of AAL have them."""


CODED = re.compile(r"^\s*(?:\S+[\s,;]+)?([^\d\s,;]\S*)[\s,;]+(\d+)(?:[\s,;]+\d+)?\s*$")
"""A line of name and code, a short name perhaps before them and a number after, as AAL's own tables have them."""


def read_regions(path: str | Path) -> Regions:
    """Read a table of regions: label; optional hemisphere, network, x, y, z [mm], index and any others.

    Tables with a header are separated by tabs, commas or semicolons; unknown coordinates are n/a. Labels that both
    hemispheres share get L_ and R_ before them. Colour tables of FreeSurfer, MRtrix and ITK-SNAP (index and label, in
    their order, without the background), tables of index, name and code without a header (MRIcron) and plain lists of
    names are read as well.

    Raises
    ------
    ValueError
        If the file is missing or has no label column, a label twice, a short line, or an unknown hemisphere.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give the table of regions, one a line, with a column label")
    lines = table_lines(path)
    if not lines:
        raise ValueError(f"{path}: no column label; found nothing")
    if read_colour(lines[0]):
        return from_columns(path, colour_columns(path, lines))
    return from_columns(
        path, numbered_columns(lines) or coded_columns(lines) or listed_names(lines) or headed_columns(path, lines)
    )


def table_lines(path: Path) -> list[str]:
    """Lines of a table without comments."""
    try:
        return [line for line in read_lines(path) if line.strip() and line[0] != "#"]
    except ValueError as error:
        raise ValueError(f"{error}; give the table of regions, one a line, with a column label") from None


def headed_columns(path: Path, lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns of a table with a header."""
    if not lines:
        raise ValueError(f"{path}: empty; write a header with a column label")
    delimiter = next((mark for mark in "\t;," if mark in lines[0]), ",")
    rows = [split_cells(line, delimiter) for line in lines]
    header = [name.strip().lower() for name in rows[0]]
    own = next((name for name in LABELS if name in header), None)
    if own is None:
        raise ValueError(f"{path}: no column label; found {', '.join(header)}")
    header = ["label" if name == own else name for name in header]
    short = next((row for row in rows[1:] if len(row) != len(header)), None)
    if short is not None:
        raise ValueError(f"{path}: region {short[0]!r}: columns found: {len(short)}, in the header: {len(header)}")
    return {name: tuple(row[k].strip() for row in rows[1:]) for k, name in enumerate(header)}


def numbered_columns(lines: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """Columns index, label and perhaps code of lines such as ``1 Precentral_L 2001``; None for other lines."""
    found = [NUMBERED.match(line) for line in lines]
    if None in found:
        return None
    index, labels, codes = zip(*(entry.groups() for entry in found), strict=True)
    columns = {"index": index, "label": tuple(label.strip().strip('"') for label in labels)}
    return columns if None in codes else columns | {"code": codes}


def coded_columns(lines: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """Columns label and code of lines such as ``Precentral_L 2001``; None for other lines, as of ``Area 17``."""
    found = [CODED.match(line) for line in lines]
    if None in found:
        return None
    labels, codes = zip(*(entry.groups() for entry in found), strict=True)
    return {"label": labels, "code": codes} if len(set(labels)) == len(labels) > 1 else None


def listed_names(lines: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """The one column of a plain list of names; None for a table, whose first line is a header."""
    cells = [split_cells(line, delimiter_of(line) if '"' in line else ",") for line in lines]
    if any(len(row) > 1 or "\t" in line or ";" in line for row, line in zip(cells, lines, strict=True)):
        return None
    names = [row[0] for row in cells if row and row[0].strip()]
    if not names:
        return None
    return {"label": tuple(names[1:] if names[0].lower() in LABELS else names)}


def unread_columns(columns: Iterable[str], read: Sequence[str]) -> str:
    """What to say of columns of a table that are none of those `read`; empty if there are none."""
    found = []
    for name in columns:
        if name and name not in read:
            near = difflib.get_close_matches(name, read, 1, cutoff=0.75)
            found.append(f"{name} (did you mean {near[0]}?)" if near else name)
    return f"columns that nobody reads: {', '.join(found)}" if found else ""


def is_colour_table(path: str | Path) -> bool:
    """Whether a table of regions lists colours; such tables name more regions than one atlas has."""
    lines = table_lines(Path(path))
    return bool(lines) and read_colour(lines[0]) is not None


def read_colour(line: str) -> tuple[str, str] | None:
    """Index and label on a line of a colour table; None for another line."""
    found = next((match for pattern in COLOURS if (match := pattern.match(line))), None)
    return None if found is None else (found[1], found[2])


def colour_columns(path: Path, lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns index and label of a colour table; of names for one index (MRtrix's thalamus has two) the first."""
    entries = [read_colour(line) for line in lines]
    if None in entries:
        raise ValueError(f"{path}: {lines[entries.index(None)]!r} is no line of a colour table: index, name and colour")
    kept = {index: label for index, label in reversed(entries) if int(index) > 0}
    return {"index": tuple(reversed(kept)), "label": tuple(reversed(kept.values()))}


def number_of(entry: str) -> float:
    """An entry as a number; not-a-number where it is empty or n/a."""
    return np.nan if entry.lower() in MISSING else float(entry)


def plain_numbers(entries: Sequence[str]) -> tuple[str, ...]:
    """Whole numbers without the decimals that programs write behind them, as in 17.0; other entries as they are."""
    return tuple(str(int(float(entry))) for entry in entries) if all(map(is_whole, entries)) else tuple(entries)


def from_columns(path: Path, columns: dict[str, tuple[str, ...]]) -> Regions:
    """Regions of the columns of a table, checked."""
    if "hemisphere" in columns:
        sides = tuple(side_of(side) for side in columns["hemisphere"])
        if None in sides:
            strange = columns["hemisphere"][sides.index(None)]
            raise ValueError(f"{path}: hemisphere {strange!r}; write L, R or leave it empty")
    else:
        sides = tuple(split_label(label)[0] for label in columns["label"])
    labels = unique_labels(str(path), columns["label"], sides if "hemisphere" in columns else None)
    columns |= {name: plain_numbers(columns[name]) for name in INDICES if name in columns}
    columns = columns | {"label": labels, "hemisphere": sides}
    try:
        centres = np.array([[number_of(value) for value in columns[axis]] for axis in "xyz"]).T
    except KeyError:
        centres = np.full((len(labels), 3), np.nan)
    except ValueError as error:
        raise ValueError(f"{path}: a coordinate is no number ({error}); x, y, z are in mm") from None
    return Regions(labels, sides, columns.get("network", ("",) * len(labels)), centres, columns, str(path))
