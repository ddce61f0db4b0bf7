"""Arrays of NumPy, MATLAB, HDF5 and NetCDF; what a header promises is held against the file before it is allocated."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vbiflow.arrays.matlab import find_name, flatten, joined_cells
from vbiflow.arrays.table import Table

LARGEST = 4 << 30
"""Bytes of one array that are read at most."""
PACKED = 1100
"""Times that deflate makes a file smaller at most (1032, and headers)."""
ENTRIES = 100_000
"""Cells of a list of words that are read at most."""
SECONDS = 30
"""Processor time that a library may take to look through a file: damaged ones make it turn in circles."""
CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGPROF}
"""Signals by which a process ends itself, or comes to the end of its time; others are sent from outside."""


def check_promise(what: str, n_bytes: int, stored: int, packed: bool = False) -> None:
    """Refuse an array of `n_bytes` that `stored` bytes cannot hold, or that is larger than any that is meant."""
    if n_bytes > LARGEST:
        raise ValueError(
            f"{what}: {n_bytes / (1 << 30):.3g} GiB by its header, allowed are {LARGEST >> 30}; is it damaged?"
        )
    if n_bytes > stored * (PACKED if packed else 1):
        raise ValueError(f"{what}: {n_bytes} bytes by its header, but {stored} are stored; it is damaged or cut short")


def read_npy(file: Path, key: str) -> Table:
    """Read a .npy file; `key` may be an index, as in ``file.npy::[3]``."""
    size = file.stat().st_size
    with open(file, "rb") as stream:
        check_npy(str(file), stream, size)
    return Table(index_array(file, key, np.load(file, allow_pickle=False)))


def check_npy(what: str, stream: Any, size: int) -> None:
    """Hold the header of a NumPy array against the `size` of what stores it."""
    version = np.lib.format.read_magic(stream)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = reader(stream)
    if dtype.hasobject:
        raise ValueError(f"{what}: holds objects of Python, not numbers; save it as an array of numbers")
    check_promise(what, int(np.prod(shape, dtype=object)) * dtype.itemsize, size)


def read_npz(file: Path, key: str) -> Table:
    """Read one array of a .npz archive."""
    with zipfile.ZipFile(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if name := indexed_member(key, members):
            members = {name: members[name]}
        content = {}
        for member, info in members.items():
            check_promise(f"{file}::{member}", info.file_size, info.compress_size, info.compress_type != 0)
            with archive.open(info) as stream:
                check_npy(f"{file}::{member}", stream, info.file_size)
            with archive.open(info) as stream:
                content[member] = np.lib.format.read_array(stream, allow_pickle=False)
    return choose_array(file, key, content)


def indexed_member(key: str, members: Mapping[str, Any]) -> str:
    """The member that a key with an index names: a stack of many people's matrices has no words beside it."""
    name, _, index = key.partition("[")
    return name if index and name in members else ""


def read_mat(file: Path, key: str) -> Table:
    """Read one variable of a MATLAB file, version 4, 5 or 7.3 (HDF5, whose axes are reversed)."""
    if h5py.is_hdf5(file):
        return read_hdf5(file, key, flip=True)
    return read_in_child_process(file, lambda: read_mat5(file, key))


def read_mat5(file: Path, key: str) -> Table:
    """Read one variable of a MATLAB file of version 4 or 5."""
    import scipy.io
    import scipy.sparse

    size = file.stat().st_size
    for name, shape, kind in scipy.io.whosmat(file):
        n_bytes = int(np.prod(shape, dtype=object)) * (8 if kind in ("double", "sparse", "int64", "uint64") else 1)
        if kind == "sparse":
            check_promise(f"{file}::{name}", n_bytes, LARGEST)
        else:
            check_promise(f"{file}::{name}", n_bytes // 8 if kind == "double" else n_bytes, size, packed=True)
    content: dict[str, np.ndarray] = {}
    for name, value in scipy.io.loadmat(file).items():
        dense = value.toarray() if scipy.sparse.issparse(value) else value
        if not name.startswith("__") and isinstance(dense, np.ndarray):
            content |= flatten(name, dense)
    return choose_array(file, key, content)


def read_hdf5(file: Path, key: str, flip: bool = False) -> Table:
    """Read one dataset of an HDF5 file; `flip` reverses the axes, as MATLAB's files need."""
    return read_in_child_process(file, lambda: read_datasets(file, key, flip))


def read_in_child_process(file: Path, work: Callable[[], Table]) -> Table:
    """What `work` reads, after a process of its own has tried: damaged files crash the libraries of HDF5 and MATLAB.

    Raises
    ------
    ValueError
        If it crashed, or did not come to an end in SECONDS of processor time.
    """
    if not child_process_survives(work):
        raise ValueError(f"{file}: damaged: reading it ends in a crash, or not at all; copy or make it again")
    return work()


def child_process_survives(work: Callable[[], Any]) -> bool:
    """Whether `work` comes to an end, well or with an error, when a process of its own does it.

    What ends that process from outside, as for want of memory, is no fault of the file: it ends this one too.
    """
    child = os.fork()
    if not child:
        faulthandler.disable()
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) not in CRASHES:
        os.kill(os.getpid(), os.WTERMSIG(status))
    return os.WIFEXITED(status)


def read_datasets(file: Path, key: str, flip: bool) -> Table:
    """The dataset meant by `key` with the short ones beside it, which may describe its rows."""
    content: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("#"):
            content[name] = item

    with h5py.File(file, "r") as archive:
        archive.visititems(collect)
        name, index = array_name(file, key, content)
        dataset = content[name]
        if not dataset.dtype.hasobject:
            check_dataset(f"{file}::{name}", dataset)
        longest = 3 * max(dataset.shape, default=0)
        small = {other: item for other, item in content.items() if other != name and item.size <= longest}
        beside = {other: short_dataset(archive, item) for other, item in small.items()}
        values = dataset[()]
        if h5py.check_ref_dtype(dataset.dtype) is not None and dataset.size <= ENTRIES:
            values = referenced_cells(archive, values)
    if flip:
        values, beside = values.T, {other: value.T for other, value in beside.items()}
    return Table(index_array(file, index, values), beside=beside)


def check_dataset(what: str, dataset: h5py.Dataset) -> None:
    """Hold the shape of a dataset against what is stored of it; one never written holds nothing."""
    n_bytes = dataset.size * dataset.dtype.itemsize
    check_promise(what, n_bytes, max(dataset.id.get_storage_size(), 0), dataset.compression is not None)


def short_dataset(archive: h5py.File, item: h5py.Dataset) -> np.ndarray:
    """Values of a dataset that may describe rows; MATLAB's cells, which are references, as texts."""
    if h5py.check_ref_dtype(item.dtype) is None or item.size > ENTRIES:
        return np.asarray(item[()])
    cells = [archive[reference][()] if reference else "" for reference in item[()].ravel()]
    return np.array([cell_text(cell) for cell in cells], dtype=object)


def referenced_cells(archive: h5py.File, references: np.ndarray) -> np.ndarray:
    """Numeric cells of one size that a MATLAB file refers to, as one array with reversed axes, as all there."""
    items = [archive[reference] if reference else None for reference in references.ravel()]
    if not all(isinstance(item, h5py.Dataset) for item in items):
        return references
    check_promise(archive.filename, sum(item.size * item.dtype.itemsize for item in items), LARGEST)
    return joined_cells([item[()].T for item in items], references.T).T


def cell_text(cell: Any) -> Any:
    """Text of a MATLAB cell, whose characters are numbers; another cell as it is."""
    if isinstance(cell, np.ndarray) and cell.dtype == np.uint16:
        return bytes(np.ascontiguousarray(cell.T).astype("<u2")).decode("utf-16-le", "replace").strip("\0 ")
    return cell


def read_netcdf(file: Path, key: str) -> Table:
    """Read one variable of a NetCDF file, version 3 or 4 (HDF5)."""
    if h5py.is_hdf5(file):
        return read_hdf5(file, key)
    import scipy.io

    with scipy.io.netcdf_file(file, "r", mmap=False) as archive:
        content = {name: np.array(variable[...]) for name, variable in archive.variables.items()}
    return choose_array(file, key, content)


def choose_array(file: Path, key: str, content: Mapping[str, np.ndarray]) -> Table:
    """The array meant by `key`, with the others beside it."""
    name, index = array_name(file, key, content)
    beside = {other: value for other, value in content.items() if other != name}
    return replace(Table(index_array(file, index, content[name])), beside=beside)


def array_name(file: Path, key: str, content: Mapping[str, Any]) -> tuple[str, str]:
    """Name of the array meant by `key` and its index; without a key the only matrix (MATLAB's vectors are none)."""
    if key:
        if name := find_name(key, content):
            return name, ""
        start, mark, index = key.rpartition("[")
        name = find_name(start, content)
        if not name:
            raise ValueError(f"{file}: no array {start or key!r}; it holds {', '.join(content)}")
        return name, mark + index
    numeric = [name for name, value in content.items() if np.ndim(value) == 2 and value.dtype.kind in "biuf"]
    matrices = [name for name in numeric if min(content[name].shape) > 1] or numeric
    if len(matrices) != 1:
        if not content:
            raise ValueError(f"{file}: holds no array; it may be cut short: copy or make it again")
        names = ", ".join(f"{name} {'x'.join(map(str, np.shape(value)))}" for name, value in content.items())
        example = next((name for name, value in content.items() if np.ndim(value) >= 2), next(iter(content)))
        part = "[0]" if np.ndim(content[example]) == 3 else ""
        raise ValueError(f"{file}: holds {names}; name one, as in {file.name}::{example}{part}")
    return matrices[0], ""


def index_array(file: Path, index: str, values: np.ndarray) -> np.ndarray:
    """Part of a stack of arrays: ``[3]`` is the fourth along the first axis, ``[:,:,3]`` along the last.

    Raises
    ------
    ValueError
        If the index is no such text, or beyond the array.
    """
    if not index:
        return values
    entries = index.strip("[]").split(",")
    if not index.endswith("]") or any(not (entry.strip() == ":" or entry.strip().isdigit()) for entry in entries):
        raise ValueError(f"{file}: index {index!r}; write [3] or [:,:,3], counted from 0")
    try:
        return values[tuple(slice(None) if entry.strip() == ":" else int(entry) for entry in entries)]
    except IndexError:
        shape = " x ".join(map(str, values.shape))
        raise ValueError(f"{file}: index {index} is beyond its shape {shape}; counted from 0") from None
