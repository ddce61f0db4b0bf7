"""Where model and sensor recording meet: on the sensors by a lead field, or on the regions by source reconstruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mne

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.regions import match, read_regions
from vbiflow.empirical.forward import (
    METHODS,
    annotation_labels,
    read_forward,
    reconstruct,
    region_lead_field,
    template_forward,
)
from vbiflow.empirical.lead_field import LeadField, contact_lead_field, read_lead_field
from vbiflow.empirical.recording import Recording
from vbiflow.empirical.sensors import STEPS, as_recording, read_sensors

PLACES = ("sensors", "sources")
HEAD = ("to", "method", "snr", "lead_field", "forward", "surfaces", "annotations", "contacts")


def check_sensor_options(options: Mapping[str, Any]) -> None:
    """Refuse unknown options of a sensor recording, and combinations that say too little.

    `to` is sensors (compare there, the simulated regions go through a lead field) or sources (reconstruct the regions).
    The head is one of: `lead_field`, a table of gains; `forward` (-fwd.fif) with `annotations` (left, right .annot);
    `surfaces` with `annotations` (left, right GIFTI), a template; `contacts`, a table label, x, y, z [mm].
    """
    unknown = [name for name in options if name not in (*STEPS, *HEAD)]
    if unknown:
        raise ValueError(f"recording: unknown option {unknown[0]!r}; choose from {', '.join((*HEAD, *STEPS))}")
    if options.get("to", "sensors") not in PLACES:
        raise ValueError(f"recording.to: found {options['to']!r}; choose from {', '.join(PLACES)}")
    if options.get("method", "dSPM") not in METHODS:
        raise ValueError(f"recording.method: found {options['method']!r}; choose from {', '.join(METHODS)}")
    heads = [name for name in ("lead_field", "forward", "surfaces", "contacts") if options.get(name)]
    if len(heads) != 1:
        found = ", ".join(heads) or "none"
        raise ValueError(f"recording: found {found}; give one of lead_field, forward, surfaces, contacts")
    if heads[0] in ("forward", "surfaces") and len(options.get("annotations") or ()) != 2:
        raise ValueError(f"recording.annotations: {heads[0]} needs two files, of the left and the right hemisphere")
    if options.get("to") == "sources" and heads[0] not in ("forward", "surfaces"):
        raise ValueError(f"recording.to: sources need forward, or surfaces, not {heads[0]}")


def sensor_recording(
    path: str | Path, kind: str, options: Mapping[str, Any], labels: Sequence[str] | None = None
) -> Recording:
    """A recording on its sensors, or on the regions `labels` if `options` say sources; see `check_sensor_options`."""
    check_sensor_options(options)
    raw = read_sensors(path, kind, {name: value for name, value in options.items() if name in STEPS})
    if options.get("to", "sensors") == "sensors":
        return as_recording(path, raw, kind)
    forward, regions = solution(raw.info, kind, options)
    found = reconstruct(raw, forward, regions, method=options.get("method", "dSPM"), snr=options.get("snr", 3.0))
    return found if labels is None else found.take(match(labels, found.labels, "sources", "the connectome"))


def make_lead_field(path: str | Path, kind: str, options: Mapping[str, Any], connectome: Connectome) -> LeadField:
    """The lead field from the connectome's regions to the sensors of a recording, in its order and reference."""
    check_sensor_options(options)
    raw = read_sensors(path, kind, {name: value for name, value in options.items() if name in STEPS})
    if options.get("lead_field"):
        field = read_lead_field(options["lead_field"])
    elif options.get("contacts"):
        contacts = read_regions(options["contacts"])
        field = contact_lead_field(contacts.centres, connectome.centres, contacts.labels, connectome.labels)
    else:
        field = region_lead_field(*solution(raw.info, kind, options))
    field = field.take(raw.ch_names, connectome.labels)
    averaged = kind == "eeg" and options.get("reference", "average") == "average"
    return field.average_referenced() if averaged else field


def solution(info: mne.Info, kind: str, options: Mapping[str, Any]) -> tuple[mne.Forward, list[mne.Label]]:
    """Forward solution and regions that `options` name."""
    if options.get("forward"):
        return read_forward(options["forward"]), annotation_labels(*options["annotations"])
    return template_forward(info, options["surfaces"], options["annotations"], kind)
