"""A table of numbers with the names of its rows and columns, and the words that stand beside it in its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MISSING = ("", "n/a", "na")
"""Entries that stand for not-a-number, in any case."""


@dataclass(frozen=True)
class Table:
    """A numeric array, two-dimensional as a rule, with the entries of its header and of its first column.

    `beside` are the other arrays of its file, by name; `texts` those of them that are lists of words.
    """

    values: np.ndarray
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The header, if it holds names; one of numbers only counts the columns."""
        return names_among(self.columns)

    @property
    def row_names(self) -> tuple[str, ...]:
        """The first column, if it holds names; one of numbers only counts the rows."""
        return names_among(self.rows)

    @property
    def codes(self) -> tuple[int, ...]:
        """Whole numbers in the header (or in the first column), which may be the regions' indices in an atlas."""
        for entries in (self.columns, self.rows):
            if entries and all(is_whole(entry) for entry in entries):
                return tuple(int(float(entry)) for entry in entries)
        return ()

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """Lists of words beside the array, however the format spells them."""
        found = {name: text_list(value) for name, value in self.beside.items()}
        return {name: entries for name, entries in found.items() if entries and None not in entries}


def names_among(entries: Sequence[str]) -> tuple[str, ...]:
    """The entries, or none if all of them are numbers."""
    return () if all(map(is_number, entries)) else tuple(entries)


def is_number(entry: str) -> bool:
    """Whether an entry reads as a number; an empty one does, as not-a-number."""
    if entry.lower() in MISSING:
        return True
    try:
        float(entry)
    except ValueError:
        return False
    return "_" not in entry


def is_whole(entry: str) -> bool:
    """Whether an entry reads as a whole number."""
    return bool(entry) and is_number(entry) and entry.lower() not in MISSING and float(entry).is_integer()


def is_count(values: Sequence[float] | np.ndarray) -> bool:
    """Whether numbers are 0, 1, 2, ... or 1, 2, 3, ..., three at least."""
    values = np.asarray(values, float)
    return len(values) > 2 and values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values)))


def text_list(value: np.ndarray) -> tuple[str | None, ...]:
    """Words of an array of texts, or of one of character codes whose lines they are (DSI Studio); else nothing."""
    if value.dtype.kind in "SUO":
        return tuple(word_of(entry) for entry in np.atleast_1d(np.squeeze(value)))
    codes = value.ravel()
    if value.dtype.kind not in "iuf" or not (codes == 10).any() or not ((codes >= 9) & (codes < 256)).all():
        return ()
    text = bytes(codes.astype(np.uint8)).decode("utf-8", "replace")
    if 2 * sum(map(str.isalpha, text)) < len(text):
        return ()
    return tuple(line.strip() for line in text.strip("\0\n\r ").split("\n"))


def word_of(entry: Any) -> str | None:
    """An entry of an array of texts as text: bytes of HDF5, cells of MATLAB; None for another object."""
    while isinstance(entry, np.ndarray) and entry.size == 1:
        entry = entry.item()
    if isinstance(entry, bytes):
        return entry.decode("utf-8", "replace").strip()
    return entry.strip() if isinstance(entry, str) else None
