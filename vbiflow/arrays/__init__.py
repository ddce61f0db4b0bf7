"""Numbers from files of other programs: text, NumPy, MATLAB, HDF5, NetCDF; ``file::key`` names one array of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vbiflow.arrays.containers import read_hdf5, read_mat, read_netcdf, read_npy, read_npz
from vbiflow.arrays.table import Table
from vbiflow.arrays.text import read_text_table

__all__ = ["FORMATS", "Table", "is_table", "read_array", "read_table", "split_key"]

FORMATS: dict[str, Callable[[Path, str], Table]] = {
    ".mat": read_mat,
    ".npy": read_npy,
    ".npz": read_npz,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".nc": read_netcdf,
    ".csv": read_text_table,
    ".tsv": read_text_table,
    ".txt": read_text_table,
    ".dat": read_text_table,
}
"""Reader of each format of numeric arrays, by how the file's name ends; text may be packed (.gz)."""


def split_key(path: str | Path) -> tuple[Path, str]:
    """File and key of ``file::key``; the key is empty when none is given."""
    name, _, key = str(path).partition("::")
    return Path(name), key


def read_array(path: str | Path) -> np.ndarray:
    """Read one numeric array; ``file::key`` picks one of several in a file, ``file::key[3]`` a part of a stack.

    Raises
    ------
    ValueError
        If the file is missing, of an unknown format or damaged, if its header promises more than the file holds or
        than is allowed, or if the key is not in it.
    """
    return read_table(path).values


LONGEST = 600
"""Characters of an error that are told at most."""


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
        text = one_line(error)
        raise ValueError(
            text if text.startswith(str(file)) else f"{file}: cannot be read ({text}); copy or export it again"
        ) from None
    except Exception as error:  # whatever a library raises at a damaged file
        raise ValueError(
            f"{file}: damaged or not a {suffix} file ({one_line(error)}); copy or export it again"
        ) from None
    if table.values.dtype.kind not in "biuf":
        raise ValueError(f"{path}: holds {kind_of(table.values)}, not real numbers")
    return replace(table, values=np.asarray(table.values, dtype=float))


def kind_of(values: np.ndarray) -> str:
    """What an array holds, for a message."""
    return "cells of different sizes" if values.dtype.kind == "O" else f"{values.dtype} values"


def one_line(error: Exception) -> str:
    """What an error says, in one line, cut where a library quotes the file; its kind if it says nothing."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def is_table(path: str | Path) -> bool:
    """Whether `read_table` knows the format of a file, going by its name."""
    return suffix_of(split_key(path)[0]) is not None


def suffix_of(file: Path) -> str | None:
    """The format of a file, a key of FORMATS."""
    name = file.name.lower().removesuffix(".gz")
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), None)
