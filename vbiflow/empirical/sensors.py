"""EEG, MEG and intracranial recordings by MNE: read, picked, projected, referenced and cleaned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np

from vbiflow.empirical.cleaning import EARLY, LATE, STEPS, leave_out_marked, reject
from vbiflow.empirical.recording import Recording
from vbiflow.empirical.sensor_files import (
    MneRecording,
    end_to_end,
    epoch_length,
    load_recording,
    pick_kind,
    with_data,
)
from vbiflow.empirical.sensor_options import ARBITRARY
from vbiflow.observation.sensors import reference_matrix
from vbiflow.reading import pluralise, reading, shorten_list

AMPLITUDES = {
    "eeg": (1e-8, 5e-3, "V"),
    "seeg": (1e-8, 2e-2, "V"),
    "ecog": (1e-8, 2e-2, "V"),
    "dbs": (1e-8, 2e-2, "V"),
    "mag": (1e-15, 1e-8, "T"),
    "grad": (1e-14, 1e-7, "T/m"),
}
"""Plausible standard deviations of a channel, drifts included."""


def read_sensors(
    path: str | Path,
    kind: str,
    options: Mapping[str, Any] | None = None,
    *,
    reference: str | Sequence[str] = "none",
    channels: Sequence[str] | None = None,
) -> MneRecording:
    """Read any recording that MNE reads, keep the channels of `kind` (eeg, meg, seeg) and apply `options`.

    Epochs (FIF, EEGLAB) stay epochs.

    Options are named as in STEPS and applied in that order. Channels marked bad in the file are left out, and all but
    `channels`, if given, in whose order the others come. Projectors stored in the file are applied and the `reference`
    is taken before filters and rejection; spans that annotations call bad are left out after the filters.

    Raises
    ------
    ValueError
        If the file is unreadable, lacks channels, holds values that are no numbers or in another unit, or if an option
        is unknown or cannot be applied.
    """
    options = dict(options or {})
    unknown = [name for name in options if name not in STEPS]
    if unknown:
        raise ValueError(f"recording: unknown option {unknown[0]!r}; choose from {', '.join(STEPS)}")
    with reading(path):
        raw = pick_kind(path, load_recording(path), kind, options.get("interpolate") or ())
        raw = apply_steps(path, raw, EARLY, options)
    check_finite(path, raw)
    if options.get("scale") != ARBITRARY:
        check_amplitude(path, raw)
    raw = apply_projectors(raw)
    raw = set_reference(path, raw if channels is None else pick_channels(path, raw, channels), reference)
    raw = apply_steps(path, raw, LATE, options)
    return apply_steps(path, raw, {"marks": leave_out_marked, "reject": reject}, {**options, "marks": True})


def apply_steps(
    path: str | Path, raw: MneRecording, steps: Mapping[str, Callable], options: Mapping[str, Any]
) -> MneRecording:
    """The recording after those of the steps that `options` name."""
    for name, step in steps.items():
        if options.get(name) is not None:
            try:
                raw = step(raw, options[name])
            except (ValueError, RuntimeError, TypeError, KeyError, OSError) as error:
                raise ValueError(f"{path}: recording.{name}: {str(error).splitlines()[0]}") from None
    return raw


def check_finite(path: str | Path, raw: MneRecording) -> None:
    """Refuse values that are not numbers, before a reference or filter spreads them."""
    finite = np.isfinite(end_to_end(raw)).all(axis=1)
    if not finite.all():
        names = [name for name, is_finite in zip(raw.ch_names, finite, strict=True) if not is_finite]
        raise ValueError(
            f"{path}: not finite in {pluralise(len(names), 'channel')}: {shorten_list(names)}; drop or interpolate them"
        )


def check_amplitude(path: str | Path, raw: MneRecording) -> None:
    """Refuse a typical channel so large or small that the file's unit must be another than the V or T it states."""
    for type_ in dict.fromkeys(raw.get_channel_types()):
        low, high, unit = AMPLITUDES[type_]
        found = float(np.median(end_to_end(raw, type_).std(axis=1)))
        if not low <= found <= high:
            raise ValueError(
                f"{path}: {type_} channels have a standard deviation of {found:.2g} {unit}, allowed is {low:g} to "
                f"{high:g}; if the file holds another unit, set recording.scale (1.0e-6 for microvolts)"
            )


def pick_channels(path: str | Path, raw: MneRecording, channels: Sequence[str]) -> MneRecording:
    """These channels, in this order."""
    missing = [name for name in channels if name not in raw.ch_names]
    if missing:
        one, many = "sensor of the lead field is no good channel", "sensors of the lead field are no good channels"
        raise ValueError(
            f"{path}: {pluralise(len(missing), one, many)} of the recording: "
            f"{shorten_list(missing)}; interpolate them, or give this person a lead field of their own"
        )
    return raw.pick(list(channels), verbose="ERROR")


def apply_projectors(raw: MneRecording) -> MneRecording:
    """The recording after the projectors (SSP) that its file stores; the lead field takes the same ones."""
    return raw.apply_proj(verbose="ERROR") if raw.info["projs"] else raw


def projector_matrix(info: mne.Info) -> np.ndarray | None:
    """Matrix (n_sensors, n_sensors) of the projectors of a recording; None if it has none."""
    if not info["projs"]:
        return None
    bare = mne.create_info(info["ch_names"], 1000.0, info.get_channel_types(), verbose="ERROR")
    units = mne.io.RawArray(np.eye(len(bare["ch_names"])), bare, verbose="ERROR")
    stored = [mne.Projection(**{**one, "active": False}) for one in info["projs"]]
    return units.add_proj(stored, verbose="ERROR").apply_proj(verbose="ERROR").get_data()


def set_reference(path: str | Path, raw: MneRecording, reference: str | Sequence[str]) -> MneRecording:
    """The recording referred to the average, to named channels or to none, as simulations are."""
    try:
        matrix, names = reference_matrix(raw.ch_names, reference)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    info = mne.pick_info(raw.info, [raw.ch_names.index(name) for name in names])
    return with_data(matrix @ raw.get_data(), info, raw)


def as_recording(path: str | Path, raw: MneRecording, kind: str) -> Recording:
    """The recording as an array (n_sensors, n_times) in V or T; epochs end to end."""
    types = set(raw.get_channel_types())
    if types == {"mag", "grad"}:
        raise ValueError(
            f"{path}: magnetometers and gradiometers have different units; write recording.sensors: mag or grad"
        )
    series, unit = end_to_end(raw), {"mag": "T", "grad": "T/m"}.get(next(iter(types)), "V")
    return Recording(series, float(raw.info["sfreq"]), tuple(raw.ch_names), kind, epoch_length(raw), unit)
