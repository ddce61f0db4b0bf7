"""Brain regions: names, hemispheres, networks and centres, selected and matched by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vbiflow.labels import canonical, side_of, split_label
from vbiflow.reading import shorten_list

INDICES = ("index", "id", "node", "number")
"""What tables call the number of a region, in a matrix or in a volume; the first that there is."""
LEAVE_OUT = "leave them out by connectome.select, as in {label: {exclude: [...]}}"
"""What is to be done with regions of which nothing is known."""


@dataclass(frozen=True)
class Regions:
    """Regions in the order of a matrix: labels, hemispheres ("L", "R" or ""), networks, centres (n_nodes, 3) [mm].

    `columns` holds the table as text, for selection, `source` is its file; centres are not-a-number where unknown.
    """

    labels: tuple[str, ...]
    hemispheres: tuple[str, ...]
    networks: tuple[str, ...]
    centres: np.ndarray
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    source: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, select: Mapping[str, Any] | None) -> np.ndarray:
        """Indices of the regions whose columns have the selected values, for instance ``{"structure": "cortex"}``.

        ``{"label": {"exclude": ["Insula_L"]}}`` keeps all but those with the values.

        Raises
        ------
        ValueError
            If there is no such column or value; the message lists what there is.
        """
        keep = np.ones(len(self), dtype=bool)
        named = f"{self.source}: select" if self.source else "select"
        for column, wanted in (select or {}).items():
            if column not in self.columns:
                raise ValueError(f"{named}: no column {column!r} of regions; choose from {', '.join(self.columns)}")
            excluded = isinstance(wanted, Mapping)
            if excluded and list(wanted) != ["exclude"]:
                raise ValueError(f"{named}: {column} is {dict(wanted)}; write values to keep, or {{exclude: values}}")
            values = wanted["exclude"] if excluded else wanted
            values = [str(value) for value in (values if isinstance(values, list | tuple) else [values])]
            entries = self.columns[column]
            unknown = [value for value in values if value not in entries]
            if unknown:
                known = shorten_list(list(dict.fromkeys(entries)), 40)
                raise ValueError(f"{named}: {column} is nowhere {unknown[0]!r}; choose from {known}")
            keep &= np.isin(np.array(entries), values) != excluded
        if not keep.any():
            raise ValueError(f"{named}: no region has all of {dict(select or {})}; select less")
        return np.flatnonzero(keep)

    def in_matrix_order(self) -> Regions:
        """The regions sorted by a column index that counts them, the rows of a matrix, where their lines are not."""
        name = next((name for name in INDICES if name in self.columns), None)
        numbers = list(self.columns[name]) if name else []
        if not all(entry.isdigit() for entry in numbers):
            return self
        values = np.array([int(entry) for entry in numbers])
        first = int(values.min(initial=2))
        if first > 1 or not np.array_equal(np.sort(values), first + np.arange(len(self))):
            return self
        return self.take(np.argsort(values))

    def take(self, indices: Sequence[int] | np.ndarray) -> Regions:
        """The regions at `indices`, in that order."""
        columns = {name: tuple(entries[i] for i in indices) for name, entries in self.columns.items()}
        parts = [tuple(part[i] for i in indices) for part in (self.labels, self.hemispheres, self.networks)]
        return Regions(*parts, self.centres[list(indices)], columns, self.source)


def make_regions(
    labels: Sequence[str],
    centres: np.ndarray | None = None,
    hemispheres: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
    **columns: Sequence[str],
) -> Regions:
    """Regions that no table describes; without `hemispheres` their names tell them. `columns` may be selected by."""
    labels = tuple(str(label) for label in labels)
    known = [side_of(side) for side in hemispheres or ()] or [split_label(label)[0] for label in labels]
    sides = tuple(side or "" for side in known)
    networks = tuple(networks or ("",) * len(labels))
    centres = np.full((len(labels), 3), np.nan) if centres is None else centres
    columns = {"label": labels, "hemisphere": sides, "network": networks, **columns}
    return Regions(labels, sides, networks, centres, columns)


def unique_labels(what: str, labels: Sequence[str], sides: Sequence[str] | None = None) -> tuple[str, ...]:
    """Labels, with L_ and R_ before those that both hemispheres share; `what` begins an error.

    Raises
    ------
    ValueError
        If a label still stands twice, or is empty.
    """
    labels = tuple(labels)
    if sides and len(set(labels)) < len(labels):
        labels = tuple(f"{side}_{label}" if side else label for side, label in zip(sides, labels, strict=True))
    twice = next((label for label, count in Counter(labels).items() if count > 1), None)
    if twice is not None or "" in labels:
        stands = "twice" if twice else "empty"
        raise ValueError(f"{what}: label {twice or ''!r} stands {stands}; give each region its own")
    return labels


def match_labels(wanted: Sequence[str], given: Sequence[str], what: str, whose: str) -> np.ndarray:
    """Indices into `given` that put it in the order of `wanted`, by name, case and usual prefixes ignored.

    Raises
    ------
    ValueError
        If a wanted region is missing; the message lists what is missing and what is not asked for.
    """
    places: dict[str, int] = {}
    for place, label in enumerate(given):
        other = places.setdefault(canonical(label), place)
        if other != place:
            twice = label == given[other]
            problem = (
                f"{label} stands twice" if twice else f"{given[other]} and {label} are two spellings of one region"
            )
            raise ValueError(f"{what}: {problem}; rename one")
    names = [canonical(label) for label in wanted]
    missing = [label for label, name in zip(wanted, names, strict=True) if name not in places]
    if missing:
        extra = [label for label in given if canonical(label) not in set(names)]
        raise ValueError(
            f"{what}: regions do not match {whose}: it lacks {shorten_list(missing)}; of names that are not asked for "
            f"it has {shorten_list(extra)}; rename them, or select the regions that both have"
        )
    return np.array([places[name] for name in names], dtype=int)


def homotopic_pairs(labels: Sequence[str]) -> list[tuple[int, int]]:
    """Indices (left, right) of homotopic regions, by name."""
    right = {canonical(label): place for place, label in enumerate(labels)}
    return [
        (place, right["R" + name[1:]])
        for place, name in enumerate(map(canonical, labels))
        if name[0] == "L" and "R" + name[1:] in right
    ]


def homotopic_ranks(strength: np.ndarray, found: Sequence[tuple[int, int]]) -> list[float]:
    """Share of the crossing connections (n_nodes, n_nodes) of each left region that its counterpart's is above."""
    right = [there for _, there in found]
    return [float((strength[here, there] > strength[here, right]).mean()) for here, there in found]
