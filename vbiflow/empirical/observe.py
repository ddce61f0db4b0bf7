"""A person's recording as features x_o: read as its kind asks, brought into the form of the simulations, reduced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.arrays import is_table
from vbiflow.empirical.cohort import SENSOR_KINDS, TABLES
from vbiflow.empirical.lead_field import LeadField
from vbiflow.empirical.recording import Recording, check_tr, read_recording
from vbiflow.empirical.regional import centred, check_confounds, read_regional
from vbiflow.empirical.sensor_options import ARBITRARY, SPACES, STEPS
from vbiflow.empirical.series import split_halves
from vbiflow.empirical.tables import read_features, read_spectra
from vbiflow.features import Nodes, compute, compute_observed, compute_observed_spectra
from vbiflow.features.preparation import epoch_of
from vbiflow.io import Quantity, read, read_attributes
from vbiflow.observation.sensors import reference_of
from vbiflow.places import relative_path
from vbiflow.reading import pluralise, reading, shorten_list


@dataclass(frozen=True)
class ComparisonSettings:
    """What a recording is compared with: signal, nodes, sampling interval and duration [ms], features, preparation.

    `folder` holds a study's own features. `sensors` is the study's observation.sensors, `lead_field` what simulated
    regions go through, if they do.
    """

    signal: str
    nodes: Nodes
    interval: float
    duration: float
    features: Sequence[Any]
    preparation: Mapping[str, Any]
    folder: str | Path | None = None
    sensors: Mapping[str, Any] | None = None
    lead_field: LeadField | None = None

    @property
    def n_times(self) -> int:
        """Samples of each simulation."""
        return int(self.duration / self.interval * (1 + 1e-9))  # 79 / 0.1 is 790, though 79 // 0.1 is 789


def observe(
    row: Mapping[str, str], settings: ComparisonSettings, select: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Quantity]:
    """Features x_o of the recording of a cohort row, and the series that they come from, if there is one.

    Parameters
    ----------
    row
        Entries recording, kind, tr [s], regions, atlas and confounds of the cohort table.
    settings
        What it is compared with.
    select
        Columns of the regions table and the values kept.
    options
        The study's block recording: those of `check_options`, for files that MNE reads of `check_recording`.

    Raises
    ------
    ValueError
        If the recording is unreadable, of another TR or shorter than the simulations, or if an option is unknown.
    """
    if row["kind"] not in KINDS:
        raise ValueError(f"unknown kind {row['kind']!r} of recording; choose from {', '.join(KINDS)}")
    with reading(row["recording"]):
        return KINDS[row["kind"]](row, settings, select, options)


def unread_columns(row: Mapping[str, str], options: Mapping[str, Any]) -> list[str]:
    """Columns of a cohort row that nobody reads, each with the reason; `options` are the study's block recording."""
    recording = str(row["recording"]).lower()
    by_mne = row["kind"] in SENSOR_KINDS and not is_table(recording)
    reasons = {
        "atlas": "" if recording.endswith((".nii", ".nii.gz")) else "the recording is no image",
        "confounds": "" if options.get("confounds") else "recording.confounds names none of its columns",
        "tr": "the recording has no samples" if row["kind"] in TABLES else "its file states the rate" if by_mne else "",
    }
    return [f"{column} ({why})" for column, why in reasons.items() if row.get(column) and why]


def describe_recording(
    row: Mapping[str, str],
    quantities: Mapping[str, Quantity],
    sensors: Mapping[str, Any] | None = None,
    unread: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    space: str = "",
) -> dict[str, str | float | int]:
    """What a recording was, for the attributes of x_o.h5: its file, and of what was used of its series duration [s],
    channels (sensors or regions), rate [Hz] and, of sensors, the reference; and the `unread_columns` of its row.

    Times are the recording's own, whatever time_scale the `options`, the study's block recording, say. `space` is that
    of contacts whose positions are known.
    """
    found: dict[str, str | float | int] = {
        "recording_file": relative_path(Path(row["recording"])),
        "recording_kind": row["kind"],
    }
    if unread:
        found["recording_unread"] = ", ".join(unread)
    if "ts" not in quantities:
        return found
    factor = float((options or {}).get("time_scale", 1.0))
    ts, fs = quantities["ts"].values, float((quantities["ts"].attributes or {})["fs"]) / factor
    found |= {"recording_time_scale": factor} if factor != 1 else {}
    found |= {"recording_space": SPACES[space]} if space else {}
    found |= {"recording_channels": len(ts), "recording_rate": fs, "recording_duration": np.shape(ts)[1] / fs}
    if row["kind"] in ("eeg", "seeg") and sensors:
        reference = reference_of(row["kind"], sensors)
        found["recording_reference"] = reference if isinstance(reference, str) else ", ".join(reference)
    return found


def observe_regions(
    row: Mapping[str, str], settings: ComparisonSettings, select: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Quantity]:
    """Features of regional series: tables, arrays, 4-D images with an atlas, CIFTI."""
    path, (recording, confounds) = row["recording"], read_regional(row, settings.nodes.labels, select, options)
    centre = centred if options.get("demean", True) else lambda ts: ts  # the level of an MR signal means nothing
    if "part" not in options:
        return extract_x_o(path, replace(recording, ts=centre(recording.ts)), settings, settings.nodes, confounds)
    halves = [replace(recording, ts=centre(ts)) for ts in split_halves(recording.ts, options["part"])]
    cleaned = (None, None) if confounds is None else split_halves(confounds, options["part"])
    found = extract_x_o(path, halves[0], settings, settings.nodes, cleaned[0])
    held_out = extract_x_o(path, halves[1], settings, settings.nodes, cleaned[1])["ts"]
    return found | {"held_out": held_out}


def observe_sensors(
    row: Mapping[str, str], settings: ComparisonSettings, select: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Quantity]:
    """Features of EEG, MEG or intracranial recordings that MNE reads, or of their series in a table."""
    path, kind = row["recording"], row["kind"]
    if is_table(path):
        return (
            observe_sensor_table(row, settings, options)
            if settings.lead_field
            else observe_regions(row, settings, select, options)
        )
    from vbiflow.empirical.sensor_space import sensor_recording  # here, as MNE takes a second to import

    field, labels = settings.lead_field, settings.nodes.labels
    recording = sensor_recording(path, kind, options, settings.sensors or {}, field, labels)
    return extract_x_o(path, recording, settings, settings.nodes)


def observe_sensor_table(
    row: Mapping[str, str], settings: ComparisonSettings, options: Mapping[str, Any]
) -> dict[str, Quantity]:
    """Features of a table of sensor series, one column or row a sensor, in the reference of the simulated ones."""
    path, wanted = row["recording"], settings.lead_field.sensors
    undone = [name for name in options if name in STEPS and name != "drop" and options[name] not in (None, ARBITRARY)]
    if undone:
        advice = "leave it out, or save the recording in a format of MNE"
        raise ValueError(f"{path}: recording.{undone[0]} is not done to a table of series; {advice}")
    recording = read_recording(path, row["kind"], row["tr"])
    missing = [name for name in wanted if name not in recording.labels]
    if missing:
        count = pluralise(len(missing), "sensor of the lead field has", "sensors of the lead field have")
        raise ValueError(f"{path}: {count} no series: {shorten_list(missing)}")
    recording = recording.take([recording.labels.index(name) for name in wanted])
    matrix, names = settings.lead_field.view(settings.sensors or {})
    recording = replace(recording, ts=matrix @ recording.ts, labels=names, unit=settings.lead_field.unit)
    return extract_x_o(path, recording, settings, settings.nodes)


def observe_spectra(
    row: Mapping[str, str], settings: ComparisonSettings, select: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Quantity]:
    """Features of power spectra that somebody else computed: a table of frequencies x nodes."""
    spectra = read_spectra(row["recording"], settings.nodes.labels, options.get("drop", ()))
    return compute_observed_spectra(
        spectra.power,
        spectra.frequencies,
        settings.features,
        settings.nodes,
        settings.folder,
        1000.0 / settings.interval,
    )


def observe_features(row: Mapping[str, str], settings: ComparisonSettings, *_: object) -> dict[str, Quantity]:
    """Features that somebody else computed, in the order of the simulated ones."""
    noise = np.random.default_rng(0).standard_normal((len(settings.nodes), settings.n_times))
    fs = 1000.0 / settings.interval
    options = {"unit": Recording.unit, "nodes": settings.nodes, "folder": settings.folder}
    found = compute(noise, settings.features, fs=fs, **options)
    values, _ = read_features(row["recording"], found.names)
    return {"x": Quantity(values, found.units, ("feature",)), "names": Quantity.text(found.names, "feature")}


def observe_simulated(row: Mapping[str, str], settings: ComparisonSettings, *_: object) -> dict[str, Quantity]:
    """Features of a simulation with known parameters that stands for a recording."""
    path, signal = row["recording"], settings.signal
    ts, notes = read(path, signal)[signal][0], read_attributes(path, signal)
    if not read(path, "valid")["valid"][0]:
        raise ValueError(f"{path}: {read(path, 'reason')['reason'][0]}; choose another truth")
    if "frequencies" in notes:
        own = settings.features, settings.nodes, settings.folder
        return compute_observed_spectra(ts, notes["frequencies"], *own, notes["fs"])
    recording = Recording(
        np.asarray(ts, float), notes["fs"], tuple(settings.nodes.labels), "simulated", unit=notes["unit"]
    )
    return extract_x_o(path, recording, settings, settings.nodes)


KINDS: dict[str, Callable[..., dict[str, Quantity]]] = {
    "bold": observe_regions,
    "source": observe_regions,
    "eeg": observe_sensors,
    "meg": observe_sensors,
    "seeg": observe_sensors,
    "psd": observe_spectra,
    "features": observe_features,
    "simulated": observe_simulated,
}


def cut_epochs(path: str, recording: Recording, preparation: Mapping[str, Any]) -> Recording:
    """A recording in epochs cut to those that the study takes, as many as fit into each; any other as it is.

    Raises
    ------
    ValueError
        If the study takes none or longer ones, or filters across their borders.
    """
    if not recording.epoch:
        return recording
    own, taken = recording.epoch / recording.fs, epoch_of(preparation, recording.fs)
    if not taken:
        advice = f"write preparation: {{epochs: {own:g}}}, so that no window crosses their borders"
        raise ValueError(f"{path}: holds epochs of {own:g} s; {advice}")
    if taken > recording.epoch:
        raise ValueError(
            f"{path}: epochs of {own:g} s, but preparation.epochs takes {taken / recording.fs:g} s; lower it"
        )
    if preparation.get("bandpass"):
        advice = "filter the recording before it is cut, and leave preparation.bandpass out"
        raise ValueError(f"{path}: holds epochs, across whose borders a filter would run; {advice}")
    epochs = recording.ts.reshape(len(recording.ts), -1, recording.epoch)
    kept = epochs[..., : recording.epoch // taken * taken]
    return replace(recording, ts=kept.reshape(len(recording.ts), -1), epoch=taken)


def extract_x_o(
    path: str, recording: Recording, settings: ComparisonSettings, nodes: Nodes, confounds: np.ndarray | None = None
) -> dict[str, Quantity]:
    """Features of a recording of the simulations' sampling interval, cut to their length and prepared as they are."""
    check_tr(path, recording, settings.interval)
    recording = cut_epochs(path, recording, settings.preparation)
    found, wanted = recording.ts.shape[1], settings.n_times
    if found < wanted:
        advice = f"set simulation.duration to {found * settings.interval:g}"
        raise ValueError(f"{path}: {pluralise(found, 'sample')}, but the study simulates {wanted}; {advice}")
    if found > wanted:
        print(f"{path}: {found} samples; the first {wanted} are used, as many as are simulated")
    check_confounds(path, recording, confounds)
    return compute_observed(
        recording.ts[:, :wanted],
        recording.fs,
        settings.features,
        nodes,
        signal=settings.signal,
        unit=recording.unit,
        folder=settings.folder,
        prepare=settings.preparation,
        confounds=None if confounds is None else confounds[:, :wanted],
    )
