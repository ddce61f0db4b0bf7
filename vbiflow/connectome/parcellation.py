"""Parcellations: volumes whose voxels carry the number of their region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.connectome.finding import Finding
from vbiflow.connectome.region_tables import is_colour_table, read_regions
from vbiflow.connectome.regions import INDICES, Regions, make_regions
from vbiflow.reading import shorten_list

OWN_CENTRES = "own_centres"
"""Name of the finding that centres are those of the person's own parcellation, in the space of the scanner."""


def own_centres(path: str | Path) -> Finding:
    """What to note where centres are taken from a volume; one that its name puts into MNI space is a template's."""
    name = Path(path).name
    if any(word in name.lower() for word in ("mni", "icbm", "fsaverage")):
        return Finding("template_centres", "note", f"centres are the mean voxels of regions in {name}, in MNI space")
    text = f"centres are the mean voxels of regions in {name}, in the space of the person's scanner"
    return Finding(OWN_CENTRES, "note", text)


@dataclass(frozen=True)
class Parcellation:
    """A label volume: node (0 for none, 1..n_nodes) of every voxel, the affine to mm, regions, voxels a region."""

    nodes: np.ndarray
    affine: np.ndarray
    regions: Regions
    volumes: np.ndarray
    name: str

    def voxels(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices (n, 3) of the voxels that hold points (n, 3) [mm], and whether they lie in the volume."""
        inverse = np.linalg.inv(self.affine)
        indices = np.floor(points @ inverse[:3, :3].T + inverse[:3, 3] + 0.5).astype(np.int64)
        return indices, ((indices >= 0) & (indices < self.nodes.shape)).all(axis=1)

    def positions(self, indices: np.ndarray) -> np.ndarray:
        """Centres (n, 3) [mm] of the voxels at indices (n, 3)."""
        return indices @ self.affine[:3, :3].T + self.affine[:3, 3]


def read_parcellation(
    path: str | Path, regions: str | Path | None = None, select: Mapping[str, Any] | None = None
) -> Parcellation:
    """Read a label volume (NIfTI, .mgz) with its regions; centres are the mean coordinates of a region's voxels.

    Regions are a table with a column index, the value in the volume; without one every value is a region. Of a colour
    table, which names more than a volume has, those in the volume are taken, and regions that `select` leaves out need
    not be in it.

    Raises
    ------
    ValueError
        If the volume has no labels, or not integer ones, or lacks one of the table's.
    """
    values, affine = read_volume(path)
    present = np.unique(values)
    present = present[present != 0]
    if not present.size:
        raise ValueError(f"{path}: no voxel has a label above 0")
    if regions is None:
        table, wanted = None, present
    else:
        table = read_regions(regions)
        wanted = indices_of(regions, table)
        there = np.isin(wanted, present)
        kept = there if is_colour_table(regions) else there | np.isin(np.arange(len(table)), table.where(select))
        table, wanted, there = table.take(np.flatnonzero(kept)), wanted[kept], there[kept]
        if not there.any():
            raise ValueError(f"{path}: none of its labels is in {regions}; they belong to different atlases")
        empty = [label for label, is_there in zip(table.labels, there, strict=True) if not is_there]
        if empty:
            advice = f"correct the column index of {regions}, or leave them out by connectome.select"
            raise ValueError(f"{path}: no voxel has the label of {shorten_list(empty)}; {advice}")
    lookup = np.zeros(int(max(present.max(), wanted.max())) + 1, dtype=np.int32)
    lookup[wanted] = np.arange(1, len(wanted) + 1)
    nodes = lookup[values]
    where = np.argwhere(nodes)
    which = nodes[tuple(where.T)]
    volumes = np.bincount(which, minlength=len(wanted) + 1)[1:]
    points = where @ affine[:3, :3].T + affine[:3, 3]
    centres = np.stack([np.bincount(which, axis, minlength=len(wanted) + 1)[1:] for axis in points.T], axis=1)
    centres = centres / volumes[:, None]
    if table is None:
        return Parcellation(nodes, affine, make_regions([f"{value}" for value in wanted], centres), volumes, str(path))
    table = replace(table, centres=centres)
    return Parcellation(nodes, affine, table, volumes, str(path))


def read_volume(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Integer labels of a 3-D volume, and its affine to mm."""
    import nibabel as nib  # here, as simulations import this package without it

    try:
        image = nib.load(path)
        values = np.asarray(image.dataobj)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except Exception as error:
        raise ValueError(f"{path}: not a whole volume that nibabel reads ({str(error).splitlines()[0]})") from None
    values = values[..., 0] if values.ndim == 4 and values.shape[3] == 1 else values
    if values.ndim != 3:
        raise ValueError(f"{path}: {values.ndim} axes; a parcellation is a volume of labels, three")
    with np.errstate(invalid="ignore"):  # not-a-number equals nothing, so it is told below
        rounded = np.rint(values).astype(np.int64)
    if not np.array_equal(rounded, values) or rounded.min() < 0:
        raise ValueError(f"{path}: labels must be whole numbers of at least 0; resample with nearest neighbours")
    return rounded, np.asarray(image.affine, dtype=float)


def indices_of(path: str | Path, table: Regions) -> np.ndarray:
    """Column index (or id) of a region table as integers."""
    column = next((name for name in INDICES if name in table.columns), None)
    if column is None:
        raise ValueError(f"{path}: no column index; it tells each region's value in the volume")
    try:
        values = np.array([int(value) for value in table.columns[column]])
    except ValueError:
        raise ValueError(f"{path}: column {column} holds entries that are no whole numbers") from None
    if (values <= 0).any() or len(set(values.tolist())) < len(values):
        raise ValueError(f"{path}: column {column} must hold whole numbers above 0, each once")
    return values
