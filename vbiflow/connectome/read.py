"""Read connectomes: matrices in the formats of the field, with a table of regions, or a TVB archive."""

from __future__ import annotations

import bz2
import io
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.arrays import Table, read_table, split_key
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.parcellation import read_parcellation
from vbiflow.connectome.regions import ENTRIES, Regions, make_regions, match, read_regions
from vbiflow.connectome.streamlines import FORMATS as STREAMLINES

CENTRES = ("centre", "center", "coord", "coordinate", "centroid", "xyz")
"""What programs call the centres of regions, without a plural s."""


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
        Matrix (target, source): .mat, .npy, .npz, .h5, .csv, .tsv, .txt (``file::key`` for one of several), or a
        TVB .zip, which holds everything, or streamlines, .tck or .trk, which are counted.
    tract_lengths
        The same for the lengths [mm].
    regions
        Table of regions in the matrix's order; see `read_regions`. For streamlines its column index is the value in the
        parcellation. Without one, labels, centres, hemispheres and networks beside the matrix in its file are taken.
    select
        Columns of that table and the values to keep.
    parcellation
        Volume of labels, NIfTI or .mgz, for streamlines alone.
    streamlines
        Keywords of `build_connectome`, for streamlines alone.

    Raises
    ------
    ValueError
        If a file is unreadable, a matrix not square or not finite, or if sizes or names disagree.
    """
    file, _ = split_key(weights)
    if file.suffix.lower() in STREAMLINES:
        return read_streamlines(file, regions, select, parcellation, streamlines or {})
    if file.suffix.lower() == ".zip":
        connectome, table = read_tvb(file)
    else:
        connectome, table = read_matrices(weights, tract_lengths, regions)
    if regions and file.suffix.lower() == ".zip":
        given = read_regions(regions)
        table = given.take(match(connectome.labels, given.labels, str(regions), file.name))
        connectome = build(connectome.weights, connectome.tract_lengths, table, connectome.findings)
    return connectome.take(table.where(select))


def read_streamlines(
    file: Path,
    regions: str | Path | None,
    select: Mapping[str, Any] | None,
    parcellation: str | Path | None,
    options: Mapping[str, Any],
) -> Connectome:
    """Connectome from streamlines, counted between the regions of a parcellation."""
    if not parcellation:
        raise ValueError(f"{file}: streamlines need a parcellation; name its volume in the cohort table")
    from vbiflow.connectome.tractogram import build_connectome

    parcels = read_parcellation(parcellation, regions or None)
    return build_connectome(file, parcels, **options).take(parcels.regions.where(select))


def read_matrices(
    weights: str | Path, tract_lengths: str | Path | None, regions: str | Path | None
) -> tuple[Connectome, Regions]:
    """Connectome from one file a matrix."""
    table, findings = square(weights, read_table(weights))
    n = len(table.values)
    nodes = labelled_regions(weights, table, regions)
    lengths = np.full((n, n), np.nan)
    if tract_lengths:
        lengths, more = read_lengths(tract_lengths, weights, table)
        findings += more
    return build(table.values, lengths, nodes, findings), nodes


def read_lengths(path: str | Path, weights: str | Path, table: Table) -> tuple[np.ndarray, list[Finding]]:
    """Lengths of the connections of `table`, in its order; where there is no connection they may be not-a-number."""
    given = read_table(path)
    n = len(table.values)
    if given.values.shape != (n, n):
        shape = " x ".join(map(str, given.values.shape))
        raise ValueError(f"{path}: {shape}, but {weights} is {n} x {n}; give both for the same regions")
    header, other = table.columns or table.rows, given.columns or given.rows
    values = given.values
    if header and other:
        order = match(header, other, str(path), str(weights))
        values = values[np.ix_(order, order)]
    return checked_lengths(path, Table(values), table)


def checked_lengths(path: str | Path, given: Table, weights: Table) -> tuple[np.ndarray, list[Finding]]:
    """Lengths in the order of `weights`, unknown ones zero where there is no connection."""
    unknown = np.isnan(given.values)
    if unknown.shape == weights.values.shape:
        given = replace(given, values=np.where(unknown & (weights.values == 0), 0.0, given.values))
    lengths, findings = square(path, given)
    if lengths.values.min() < 0:
        raise ValueError(f"{path}: {int((lengths.values < 0).sum())} lengths are below zero; lengths are in mm")
    return lengths.values, [finding for finding in findings if finding.name != "diagonal"]


def build(
    weights: np.ndarray, lengths: np.ndarray, nodes: Regions, findings: list[Finding] | tuple[Finding, ...]
) -> Connectome:
    """Put a connectome together; unknown lengths become the straight distances of known centres."""
    findings = list(findings)
    if np.isnan(lengths).all():
        lengths = np.linalg.norm(nodes.centres[:, None] - nodes.centres, axis=-1)
        known = not np.isnan(lengths).any()
        text = (
            "no tract lengths given: straight distances between centres stand for them"
            if known
            else "no tract lengths and no centres given"
        )
        findings.append(Finding("euclidean_lengths" if known else "no_lengths", "note", text))
    return Connectome(weights, lengths, nodes.labels, nodes.centres, nodes.hemispheres, nodes.networks, tuple(findings))


def labelled_regions(weights: str | Path, table: Table, regions: str | Path | None) -> Regions:
    """Regions of a matrix: from their table, from the matrix's own header, or numbered."""
    n = len(table.values)
    header = table.columns or table.rows
    if not regions:
        found = described(str(weights), table)
        return make_regions(
            header or found.pop("labels", [f"region-{k:0{len(str(n))}d}" for k in range(1, n + 1)]), **found
        )
    nodes = read_regions(regions)
    if header:
        return nodes.take(match(header, nodes.labels, str(regions), str(weights)))
    if len(nodes) != n:
        raise ValueError(
            f"{regions}: {len(nodes)} regions, but {weights} is {n} x {n}; give one line a row, in the same order"
        )
    return nodes


def described(path: str, table: Table) -> dict[str, Any]:
    """Labels, centres, hemispheres and networks of a matrix, as far as they stand beside it in its file.

    Labels are the list of as many different words as there are regions, whatever its name.
    """
    n, found = len(table.values), {}
    texts = {name: entries for name, entries in table.texts.items() if len(entries) == n}
    for name in list(texts):
        part = name.lower().rstrip("s") + "s"
        if part in ("hemispheres", "networks"):
            found[part] = texts.pop(name)
    lists = {name: entries for name, entries in texts.items() if len(set(entries)) == n > 1}
    if len(set(lists.values())) > 1:
        raise ValueError(f"{path}: {' and '.join(lists)} name its regions differently; give the table of regions")
    if lists:
        found["labels"] = next(iter(lists.values()))
    strange = [side for side in found.get("hemispheres", ()) if side.lower() not in ENTRIES and side]
    if strange:
        raise ValueError(f"{path}: hemispheres hold {strange[0]!r}; write L, R or leave it empty")
    for name, values in table.beside.items():
        if name.lower().rstrip("s") in CENTRES and values.shape == (n, 3) and values.dtype.kind in "iuf":
            found["centres"] = np.asarray(values, float)
    return found


def square(path: str | Path, table: Table) -> tuple[Table, list[Finding]]:
    """A square, finite matrix with zero diagonal, mirrored if only one triangle is filled; and what was done to it."""
    values = table.values
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(
            f"{path}: shape {' x '.join(map(str, values.shape))}; a connectome is square, regions x regions"
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        count = int((~np.isfinite(values)).sum())
        where = f"first at row {row + 1}, column {column + 1}"
        raise ValueError(f"{path}: {count} entries are not finite, {where}; write 0 where there is no connection")
    findings = []
    if np.diag(values).any():
        text = f"{np.count_nonzero(np.diag(values))} weights of regions onto themselves set to zero"
        findings.append(Finding("diagonal", "note", text))
        values = values - np.diag(np.diag(values))
    upper, lower = np.triu(values, 1).any(), np.tril(values, -1).any()
    if upper != lower:
        side = "upper" if upper else "lower"
        findings.append(Finding("triangle", "note", f"{Path(str(path)).name} holds only its {side} triangle: mirrored"))
        values = values + values.T
    return replace(table, values=values), findings


def read_tvb(path: Path) -> tuple[Connectome, Regions]:
    """Connectome of a TVB archive: weights, centres and optional tract_lengths, each .txt or .txt.bz2."""
    parts = archive(path)
    if "centers" in parts:
        if "centres" in parts and tvb_centres(path, parts["centres"])[0] != tvb_centres(path, parts["centers"])[0]:
            raise ValueError(
                f"{path}: centres.txt and centers.txt name its regions differently; take the wrong one out"
            )
        parts.setdefault("centres", parts["centers"])
    missing = [name for name in ("weights", "centres") if name not in parts]
    if missing:
        raise ValueError(f"{path}: no {missing[0]}.txt; found {', '.join(parts) or 'no text file'}")
    labels, centres = tvb_centres(path, parts["centres"])
    weights, findings = square(f"{path}::weights", text_table(path, parts["weights"]))
    lengths = np.full(weights.values.shape, np.nan)
    if "tract_lengths" in parts:
        lengths = checked_lengths(f"{path}::tract_lengths", text_table(path, parts["tract_lengths"]), weights)[0]
    if not len(labels) == len(weights.values) == len(lengths):
        sizes = f"{len(labels)} centres, {len(weights.values)} rows of weights, {len(lengths)} of lengths"
        raise ValueError(f"{path}: {sizes}; they must agree")
    nodes = make_regions(labels, centres, **flags(path, parts, len(labels)))
    return build(weights.values, lengths, nodes, findings), nodes


def archive(path: Path) -> dict[str, str]:
    """Text files of a ZIP archive by stem, unpacked if bzip2 packed them."""
    try:
        with zipfile.ZipFile(path) as file:
            names = [name for name in file.namelist() if name.endswith((".txt", ".txt.bz2"))]
            raw = {Path(name).name.partition(".")[0]: (name, file.read(name)) for name in names}
        return {
            stem: (bz2.decompress(data) if name.endswith(".bz2") else data).decode()
            for stem, (name, data) in raw.items()
        }
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a whole ZIP archive ({error})") from None


def flags(path: Path, parts: Mapping[str, str], n: int) -> dict[str, tuple[str, ...]]:
    """What a TVB archive says of each region by 0 and 1: the right hemisphere, the cortex."""
    found = {}
    for part, name, meanings in (
        ("hemisphere", "hemispheres", ("L", "R")),
        ("cortical", "structure", ("subcortex", "cortex")),
    ):
        text = parts.get(part, parts.get(f"{part}s", ""))
        if text.split():
            values = text_table(path, text).values.ravel()
            if len(values) != n or not np.isin(values, (0, 1)).all():
                raise ValueError(f"{path}: {part}.txt: {len(values)} entries for {n} regions; write 0 or 1 for each")
            found[name] = tuple(meanings[int(value)] for value in values)
    return found


def text_table(path: Path, text: str) -> Table:
    """A table that stands in an archive as text."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        try:
            return read_table(file.name)
        except ValueError as error:
            raise ValueError(str(error).replace(file.name, str(path))) from None


def tvb_centres(path: Path, text: str) -> tuple[list[str], np.ndarray]:
    """Labels and centres [mm]: lines of a name and three numbers; further entries are ignored."""
    rows = [line.split() for line in io.StringIO(text) if line.strip() and line[0] != "#"]
    try:
        centres = np.array([[float(value) for value in row[1:4]] for row in rows])
    except ValueError as error:
        raise ValueError(f"{path}: centres.txt: {error}; a line is a name and x y z in mm") from None
    if centres.ndim != 2 or centres.shape[1] != 3:
        raise ValueError(f"{path}: centres.txt: a line is a name and x y z in mm")
    return [row[0] for row in rows], centres
