"""Features of many simulations, or of a recording, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.features.batch import Batch, is_constant, namespace, to_host
from vbiflow.features.contract import check_piece
from vbiflow.features.feature import Pieces
from vbiflow.features.nodes import Nodes
from vbiflow.features.preparation import epoch_of, read_preparation
from vbiflow.features.preparation import prepare as prepared
from vbiflow.features.registry import Request, Spec, check_epochs, read_specs
from vbiflow.io import Progress
from vbiflow.reading import shorten_list

Observer = Callable[[Any, Sequence[int]], Any]


@dataclass(frozen=True)
class Features:
    """Values `x` (n_simulations, n_features), their `names` and `units`, and which rows are `valid`, with a `reason`
    where not.
    """

    x: np.ndarray
    names: list[str]
    valid: np.ndarray
    reason: list[str]
    units: list[str]


def compute(
    ts: Any,
    specs: Sequence[Spec],
    *,
    fs: float,
    unit: str = "1",
    nodes: Nodes | None = None,
    folder: str | Path | None = None,
    prepare: Mapping[str, Any] | None = None,
    index: Sequence[int] | None = None,
    sensors: Observer | None = None,
    batch: int = 1,
    progress: Progress | None = None,
) -> Features:
    """Features of every simulation, always as many and in the same order, whatever the data hold.

    A row with a value that is not finite is NaN throughout; a constant node, or a feature that is undefined for these
    data, leaves the rest of its row. All three are flagged with a reason.

    Parameters
    ----------
    ts
        (n_simulations, n_nodes, n_times), or (n_nodes, n_times) for one recording; NumPy, CuPy or an open HDF5 dataset.
    specs
        A study's list of features.
    fs
        Sampling rate [Hz].
    unit
        Of the series that features are taken from.
    nodes
        Labels, hemispheres and networks.
    folder
        Where a study's own features are, <name>.py each.
    prepare
        What to do to the series once, before all features (see preparation.STEPS).
    index
        Of each simulation, for the sensors.
    sensors
        Makes series of `nodes`, the sensors, from those of simulated regions: (series, index) -> series.
    batch
        How many simulations to treat at a time; one is as fast on a CPU, more suit a GPU.
    progress
        Called with (simulations done, all).

    Raises
    ------
    ValueError
        If an argument, a feature or one of its options doesn't fit.
    """
    requests = read_specs(specs, folder)
    ts = ts[None] if len(ts.shape) == 2 else ts
    nodes = nodes or Nodes.plain(ts.shape[1] if len(ts.shape) == 3 else 0)
    index = range(ts.shape[0]) if index is None else index
    example = ts if sensors is None or len(ts.shape) != 3 else sensors(placeholder(ts), index[:1])
    check_arrays(example, fs, nodes)
    steps = read_preparation(prepare)
    epoch = epoch_of(steps, fs)
    if epoch:
        check_epochs(requests)
    names = extract(Batch(prepared(placeholder(example), fs, steps), fs, nodes, epoch), requests)[0]
    x = np.full((ts.shape[0], len(names)), np.nan)
    reason = [""] * ts.shape[0]
    for start in range(0, ts.shape[0], batch):
        part = ts[start : start + batch]
        part = part if sensors is None else sensors(part, index[start : start + batch])
        faults = find_faults(part, nodes)
        finite = [k for k, text in enumerate(faults) if not text.startswith("not finite")]
        if finite:
            found, values = extract(Batch(prepared(part[finite], fs, steps), fs, nodes, epoch), requests)
            if found != names:
                raise ValueError(f"names of features changed at simulation {start}: {sorted({*found} ^ {*names})[:4]}")
            x[np.array(finite) + start] = values
        reason[start : start + batch] = faults
        if progress:
            progress(min(start + batch, ts.shape[0]), ts.shape[0])
    reason = [text or describe_undefined(row, names) for text, row in zip(reason, x, strict=True)]
    units = units_of(names, requests, "1" if steps.get("standardise") else unit)
    return Features(x, names, np.array([not text for text in reason], dtype=bool), reason, units)


def units_of(names: Sequence[str], requests: Sequence[Request], signal: str) -> list[str]:
    """Unit of each value by its name, of series in the unit `signal`."""
    features = {request.name: request.feature for request in requests}
    stems = [re.match(r"\w+", name)[0] for name in names]
    return [
        features[stem].unit_of(name[len(stem) :].removeprefix("."), signal)
        for name, stem in zip(names, stems, strict=True)
    ]


def check_arrays(ts: Any, fs: float, nodes: Nodes) -> None:
    """Raise ValueError if the series, the sampling rate and the nodes don't fit."""
    if len(ts.shape) != 3:
        raise ValueError(f"ts has {len(ts.shape)} axes, not (n_simulations, n_nodes, n_times) or (n_nodes, n_times)")
    if ts.shape[1] != len(nodes):
        raise ValueError(
            f"ts has {ts.shape[1]} nodes, not the {len(nodes)} labelled; its axes are simulation, node, time"
        )
    if ts.shape[2] < 4:
        raise ValueError(f"ts has {ts.shape[2]} samples, at least 4 are needed; give (n_simulations, n_nodes, n_times)")
    if not (np.isfinite(fs) and fs > 0):
        raise ValueError(f"fs = {fs!r} is not a sampling rate; give it in Hz, 1000 / (sampling interval in ms)")


def placeholder(ts: Any) -> Any:
    """One simulation of noise of the shape and kind of `ts`: it shows the names, whatever the data hold."""
    noise = np.random.default_rng(0).standard_normal((1, *ts.shape[1:])).astype(ts.dtype)
    return namespace(ts[:0]).asarray(noise)


def extract(batch: Batch, requests: Sequence[Request]) -> tuple[list[str], np.ndarray]:
    """Names and values (n_simulations, n_features) of one batch."""
    names: list[str] = []
    columns: list[np.ndarray] = []
    for request in requests:
        for piece in named_values(request, batch):
            given, values = check_piece(request.name, piece, batch.ts.shape[0])
            arrays = [to_host(array) for array in (values if isinstance(values, list) else [values])]
            block = np.concatenate(arrays, axis=1, dtype=float)
            if block.shape != (batch.ts.shape[0], len(given)):
                raise ValueError(f"feature {request.name} gave {len(given)} names for values of shape {block.shape}")
            names += [full_name(request.name, name) for name in given]
            columns.append(block)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1] if len({*names}) < len(names) else []
    if twice:
        raise ValueError(f"two values are named {twice[0]}; list each level, lag or mask once")
    return names, np.concatenate(columns, axis=1)


def named_values(request: Request, batch: Batch) -> Pieces:
    """What a feature yields; an error says which feature it comes from."""
    try:
        yield from request.feature.function(batch, **request.options)
    except ValueError as error:
        raise ValueError(f"feature {request.name}: {error}") from error


def full_name(prefix: str, name: str) -> str:
    """Name of a value: the feature's, then its own."""
    return prefix + (name if name[:1] in ("", "[", ".") else f".{name}")


def find_faults(ts: Any, nodes: Nodes) -> list[str]:
    """What is wrong with the series (n_simulations, n_nodes, n_times) of each simulation, an empty text if nothing."""

    def describe(infinite: np.ndarray, constant: np.ndarray) -> str:
        for what, where in (("not finite", infinite), ("constant", constant)):
            if where.any():
                return f"{what} in {shorten_list([nodes.labels[k] for k in np.flatnonzero(where)], 3)}"
        return ""

    finite, constant = to_host(namespace(ts).isfinite(ts).all(axis=-1)), to_host(is_constant(ts))
    return [describe(*row) for row in zip(~finite, constant, strict=True)]


def describe_undefined(row: np.ndarray, names: Sequence[str]) -> str:
    """Which values of a row are not finite, if any."""
    missing = [names[k] for k in np.flatnonzero(~np.isfinite(row))]
    return f"undefined: {shorten_list(missing, 3)}" if missing else ""
