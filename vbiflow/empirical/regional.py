"""Regional series of a cohort row with their confounds, whole or a half: what a study judges, or fits weights to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.empirical.imaging import read_confounds
from vbiflow.empirical.recording import Recording, read_recording
from vbiflow.empirical.series import check_options, check_sides, split_halves
from vbiflow.features.preparation import prepare, read_preparation
from vbiflow.reading import pluralise, reading


def read_regional(
    row: Mapping[str, str], labels: Sequence[str] | None, select: Mapping[str, Any], options: Mapping[str, Any]
) -> tuple[Recording, np.ndarray | None]:
    """Regional series of a cohort row, in the order of `labels` if given, and confounds (n, n_times) to regress out."""
    check_options(options)
    path, regions = row["recording"], row["regions"] or None
    drop = options.get("drop", ())
    recording = read_recording(path, row["kind"], row["tr"], regions, select, labels, atlas=row["atlas"], drop=drop)
    if row["kind"] == "bold" and "homotopic" not in options.get("accept", ()):
        check_sides(path, recording.ts, recording.labels)
    columns = options.get("confounds")
    confounds = read_confounds(row["confounds"], columns).T if columns else None
    check_confounds(path, recording, confounds)
    return recording, confounds


def series_to_fit(
    row: Mapping[str, str],
    labels: Sequence[str],
    select: Mapping[str, Any],
    options: Mapping[str, Any],
    preparation: Mapping[str, Any],
    part: str | None = None,
) -> np.ndarray:
    """Series (n_nodes, n_times) of a cohort row, or a `part` of them, cleaned as recordings are that a study judges.

    Raises
    ------
    ValueError
        As `observe`.
    """
    with reading(row["recording"]):
        recording, confounds = read_regional(row, labels, select, options)
        ts = recording.ts if part is None else split_halves(recording.ts, part)[0]
        cleaned = confounds if part is None or confounds is None else split_halves(confounds, part)[0]
        return prepare(ts[None], recording.fs, read_preparation(preparation, recording.fs), cleaned)[0]


def centred(ts: np.ndarray) -> np.ndarray:
    """Series (n_nodes, n_times) less their means."""
    return ts - ts.mean(axis=1, keepdims=True)


def check_confounds(path: str, recording: Recording, confounds: np.ndarray | None) -> None:
    """Refuse confounds (n, n_times) of another length than the recording."""
    found = recording.ts.shape[1]
    if confounds is not None and confounds.shape[1] != found:
        lines = pluralise(confounds.shape[1], "line")
        raise ValueError(f"{path}: {pluralise(found, 'sample')}, but {lines} of confounds; give one a volume")
