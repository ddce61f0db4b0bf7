"""A person's recording in the form of the simulations: same regions, TR and length, cleaned as the study says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vbiflow.arrays import is_table
from vbiflow.empirical.imaging import read_confounds
from vbiflow.empirical.recording import Recording, check_tr, clean, read_recording

SENSOR_KINDS = ("eeg", "meg", "seeg")
CLEANING = ("demean", "detrend", "band", "order", "standardise", "confounds")


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
        Keywords of `clean`; confounds names columns of the table of confounds. For EEG, MEG and intracranial files that
        MNE reads, those of `check_sensor_options`.
    tr, duration
        Sampling interval and length of the simulated series [ms]; a longer recording is cut at its end.

    Raises
    ------
    ValueError
        If the recording is unreadable, of another TR or shorter than the simulations.
    """
    path = row["recording"]
    if row["kind"] in SENSOR_KINDS and not is_table(path):
        from vbiflow.empirical.sensor_space import sensor_recording

        recording, cleaning, names = sensor_recording(path, row["kind"], options, labels), {"demean": True}, None
    else:
        check_options(options)
        recording = read_recording(
            path, row["kind"], row["tr"], row["regions"] or None, select, labels, atlas=row.get("atlas")
        )
        cleaning = dict(options)
        names = cleaning.pop("confounds", None)
    check_tr(path, recording, tr)
    wanted = samples(path, recording, tr, duration)
    if names:
        cleaning["confounds"] = read_confounds(row.get("confounds", ""), names)[:wanted]
    return replace(recording, ts=clean(recording.ts[:, :wanted], recording.fs, **cleaning))


def samples(path: str, recording: Recording, tr: float, duration: float) -> int:
    """How many samples simulations of `duration` [ms] have; a recording that is shorter is refused."""
    found, wanted = recording.ts.shape[1], int(duration // tr)
    if found < wanted:
        raise ValueError(
            f"{path}: {found} samples, but the study simulates {wanted}; set simulation.duration to {found * tr:g}"
        )
    if found > wanted:
        print(f"{path}: {found} samples; the first {wanted} are used, as many as are simulated")
    return wanted


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse unknown options of a regional recording."""
    unknown = [name for name in options if name not in CLEANING]
    if unknown:
        raise ValueError(f"recording: unknown option {unknown[0]!r}; choose from {', '.join(CLEANING)}")
