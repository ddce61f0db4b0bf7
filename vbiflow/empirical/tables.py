"""Recordings that are reduced already: tables of power spectra and of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vbiflow.arrays import Table, read_table
from vbiflow.arrays.table import is_number
from vbiflow.empirical.series import align
from vbiflow.reading import suggest


@dataclass(frozen=True)
class Spectra:
    """Power (n_nodes, n_frequencies) of named regions at frequencies [Hz]."""

    power: np.ndarray
    frequencies: np.ndarray
    labels: tuple[str, ...]


def read_spectra(path: str | Path, labels: Sequence[str] | None = None, drop: Sequence[str] | str = ()) -> Spectra:
    """Read power spectra: a header, a first column of frequencies [Hz], one column a region (or sensor).

    Regions are put in the order of `labels`, by name; further ones must be in `drop`, which is rest for all of them.

    Raises
    ------
    ValueError
        If there is no header, if frequencies do not rise, if power is negative or not finite, or a region missing.
    """
    table = read_table(path)
    if table.values.ndim != 2 or len(table.columns) != table.values.shape[1] or table.values.shape[1] < 2:
        raise ValueError(f"{path}: power spectra need a header, a column of frequencies [Hz] and one column a region")
    if table.rows and all(map(is_number, table.rows)):  # frequencies below an empty header, as pandas writes an index
        hertz = np.array([float(entry or "nan") for entry in table.rows])
        table = Table(np.column_stack([hertz, table.values]), ("", *table.columns))
    frequencies, power, names = table.values[:, 0], table.values[:, 1:].T, table.columns[1:]
    if not np.isfinite(frequencies).all() or frequencies[0] < 0 or (np.diff(frequencies) <= 0).any():
        raise ValueError(f"{path}: the first column {table.columns[0]!r} must be frequencies [Hz] that rise")
    wrong = ~np.isfinite(power) | (power < 0)
    if wrong.any():
        node, k = np.argwhere(wrong)[0]
        remedy = "give power, not its logarithm in dB" if power[node, k] < 0 else "give a number, or leave the line out"
        raise ValueError(f"{path}: {names[node]}: power is {power[node, k]:g} at {frequencies[k]:g} Hz; {remedy}")
    if labels is not None:
        order = align(str(path), names, labels, drop)
        power, names = power[order], tuple(names[k] for k in order)
    return Spectra(power, frequencies, tuple(names))


def read_features(path: str | Path, names: Sequence[str] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read features x_o (n_features,): a header of names and one row, or one line a feature, its name and its value.

    They are put in the order of `names`, the simulated features.

    Raises
    ------
    ValueError
        If the table has another form, a value is not finite, or a feature is missing.
    """
    table = read_table(path)
    if table.columns and table.values.shape[0] == 1 and not table.rows:
        found, values = table.columns, table.values[0]
    elif table.rows and table.values.shape[1] == 1:
        found, values = table.rows, table.values[:, 0]
    else:
        raise ValueError(f"{path}: features are a header and one row, or one line a feature: its name and its value")
    if len(set(found)) < len(found):
        raise ValueError(f"{path}: a feature stands twice")
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: feature {found[int(np.argmin(np.isfinite(values)))]!r} is not finite")
    if names is not None:
        missing = [name for name in names if name not in found]
        if missing:
            raise ValueError(
                f"{path}: no feature {missing[0]!r}; {len(missing)} of those that the study simulates lack"
                f"{suggest(missing[0], found)}"
            )
        values, found = values[[found.index(name) for name in names]], tuple(names)
    return values, tuple(found)
