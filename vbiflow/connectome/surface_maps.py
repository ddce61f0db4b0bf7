"""Regional maps from values on the vertices of a cortical surface: the median over a region, z-scored over regions."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import scipy

from vbiflow import io
from vbiflow.connectome.parcellation import Parcellation, read_parcellation
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.regions import Regions, make_regions, match_labels
from vbiflow.streams import random_generator

FARTHEST = 10.0
"""Vertices farther [mm] than this from any voxel of their hemisphere's regions belong to none."""
FEWEST = 10
"""Vertices that a region needs for a value."""
SMOOTHNESS = 30.0
"""Length [mm] over which a random map varies."""
N_RANDOM = 3
"""Random maps that a table has."""


def table_of_maps(
    vertex_maps: Mapping[str, np.ndarray],
    region_of_vertex: np.ndarray,
    cortex: np.ndarray,
    points: np.ndarray,
    labels: Sequence[str],
) -> dict[str, np.ndarray]:
    """Maps (n_regions,) by name: the median over a region's vertices in `cortex` (n_vertices,), then z-scored.

    `region_of_vertex` (n_vertices,) holds indices into `labels`, -1 for none; `points` (n_vertices, 3) [mm]. After the
    given maps come smooth random ones, the control of a study on maps: `random`, `random2`, ...

    Raises
    ------
    ValueError
        If a region has too few vertices.
    """
    finite = np.logical_and.reduce([np.isfinite(values) for values in vertex_maps.values()])
    members = [np.flatnonzero((region_of_vertex == k) & cortex & finite) for k in range(len(labels))]
    few = [label for label, member in zip(labels, members, strict=True) if len(member) < FEWEST]
    if few:
        raise ValueError(f"regions {', '.join(few)} have fewer than {FEWEST} vertices of the surface; leave them out")
    columns = {name: np.array([np.median(values[m]) for m in members]) for name, values in vertex_maps.items()}
    centres = np.array([points[member].mean(axis=0) for member in members])
    columns |= {f"random{k}" if k > 1 else "random": values for k, values in enumerate(random_maps(centres), start=1)}
    return {name: scipy.stats.zscore(values) for name, values in columns.items()}


def random_maps(centres: np.ndarray) -> np.ndarray:
    """N_RANDOM smooth Gaussian fields (n_maps, n_regions) at centres [mm], alike on both sides as real maps are."""
    folded = np.column_stack([np.abs(centres[:, 0]), centres[:, 1:]])
    covariance = np.exp(-scipy.spatial.distance.cdist(folded, folded, "sqeuclidean") / (2 * SMOOTHNESS**2))
    rng = random_generator(0x6D617073)
    return rng.multivariate_normal(np.zeros(len(centres)), covariance, size=N_RANDOM, method="eigh")


def nearest_regions(points: np.ndarray, parcellation: Parcellation, hemisphere: str) -> np.ndarray:
    """Index of the region whose voxel is nearest to each point (n, 3) [mm] of a hemisphere; -1 beyond FARTHEST."""
    own = np.array([side == hemisphere for side in parcellation.regions.hemispheres])
    voxels = np.argwhere(parcellation.nodes)
    nodes = parcellation.nodes[tuple(voxels.T)] - 1
    voxels, nodes = voxels[own[nodes]], nodes[own[nodes]]
    distance, at = scipy.spatial.cKDTree(parcellation.positions(voxels)).query(points)
    return np.where(distance <= FARTHEST, nodes[at], -1)


def regions_of_vertices(
    surfaces: Sequence[np.ndarray], atlas: str | Path, names: str | Path | None
) -> tuple[Regions, np.ndarray]:
    """Regions of an atlas, and the index of each vertex's, -1 for none, left hemisphere first.

    `atlas` is a volume in the surfaces' space, whose regions a table names, or one number a vertex, 0 for none.
    """
    if names is not None:
        volume = read_parcellation(atlas, names)
        parts = [nearest_regions(points, volume, side) for points, side in zip(surfaces, "LR", strict=True)]
        return volume.regions, np.concatenate(parts)
    numbers = np.loadtxt(atlas).astype(int)
    present = np.unique(numbers[numbers > 0])
    right = numbers[len(surfaces[0]) :]
    sides = ["R" if number in right else "L" for number in present]
    regions = make_regions([str(number) for number in present], hemispheres=sides)
    return regions, np.where(numbers > 0, np.searchsorted(present, numbers), -1)


def save_maps(
    path: str | Path,
    vertex_maps: Mapping[str, str | Path],
    masks: Sequence[str | Path],
    surfaces: Sequence[str | Path],
    atlas: str | Path,
    names: str | Path | None = None,
    regions: str | Path | None = None,
) -> None:
    """Write a table with one line a region: label, and its value of each map.

    Parameters
    ----------
    path : where the table goes.
    vertex_maps : files of one number a vertex by name of the map, the left hemisphere's vertices first.
    masks : left and right; 1 where a vertex lies in cortex.
    surfaces : left and right, GIFTI, whose vertices have positions [mm].
    atlas : volume in the surfaces' space, or a text file of one number a vertex, 0 for none.
    names : table of the regions of a volume; none for numbers by vertex.
    regions : table of regions, of which those of structure cortex are kept, in its order; none keeps all of the atlas.
    """
    import nibabel as nib  # here, as simulations import this package without it

    points = [nib.load(surface).agg_data("pointset") for surface in surfaces]
    cortex = np.concatenate([np.loadtxt(mask) for mask in masks]) > 0
    found, region_of_vertex = regions_of_vertices(points, atlas, names)
    labels = found.labels
    if regions is not None:
        table = read_regions(regions)
        labels = table.take(table.where({"structure": "cortex"})).labels
        order = match_labels(labels, found.labels, str(atlas), str(regions))
        place = np.full(len(found) + 1, -1)  # its last entry is that of vertices without a region
        place[order] = np.arange(len(labels))
        region_of_vertex = place[region_of_vertex]
    values = {name: np.loadtxt(file) for name, file in vertex_maps.items()}
    columns = table_of_maps(values, region_of_vertex, cortex, np.concatenate(points), labels)
    with io.atomic(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["label", *columns])
        for label, *row in zip(labels, *columns.values(), strict=True):
            writer.writerow([label, *(f"{value:.5f}" for value in row)])
