"""Intracranial contacts: where they are, or which regions they record from, and their lead field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.arrays.text import read_lines
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.region_tables import headed_columns, read_regions, table_lines
from vbiflow.connectome.regions import match_labels, shorten_list
from vbiflow.empirical.lead_field import LeadField, contact_lead_field
from vbiflow.empirical.sensor_options import IN_RECORDING

MNI = ("mni", "icbm", "fsaverage")
"""How names of coordinate systems begin that are MNI space, in which region centres usually are."""
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0}


def contacts_lead_field(
    contacts: str, kind: str, connectome: Connectome, recording: str | Path | None = None
) -> LeadField:
    """The lead field of contacts: from a table of their positions or regions, or as BIDS keeps it beside the recording.

    Raises
    ------
    ValueError
        If a table is wrong, or if contacts lie in another space than the centres of the regions.
    """
    if contacts == IN_RECORDING:
        path, labels, places = recorded_positions(recording)
    else:
        path, columns = contacts, headed_columns(Path(contacts), table_lines(Path(contacts)))
        if "region" in columns and not set("xyz") <= columns.keys():
            return assigned_lead_field(contacts, columns, connectome.labels)
        table = read_regions(contacts)
        labels, places = table.labels, table.centres
    check_contacts(path, places, connectome.centres, labels)
    return contact_lead_field(places, connectome.centres, labels, connectome.labels).with_sensors(places, kind)


def recorded_positions(recording: str | Path | None) -> tuple[str, tuple[str, ...], np.ndarray]:
    """File, names and positions [mm] of contacts from the electrodes.tsv in MNI space that BIDS has beside a recording.

    Raises
    ------
    ValueError
        If there is none. Positions in the recording itself are in MNE's head frame, which is turned and moved against
        MNI space by 10 to 50 mm: they do not count.
    """
    if recording is None:
        raise ValueError("observation.sensors.contacts: recording, but there is none; give a table of contacts")
    path = Path(recording)
    start = path.name.partition("_task-")[0]
    systems = {}
    for table in sorted(path.parent.glob(f"{start}*_electrodes.tsv")):
        described = table.with_name(table.name.replace("_electrodes.tsv", "_coordsystem.json"))
        content = read_description(described) if described.is_file() else {}
        name, unit = (str(content.get(f"iEEGCoordinate{part}", "")) for part in ("System", "Units"))
        systems[table.name] = name or "unknown"
        if name.lower().startswith(MNI) and unit in MILLIMETRES:
            found = read_regions(table)
            return str(table), found.labels, found.centres * MILLIMETRES[unit]
    known = ", ".join(f"{name} in {system}" for name, system in systems.items()) or "none"
    advice = "give a table of contacts, label, x, y, z [mm] in the space of the regions' centres"
    raise ValueError(f"{path}: no electrodes.tsv in MNI space beside it (found {known}); {advice}")


def read_description(path: Path) -> dict[str, Any]:
    """What BIDS says of a coordinate system."""
    try:
        content = json.loads("\n".join(read_lines(path)))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not whole JSON ({error}); correct it") from None
    return content if isinstance(content, dict) else {}


def check_contacts(path: str, contacts: np.ndarray, centres: np.ndarray, sensors: Sequence[str]) -> None:
    """Refuse contacts (n, 3) that lie outside the head, or far from all region centres (n_nodes, 3) [mm].

    Both must be in one space, MNI or the person's own: 15 mm beyond the outermost centres, or farther from the nearest
    one than 30 mm (in coarse parcellations one and a half times as far as centres are from each other), is no brain.

    Raises
    ------
    ValueError
        With the names of those contacts.
    """
    known = centres[np.isfinite(centres).all(axis=1)]
    if len(known) < 2 or not np.isfinite(contacts).all():
        return
    between = np.linalg.norm(known[:, None] - known, axis=-1)
    apart = float(np.median(np.where(between > 0, between, np.inf).min(axis=1)))
    nearest = np.linalg.norm(contacts[:, None] - known, axis=-1).min(axis=1)
    margin = max(15.0, 0.5 * apart)
    outside = ((contacts < known.min(axis=0) - margin) | (contacts > known.max(axis=0) + margin)).any(axis=1)
    wrong = outside | (nearest > max(30.0, 1.5 * apart))
    if wrong.any():
        names = shorten_list([name for name, is_wrong in zip(sensors, wrong, strict=True) if is_wrong])
        text = f"{int(wrong.sum())} contacts lie outside the head or far from all regions: {names}"
        advice = "give x, y, z [mm] in the space of the regions' centres (MNI, or the person's own parcellation)"
        raise ValueError(f"{path}: {text}; {advice}")


def assigned_lead_field(path: str, columns: Mapping[str, Sequence[str]], labels: Sequence[str]) -> LeadField:
    """Gain of contacts whose positions are unknown, from a table's columns label, region and perhaps gain, else 1.

    A contact may stand on several lines, one a region. Regions without a contact are not recorded.

    Raises
    ------
    ValueError
        If a gain is no number, or if the connectome lacks a region.
    """
    contacts = list(dict.fromkeys(columns["label"]))
    places = match_labels(columns["region"], labels, "the connectome", f"{path}, column region")
    gain = np.zeros((len(contacts), len(labels)))
    try:
        gains = [float(entry) for entry in columns.get("gain", ["1"] * len(places))]
    except ValueError as error:
        raise ValueError(f"{path}: a gain is no number ({error})") from None
    for contact, place, value in zip(columns["label"], places, gains, strict=True):
        gain[contacts.index(contact), place] += value
    return LeadField(gain, tuple(contacts), tuple(labels), kind="seeg")
