"""Tables of brain regions: names, hemispheres, networks and centres, and how names of one atlas are written."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.labels import SIDES, canonical, split_label

HEMISPHERES = ("L", "R", "")
ENTRIES = SIDES | {"n/a": "", "b": "", "bilateral": ""}
"""What a column hemisphere may hold in place of those."""

COLOURS = (
    re.compile(r"^\s*(\d+)\s+(?:\S+\s+)?(\S*[^\s\d]\S*)(?:\s+\d+){3,4}\s*$"),
    re.compile(r'^\s*(\d+)(?:\s+\d+){3}\s+[\d.]+\s+\d\s+\d\s+"(.+)"\s*$'),
)
"""Lines of colour tables: of FreeSurfer and MRtrix, of ITK-SNAP."""


@dataclass(frozen=True)
class Regions:
    """Regions in the order of a matrix: labels, hemispheres ("L", "R" or ""), networks, centres (n_nodes, 3) [mm].

    `columns` holds the table as text, for selection; centres are not-a-number where unknown.
    """

    labels: tuple[str, ...]
    hemispheres: tuple[str, ...]
    networks: tuple[str, ...]
    centres: np.ndarray
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, select: Mapping[str, Any] | None) -> np.ndarray:
        """Indices of the regions whose columns have the selected values, for instance ``{"structure": "cortex"}``.

        Raises
        ------
        ValueError
            If there is no such column or value; the message lists what there is.
        """
        keep = np.ones(len(self), dtype=bool)
        for column, wanted in (select or {}).items():
            if column not in self.columns:
                raise ValueError(f"select: no column {column!r} of regions; choose from {', '.join(self.columns)}")
            entries = self.columns[column]
            wanted = [str(value) for value in (wanted if isinstance(wanted, list | tuple) else [wanted])]
            unknown = [value for value in wanted if value not in entries]
            if unknown:
                known = ", ".join(dict.fromkeys(entries))
                raise ValueError(f"select: {column} is nowhere {unknown[0]!r}; choose from {known}")
            keep &= np.isin(np.array(entries), wanted)
        if not keep.any():
            raise ValueError(f"select: no region has all of {dict(select or {})}; select less")
        return np.flatnonzero(keep)

    def take(self, indices: Sequence[int] | np.ndarray) -> Regions:
        """The regions at `indices`, in that order."""
        columns = {name: tuple(entries[i] for i in indices) for name, entries in self.columns.items()}
        parts = [tuple(part[i] for i in indices) for part in (self.labels, self.hemispheres, self.networks)]
        return Regions(*parts, self.centres[list(indices)], columns)


def make_regions(
    labels: Sequence[str],
    centres: np.ndarray | None = None,
    hemispheres: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
    **columns: Sequence[str],
) -> Regions:
    """Regions that no table describes; without `hemispheres` their names tell them. `columns` may be selected by."""
    labels = tuple(str(label) for label in labels)
    sides = tuple(
        ENTRIES.get(side.lower(), side) for side in hemispheres or (split_label(label)[0] for label in labels)
    )
    networks = tuple(networks or ("",) * len(labels))
    centres = np.full((len(labels), 3), np.nan) if centres is None else centres
    columns = {"label": labels, "hemisphere": sides, "network": networks, **columns}
    return Regions(labels, sides, networks, centres, columns)


def read_regions(path: str | Path) -> Regions:
    """Read a table with a header (tabs or commas): label; optional hemisphere, network, x, y, z [mm] and any others.

    Labels that both hemispheres share get L_ and R_ before them. Colour tables of FreeSurfer, MRtrix and ITK-SNAP are
    read as well: index and label, in their order, without the background.

    Raises
    ------
    ValueError
        If the file is missing or has no label column, a label twice, a short line, or an unknown hemisphere.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give the table of regions, one a line, with a column label")
    lines = lines_of(path)
    if lines and coloured(lines[0]):
        return from_columns(path, colours(path, lines))
    rows = list(csv.reader(lines, delimiter="\t" if lines and "\t" in lines[0] else ","))
    header = [name.strip().lower() for name in rows[0]] if rows else []
    header = ["label" if name == "name" and "label" not in header else name for name in header]
    if "label" not in header:
        raise ValueError(f"{path}: no column label; found {', '.join(header) or 'nothing'}")
    short = next((row for row in rows[1:] if len(row) != len(header)), None)
    if short is not None:
        raise ValueError(f"{path}: region {short[0]!r} has {len(short)} entries, the header {len(header)}")
    columns = {name: tuple(row[k].strip() for row in rows[1:]) for k, name in enumerate(header)}
    return from_columns(path, columns)


def lines_of(path: Path) -> list[str]:
    """Lines of a table without comments."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: no text; give the table of regions, one a line, with a column label") from None
    return [line for line in text.splitlines() if line.strip() and line[0] != "#"]


def is_colour_table(path: str | Path) -> bool:
    """Whether a table of regions lists colours; such tables name more regions than one atlas has."""
    lines = lines_of(Path(path))
    return bool(lines) and coloured(lines[0]) is not None


def coloured(line: str) -> tuple[str, str] | None:
    """Index and label on a line of a colour table; None for another line."""
    found = next((match for pattern in COLOURS if (match := pattern.match(line))), None)
    return None if found is None else (found[1], found[2])


def colours(path: Path, lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns index and label of a colour table; of names for one index (MRtrix's thalamus has two) the first."""
    entries = [coloured(line) for line in lines]
    if None in entries:
        raise ValueError(f"{path}: {lines[entries.index(None)]!r} is no line of a colour table: index, name and colour")
    kept = {index: label for index, label in reversed(entries) if int(index) > 0}
    return {"index": tuple(reversed(kept)), "label": tuple(reversed(kept.values()))}


def from_columns(path: Path, columns: dict[str, tuple[str, ...]]) -> Regions:
    """Check the columns of a region table."""
    labels = columns["label"]
    if len(set(labels)) < len(labels) and "hemisphere" in columns:
        sides = [ENTRIES.get(side.lower(), side) for side in columns["hemisphere"]]
        labels = tuple(f"{side}_{label}" if side else label for side, label in zip(sides, labels, strict=True))
        columns["label"] = labels
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None or "" in labels:
        raise ValueError(
            f"{path}: label {twice or ''!r} stands {'twice' if twice else 'empty'}; give each region its own"
        )
    guessed = tuple(split_label(label)[0] for label in labels)
    hemispheres = tuple(ENTRIES.get(side.lower(), side) for side in columns.get("hemisphere", guessed))
    strange = next((side for side in hemispheres if side not in HEMISPHERES), None)
    if strange is not None:
        raise ValueError(f"{path}: hemisphere {strange!r}; write L, R or leave it empty")
    columns["hemisphere"] = hemispheres
    try:
        centres = np.array([[float(value) for value in columns[axis]] for axis in "xyz"]).T
    except KeyError:
        centres = np.full((len(labels), 3), np.nan)
    except ValueError as error:
        raise ValueError(f"{path}: a coordinate is no number ({error}); x, y, z are in mm") from None
    return Regions(labels, hemispheres, columns.get("network", ("",) * len(labels)), centres, columns)


def match(wanted: Sequence[str], given: Sequence[str], what: str, whose: str) -> np.ndarray:
    """Indices into `given` that put it in the order of `wanted`, by name, case and usual prefixes ignored.

    Raises
    ------
    ValueError
        If a wanted region is missing; the message lists what is missing on each side.
    """
    places: dict[str, int] = {}
    for place, label in enumerate(given):
        other = places.setdefault(canonical(label), place)
        if other != place:
            raise ValueError(f"{what}: {given[other]} and {label} are two spellings of one region; rename one")
    names = [canonical(label) for label in wanted]
    missing = [label for label, name in zip(wanted, names, strict=True) if name not in places]
    if missing:
        extra = [label for label in given if canonical(label) not in set(names)]
        raise ValueError(
            f"{what}: regions do not match {whose}: it lacks {shown(missing)}; {whose} lacks {shown(extra)}; "
            f"rename them, or select the regions that both have"
        )
    return np.array([places[name] for name in names], dtype=int)


def shown(labels: Sequence[str], limit: int = 5) -> str:
    """A few names of a list that may be long."""
    more = f" and {len(labels) - limit} more" if len(labels) > limit else ""
    return (", ".join(labels[:limit]) or "none") + more


def pairs(labels: Sequence[str]) -> list[tuple[int, int]]:
    """Indices (left, right) of homotopic regions, by name."""
    right = {canonical(label): place for place, label in enumerate(labels)}
    return [
        (place, right["R" + name[1:]])
        for place, name in enumerate(map(canonical, labels))
        if name[0] == "L" and "R" + name[1:] in right
    ]


def ranks(strength: np.ndarray, found: Sequence[tuple[int, int]]) -> list[float]:
    """Share of the crossing connections (n_nodes, n_nodes) of each left region that its counterpart's is above."""
    right = [there for _, there in found]
    return [float((strength[here, there] > strength[here, right]).mean()) for here, there in found]
