"""What MATLAB files nest, structs and cells, as plain arrays with dotted names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

DEEPEST = 8
"""Structs within structs that are looked into."""


def flatten(name: str, value: np.ndarray, depth: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays of a variable by name: fields of a struct as ``s.field``, of an array of structs as ``s[0].field``."""
    if value.dtype.names is None:
        yield name, joined_cells(list(value.ravel()), value) if value.dtype.kind == "O" else value
        return
    if depth >= DEEPEST:
        return
    for k, one in enumerate(value.ravel()):
        own = name if value.size == 1 else f"{name}[{k}]"
        for field in value.dtype.names:
            if isinstance(one[field], np.ndarray):
                yield from flatten(f"{own}.{field}", one[field], depth + 1)


def joined_cells(cells: Sequence[Any], otherwise: np.ndarray) -> np.ndarray:
    """Numeric cells of one size as one array, else `otherwise`.

    Vectors become columns (n_times, n_cells), as of CONN's regions; matrices a stack (n_cells, ...), as of people.
    """
    numeric = len(cells) > 1 and all(isinstance(cell, np.ndarray) and cell.dtype.kind in "biuf" for cell in cells)
    if not numeric or len({cell.shape for cell in cells}) > 1 or cells[0].size < 2:
        return otherwise
    if max(cells[0].shape) == cells[0].size:
        return np.column_stack([cell.ravel() for cell in cells])
    return np.stack(cells)


def find_name(key: str, content: Mapping[str, Any]) -> str:
    """The name of an array that `key` means: itself, with / for ., or the one that ends so; empty if there is none."""
    if key in content:
        return key
    wanted = key.replace(".", "/")
    plain = {name: name.replace(".", "/") for name in content}
    alike = [name for name, path in plain.items() if path == wanted or path.endswith(f"/{wanted}")]
    return alike[0] if key and len(alike) == 1 else ""
