"""Read connectomes: matrices in the formats of the field, a TVB archive, or streamlines that are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vbiflow.arrays import FORMATS as ARRAYS
from vbiflow.arrays import split_key
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.matrices import assemble_connectome, read_matrices
from vbiflow.connectome.parcellation import own_centres, read_parcellation
from vbiflow.connectome.region_tables import COLUMNS, read_regions, unread_columns
from vbiflow.connectome.regions import match_labels
from vbiflow.connectome.tvb import read_tvb
from vbiflow.reading import reading


@dataclass(frozen=True)
class ConnectomeFiles:
    """What a connectome is read from; see `read_connectome`."""

    weights: str
    tract_lengths: str | None = None
    regions: str | None = None
    select: Mapping[str, Any] = field(default_factory=dict)
    parcellation: str | None = None
    streamlines: Mapping[str, Any] = field(default_factory=dict)


def read_connectome(
    weights: str | Path,
    tract_lengths: str | Path | None = None,
    regions: str | Path | None = None,
    select: Mapping[str, Any] | None = None,
    parcellation: str | Path | None = None,
    streamlines: Mapping[str, Any] | None = None,
) -> Connectome:
    """Read a connectome; the diagonal becomes zero, half a matrix is mirrored, missing lengths are straight distances.

    Parameters
    ----------
    weights
        Matrix (target, source) in a format of `vbiflow.arrays` (``file::key`` for one of several, ``file::key[3]`` for
        one of a stack), or a TVB .zip, which holds everything (``file.zip::folder`` for one of several), or
        streamlines, .tck or .trk, which are counted.
    tract_lengths
        The same for the lengths [mm].
    regions
        Table of regions in the matrix's order; see `read_regions`. For streamlines its column index is the value in the
        parcellation. Without one, labels, centres, hemispheres and networks beside the matrix in its file are taken.
    select
        Columns of that table and the values to keep, or ``{exclude: values}``; only what is kept is checked.
    parcellation
        Volume of labels, NIfTI or .mgz: regions of streamlines, or centres of a matrix's regions.
    streamlines
        Keywords of `build_connectome`, for streamlines alone.

    Raises
    ------
    ValueError
        If a file is unreadable, a matrix not square or not finite, or if sizes or names disagree: one line, that names
        the file.
    """
    texts = (None if path in (None, "") else str(path) for path in (weights, tract_lengths, regions, parcellation))
    weights, tract_lengths, regions, parcellation = texts
    files = ConnectomeFiles(weights, tract_lengths, regions, select or {}, parcellation, streamlines or {})
    with reading(weights):
        found = reader_of(weights)(files)
        notes = [Finding("unread", "note", text) for text in unread_entries(files)]
    return replace(found, findings=(*found.findings, *notes))


def unread_entries(files: ConnectomeFiles) -> list[str]:
    """What was given and nobody reads: files beside a format that does without, columns of the table of regions."""
    reader, found = reader_of(files.weights).__name__, []  # by name: code of one format depends on no other's
    given = {
        "tract_lengths": files.tract_lengths and reader != "from_matrices",
        "parcellation": files.parcellation and reader == "from_tvb",
        "streamline_weights": files.streamlines.get("streamline_weights") and reader != "from_streamlines",
    }
    names = [name for name, is_given in given.items() if is_given]
    if names:
        found.append(f"columns of the cohort that nobody reads for such weights: {', '.join(names)}")
    if files.regions:
        selected = [str(column).lower() for column in files.select]
        text = unread_columns(read_regions(files.regions).columns, (*COLUMNS, *selected))
        found += [f"{Path(files.regions).name}: {text}"] if text else []
    return found


def reader_of(path: str) -> Callable[[ConnectomeFiles], Connectome]:
    """Reader of a file's format.

    Raises
    ------
    ValueError
        If there is none.
    """
    suffix = format_of(path)
    if suffix is None:
        raise ValueError(f"{split_key(path)[0]}: unknown format; choose from {', '.join(READERS)}")
    return READERS[suffix]


def format_of(path: str) -> str | None:
    """The format of a file, a key of READERS, by how its name ends; None if it is unknown."""
    name = split_key(path)[0].name.lower()
    return next((suffix for suffix in READERS if name.removesuffix(".gz").endswith(suffix)), None)


def from_matrices(files: ConnectomeFiles) -> Connectome:
    """Connectome from one file a matrix."""
    return read_matrices(files.weights, files.tract_lengths, files.regions, files.select, files.parcellation)


def from_tvb(files: ConnectomeFiles) -> Connectome:
    """Connectome from a TVB archive; a table of regions is matched by name, and says what select may name."""
    file, folder = split_key(files.weights)
    archive = read_tvb(file, folder)
    nodes = archive.regions
    if files.regions:
        given = read_regions(files.regions)
        nodes = given.take(match_labels(nodes.labels, given.labels, files.regions, file.name))
    keep = nodes.where(files.select)
    weights, lengths, findings = archive.part(keep)
    return assemble_connectome(weights, lengths, nodes.take(keep), findings)


def from_streamlines(files: ConnectomeFiles) -> Connectome:
    """Connectome from streamlines, counted between the regions of a parcellation."""
    file, _ = split_key(files.weights)
    if not files.parcellation:
        raise ValueError(f"{file}: streamlines need a parcellation; name its volume in the cohort table")
    from vbiflow.connectome.tractogram import build_connectome  # here, as numba takes a second

    parcels = read_parcellation(files.parcellation, files.regions, files.select)
    found = build_connectome(file, parcels, **files.streamlines).take(parcels.regions.where(files.select))
    return replace(found, findings=(*found.findings, own_centres(files.parcellation)))


READERS: dict[str, Callable[[ConnectomeFiles], Connectome]] = {
    **dict.fromkeys(ARRAYS, from_matrices),
    ".zip": from_tvb,
    ".tck": from_streamlines,
    ".trk": from_streamlines,
}
"""Reader of each format of connectomes; text and streamlines may be packed (.gz)."""
