"""HDF5 files of the workflow: written whole or not at all, read with one clear line when something is off."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vbiflow.seal import seal, verify

BLOCK = 4096
DAY = 86400.0
COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
"""Bytes of equal weight lie together, and the fastest level: more takes longer and saves little of noisy series."""


@dataclass(frozen=True)
class Quantity:
    """An array with its unit and the names of its axes, as stored in one HDF5 dataset.

    `unit` is one for all values, "1" for pure numbers, or a list of one for each entry of the last axis, such as the
    parameters of theta. `attributes` holds what else describes the array, for instance ``{"fs": 1.39}`` [Hz] for a time
    series. What is `compressed` is stored without loss, a chunk for each entry of its first axis.
    """

    values: Any
    unit: str | Sequence[str]
    axes: tuple[str, ...] = ()
    attributes: Mapping[str, Any] | None = None
    compressed: bool = False

    @classmethod
    def text(cls, values: Sequence[str], *axes: str) -> Quantity:
        """Names, labels or reasons, which have no unit."""
        return cls(list(values), "", axes)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; flush and rename it to `path` at the end, or remove it on an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(path)
    owner = f"{platform.node()}-{os.getpid()}"
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.{owner}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.chmod(0o644)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def remove_unfinished(path: Path) -> None:
    """Remove the unfinished files that killed jobs of this machine, or of any a day ago, left beside their target."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(.+)-(\d+)\.\w+\.part")
    for entry in os.scandir(path.parent):
        found = pattern.match(entry.name)
        if found and (is_abandoned(int(found[2])) if found[1] == platform.node() else is_old(entry)):
            Path(entry.path).unlink(missing_ok=True)


def is_abandoned(pid: int) -> bool:
    """Whether no process of this machine has that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def is_old(entry: os.DirEntry) -> bool:
    """Whether a file has not been written to for a day."""
    try:
        return time.time() - entry.stat().st_mtime > DAY
    except FileNotFoundError:
        return False


@contextmanager
def sealed(path: str | Path, seed: int = -1) -> Iterator[Path]:
    """`atomic`, with the seal of what was made as `path` from a study of that seed."""
    with atomic(path) as part:
        yield part
        seal(part, path, seed)


def write(path: str | Path, quantities: Mapping[str, Quantity | Any], provenance: Mapping[str, Any]) -> None:
    """Write `quantities`, one dataset each, and `provenance`, one attribute each, to an HDF5 file, atomically.

    Text is stored as UTF-8 and nested provenance as JSON. The same content gives the same bytes.
    """
    with sealed(path, provenance.get("seed", -1)) as part, h5py.File(part, "w") as file:
        describe(file, provenance)
        for name, quantity in quantities.items():
            store_quantity(file, name, quantity)


def describe(file: h5py.File, provenance: Mapping[str, Any]) -> None:
    """Store provenance as attributes of an open file, what is nested as JSON with its order kept."""
    for key, value in provenance.items():
        file.attrs[key] = value if isinstance(value, str | int | float) else json.dumps(value)


def store_quantity(file: h5py.File, name: str, quantity: Quantity | Any) -> h5py.Dataset:
    """Store one quantity in an open file."""
    if not isinstance(quantity, Quantity):
        quantity = unitless_quantity(name, quantity)
    values = np.asarray(quantity.values)
    if values.dtype.kind in "UO" or quantity.unit == "":  # an empty list of names is text too
        dataset = file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        dataset = file.create_dataset(name, data=values, **stored_as(quantity, values.shape))
    label_dataset(dataset, quantity)
    return dataset


def store_empty(file: h5py.File, name: str, quantity: Quantity, n: int) -> h5py.Dataset:
    """Room in an open file for `n` entries of the first axis of a quantity, to be filled later."""
    values = np.asarray(quantity.values)
    shape = (n, *values.shape[1:])
    dataset = file.create_dataset(name, shape, values.dtype, **stored_as(quantity, shape))
    label_dataset(dataset, quantity)
    return dataset


def stored_as(quantity: Quantity, shape: tuple[int, ...]) -> dict[str, Any]:
    """Options of the dataset of a quantity."""
    return {"chunks": (1, *shape[1:]), **COMPRESSION} if quantity.compressed else {}


def unitless_quantity(name: str, values: Any) -> Quantity:
    """Text, flags and whole numbers as a quantity; numbers that are measured need a unit."""
    kind = np.asarray(values).dtype.kind
    if kind == "f":
        raise ValueError(f"{name} has no unit; write Quantity(values, unit, axes), with unit 1 for pure numbers")
    return Quantity(values, "1" if kind in "biu" else "")


def label_dataset(dataset: h5py.Dataset, quantity: Quantity) -> None:
    """Store unit, axes and attributes with a dataset; units of the entries of its last axis as JSON.

    Raises
    ------
    ValueError
        If there are not as many units as entries, or names of axes as axes.
    """
    if quantity.axes and len(quantity.axes) != dataset.ndim:
        raise ValueError(
            f"{dataset.name[1:]} has {dataset.ndim} axes, not the {len(quantity.axes)} named {', '.join(quantity.axes)}"
        )
    unit, last = quantity.unit, dataset.shape[-1:]
    if not isinstance(unit, str):
        if (len(unit),) != last:
            raise ValueError(f"{dataset.name[1:]}: {len(unit)} units for an axis of {last}; give one for each")
        unit = unit[0] if len(set(unit)) == 1 else json.dumps(list(unit), ensure_ascii=False)
    dataset.attrs["unit"] = unit
    dataset.attrs["axes"] = list(quantity.axes)
    for key, value in sorted((quantity.attributes or {}).items()):
        dataset.attrs[key] = value


@contextmanager
def open_sealed(path: str | Path) -> Iterator[h5py.File]:
    """Open a sealed HDF5 file for reading; its bytes are checked before HDF5 sees them.

    Raises
    ------
    ValueError
        If the file is missing, truncated or not HDF5; the message names the file and the fix.
    """
    verify(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path}: not a whole HDF5 file ({error}); delete it and run again") from None
    with file:
        yield file


def read(path: str | Path, *names: str) -> dict[str, Any]:
    """Read the named datasets (all of them if none is named) as NumPy arrays; text as lists of str.

    Raises
    ------
    ValueError
        If the file is unreadable or lacks a dataset.
    """
    with open_sealed(path) as file:
        return {name: read_values(file, name) for name in names or file}


def read_values(file: h5py.File, name: str) -> Any:
    """Values of one dataset of an open file: a NumPy array, or a list of str for text."""
    if name not in file:
        raise ValueError(f"{file.filename}: no dataset {name!r}; it holds {', '.join(file)}")
    try:
        dataset = file[name]
        return dataset.asstr()[()].tolist() if h5py.check_string_dtype(dataset.dtype) else dataset[()]
    except OSError as error:
        raise ValueError(f"{file.filename}: {name} is unreadable ({error}); delete the file and run again") from None


def read_rows(path: str | Path, name: str, indices: np.ndarray) -> np.ndarray:
    """Rows `indices` of one dataset, in that order, read in blocks: memory is that of the result."""
    with open_sealed(path) as file:
        if name not in file:
            raise ValueError(f"{path}: no dataset {name!r}; it holds {', '.join(file)}")
        dataset, indices = file[name], np.asarray(indices)
        out = np.empty((len(indices), *dataset.shape[1:]), dataset.dtype)
        for start in range(0, len(dataset), BLOCK):
            mine = np.flatnonzero((indices >= start) & (indices < start + BLOCK))
            if len(mine):
                out[mine] = dataset[start : start + BLOCK][indices[mine] - start]
    return out


def read_subjects(paths: Sequence[str | Path], name: str) -> dict[str, Any]:
    """One dataset of each subject's file, by the name of its folder."""
    return {Path(path).parent.name: read(path, name)[name] for path in paths}


def read_attributes(path: str | Path, name: str | None = None) -> dict[str, Any]:
    """Attributes of one dataset, or of the file (its provenance), with JSON decoded."""
    with open_sealed(path) as file:
        return {key: decode_attribute(value) for key, value in (file[name] if name else file).attrs.items()}


def parameter_units(path: str | Path) -> dict[str, str]:
    """Unit of each parameter of the theta in a file, by name: one of ``eta``, not one of each ``eta[lh-insula]``."""
    with open_sealed(path) as file:
        names, unit = read_values(file, "names"), decode_attribute(file["theta"].attrs["unit"])
    stems = [name.partition("[")[0].partition(".")[0] for name in names]
    return dict(zip(stems, [unit] * len(names) if isinstance(unit, str) else unit, strict=True))


def decode_attribute(value: Any) -> Any:
    """An attribute as a plain Python value; JSON text becomes the object it stands for."""
    value = (
        value.item() if isinstance(value, np.generic) else value.tolist() if isinstance(value, np.ndarray) else value
    )
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value


def write_text(path: str | Path, text: str, *, seals: bool = False) -> None:
    """Write a text file atomically, with a seal if other jobs read it."""
    with sealed(path) if seals else atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write a JSON object, sealed, keys in the order given, not-a-number as null."""
    with sealed(path) as part:
        part.write_text(json.dumps(to_plain(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read what `write_json` wrote, without its seal; a damaged file is named."""
    verify(path)
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key != "seal"}


def to_plain(content: Any) -> Any:
    """`content` with NumPy values as plain Python ones and non-finite numbers as None."""
    if isinstance(content, Mapping):
        return {str(key): to_plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [to_plain(value) for value in content]
    if isinstance(content, np.ndarray | np.generic):
        return to_plain(content.tolist())
    if isinstance(content, float) and not np.isfinite(content):
        return None
    return content


Progress = Callable[[int, int], None]
"""Called with (done, total) as long work goes on."""
