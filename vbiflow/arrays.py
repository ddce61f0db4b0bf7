"""Arrays from files of other programs: text, MATLAB, NumPy, HDF5; ``file::key`` names one array inside a file."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np


@dataclass(frozen=True)
class Table:
    """A two-dimensional array with the names of its columns and rows, where the file gives them.

    `beside` are the other arrays of its file, by name, and `texts` those of them that are lists of words.
    """

    values: np.ndarray
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """Lists of words beside the array, however the format spells them."""
        found = {
            name: [words(entry) for entry in np.atleast_1d(np.squeeze(value))]
            for name, value in self.beside.items()
            if value.dtype.kind in "SUO"
        }
        return {name: tuple(entries) for name, entries in found.items() if None not in entries}


def split_key(path: str | Path) -> tuple[Path, str]:
    """File and key of ``file::key``; the key is empty when none is given."""
    name, _, key = str(path).partition("::")
    return Path(name), key


def read_array(path: str | Path) -> np.ndarray:
    """Read one numeric array; ``file::key`` picks one of several in a .mat, .npz or HDF5 file.

    Raises
    ------
    ValueError
        If the file is missing, of an unknown format or damaged, or if the key is not in it.
    """
    return read_table(path).values


def read_table(path: str | Path) -> Table:
    """Read one numeric array with its column and row names, if any; see `read_array`."""
    file, key = split_key(path)
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    suffix = suffix_of(file)
    if suffix is None:
        raise ValueError(f"{file}: unknown format; choose from {', '.join(FORMATS)}")
    try:
        table = FORMATS[suffix](file, key)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(str(file)) else f"{file}: cannot be read ({text})") from None
    except (OSError, EOFError, zipfile.BadZipFile, TypeError, NotImplementedError) as error:
        raise ValueError(f"{file}: damaged or not a {suffix} file ({error})") from None
    if table.values.dtype.kind not in "biuf":
        raise ValueError(f"{path}: holds {table.values.dtype} values, not real numbers")
    return replace(table, values=np.asarray(table.values, dtype=float))


def is_table(path: str | Path) -> bool:
    """Whether `read_table` knows the format of a file, going by its name."""
    return suffix_of(split_key(path)[0]) is not None


def suffix_of(file: Path) -> str | None:
    """The format of a file, a key of FORMATS."""
    name = file.name.lower().removesuffix(".gz")
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), None)


def read_npy(file: Path, key: str) -> Table:
    """Read a .npy file."""
    return Table(np.load(file, allow_pickle=False))


def read_npz(file: Path, key: str) -> Table:
    """Read one array of a .npz archive."""
    with np.load(file, allow_pickle=False) as archive:
        return chosen(file, key, {name: archive[name] for name in archive.files})


def read_mat(file: Path, key: str) -> Table:
    """Read one variable of a MATLAB file, version 5 or 7.3 (HDF5, whose axes are reversed)."""
    if h5py.is_hdf5(file):
        found = read_hdf5(file, key)
        return replace(found, values=found.values.T, beside={name: value.T for name, value in found.beside.items()})
    import scipy.io
    import scipy.sparse

    try:
        content = scipy.io.loadmat(file)
    except (IndexError, UnicodeDecodeError, scipy.io.matlab.MatReadError) as error:
        raise OSError(error) from None
    content = {
        name: value.toarray() if scipy.sparse.issparse(value) else value
        for name, value in content.items()
        if not name.startswith("__")
    }
    return chosen(file, key, content)


def read_hdf5(file: Path, key: str) -> Table:
    """Read one dataset of an HDF5 file."""
    content: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("#"):
            content[name] = item

    with h5py.File(file, "r") as archive:
        archive.visititems(collect)
        name = pick(file, key, content)
        n = len(content[name]) if content[name].ndim else 0
        beside = {other: item[()] for other, item in content.items() if n and n in item.shape and item.size <= 3 * n}
        return Table(content[name][()], beside=beside)


def chosen(file: Path, key: str, content: Mapping[str, np.ndarray]) -> Table:
    """The array meant by `key`, with the others beside it."""
    name = pick(file, key, content)
    return Table(content[name], beside={other: value for other, value in content.items() if other != name})


def words(entry: Any) -> str | None:
    """An entry of an array of texts as text: bytes of HDF5, cells of MATLAB; None for another object."""
    while isinstance(entry, np.ndarray) and entry.size == 1:
        entry = entry.item()
    if isinstance(entry, bytes):
        return entry.decode("utf-8", "replace").strip()
    return entry.strip() if isinstance(entry, str) else None


def pick(file: Path, key: str, content: dict) -> str:
    """The name of the array meant by `key`; without a key the only numeric matrix (MATLAB's vectors are none)."""
    if key:
        if key not in content:
            raise ValueError(f"{file}: no array {key!r}; it holds {', '.join(content)}")
        return key
    numeric = [name for name, value in content.items() if np.ndim(value) == 2 and value.dtype.kind in "biuf"]
    matrices = [name for name in numeric if min(content[name].shape) > 1] or numeric
    if len(matrices) != 1:
        if not content:
            raise ValueError(f"{file}: holds no array; it may be cut short: copy or make it again")
        names = ", ".join(f"{name} {'x'.join(map(str, np.shape(value)))}" for name, value in content.items())
        raise ValueError(f"{file}: holds {names}; name one, as in {file.name}::{next(iter(content))}")
    return matrices[0]


def read_text(file: Path, key: str) -> Table:
    """Read a table of numbers: commas, tabs, semicolons or blanks; comments, header and row names allowed.

    Between semicolons a comma is the decimal mark, as spreadsheets write it in much of Europe.
    """
    rows = [line for line in text_lines(file) if line[1]]
    if not rows:
        raise ValueError(f"{file}: holds no numbers")
    delimiter = next((mark for mark in ";\t," if mark in rows[-1][1]), None)
    if delimiter == ";":
        rows = [(number, line.replace(",", ".")) for number, line in rows]
    cells = [(number, [cell.strip().strip('"') for cell in split(line, delimiter)]) for number, line in rows]
    columns: list[str] = []
    if header_like(cells[0][1]):
        columns, cells = cells[0][1], cells[1:]
    named = bool(cells) and (columns[:1] == [""] or not any(number_like(row[0]) for _, row in cells if row))
    names = tuple(row.pop(0) for _, row in cells) if named else ()
    columns = columns[1:] if cells and len(columns) == len(cells[0][1]) + 1 else columns
    return Table(numbers(file, cells), tuple(columns), names)


def text_lines(file: Path) -> list[tuple[int, str]]:
    """Lines with their numbers, comments removed."""
    opener = gzip.open if file.suffix.lower() == ".gz" else open
    with opener(file, "rt", encoding="utf-8-sig") as stream:
        return [
            (number, line.partition("#")[0].partition("%")[0].strip(" \r\n")) for number, line in enumerate(stream, 1)
        ]


def split(line: str, delimiter: str | None) -> list[str]:
    """Cells of one line; a delimiter at its end starts no new cell."""
    return line.split() if delimiter is None else line.rstrip(delimiter).split(delimiter)


def header_like(cells: list[str]) -> bool:
    """Whether the first line names columns: an empty corner, or no number after the first cell."""
    return cells[0] == "" or not any(map(number_like, cells[1:] or cells))


def number_like(cell: str) -> bool:
    """Whether `cell` reads as a number; an empty cell does, as not-a-number."""
    try:
        float(cell or "nan")
    except ValueError:
        return cell.lower() in ("n/a", "na")
    return True


def numbers(file: Path, cells: list[tuple[int, list[str]]]) -> np.ndarray:
    """The cells as a matrix; a line of another length or a word among numbers is named."""
    width = len(cells[0][1]) if cells else 0
    for number, row in cells:
        if len(row) != width:
            raise ValueError(f"{file}: line {number} has {len(row)} values, the first has {width}")
        word = next((cell for cell in row if not number_like(cell)), None)
        if word is not None:
            raise ValueError(f"{file}: line {number} holds {word!r} among its numbers")
    missing = ("", "n/a", "na")
    return np.array([[float("nan" if cell.lower() in missing else cell) for cell in row] for _, row in cells])


FORMATS: dict[str, Callable[[Path, str], Table]] = {
    ".mat": read_mat,
    ".npy": read_npy,
    ".npz": read_npz,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".csv": read_text,
    ".tsv": read_text,
    ".txt": read_text,
    ".dat": read_text,
}
