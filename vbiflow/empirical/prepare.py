"""A person's recording in the form of the simulations: same regions, TR and length, cleaned as the study says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vbiflow.empirical.imaging import read_confounds
from vbiflow.empirical.recording import Recording, check_tr, clean, read_recording


def prepare(
    row: Mapping[str, str],
    labels: Sequence[str],
    select: Mapping[str, Any],
    options: Mapping[str, Any],
    tr: float,
    duration: float,
) -> Recording:
    """Read the recording of a cohort row for the regions `labels`, and make it comparable with simulations.

    Parameters
    ----------
    row
        Entries recording, kind, tr [s], regions, atlas and confounds of the cohort table.
    select
        Columns of the regions table and the values kept.
    options
        Keywords of `clean`; confounds names columns of the table of confounds.
    tr, duration
        Sampling interval and length of the simulated series [ms]; a longer recording is cut at its end.

    Raises
    ------
    ValueError
        If the recording is unreadable, of another TR or shorter than the simulations.
    """
    path = row["recording"]
    options = dict(options)
    recording = read_recording(
        path, row["kind"], row["tr"], row["regions"] or None, select, labels, atlas=row.get("atlas")
    )
    check_tr(path, recording, tr)
    found, wanted = recording.ts.shape[1], int(duration // tr)
    if found < wanted:
        raise ValueError(
            f"{path}: {found} samples, but the study simulates {wanted}; set simulation.duration to {found * tr:g}"
        )
    if found > wanted:
        print(f"{path}: {found} samples; the first {wanted} are used, as many as are simulated")
    if columns := options.pop("confounds", None):
        options["confounds"] = read_confounds(row.get("confounds", ""), columns)[:wanted]
    return replace(recording, ts=clean(recording.ts[:, :wanted], recording.fs, **options))
