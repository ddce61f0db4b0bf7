"""Where model and sensor recording meet: on the sensors by a lead field, or on the regions by source reconstruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.read import read_connectome
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.regions import match_labels
from vbiflow.empirical.contacts import contacts_lead_field
from vbiflow.empirical.forward import (
    annotation_labels,
    read_forward,
    reconstruct,
    region_lead_field,
    template_forward,
)
from vbiflow.empirical.lead_field import (
    LeadField,
    read_lead_field,
    read_sensor_names,
    surface_lead_field,
)
from vbiflow.empirical.montages import known_positions, montage_info
from vbiflow.empirical.recording import Recording
from vbiflow.empirical.sensor_files import end_to_end, epoch_length
from vbiflow.empirical.sensor_options import (
    IN_RECORDING,
    STEPS,
    TEMPLATES,
    check_recording,
    check_sensors,
    sensor_unit,
    source_unit,
    uses_linear_inverse,
)
from vbiflow.empirical.sensors import (
    as_recording,
    projector_matrix,
    read_sensors,
)
from vbiflow.observation.sensors import reference_of
from vbiflow.reading import reading


def sensor_recording(
    path: str | Path,
    kind: str,
    options: Mapping[str, Any],
    sensors: Mapping[str, Any],
    field: LeadField | None = None,
    labels: Sequence[str] | None = None,
) -> Recording:
    """A recording on the sensors of the lead field `field`, or on the regions that it leads back to.

    Its sampling rate [Hz] is that of the model's time: `time_scale` recorded seconds pass in one. Without a lead field
    it is on all of its sensors, or on the regions `labels` by source reconstruction.
    """
    check_sensors(sensors)
    check_recording(options, sensors)
    found = located_recording(path, kind, options, sensors, field, labels)
    return replace(found, fs=found.fs * float(options.get("time_scale", 1.0)))


def located_recording(
    path: str | Path,
    kind: str,
    options: Mapping[str, Any],
    sensors: Mapping[str, Any],
    field: LeadField | None,
    labels: Sequence[str] | None,
) -> Recording:
    """A recording where it is compared with simulations, in its own time; see `sensor_recording`."""
    steps = {name: value for name, value in options.items() if name in STEPS}
    channels = None if field is None else field.sensors
    if options.get("to", "sensors") == "sensors":
        reference = reference_of(kind, sensors)
        raw = read_sensors(path, kind, steps, reference=reference, channels=channels)
        return replace(as_recording(path, raw, kind), unit=sensor_unit(kind, options))
    raw = read_sensors(path, kind, steps, channels=channels)
    if field is not None:
        matrix, names = field.view(sensors)
        recording = as_recording(path, raw, kind)
        return replace(recording, ts=matrix @ recording.ts, labels=names, kind="source", unit=field.unit)
    forward, regions = forward_solution(raw.info, kind, sensors)
    whole = mne.io.RawArray(end_to_end(raw), raw.info, verbose="ERROR")
    found = reconstruct(whole, forward, regions, method=options.get("method", "dSPM"), snr=options.get("snr", 3.0))
    found = replace(found, epoch=epoch_length(raw), unit=source_unit(options))
    return found if labels is None else found.take(match_labels(labels, found.labels, "sources", "the connectome"))


def make_lead_field(
    path: str | Path | None,
    kind: str,
    options: Mapping[str, Any],
    sensors: Mapping[str, Any],
    connectome: Connectome,
) -> LeadField:
    """The lead field from the connectome's regions to the sensors of a recording, in its order; not referenced.

    Without a recording the sensors are those of the montage, or all that the head knows. Gains are multiplied by
    `scale`, which tells how many A/mm2 (or units of a table) one unit of the simulated signal is. Where `options` ask
    for sources by a linear method, it leads back to the regions.

    Raises
    ------
    ValueError
        If an option is wrong, a sensor has no position or no gain, or if a region reaches no sensor.
    """
    check_sensors(sensors)
    check_recording(options, sensors)
    info = None
    if path is not None:
        with reading(path):
            info = read_sensors(path, kind, {name: value for name, value in options.items() if name in STEPS}).info
    elif sensors.get("montage"):
        info = montage_info(sensors["montage"], kind, options.get("sensors"))
    if info is not None and {"mag", "grad"} <= set(info.get_channel_types()):
        raise ValueError("magnetometers and gradiometers have different units; write recording.sensors: mag or grad")
    names = None if info is None else info["ch_names"]
    with reading(head_file(sensors, path)):
        field = head_lead_field(info, kind, sensors, connectome, path).take(names, connectome.labels)
    positions = field.positions if info is None or field.positions is not None else known_positions(info)
    field = field.with_sensors(positions, kind, None if info is None else projector_matrix(info))
    field = field.scaled(float(sensors.get("scale", 1.0)))
    if not uses_linear_inverse(options):
        return replace(field, unit=sensor_unit(kind, options))
    inverse = region_inverse(info, kind, options, sensors, field)
    return replace(field, inverse=inverse, unit=source_unit(options))


def head_file(sensors: Mapping[str, Any], recording: str | Path | None) -> str:
    """The file that a head is read from first, for messages; the recording's own where its contacts are in it."""
    entries = [sensors.get(name) for name in ("lead_field", "contacts", "projection", "forward", "surfaces")]
    entry = next((entry for entry in entries if entry), sensors.get("template", "observation.sensors"))
    if entry == IN_RECORDING:
        return str(recording)
    return str(entry if isinstance(entry, str) else entry[0])


def region_inverse(
    info: mne.Info | None, kind: str, options: Mapping[str, Any], sensors: Mapping[str, Any], field: LeadField
) -> np.ndarray:
    """Matrix (n_nodes, n_sensors) from sensors to regions by a minimum-norm inverse: what it makes of unit sensors."""
    if info is None:
        raise ValueError("observation.sensors.montage: missing; name the sensors of a recording that is simulated")
    forward, regions = forward_solution(info, kind, sensors)
    units = mne.io.RawArray(np.eye(len(info["ch_names"])), info, verbose="ERROR")
    found = reconstruct(units, forward, regions, method=options.get("method", "dSPM"), snr=options.get("snr", 3.0))
    return found.take(match_labels(field.labels, found.labels, "sources", "the connectome")).ts


def head_lead_field(
    info: mne.Info | None,
    kind: str,
    sensors: Mapping[str, Any],
    connectome: Connectome,
    recording: str | Path | None = None,
) -> LeadField:
    """The lead field of the head that `sensors` name, all of its regions and sensors."""
    if sensors.get("lead_field"):
        return read_lead_field(sensors["lead_field"])
    if sensors.get("contacts"):
        return contacts_lead_field(str(sensors["contacts"]), kind, connectome, recording, info, sensors.get("space"))
    if sensors.get("projection"):
        labels = mapped_regions(sensors["regions"]) if sensors.get("regions") else connectome.labels
        names = read_sensor_names(sensors["names"])
        return surface_lead_field(sensors["projection"], sensors["region_mapping"], labels, names)
    if sensors.get("forward"):
        return region_lead_field(*forward_solution(None, kind, sensors))
    if info is None:
        raise ValueError("observation.sensors.montage: missing; name the sensors of a recording that is simulated")
    return region_lead_field(*forward_solution(info, kind, sensors))


def mapped_regions(path: str) -> tuple[str, ...]:
    """Names of the regions that a mapping of vertices counts: of a TVB connectivity, or of a table of regions."""
    return read_connectome(path).labels if path.lower().endswith(".zip") else read_regions(path).labels


def forward_solution(
    info: mne.Info | None, kind: str, sensors: Mapping[str, Any]
) -> tuple[mne.Forward, list[mne.Label]]:
    """Forward solution and regions of a head with a cortex."""
    if sensors.get("forward"):
        return read_forward(sensors["forward"]), annotation_labels(*sensors["annotations"])
    files = TEMPLATES.get(sensors.get("template", ""), sensors)
    return template_forward(info, files["surfaces"], files["annotations"], kind)
