"""Connectomes of The Virtual Brain: a ZIP archive of text files."""

from __future__ import annotations

import bz2
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vbiflow.arrays import Table
from vbiflow.arrays.containers import check_promise
from vbiflow.arrays.table import is_number
from vbiflow.arrays.text import LARGEST, decode, parse_table, read_at_most, split_cells
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.matrices import check_square, clean_lengths, clean_matrix
from vbiflow.connectome.regions import Regions, make_regions, unique_labels


@dataclass(frozen=True)
class TvbArchive:
    """Weights, lengths [mm] (not-a-number if the archive has none), regions and findings; nothing checked yet."""

    path: str
    weights: np.ndarray
    lengths: np.ndarray
    regions: Regions
    findings: tuple[Finding, ...] = ()

    def part(self, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
        """Weights and lengths of the regions at `keep`, checked and mirrored where they are half a matrix."""
        names = self.regions.labels
        weights, findings = clean_matrix(f"{self.path}::weights", self.weights, keep, names)
        lengths = self.lengths[np.ix_(keep, keep)]
        if not np.isnan(self.lengths).all():
            lengths, more = clean_lengths(f"{self.path}::tract_lengths", self.lengths, self.weights, keep, names)
            findings += more
        return weights, lengths, [*self.findings, *findings]


def read_tvb(path: Path, folder: str = "") -> TvbArchive:
    """Read an archive: weights, centres and optional tract_lengths, hemispheres, cortical, each .txt or .txt.bz2.

    `folder` picks one of several connectomes in the archive.

    Raises
    ------
    ValueError
        If the archive is damaged or encrypted, lacks a part, or if its parts do not agree.
    """
    parts = text_files(path, folder)
    if "centers" in parts:
        if "centres" in parts and read_centres(path, parts["centres"])[0] != read_centres(path, parts["centers"])[0]:
            raise ValueError(
                f"{path}: centres.txt and centers.txt name its regions differently; take the wrong one out"
            )
        parts.setdefault("centres", parts["centers"])
    missing = [name for name in ("weights", "centres") if not parts.get(name, "").strip()]
    if missing:
        raise ValueError(f"{path}: no {missing[0]}.txt; found {', '.join(parts) or 'no text file'}")
    labels, centres = read_centres(path, parts["centres"])
    weights, findings = text_matrix(path, "weights", parts).values, ()
    check_square(f"{path}::weights", weights)
    lengths = np.full(weights.shape, np.nan)
    if parts.get("tract_lengths", "").strip():
        lengths = text_matrix(path, "tract_lengths", parts).values
    elif "tract_lengths" in parts:
        findings = (
            Finding("empty_lengths", "note", f"{path.name}: tract_lengths.txt is empty, so no lengths are given"),
        )
    if not (len(labels),) * 2 == weights.shape == lengths.shape:
        sizes = f"{len(labels)} centres, {len(weights)} rows of weights, {len(lengths)} of lengths"
        raise ValueError(f"{path}: {sizes}; they must agree")
    columns = read_flags(path, parts, len(labels))
    labels = unique_labels(f"{path}: centres.txt", labels, columns.get("hemispheres"))
    return TvbArchive(str(path), weights, lengths, make_regions(labels, centres, **columns), findings)


def text_files(path: Path, folder: str = "") -> dict[str, str]:
    """Text files of one folder of a ZIP archive by stem, unpacked if bzip2 packed them."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            folders: dict[str, dict[str, zipfile.ZipInfo]] = {}
            for info in archive.infolist():
                place = Path(info.filename)
                hidden = place.name.startswith(".") or "__MACOSX" in place.parts
                if info.filename.endswith((".txt", ".txt.bz2")) and not hidden:
                    stem = place.name.partition(".")[0]
                    folders.setdefault(str(place.parent).removeprefix("."), {})[stem] = info
            chosen = choose_folder(path, folder, folders)
            return {stem: unpack_text(path, archive, info) for stem, info in chosen.items()}
    except ValueError as error:
        raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except Exception as error:  # encrypted members raise RuntimeError, damaged ones zlib.error
        if "encrypted" in str(error):
            raise ValueError(f"{path}: encrypted; unpack it, and zip the files without a password") from None
        raise ValueError(f"{path}: not a whole ZIP archive ({str(error)[:200]}); copy or export it again") from None


def choose_folder(
    path: Path, folder: str, folders: Mapping[str, Mapping[str, zipfile.ZipInfo]]
) -> Mapping[str, zipfile.ZipInfo]:
    """The folder that holds the connectome; of several the one asked for."""
    if folder:
        if folder.strip("/") not in folders:
            raise ValueError(f"{path}: no folder {folder!r}; it holds {', '.join(map(repr, folders))}")
        return folders[folder.strip("/")]
    whole = [name for name, members in folders.items() if "weights" in members]
    if len(whole) > 1:
        names = ", ".join(name or "its top" for name in whole)
        example = next(name for name in whole if name)
        raise ValueError(f"{path}: holds {len(whole)} connectomes, in {names}; name one, as in {path.name}::{example}")
    return folders[whole[0]] if whole else {stem: info for some in folders.values() for stem, info in some.items()}


def unpack_text(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    """Text of a member of an archive, unpacked in bounded memory."""
    check_promise(f"{path}::{info.filename}", info.file_size, info.compress_size, packed=info.compress_type != 0)
    with archive.open(info) as stream:
        data = read_at_most(stream, LARGEST + 1)
    if info.filename.endswith(".bz2"):
        data = bz2.BZ2Decompressor().decompress(data, LARGEST + 1)
    return decode(data, f"{path}::{info.filename}")


def text_matrix(path: Path, name: str, parts: Mapping[str, str]) -> Table:
    """A table that stands in an archive as text."""
    return parse_table(f"{path}::{name}", parts[name].splitlines())


def read_flags(path: Path, parts: Mapping[str, str], n: int) -> dict[str, tuple[str, ...]]:
    """What a TVB archive says of each region by 0 and 1: the right hemisphere, the cortex."""
    found = {}
    for part, name, meanings in (
        ("hemisphere", "hemispheres", ("L", "R")),
        ("cortical", "structure", ("subcortex", "cortex")),
    ):
        stem = part if part in parts else f"{part}s"
        words = re.sub(r"(?i)\btrue\b", "1", re.sub(r"(?i)\bfalse\b", "0", parts.get(stem, "")))
        if words.split():
            values = parse_table(f"{path}::{stem}", words.splitlines()).values.ravel()
            if len(values) != n or not np.isin(values, (0, 1)).all():
                raise ValueError(f"{path}: {stem}.txt: {len(values)} entries for {n} regions; write 0 or 1 for each")
            found[name] = tuple(meanings[int(value)] for value in values)
    return found


def read_centres(path: Path, text: str) -> tuple[list[str], np.ndarray]:
    """Labels and centres [mm]: lines of a name and three numbers; further entries are ignored.

    A name may hold blanks, if it stands in quotes or if its line ends with the three numbers.
    """
    rows = [split_cells(line, None) for line in text.splitlines() if line.strip() and line[0] != "#"]
    named = [split_name(row) for row in rows]
    if not rows or None in named:
        found = " ".join(rows[named.index(None)]) if rows else "nothing"
        raise ValueError(f"{path}: centres.txt: found {found!r}; a line is a name and x y z in mm")
    return [name for name, _ in named], np.array([place for _, place in named])


def split_name(row: Sequence[str]) -> tuple[str, list[float]] | None:
    """Name and x, y, z of a line of centres; None for another line."""
    start = next((k for k in range(1, len(row) - 2) if all(map(is_number, row[k : k + 3]))), None)
    if start is None:
        return None
    if start > 1 and all(map(is_number, row[-3:])):  # a number may be part of a name with blanks, as in Area 4
        start = len(row) - 3
    return " ".join(row[:start]), [float(cell) for cell in row[start : start + 3]]
