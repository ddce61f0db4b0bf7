"""Text files of other programs: their encoding is found and told; tables of numbers with or without names."""

from __future__ import annotations

import bz2
import csv
import gzip
import re
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vbiflow.arrays.table import MISSING, Table, is_count, is_number, is_whole
from vbiflow.reading import describe_unreadable

LARGEST = 1 << 30
"""Bytes of text, unpacked, that are read at most."""
BLOCK = 1 << 20
"""Bytes that are asked for at once."""
MARKS = {b"\xff\xfe\x00\x00": "utf-32", b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
WHOLE_SHARE = 0.05
"""Of measured numbers this share is whole by chance, at most, and not zero."""
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
WORD = re.compile(r'"([^"]*)"|(\S+)')


def read_lines(path: str | Path) -> list[str]:
    """Lines of a text file, also one that gzip or bzip2 packed.

    Raises
    ------
    ValueError
        If there is no such file, or if it holds no text.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    opener = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as stream:
            data = read_at_most(stream, LARGEST + 1)
    except PermissionError:
        raise ValueError(describe_unreadable(path)) from None
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path}: damaged or cut short ({error})") from None
    return decode(data, path).splitlines()


def read_at_most(stream: BinaryIO, size: int) -> bytes:
    """The first `size` bytes of a stream; memory is that of what it holds, where `read` asks for `size` at once."""
    blocks: list[bytes] = []
    while size and (block := stream.read(min(size, BLOCK))):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def decode(data: bytes, name: str | Path) -> str:
    """Bytes as text: UTF-8 or UTF-16 with or without a byte-order mark, else Windows-1252 or Latin-1, which is told.

    Raises
    ------
    ValueError
        If they are no text, or more than LARGEST.
    """
    if len(data) > LARGEST:
        raise ValueError(f"{name}: more than {LARGEST >> 30} GiB of text; give a smaller file, or a binary one")
    encoding = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None) or guess_encoding(
        data
    )
    if encoding is None:
        raise ValueError(f"{name}: no text (bytes that no text holds); is it another format, or damaged?")
    if not encoding.startswith("utf-8"):
        print(f"{name}: read as {encoding}, not UTF-8; check the names with special letters", file=sys.stderr)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError(f"{name}: damaged text, it begins as {encoding} and does not go on so") from None


def guess_encoding(data: bytes) -> str | None:
    """Encoding of bytes without a byte-order mark; None for what is no text."""
    even, odd = data[:4000:2].count(0), data[1:4000:2].count(0)
    if max(even, odd) > min(len(data), 4000) / 4 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    if CONTROL.search(data):
        return None
    for encoding in ("utf-8", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def delimiter_of(line: str) -> str | None:
    """The mark between the cells of a line: semicolon, tab, comma, or None for blanks."""
    bare = re.sub(r'"[^"]*"', "", line)
    return next((mark for mark in ";\t," if mark in bare), None)


def split_cells(line: str, delimiter: str | None) -> list[str]:
    """Cells of a line; what stands in quotes is one cell."""
    if delimiter is None:
        return [quoted or plain for quoted, plain in WORD.findall(line)]
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def read_text_table(file: Path, key: str = "") -> Table:
    """Read a table of numbers: commas, tabs, semicolons or blanks; comments, header and row names allowed.

    A comma is the decimal mark between semicolons or tabs, as spreadsheets write it in much of Europe. A header may be
    numbers that count the columns, as pandas and Camino write it.
    """
    return parse_table(file, read_lines(file))


def parse_table(file: str | Path, lines: Sequence[str]) -> Table:
    """The table in the lines of a text; `file` begins an error."""
    numbered, comment = data_lines(lines)
    if not numbered:
        raise ValueError(f"{file}: holds no numbers")
    delimiter = delimiter_of(numbered[-1][1])
    cells = [(number, split_cells(line, delimiter)) for number, line in numbered]
    if all(row and row[-1] == "" for _, row in cells[1:]):  # a delimiter at the end of each line starts no cell
        cells = [(number, row[:-1] if row[-1:] == [""] else row) for number, row in cells]
    if delimiter != ",":
        cells = [(number, [re.sub(r"^([-+]?\d*),(\d+)", r"\1.\2", cell) for cell in row]) for number, row in cells]
    columns: list[str] = []
    if is_header(cells[0][1]) or counts_columns([row for _, row in cells]):
        columns, cells = cells[0][1], cells[1:]
    elif comment and len(words := split_cells(comment, delimiter_of(comment))) == len(cells[0][1]) > 1:
        columns = [] if any(map(is_number, words)) else words
    named = bool(cells) and (columns[:1] == [""] or not any(is_number(row[0]) for _, row in cells if row))
    named = named or (not columns and counts_rows([row for _, row in cells]))
    rows = tuple(row.pop(0) for _, row in cells if row) if named else ()
    columns = columns[1:] if cells and len(columns) == len(cells[0][1]) + 1 else columns
    return Table(parse_matrix(file, cells), tuple(columns), rows)


def data_lines(lines: Sequence[str]) -> tuple[list[tuple[int, str]], str]:
    """Lines that hold data with their numbers, and the comment right above them, which may be their header."""
    found, comment = [], ""
    for number, line in enumerate(lines, 1):
        if line.lstrip()[:1] in ("#", "%"):
            comment = "" if found else line.lstrip().lstrip("#% ")
        elif line.strip():
            bare = re.split(r"\s#", line)[0] if '"' not in line else line
            found.append((number, bare.strip(" \r\n")))
    return found, comment


def is_header(cells: Sequence[str]) -> bool:
    """Whether a first line names columns: an empty corner, or no number after the first cell."""
    return cells[:1] == [""] or not any(map(is_number, cells[1:] or cells))


def counts_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of `rows` only counts the columns or gives their codes, so that it is a header.

    A square table is a matrix as it stands, and one whose second row goes on counting is data; whole numbers that rise
    above a square are codes, and so are those that differ, in whatever order, above numbers that are not whole.
    """
    first, n = rows[0], len(rows[0])
    if len(rows) < 4 or len(rows) == n or n < 3 or len(rows[1]) != n or not all(map(is_whole, first)):
        return False
    values = np.array(first, float)
    following = np.array([float(cell) if is_whole(cell) else np.nan for cell in rows[1]])
    if is_count(values):
        return not np.array_equal(following, values + n)
    if n <= 4 or values.min() < 0 or len(set(values)) < n:
        return False
    rising, whole = bool((np.diff(values) > 0).all()), [is_whole(cell) for row in rows[1:] for cell in row]
    counted = [is_so and float(cell) != 0 for is_so, cell in zip(whole, chain(*rows[1:]), strict=True)]
    measured = not any(counted[:n]) and sum(counted) < WHOLE_SHARE * len(counted)
    return measured or (rising and (len(rows) == n + 1 or not all(whole)))


def counts_rows(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first column only counts the rows of a matrix, or of measurements that are no whole numbers."""
    first = [row[0] if row else "" for row in rows]
    if len(rows) < 3 or not all(map(is_whole, first)) or not is_count([float(cell) for cell in first]):
        return False
    width = len(rows[0])
    return width == len(rows) + 1 or (width > 2 and not any(is_whole(cell) for row in rows for cell in row[1:]))


def parse_matrix(file: str | Path, cells: Sequence[tuple[int, Sequence[str]]]) -> np.ndarray:
    """The cells as numbers; a line of another length or a word among numbers is named."""
    width = len(cells[0][1]) if cells else 0
    for number, row in cells:
        if len(row) != width:
            raise ValueError(f"{file}: line {number} has {len(row)} values, the first has {width}")
        word = next((cell for cell in row if not is_number(cell)), None)
        if word is not None:
            raise ValueError(f"{file}: line {number} holds {word!r} among its numbers")
    return np.array([[np.nan if cell.lower() in MISSING else float(cell) for cell in row] for _, row in cells])
