"""Recordings as regional time series: read, checked, put in the connectome's order, cleaned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.arrays import FORMATS, Table, is_table, read_table, split_key
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.regions import LEAVE_OUT, match_labels
from vbiflow.empirical.imaging import read_grayordinates, read_parcels, read_volumes
from vbiflow.empirical.series import Series, align
from vbiflow.labels import canonical, numbered_labels
from vbiflow.reading import Problems, join_problems, pluralise, shorten_list

SHORTEST = 10
"""Fewest samples of a recording that anything can be computed from."""
LARGEST, SMALLEST = 1e140, 1e-140
"""Between these values have squares that can be added up."""
FAR = 50
"""Median absolute deviations from the median beyond which a sample is told of: some 34 standard deviations."""
TR_RANGE = (0.1, 20.0)


@dataclass(frozen=True)
class Recording:
    """Time series (n_nodes, n_times) of named regions or sensors, sampled at fs [Hz]; kind tells what was measured.

    Where they are epochs end to end, `epoch` is the number of samples of each, else 0. `unit` is a.u. where the file
    tells none.
    """

    ts: np.ndarray
    fs: float
    labels: tuple[str, ...]
    kind: str
    epoch: int = 0
    unit: str = "a.u."

    def take(self, indices: Sequence[int] | np.ndarray) -> Recording:
        """The recording of the regions at `indices`, in that order."""
        return replace(self, ts=self.ts[np.asarray(indices)], labels=tuple(self.labels[i] for i in indices))


def read_recording(
    path: str | Path,
    kind: str = "bold",
    tr: float | str | None = None,
    regions: str | Path | None = None,
    select: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    least: int = SHORTEST,
    atlas: str | Path | None = None,
    drop: Sequence[str] | str = (),
) -> Recording:
    """Read regional series: tables and arrays either way round, 4-D images with an atlas, CIFTI.

    Parameters
    ----------
    path
        .mat, .npy, .npz, .h5, .csv, .tsv (``file::key`` for one array of several), .nii, .ptseries.nii, .dtseries.nii.
    kind
        What was measured.
    tr
        Time between samples [s]; needless where the file states it.
    regions
        Table of the regions in the file's order; a header of names in the file stands before it.
    select
        Columns of that table and the values to keep.
    labels
        The connectome's regions: the recording's are put in their order by name.
    drop
        Regions that the connectome lacks; rest for all of them.
    least
        Fewest samples.
    atlas
        Volume or .dlabel.nii with the regions of an image.

    Raises
    ------
    ValueError
        If the file is unreadable or its shape fits no orientation or both; with all of: a TR that is missing or not in
        seconds, regions that are missing, not finite or constant.
    """
    nodes = read_regions(regions).in_matrix_order() if regions else None
    reader = next((IMAGES[suffix] for suffix in IMAGES if str(path).lower().endswith(suffix)), None)
    if reader is None and not is_table(path):
        known = ", ".join([*IMAGES, *FORMATS])
        raise ValueError(f"{split_key(path)[0]}: no format of a recording of kind {kind}; choose from {known}")
    if reader is None:
        series = oriented_series(path, read_table(path), tuple(nodes.labels if nodes else labels or ()))
    else:
        series = reader(path, atlas, regions, select)
    problems, seconds = Problems(), 1.0
    with problems.collect():
        seconds = repetition_time(path, tr, kind, series.seconds)
    recording = Recording(series.values, 1.0 / seconds, series.labels, kind)
    if labels is not None and not series.named:
        order = f"the order of {regions}" if nodes else "the connectome's order"
        print(f"{path}: no names: taken in {order}")
    if nodes:
        nodes = nodes.take(nodes.where(select))
        if series.labels != nodes.labels:
            recording = recording.take(match_labels(nodes.labels, series.labels, str(path), str(regions)))
    with problems.collect():
        if labels is not None:
            recording = recording.take(align(str(path), recording.labels, labels, drop))
    with problems.collect():
        check_series(path, recording, least)
    problems.tell()
    return recording


IMAGES: dict[str, Callable[..., Series]] = {
    ".ptseries.nii": read_parcels,
    ".dtseries.nii": read_grayordinates,
    ".nii": read_volumes,
    ".nii.gz": read_volumes,
}


def repetition_time(path: str | Path, tr: float | str | None, kind: str = "bold", stated: float | None = None) -> float:
    """The TR [s]: what the user gives, which wins over what the file states, told; milliseconds are recognised.

    A header that states an impossible TR, as converters leave behind, states none.
    """
    possible = stated is not None and stated > 0 and (kind != "bold" or TR_RANGE[0] <= stated <= TR_RANGE[1])
    if tr in (None, "") and not possible:
        wrong = "" if stated is None else f"; its header says {stated:g} s, which cannot be"
        advice = "give tr [s] in the cohort table, or columns: {tr: 2} for all of a BIDS folder"
        raise ValueError(f"{path}: no TR{wrong}; {advice}")
    try:
        seconds = float(stated if tr in (None, "") else tr)
    except (TypeError, ValueError):
        raise ValueError(f"{path}: tr {tr!r} is no number; write seconds, as in 0.72") from None
    if not seconds > 0 or (kind == "bold" and not TR_RANGE[0] <= seconds <= TR_RANGE[1]):
        hint = f"; {seconds:g} ms is tr {seconds / 1000:g}" if 100 <= seconds <= 20000 else ""
        raise ValueError(f"{path}: tr is {seconds:g} s; allowed is {TR_RANGE[0]} to {TR_RANGE[1]:g} s{hint}")
    if stated is not None and abs(stated - seconds) > 1e-3 * seconds:
        print(f"{path}: the header states a TR of {stated:g} s; the {seconds:g} s that the cohort states are taken")
    return seconds


def oriented_series(path: str | Path, table: Table, names: tuple[str, ...]) -> Series:
    """Series as (n_nodes, n_times) and their names, from a table that may lie either way.

    Names in the table decide, then the number of `names`; without either the longer axis is time.
    """
    values = table.values
    if values.size == 0:
        raise ValueError(f"{path}: holds no sample; is it the right file, or cut off?")
    if values.ndim != 2:
        hint = "; pick one of a stack, as in ::[0], of a file with names ::name[0]" if values.ndim == 3 else ""
        raise ValueError(f"{path}: {values.ndim} axes; a recording has two, regions x times{hint}")
    check_no_matrix(path, table)
    n_rows, n_columns = values.shape
    columns, rows = table.column_names, table.row_names
    if not columns and not rows:
        columns, rows = names_beside(path, table, names)
    if columns and columns[0].lower() in TIMES and not is_regular(values[:, 0]):
        raise ValueError(f"{path}: column {columns[0]!r} does not rise in equal steps; leave it out, or resample first")
    if columns and columns[0].lower() in TIMES:
        values, columns = values[:, 1:], columns[1:]
    if columns:
        return Series(values.T, columns)
    if rows:
        return Series(values, rows)
    if not names:
        if n_rows == n_columns:
            raise ValueError(
                f"{path}: {n_rows} x {n_columns}: which axis is time? give the table of regions, or a header"
            )
        ts = values if n_rows < n_columns else values.T
        return Series(ts, numbered_labels(len(ts)), named=False)
    n = len(names)
    if n_rows == n_columns == n:
        raise ValueError(
            f"{path}: {n} x {n} for {n} regions: which axis is time? give a header of region names, or another length"
        )
    if n not in (n_rows, n_columns):
        raise ValueError(
            f"{path}: {n_rows} x {n_columns}, but there are {n} regions; give the recording of those regions"
        )
    return Series(values if n_rows == n else values.T, names, named=False)


def names_beside(path: str | Path, table: Table, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of columns or rows that stand beside a series in its file, as programs of MATLAB save them.

    A list that has none of the regions' `names` is another one, channels of a scanner for instance: told, and left.
    """
    known = {canonical(name) for name in names}
    for name, entries in table.texts.items():
        if len(set(entries)) != len(entries) or len(entries) not in table.values.shape:
            continue
        if known and known.isdisjoint(map(canonical, entries)):
            print(f"{path}: {name} beside the series names none of the regions; their order is taken for the study's")
        elif table.values.shape[1] == len(entries) != table.values.shape[0]:
            return tuple(entries), ()
        elif table.values.shape[0] == len(entries) != table.values.shape[1]:
            return (), tuple(entries)
    return (), ()


TIMES = ("", "time", "times", "t", "index", "frame", "volume", "scan", "tr", "sample", "unnamed: 0")
"""Names of a first column that counts the samples, or gives their times."""


def is_regular(values: np.ndarray) -> bool:
    """Whether numbers rise in equal steps."""
    steps = np.diff(values)
    return bool(steps.size and (steps > 0).all() and np.allclose(steps, steps.mean(), rtol=1e-3))


def check_no_matrix(path: str | Path, table: Table) -> None:
    """Refuse what is a matrix between regions, where a series is expected."""
    values, columns, rows = table.values, table.column_names, table.row_names
    advice = "a matrix of connectivity, not a series; give the regions' time series"
    if columns and len(columns) == len(rows) and set(columns) == set(rows):
        raise ValueError(f"{path}: rows and columns bear the same names: {advice}")
    if values.shape[0] == values.shape[1] > 2 and np.allclose(values, values.T, equal_nan=True):
        raise ValueError(f"{path}: {len(values)} x {len(values)} and symmetric: {advice}")


def check_series(path: str | Path, recording: Recording, least: int) -> None:
    """Refuse series that are too short, not finite, constant or of no usable size; print what looks like a mistake."""
    ts = recording.ts
    if ts.shape[1] < least:
        seconds = ts.shape[1] / recording.fs
        raise ValueError(f"{path}: {pluralise(ts.shape[1], 'sample')} ({seconds:g} s); at least {least} are needed")
    found = []
    for what, wrong, advice in (
        ("not finite", ~np.isfinite(ts).all(axis=1), f"interpolate or {LEAVE_OUT}"),
        ("constant", np.ptp(ts, axis=1) == 0, f"they were not recorded: {LEAVE_OUT}"),
        ("too large or too small to be squared", ~scaled(ts), "give another unit"),
    ):
        names = [label for label, is_wrong in zip(recording.labels, wrong, strict=True) if is_wrong]
        if names:
            advice = advice if len(names) < len(ts) else "is it the right file, or the right array of it?"
            found.append(f"{path}: {what} in {pluralise(len(names), 'region')}: {shorten_list(names)}; {advice}")
    if found:
        raise ValueError(join_problems(found))
    for remark in remarks_on_series(recording):
        print(f"{path}: {remark}")


def scaled(ts: np.ndarray) -> np.ndarray:
    """Which series (n_nodes,) of ts (n_nodes, n_times) have a range whose square is a number; constant ones count."""
    size, width = np.abs(ts).max(axis=1), np.ptp(ts, axis=1)
    return ~((size > LARGEST) | ((width > 0) & (width < SMALLEST)))


def remarks_on_series(recording: Recording) -> list[str]:
    """What a recording may have and hardly should: copies of a series, samples far off, a series that stands still."""
    ts, found = recording.ts, []
    off = np.abs(ts - np.median(ts, axis=1, keepdims=True))
    far = off.max(axis=1) > FAR * np.median(off, axis=1)
    still = (np.diff(ts, axis=1) == 0).mean(axis=1) > 0.5
    copies = ~np.isin(np.arange(len(ts)), np.unique(ts, axis=0, return_index=True)[1])
    for wrong, what in (
        (copies, "the same series as another region"),
        (still, "the same value from sample to sample more often than not"),
        (
            far & ~still,
            f"a sample more than {FAR} median deviations off; clean it if it is no signal",
        ),
    ):
        names = [label for label, is_wrong in zip(recording.labels, wrong, strict=True) if is_wrong]
        if names:
            found.append(f"{what}: {shorten_list(names)}")
    return found


def check_length(path: str | Path, recording: Recording, window: float) -> None:
    """Refuse a recording shorter than the window [s] that a feature needs."""
    seconds = recording.ts.shape[1] / recording.fs
    if seconds < window:
        raise ValueError(f"{path}: {seconds:g} s long, but a window of {window:g} s is asked for; shorten the window")


def check_tr(path: str | Path, recording: Recording, tr: float) -> None:
    """Refuse a recording whose sampling is not that of the simulated one, TR [ms]."""
    found = 1000.0 / recording.fs
    if abs(found - tr) <= 1e-3 * tr:
        return
    if recording.kind == "bold":
        raise ValueError(
            f"{path}: TR {found:g} ms, but the study simulates {tr:g} ms; set observation.bold.tr to {found:g}"
        )
    wanted = f"the study simulates one every {tr:g} ms; set recording.resample to {1000 / tr:g}"
    raise ValueError(f"{path}: a sample every {found:g} ms, but {wanted}")
