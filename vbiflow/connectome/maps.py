"""Regional maps: one number a region, such as myelin or a gradient of connectivity, that parameters may follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vbiflow.arrays import read_array, split_key
from vbiflow.arrays.table import is_number
from vbiflow.arrays.text import delimiter_of, split_cells
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.region_tables import COLUMNS, number_of, read_regions, table_lines, unread_columns
from vbiflow.connectome.regions import Regions, match_labels
from vbiflow.maps import CONSTANT
from vbiflow.reading import pluralise


def with_maps(connectome: Connectome, files: Mapping[str, str]) -> Connectome:
    """The connectome with regional maps read from files, by name.

    Raises
    ------
    ValueError
        If a file is missing or unreadable, has no value for a region, or one that is not finite.
    """
    for file in dict.fromkeys(str(split_key(entry)[0]) for entry in files.values()):
        tell_unread(file, [split_key(entry)[1].lower() for entry in files.values()])
    return replace(connectome, maps={name: read_map(name, entry, connectome.labels) for name, entry in files.items()})


def tell_unread(file: str, keys: Sequence[str]) -> None:
    """Say which columns of a table of maps are no map of the study."""
    is_listed = Path(file).suffix.lower() in (".tsv", ".csv")
    text = unread_columns(read_table_of_maps(file).columns, (*COLUMNS, *keys)) if is_listed else ""
    if text:
        print(f"{file}: {text}")


def read_map(name: str, entry: str, labels: tuple[str, ...]) -> np.ndarray:
    """One map (n_nodes,) in the order of `labels`.

    `entry` is ``table.tsv::column``, a table of regions with their labels, or an array of one value a region in their
    order, in any format of `read_array`.
    """
    if name == CONSTANT:
        raise ValueError(f"connectome.maps: {CONSTANT} is the coefficient without a map; give the map another name")
    if split_key(entry)[0].suffix.lower() in (".tsv", ".csv"):
        values = read_column(entry, labels)
    else:
        values = np.squeeze(read_array(entry))
        if values.shape != (len(labels),):
            shape = " x ".join(map(str, values.shape))
            raise ValueError(
                f"{entry}: {shape} values for {len(labels)} regions; give one a region in their order, "
                "or a table with a column label"
            )
    if not np.isfinite(values).all():
        missing = [label for label, good in zip(labels, np.isfinite(values), strict=True) if not good]
        count = pluralise(len(missing), "region")
        raise ValueError(f"{entry}: no finite value for {count}, the first {missing[0]}; give one number a region")
    return values


def read_table_of_maps(file: str | Path) -> Regions:
    """A table of regions whose further columns are maps; one of numbers alone is refused."""
    first = next(iter(table_lines(Path(file))), "") if Path(file).is_file() else ""
    if first and all(map(is_number, split_cells(first, delimiter_of(first)))):
        raise ValueError(f"{file}: no header; write one, label and a name for each map, or save an array as .npy")
    return read_regions(file)


def read_column(entry: str, labels: tuple[str, ...]) -> np.ndarray:
    """A column of a table of regions, matched by label."""
    file, key = split_key(entry)
    table = read_table_of_maps(file)
    numeric = [name for name in table.columns if name not in ("label", "hemisphere")]
    if key.lower() not in numeric:
        raise ValueError(f"{entry}: no column {key!r}; write {file}::COLUMN with one of {', '.join(numeric) or 'none'}")
    order = match_labels(labels, table.labels, str(file), "the connectome")
    try:
        return np.array([number_of(table.columns[key.lower()][k]) for k in order])
    except ValueError as error:
        raise ValueError(f"{entry}: {error}; give one number a region") from None
