"""Spaces that positions in the head are told in: MNI, the person's scanner, MNE's head frame."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np

from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.parcellation import OWN_CENTRES
from vbiflow.empirical.bids_files import read_description

BEGINS = {"mni": ("mni", "icbm", "fsaverage"), "scanner": ("scan", "t1w", "ras")}
"""How BIDS's names of the coordinate systems of each space begin."""
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
TOLERANCE = 3.0
"""Farthest that fiducials may lie from the template's [mm] for the head frame to count as the template's."""


def space_of(stated: str | None, connectome: Connectome) -> str:
    """The space of a connectome's centres and of contacts among them: stated, or scanner where the centres are those of
    the person's own parcellation, else mni.

    Raises
    ------
    ValueError
        If the scanner's is stated, but the centres are no person's own.
    """
    own = any(finding.name == OWN_CENTRES for finding in connectome.findings)
    if stated == "scanner" and not own:
        text = "scanner, but the centres of the regions are not those of a column parcellation of the cohort"
        raise ValueError(f"observation.sensors.space: {text}; give the volume of this person's regions there")
    return stated or ("scanner" if own else "mni")


def system_of(table: Path) -> tuple[str, float]:
    """Name of the coordinate system of a BIDS electrodes.tsv, by the JSON file beside it, and its unit in mm.

    The name is empty where nothing is said of it.
    """
    described = table.with_name(table.name.replace("_electrodes.tsv", "_coordsystem.json"))
    if described == table or not described.is_file():
        return "", 1.0
    content = read_description(described)
    unit = str(content.get("iEEGCoordinateUnits", "mm"))
    if unit not in MILLIMETRES:
        raise ValueError(f"{described}: iEEGCoordinateUnits is {unit!r}; positions need {', '.join(MILLIMETRES)}")
    return str(content.get("iEEGCoordinateSystem", "")), MILLIMETRES[unit]


def is_system_of(name: str, space: str) -> bool:
    """Whether BIDS's name of a coordinate system means the space."""
    return name.lower().startswith(BEGINS[space])


def template_frame() -> mne.transforms.Transform:
    """From the head frame of the template fsaverage to its own space [m], which is MNI305."""
    return mne.read_trans(Path(mne.__file__).parent / "data" / "fsaverage" / "fsaverage-trans.fif", verbose="ERROR")


def head_to_mni(places: np.ndarray) -> np.ndarray:
    """Positions (n, 3) [mm] in the template's head frame, in MNI space."""
    return mne.transforms.apply_trans(template_frame(), np.asarray(places) / 1000.0) * 1000.0


def is_template_head(info: mne.Info) -> bool:
    """Whether the head frame of a recording is the template's: its fiducials are.

    Positions in MNI space that were given MNI fiducials, as MNE wants them for intracranial contacts, are so.
    """
    own = {int(point["ident"]): point["r"] for point in info["dig"] or () if int(point["kind"]) == 1}
    known, _ = mne.io.read_fiducials(Path(mne.__file__).parent / "data" / "fsaverage" / "fsaverage-fiducials.fif")
    found = [own.get(int(point["ident"]), np.full(3, np.nan)) for point in known]
    away = np.linalg.norm(head_to_mni(np.array(found) * 1000.0) - [1000.0 * point["r"] for point in known], axis=1)
    return bool((away < TOLERANCE).all())
