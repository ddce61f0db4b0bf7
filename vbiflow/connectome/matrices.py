"""Connectomes from one file a matrix: square, finite, its regions named by what the files say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.arrays import Table, read_table
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.parcellation import own_centres, read_parcellation
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.regions import INDICES, LEAVE_OUT, Regions, make_regions, match_labels, unique_labels
from vbiflow.labels import numbered_labels, side_of
from vbiflow.reading import Problems, pluralise, shorten_list

CENTRES = ("centre", "center", "coord", "coordinate", "centroid", "xyz")
"""What programs call the centres of regions, without a plural s."""


def read_matrices(
    weights: str | Path,
    tract_lengths: str | Path | None,
    regions: str | Path | None,
    select: Mapping[str, Any] | None = None,
    parcellation: str | Path | None = None,
) -> Connectome:
    """Connectome from one file a matrix, of the selected regions; what is left out may be not-a-number.

    With a `parcellation`, the volume of the matrix's regions, centres are the means of their voxels.

    Raises
    ------
    ValueError
        With all that is wrong with the two matrices.
    """
    table = align_columns_with_rows(str(weights), read_table(weights))
    check_square(weights, table.values)
    nodes = regions_of_matrix(weights, table, regions)
    if parcellation:
        nodes = with_parcellation(nodes, parcellation, regions, select)
    keep, problems, findings = nodes.where(select), Problems(), []
    weights_kept = lengths = np.full((len(keep), len(keep)), np.nan)
    with problems.collect():
        weights_kept, findings = clean_matrix(weights, table.values, keep, nodes.labels)
    if tract_lengths:
        with problems.collect():
            given = read_lengths(tract_lengths, weights, table)
            lengths, more = clean_lengths(tract_lengths, given, table.values, keep, nodes.labels)
            findings += more
    problems.tell()
    findings += [own_centres(parcellation)] if parcellation else []
    return assemble_connectome(weights_kept, lengths, nodes.take(keep), findings)


def align_columns_with_rows(path: str, table: Table) -> Table:
    """A matrix whose columns are in the order of its rows, where both have names."""
    rows, columns = table.row_names, table.column_names
    if not rows or not columns or rows == columns or len(rows) != len(columns):
        return table
    order = match_labels(rows, columns, f"{path}: its header", "its first column")
    return replace(table, values=table.values[:, order], columns=rows)


def check_square(path: str | Path, values: np.ndarray) -> None:
    """Refuse what is no square matrix."""
    if values.ndim == 2 and values.shape[0] == values.shape[1] > 1:
        return
    if values.size == 1:
        raise ValueError(f"{path}: one number; a connectome is square, two regions or more")
    hint = "; pick one of a stack, as in ::[0], of a file with names ::name[0]" if values.ndim == 3 else ""
    if values.ndim == 2 and values.shape[0] == values.shape[1] + 1:
        hint = "; if its first line is a header, begin it with #, or name the regions there"
    shape = " x ".join(map(str, values.shape))
    raise ValueError(f"{path}: shape {shape}; a connectome is square, regions x regions{hint}")


def regions_of_matrix(weights: str | Path, table: Table, path: str | Path | None) -> Regions:
    """Regions of a matrix: from their table, from the matrix's own header, or numbered.

    A table is matched by the names in the header, by its column index where the header holds numbers, or else taken in
    the order of that column or of its lines.
    """
    n = len(table.values)
    header = table.column_names or table.row_names
    if not path:
        found = regions_beside_matrix(str(weights), table)
        labels = header or found.pop("labels", numbered_labels(n))
        sides = tuple(side_of(side) or "" for side in found.get("hemispheres", ()))
        return make_regions(unique_labels(str(weights), labels, sides), **found)
    nodes = read_regions(path)
    if header:
        return nodes.take(match_labels(header, nodes.labels, str(path), str(weights)))
    index = next((name for name in INDICES if name in nodes.columns), None)
    codes = [str(code) for code in table.codes]
    if index and len(codes) == n and set(codes) <= set(nodes.columns[index]):
        return nodes.take([list(nodes.columns[index]).index(code) for code in codes])
    if len(nodes) != n:
        raise ValueError(
            f"{path}: {len(nodes)} regions, but {weights} is {n} x {n}; give one line a row, in the same order"
        )
    return nodes.in_matrix_order()


def with_parcellation(
    nodes: Regions, parcellation: str | Path, regions: str | Path | None, select: Mapping[str, Any] | None
) -> Regions:
    """The regions with their centres in a volume, this person's own: each region's mean voxel [mm]."""
    parcels = read_parcellation(parcellation, regions, select)
    if not regions and len(parcels.regions) == len(nodes):
        return replace(nodes, centres=parcels.regions.centres)
    places = {label: k for k, label in enumerate(parcels.regions.labels)}
    wanted = [nodes.labels[k] for k in nodes.where(select)]
    missing = [label for label in wanted if label not in places]
    if missing:
        advice = "give a column index, each region's value in the volume, or drop the column parcellation"
        raise ValueError(f"{parcellation}: no voxel of {shorten_list(missing)}; {advice}")
    unknown = np.full(3, np.nan)
    centres = [parcels.regions.centres[places[label]] if label in places else unknown for label in nodes.labels]
    return replace(nodes, centres=np.array(centres))


def regions_beside_matrix(path: str, table: Table) -> dict[str, Any]:
    """Labels, centres, hemispheres and networks of a matrix, as far as they stand beside it in its file.

    Labels are the list of as many different words as there are regions, whatever its name. Hemispheres may be words, or
    true (1) for the right as in TVB.
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
    strange = [side for side in found.get("hemispheres", ()) if side_of(side) is None]
    if strange:
        raise ValueError(f"{path}: hemispheres hold {strange[0]!r}; write L, R or leave it empty")
    for name, values in table.beside.items():
        part = name.lower().rpartition("/")[2].rstrip("s")
        if part in CENTRES and values.shape == (n, 3) and values.dtype.kind in "iuf":
            found["centres"] = np.asarray(values, float)
        if part == "hemisphere" and values.size == n and values.dtype.kind in "biuf" and np.isin(values, (0, 1)).all():
            found["hemispheres"] = tuple(side_of(bool(value)) for value in values.ravel())
    return found


def clean_matrix(
    path: str | Path, values: np.ndarray, keep: np.ndarray, labels: Sequence[str] = ()
) -> tuple[np.ndarray, list[Finding]]:
    """The regions at `keep` of a matrix with zero diagonal, mirrored if only one triangle of the whole is filled.

    Their entries must be finite. The second result is what was done to the matrix.
    """
    some = np.nan_to_num(values)
    upper, lower = np.triu(some, 1).any(), np.tril(some, -1).any()
    values = values[np.ix_(keep, keep)]
    finite = np.isfinite(values)
    if not finite.all():
        raise ValueError(f"{path}: {describe_missing_entries(finite, [labels[k] for k in keep] if labels else ())}")
    findings = []
    if np.diag(values).any():
        text = f"{pluralise(np.count_nonzero(np.diag(values)), 'weight')} of regions onto themselves set to zero"
        findings.append(Finding("diagonal", "note", text))
        values = values - np.diag(np.diag(values))
    if upper != lower:
        side = "upper" if upper else "lower"
        findings.append(
            Finding("triangle", "warning", f"{Path(str(path)).name} holds only its {side} triangle: mirrored")
        )
        values = values + values.T
    return values, findings


def describe_missing_entries(finite: np.ndarray, labels: Sequence[str]) -> str:
    """What to say of entries that are not finite: whole regions are best left out."""
    row, column = np.argwhere(~finite)[0]
    n_missing = int((~finite).sum())
    count = pluralise(n_missing, "entry is", "entries are")
    where = f"first at row {row + 1}, column {column + 1}"
    off = ~np.eye(len(finite), dtype=bool)
    empty = [k for k in range(len(finite)) if len(finite) > 1 and not finite[k][off[k]].any()]
    if not empty:
        return f"{count} not finite, {where}; write 0 where there is no connection"
    names = shorten_list([labels[k] if labels else f"row {k + 1}" for k in empty])
    return f"{count} not finite, {where}: nothing is known of {pluralise(len(empty), 'region')}, {names}; {LEAVE_OUT}"


def read_lengths(path: str | Path, weights: str | Path, table: Table) -> np.ndarray:
    """Lengths of the connections of `table`, in its order, as the file has them."""
    given = align_columns_with_rows(str(path), read_table(path))
    n = len(table.values)
    if given.values.shape != (n, n):
        shape = " x ".join(map(str, given.values.shape))
        raise ValueError(f"{path}: {shape}, but {weights} is {n} x {n}; give both for the same regions")
    header, other = table.column_names or table.row_names, given.column_names or given.row_names
    if header and other:
        order = match_labels(header, other, str(path), str(weights))
        return given.values[np.ix_(order, order)]
    return given.values


def clean_lengths(
    path: str | Path, lengths: np.ndarray, weights: np.ndarray, keep: np.ndarray, labels: Sequence[str] = ()
) -> tuple[np.ndarray, list[Finding]]:
    """Lengths [mm] of the regions at `keep`; unknown ones are zero where there is no weight, or none known."""
    unknown = np.isnan(lengths) & ((weights == 0) | np.isnan(weights))
    lengths, findings = clean_matrix(path, np.where(unknown, 0.0, lengths), keep, labels)
    if lengths.min() < 0:
        count = pluralise(int((lengths < 0).sum()), "length is", "lengths are")
        raise ValueError(f"{path}: {count} below zero; lengths are in mm")
    return lengths, [finding for finding in findings if finding.name != "diagonal"]


def assemble_connectome(
    weights: np.ndarray, lengths: np.ndarray, nodes: Regions, findings: Sequence[Finding]
) -> Connectome:
    """Put a connectome together; unknown lengths become the straight distances of known centres."""
    findings = list(findings)
    lost = np.isnan(nodes.centres).any(axis=1)
    if lost.any() and not lost.all():
        names = shorten_list([label for label, is_lost in zip(nodes.labels, lost, strict=True) if is_lost])
        count = pluralise(int(lost.sum()), "region has", "regions have")
        findings.append(Finding("no_centres", "warning", f"{count} no centre: {names}"))
    if np.isnan(lengths).all():
        lengths = np.linalg.norm(nodes.centres[:, None] - nodes.centres, axis=-1)
        known = not np.isnan(lengths).any()
        text = (
            "no tract lengths given: straight distances between centres stand for them"
            if known
            else "no tract lengths given, and not all centres"
            if lost.any() and not lost.all()
            else "no tract lengths and no centres given"
        )
        findings.append(Finding("euclidean_lengths" if known else "no_lengths", "note", text))
    return Connectome(weights, lengths, nodes.labels, nodes.centres, nodes.hemispheres, nodes.networks, tuple(findings))
