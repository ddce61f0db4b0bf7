"""Regional series from fMRI: 4-D volumes averaged over an atlas, CIFTI parcels and grayordinates, confounds.

Images are averaged here, a few volumes at a time: nilearn's NiftiLabelsMasker, to which the tests compare, takes two to
three times as long, holds the whole image, and takes voxels that are not-a-number for zeros without a word.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from vbiflow.arrays import split_key
from vbiflow.connectome.parcellation import read_parcellation
from vbiflow.empirical.series import Series
from vbiflow.reading import shorten_list

SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6, "unknown": 1.0}
VOXELS = 1 << 23
"""Voxels of a 4-D image read at a time: 64 MB as numbers of 8 bytes."""


def open_image(path: str | Path, **options: bool) -> Any:
    """An image that nibabel reads, or one line that names the file."""
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file")
    try:
        return nib.load(path, **options)
    except Exception as error:
        raise ValueError(f"{path}: not a whole image that nibabel reads ({str(error).splitlines()[0]})") from None


def read_volumes(
    path: str | Path, atlas: str | Path | None, regions: str | Path | None, select: Mapping[str, Any] | None = None
) -> Series:
    """Mean over the voxels of each region of `atlas`, brought to the grid of the 4-D image by nearest neighbours.

    Regions that `select` leaves out need not be in the atlas or in the image.
    """
    if not atlas:
        raise ValueError(
            f"{path}: a 4-D image needs the volume of its regions; give a column atlas in the cohort table"
        )
    image = open_image(path, keep_file_open=True)  # or each block would unpack the file from its start
    if len(image.shape) != 4 or image.shape[3] < 2:
        raise ValueError(f"{path}: shape {' x '.join(map(str, image.shape))}; a recording is 4-D, x, y, z and time")
    parcels = read_parcellation(atlas, regions, select)
    nodes = resample_labels(parcels.nodes, parcels.affine, image)
    counts = np.bincount(nodes.ravel(), minlength=len(parcels.regions) + 1)[1:]
    labels, kept = parcels.regions.labels, parcels.regions.where(select)
    empty = [labels[k] for k in kept if not counts[k]]
    if empty:
        advice = "are both in the same space? If the scan does not reach them, leave them out by connectome.select"
        raise ValueError(f"{path}: no voxel in {shorten_list(empty)} of {atlas}; {advice}")
    try:
        values = average_voxels(image, nodes, np.maximum(counts, 1))
    except Exception as error:
        raise ValueError(f"{path}: damaged or cut short ({str(error).splitlines()[0]}); copy it again") from None
    unit = SECONDS.get(image.header.get_xyzt_units()[1])
    step = float(image.header.get_zooms()[3]) * unit if unit else None
    return Series(values[kept], tuple(labels[k] for k in kept), step or None)


def average_voxels(image: Any, nodes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean (n_nodes, n_times) of a 4-D image over the voxels of each node of `nodes`, of which it has `counts`."""
    import scipy.sparse

    flat = nodes.ravel(order="F")
    inside = np.flatnonzero(flat)
    places = (flat[inside] - 1, np.arange(len(inside)))
    mean = scipy.sparse.csr_array((1.0 / counts[places[0]], places), (len(counts), len(inside)))
    step = max(VOXELS // nodes.size, 1)
    blocks = (np.asanyarray(image.dataobj[..., k : k + step]) for k in range(0, image.shape[3], step))
    return np.concatenate([mean @ block.reshape(nodes.size, -1, order="F")[inside] for block in blocks], axis=1)


def resample_labels(nodes: np.ndarray, affine: np.ndarray, image: Any) -> np.ndarray:
    """Label volume on the voxels of `image`."""
    if nodes.shape == image.shape[:3] and np.allclose(affine, image.affine, atol=1e-3):
        return nodes
    from nilearn.image import resample_img

    labels = nib.Nifti1Image(nodes.astype(np.int32), affine)
    moved = resample_img(labels, image.affine, image.shape[:3], "nearest", force_resample=True, copy_header=True)
    return np.asarray(moved.dataobj).astype(np.int64)


def read_parcels(path: str | Path, *_: object) -> Series:
    """Series of a CIFTI .ptseries.nii file, with its names and TR."""
    image, time, parcels = open_cifti(path, nib.cifti2.ParcelsAxis)
    return Series(image_values(path, image).T, tuple(parcels.name.tolist()), sampling_interval(time))


def read_grayordinates(path: str | Path, atlas: str | Path | None, *_: object) -> Series:
    """Mean over the grayordinates of each label of a .dlabel.nii file, of a CIFTI .dtseries.nii file."""
    if not atlas:
        raise ValueError(f"{path}: grayordinates need labels; give a .dlabel.nii in a column atlas of the cohort table")
    image, time, places = open_cifti(path, nib.cifti2.BrainModelAxis)
    file, wanted = split_key(atlas)
    labels, maps, labelled = open_cifti(file, nib.cifti2.BrainModelAxis)
    if not isinstance(maps, nib.cifti2.LabelAxis):
        raise ValueError(f"{atlas}: no label map; give a .dlabel.nii")
    names = maps.name.tolist()
    if wanted not in names and (wanted or len(names) > 1):
        raise ValueError(f"{atlas}: holds the maps {', '.join(names)}; name one, as in {file.name}::{names[0]}")
    k = names.index(wanted) if wanted else 0
    keys = image_values(file, labels).astype(int)[k]
    table = {key: name for key, (name, _) in maps.label[k].items() if key in keys and name not in ("???", "")}
    where = {place: k for k, place in enumerate(grayordinates(places))}
    column = np.array([where.get(place, -1) for place in grayordinates(labelled)])
    values = image_values(path, image)
    rows = []
    for key, name in table.items():
        chosen = column[(keys == key) & (column >= 0)]
        if not chosen.size:
            raise ValueError(f"{path}: no grayordinate of {name} of {atlas}; are both on the same surface?")
        rows.append(values[:, chosen].mean(axis=1))
    return Series(np.stack(rows), tuple(table.values()), sampling_interval(time))


def open_cifti(path: str | Path, kind: type) -> tuple[Any, Any, Any]:
    """A CIFTI image with its two axes, the second of the given kind."""
    image = open_image(path)
    if not isinstance(image, nib.Cifti2Image) or len(image.shape) != 2:
        raise ValueError(f"{path}: not a CIFTI file of two axes")
    first, second = (image.header.get_axis(k) for k in (0, 1))
    if not isinstance(second, kind):
        raise ValueError(f"{path}: second axis is {type(second).__name__}, not {kind.__name__}")
    return image, first, second


def image_values(path: str | Path, image: Any) -> np.ndarray:
    """The numbers of an image, or one line that names the file."""
    try:
        return np.asarray(image.dataobj, dtype=float)
    except Exception as error:
        raise ValueError(f"{path}: damaged or cut short ({str(error).splitlines()[0]}); copy it again") from None


def grayordinates(axis: Any) -> list[tuple]:
    """What identifies each grayordinate: structure, and vertex or voxel."""
    voxels = map(tuple, axis.voxel.tolist())
    return list(zip(axis.name.tolist(), axis.vertex.tolist(), voxels, strict=True))


def sampling_interval(axis: Any) -> float | None:
    """TR [s] of a CIFTI series."""
    return float(axis.step) if isinstance(axis, nib.cifti2.SeriesAxis) and axis.unit == "SECOND" else None


def read_confounds(path: str | Path, columns: Sequence[str]) -> np.ndarray:
    """Columns (n_times, n) of a table of confounds as fMRIPrep writes it; missing entries become the column's mean.

    Raises
    ------
    ValueError
        If the table is missing or lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give the table of confounds in a column confounds of the cohort table")
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    if not rows:
        raise ValueError(f"{path}: empty; give the table of confounds, a header and one line a volume")
    missing = [name for name in columns if name not in rows[0]]
    if missing:
        raise ValueError(f"{path}: no column {missing[0]!r}; found {shorten_list(rows[0], 12)}")
    places = [rows[0].index(name) for name in columns]
    try:
        values = np.array([[float("nan" if row[k] in ("n/a", "") else row[k]) for k in places] for row in rows[1:]])
    except (ValueError, IndexError) as error:
        raise ValueError(f"{path}: a confound is no number, or a line is short ({error})") from None
    if not len(values) or np.isnan(values).all(axis=0).any():
        raise ValueError(f"{path}: a confound has no value at all; leave it out")
    return np.where(np.isnan(values), np.nanmean(values, axis=0), values)
