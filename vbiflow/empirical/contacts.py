"""Intracranial contacts: where they are, or which regions they record from, and their lead field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.region_tables import headed_columns, read_regions, table_lines, unread_columns
from vbiflow.connectome.regions import Regions, match_labels
from vbiflow.empirical.lead_field import LeadField, contact_lead_field
from vbiflow.empirical.montages import known_positions
from vbiflow.empirical.sensor_options import IN_RECORDING, SPACES
from vbiflow.empirical.spaces import head_to_mni, is_system_of, is_template_head, space_of, system_of
from vbiflow.labels import canonical
from vbiflow.reading import pluralise, shorten_list

ELSEWHERE = 0.6
"""Contacts whose distance to the nearest region falls below this share in another frame are told in that frame."""


def contacts_lead_field(
    contacts: str,
    kind: str,
    connectome: Connectome,
    recording: str | Path | None = None,
    info: mne.Info | None = None,
    space: str | None = None,
) -> LeadField:
    """The lead field of contacts: from a table of their positions or regions, or as the recording has them.

    `space`, mni or scanner, is what positions and centres are said to be in.

    Raises
    ------
    ValueError
        If a table is wrong, or if contacts lie in another space than the centres of the regions.
    """
    meant = space_of(space, connectome)
    if contacts == IN_RECORDING:
        path, labels, places = recorded_positions(recording, info, meant)
    else:
        path, columns = contacts, headed_columns(Path(contacts), table_lines(Path(contacts)))
        if "region" in columns and not set("xyz") <= columns.keys():
            tell_unread(path, columns, ("label", "region", "gain"))
            return assigned_lead_field(contacts, columns, connectome.labels)
        tell_unread(path, columns, ("label", *"xyz", "region"))
        table = with_places(contacts, read_regions(contacts))
        labels, places = table.labels, table.centres * stated_unit(contacts, meant)
        if "region" in columns:
            check_regions(path, places, table.columns["region"], connectome)
    check_contacts(path, places, connectome.centres, labels, guess=space is None)
    found = contact_lead_field(places, connectome.centres, labels, connectome.labels).with_sensors(places, kind)
    return replace(found, space=meant)


def with_places(path: str, regions: Regions) -> Regions:
    """The contacts whose positions are known; the others are told."""
    known = np.isfinite(regions.centres).all(axis=1)
    if known.all() or not known.any():
        return regions
    names = shorten_list([name for name, has in zip(regions.labels, known, strict=True) if not has])
    count = pluralise(int((~known).sum()), "contact has no position and is", "contacts have no position and are")
    print(f"{path}: {count} left out: {names}")
    return regions.take(np.flatnonzero(known))


def tell_unread(path: str, columns: Mapping[str, Sequence[str]], read: Sequence[str]) -> None:
    """Say which columns of a table of contacts nobody reads."""
    if text := unread_columns(columns, read):
        print(f"{path}: {text}")


def stated_unit(table: str, space: str) -> float:
    """Unit [mm] of a table of contacts, where BIDS says beside it what it is in.

    Raises
    ------
    ValueError
        If that is another space.
    """
    name, unit = system_of(Path(table))
    if name and not is_system_of(name, space):
        raise ValueError(f"{table}: contacts are in {name}, regions in {SPACES[space]}; {advice(space)}")
    return unit


def advice(space: str) -> str:
    """How contacts come into the space of the regions."""
    if space == "mni":
        own = "the person's own regions by a column parcellation and observation.sensors.space: scanner"
        return f"give a table label, x, y, z [mm] in MNI space, or {own}"
    return "give a table label, x, y, z [mm] in the coordinates of the parcellation, or drop that column"


def recorded_positions(
    recording: str | Path | None, info: mne.Info | None, space: str
) -> tuple[str, tuple[str, ...], np.ndarray]:
    """File, names and positions [mm] of contacts: from BIDS's electrodes.tsv beside a recording, or from its montage.

    A montage is in MNE's head frame, which is turned and moved against MNI space by 10 to 50 mm; it is converted where
    that frame is the template's.

    Raises
    ------
    ValueError
        If there are none in the `space` of the regions.
    """
    if recording is None:
        raise ValueError("observation.sensors.contacts: recording, but there is none; give a table of contacts")
    path = Path(recording)
    start, found = path.name.partition("_task-")[0], []
    for table in sorted(path.parent.glob(f"{start}*_electrodes.tsv")):
        name, unit = system_of(table)
        if is_system_of(name, space):
            positions = with_places(str(table), read_regions(table))
            return str(table), positions.labels, positions.centres * unit
        found.append(f"{table.name} in {name or 'an unknown system'}")
    places = None if info is None else known_positions(info)
    if places is not None and space == "mni" and is_template_head(info):
        return str(path), tuple(info["ch_names"]), head_to_mni(places)
    found += ["a montage in the head frame of this person"] if places is not None else []
    text = f"no positions of contacts in {SPACES[space]} (found {', '.join(found) or 'none'})"
    raise ValueError(f"{path}: {text}; {advice(space)}")


def check_contacts(
    path: str, contacts: np.ndarray, centres: np.ndarray, sensors: Sequence[str], guess: bool = True
) -> None:
    """Refuse contacts (n, 3) that lie outside the head, or far from all region centres (n_nodes, 3) [mm].

    Both must be in one space, MNI or the person's own: 15 mm beyond the outermost centres, or farther from the nearest
    one than 30 mm (in coarse parcellations one and a half times as far as centres are from each other), is no brain.
    With `guess` contacts are refused as well that fit the regions much better once they are converted.

    Raises
    ------
    ValueError
        With the names of those contacts.
    """
    known = centres[np.isfinite(centres).all(axis=1)]
    if len(known) < 2 or not np.isfinite(contacts).all():
        return
    apart = spacing(known)
    nearest = distances(contacts, known)
    margin = max(15.0, 0.5 * apart)
    outside = ((contacts < known.min(axis=0) - margin) | (contacts > known.max(axis=0) + margin)).any(axis=1)
    wrong = outside | (nearest > max(30.0, 1.5 * apart))
    frame = better_frame(contacts, known, float(np.median(nearest)), apart) if guess else ""
    hint = f"; they fit as {frame}" if frame else ""
    if wrong.any():
        names = shorten_list([name for name, is_wrong in zip(sensors, wrong, strict=True) if is_wrong])
        count = pluralise(int(wrong.sum()), "contact lies", "contacts lie")
        text = f"{count} outside the head or far from all regions: {names}{hint}"
        remedy = "give x, y, z [mm] in the space of the regions' centres (MNI, or the person's own parcellation)"
        raise ValueError(f"{path}: {text}; {remedy}")
    if frame:
        text = f"contacts lie {np.median(nearest):.0f} mm from the nearest region in the median{hint}"
        raise ValueError(f"{path}: {text}; convert them, or state observation.sensors.space")


def better_frame(contacts: np.ndarray, centres: np.ndarray, own: float, apart: float) -> str:
    """Another frame in which contacts lie much nearer to regions; empty if they fit as they are, or are too few.

    `own` is how far they are from the nearest region as they are, `apart` how far regions are from each other [mm].
    """
    if len(contacts) < 8 or own < 0.5 * apart:
        return ""
    share = np.median(distances(head_to_mni(contacts), centres)) / own
    return "positions in MNE's head frame" if share < ELSEWHERE else ""


def spacing(centres: np.ndarray) -> float:
    """Distance of a centre (n_nodes, 3) from the next one [mm], in the median."""
    between = np.linalg.norm(centres[:, None] - centres, axis=-1)
    return float(np.median(np.where(between > 0, between, np.inf).min(axis=1)))


def distances(contacts: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Distance (n,) of each contact (n, 3) from the nearest centre (n_nodes, 3)."""
    return np.linalg.norm(contacts[:, None] - centres, axis=-1).min(axis=1)


def check_regions(path: str, contacts: np.ndarray, named: Sequence[str], connectome: Connectome) -> None:
    """Refuse contacts (n, 3) that do not lie near the regions that their table says they are in.

    Names that the connectome lacks, white matter for instance, say nothing.

    Raises
    ------
    ValueError
        If contacts are farther from their regions than from the nearest, by more than regions are apart, in the median.
    """
    places = {canonical(label): k for k, label in enumerate(connectome.labels)}
    pairs = [(k, places[canonical(name)]) for k, name in enumerate(named) if name and canonical(name) in places]
    pairs = [(k, node) for k, node in pairs if np.isfinite(connectome.centres[node]).all()]
    if len(pairs) < 3:
        return
    own, nodes = (list(part) for part in zip(*pairs, strict=True))
    known = connectome.centres[np.isfinite(connectome.centres).all(axis=1)]
    away = np.linalg.norm(contacts[own] - connectome.centres[nodes], axis=1)
    excess = float(np.median(away - distances(contacts[own], known)))
    if excess > spacing(known):
        text = f"contacts lie {np.median(away):.0f} mm from the regions of their column region in the median"
        raise ValueError(f"{path}: {text}; give positions in the space of the regions' centres, or correct the column")


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
