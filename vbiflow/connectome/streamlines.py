"""Streamlines of .tck and .trk files, block by block: their ends and lengths in bounded memory."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMATS = (".tck", ".trk")
ASSIGNMENTS = ("radial", "end_voxel")
SCALINGS = ("none", "inverse_length", "inverse_volume")
POINTS = 1 << 20
"""Points read at a time: 12 MB of a .tck file."""
FAR = 1e9
"""Coordinate [mm] that stands for the ends of a streamline without points: in no volume."""


def check_counting(assignment: str = "radial", radius: float = 4.0, scale: str = "none") -> None:
    """Refuse options of `build_connectome` that there are not."""
    for name, value, known in (("assignment", assignment, ASSIGNMENTS), ("scale", scale, SCALINGS)):
        if value not in known:
            raise ValueError(f"connectome.streamlines.{name}: found {value!r}; choose from {', '.join(known)}")
    if not radius > 0:
        raise ValueError(f"connectome.streamlines.radius: found {radius:g} mm; allowed is above 0")


@dataclass(frozen=True)
class Block:
    """Some streamlines: their two ends (n, 2, 3) and lengths (n,), both in mm."""

    ends: np.ndarray
    lengths: np.ndarray


def read_blocks(path: str | Path) -> Iterator[Block]:
    """Ends and lengths of the streamlines of a .tck or .trk file, block by block in bounded memory.

    A file that gzip packed is unpacked into a temporary folder first.

    Raises
    ------
    ValueError
        If the file is missing, damaged or of another format.
    """
    path = Path(path)
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix not in FORMATS:
        raise ValueError(f"{path}: unknown format of streamlines; choose from {', '.join(FORMATS)}")
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    if path.suffix.lower() == ".gz":
        return unpacked_blocks(path)
    return tck_blocks(path) if suffix == ".tck" else trk_blocks(path)


def unpacked_blocks(path: Path) -> Iterator[Block]:
    """Blocks of a file that gzip packed."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, path.stem)
        try:
            with gzip.open(path) as packed, open(plain, "wb") as file:
                shutil.copyfileobj(packed, file)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: damaged or cut short ({error}); copy it again") from None
        try:
            yield from read_blocks(plain)
        except ValueError as error:
            raise ValueError(str(error).replace(str(plain), str(path))) from None


def tck_header(path: Path) -> tuple[np.dtype, int]:
    """Type of the numbers and offset of the first one."""
    fields: dict[str, str] = {}
    with open(path, "rb") as file:
        if file.readline().strip() != b"mrtrix tracks":
            raise ValueError(f"{path}: not a .tck file; it begins with 'mrtrix tracks'")
        for line in file:
            if line.strip() == b"END":
                break
            key, _, value = line.decode("latin-1").partition(":")
            fields.setdefault(key.strip(), value.strip())
    types = {"Float32LE": "<f4", "Float32BE": ">f4", "Float64LE": "<f8", "Float64BE": ">f8"}
    datatype, place = fields.get("datatype", ""), fields.get("file", "").split()
    if datatype not in types or len(place) != 2 or place[0] != "." or not place[1].isdigit():
        raise ValueError(f"{path}: damaged header: datatype {datatype!r}, file {' '.join(place)!r}")
    return np.dtype(types[datatype]), int(place[1])


def tck_blocks(path: Path) -> Iterator[Block]:
    """Blocks of a .tck file: points in a row, not-a-number after each streamline, infinity at the end."""
    kind, offset = tck_header(path)
    rest = np.empty((0, 3))
    with open(path, "rb") as file:
        file.seek(offset)
        while True:
            read = np.fromfile(file, kind, 3 * POINTS)
            points = np.concatenate([rest, read[: len(read) // 3 * 3].reshape(-1, 3).astype(float)])
            last = np.flatnonzero(np.isinf(points[:, 0]))
            stops = np.flatnonzero(np.isnan(points[:, 0]))
            if last.size:
                stops = stops[stops < last[0]]
            if stops.size:
                yield streamline_block(points[: stops[-1]], stops)
                rest = points[stops[-1] + 1 :]
            else:
                rest = points
            if last.size:
                return
            if not read.size:
                raise ValueError(f"{path}: ends without its end mark: cut short; copy or make it again")


def streamline_block(points: np.ndarray, stops: np.ndarray) -> Block:
    """Ends and lengths of streamlines whose points end before the rows `stops`."""
    begins = np.r_[0, stops[:-1] + 1]
    lasts = np.maximum(stops - 1, begins)
    points = np.concatenate([points, np.full((1, 3), np.nan)])
    steps = np.sqrt(np.square(np.diff(points, axis=0)).sum(axis=1))
    total = np.r_[0.0, np.cumsum(np.nan_to_num(steps))]
    ends = np.stack([points[begins], points[lasts]], axis=1)
    return Block(np.nan_to_num(ends, nan=FAR), total[lasts] - total[begins])


def trk_blocks(path: Path, size: int = 10000) -> Iterator[Block]:
    """Blocks of a .trk file, through nibabel, in mm."""
    gap = np.full((1, 3), np.nan)
    parts: list[np.ndarray] = []
    n = 0
    try:
        file = open_trk(path)
        stated = int(file.header["nb_streamlines"])  # nibabel puts what it finds there in the end
        for streamline in file.streamlines:
            parts += [np.asarray(streamline, dtype=float), gap]
            n += 1
            if len(parts) == 2 * size:
                yield join_streamlines(parts)
                parts = []
    except Exception as error:
        text = str(error).splitlines()[0]
        raise ValueError(text if text.startswith(str(path)) else f"{path}: not a whole .trk file ({text})") from None
    if stated not in (0, n):
        raise ValueError(f"{path}: {n} streamlines, but its header says {stated}: cut short; copy or make it again")
    if parts:
        yield join_streamlines(parts)


def open_trk(path: Path) -> Any:
    """A .trk file whose header says how its coordinates become mm; nibabel would take the identity."""
    import nibabel as nib  # here, as simulations import this package without it
    from nibabel.streamlines.tractogram_file import HeaderWarning

    with warnings.catch_warnings(category=HeaderWarning, record=True) as told:
        warnings.simplefilter("always", HeaderWarning)
        file = nib.streamlines.load(path, lazy_load=True)
    if any("vox_to_ras" in str(one.message) for one in told):
        raise ValueError(f"{path}: no transform to mm in its header (vox_to_ras); save it with its reference image")
    return file


def join_streamlines(parts: list[np.ndarray]) -> Block:
    """Ends and lengths of streamlines given one by one."""
    points = np.concatenate(parts)
    return streamline_block(points[:-1], np.flatnonzero(np.isnan(points[:, 0])))
