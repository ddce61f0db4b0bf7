"""Connectomes from streamlines and a parcellation volume, edge by edge as MRtrix's tck2connectome 3.0.3 counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vbiflow.arrays import read_table
from vbiflow.compilation import compile_cached
from vbiflow.connectome.connectome import Connectome
from vbiflow.connectome.finding import Finding
from vbiflow.connectome.parcellation import Parcellation
from vbiflow.connectome.streamlines import check_counting, read_blocks
from vbiflow.io import Progress
from vbiflow.reading import pluralise


def build_connectome(
    tractogram: str | Path,
    parcels: Parcellation,
    *,
    assignment: str = "radial",
    radius: float = 4.0,
    scale: str = "none",
    streamline_weights: str | Path | None = None,
    progress: Progress | None = None,
) -> Connectome:
    """Count the streamlines between regions; tract_lengths are their mean lengths [mm].

    A streamline joins the regions of its two ends. Those within a region or with a free end count nowhere. Smith et al.
    2015, doi:10.1016/j.neuroimage.2014.09.034.

    Parameters
    ----------
    tractogram : file of streamlines, .tck or .trk.
    parcels : the volume of the regions.
    assignment : ``radial``, the labelled voxel with the centre nearest to an end; ``end_voxel``, the one that holds it.
    radius : how far the nearest centre may be [mm].
    scale : what a streamline adds: none (1), inverse_length (1 / length) or inverse_volume (2 / (voxels of one region +
        of the other)).
    streamline_weights : file of a number a streamline (SIFT2) that multiplies what it adds.
    progress : called with (streamlines done, all).

    Raises
    ------
    ValueError
        If an option or a file is not right, or if no streamline joins two regions.
    """
    check_counting(assignment, radius, scale)
    assign = end_voxel_search(parcels) if assignment == "end_voxel" else radial_search(parcels, radius)
    each = read_weights(streamline_weights) if streamline_weights else None
    tally = ConnectomeSums(parcels)
    for block in read_blocks(tractogram):
        start, stop = tally.n, tally.n + len(block.lengths)
        if each is not None and len(each) < stop:
            raise ValueError(f"{streamline_weights}: {len(each)} weights, but {tractogram} has more streamlines")
        ones = np.ones(stop - start) if each is None else each[start:stop]
        nodes = assign(block.ends)
        tally.add(nodes, block.lengths, ones, ones * SCALES[scale](nodes, block.lengths, parcels.volumes))
        if progress:
            progress(tally.n, tally.n)
    if each is not None and len(each) != tally.n:
        raise ValueError(f"{streamline_weights}: {len(each)} weights, but {tractogram} has {tally.n} streamlines")
    return tally.connectome(str(tractogram))


def read_weights(path: str | Path) -> np.ndarray:
    """One weight a streamline (SIFT2), at least 0."""
    values = read_table(path).values.ravel()
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        count = pluralise(np.count_nonzero(wrong), "weight is no number", "weights are no numbers")
        text = f"{count} of at least 0, the first at {np.argmax(wrong) + 1}"
        raise ValueError(f"{path}: {text}; give what tcksift2 wrote for these streamlines")
    return values


class ConnectomeSums:
    """Sums over streamlines, by pair of nodes."""

    def __init__(self, parcels: Parcellation) -> None:
        self.parcels = parcels
        self.size = len(parcels.regions) + 1
        self.n = self.joined = 0
        self.weights, self.weighted, self.lengths = (np.zeros(self.size**2) for _ in range(3))

    def add(self, nodes: np.ndarray, lengths: np.ndarray, ones: np.ndarray, weights: np.ndarray) -> None:
        """Add streamlines that join `nodes` (n, 2)."""
        pair = nodes.min(axis=1) * self.size + nodes.max(axis=1)
        for total, values in ((self.weights, weights), (self.weighted, ones), (self.lengths, ones * lengths)):
            total += np.bincount(pair, values, minlength=self.size**2)
        self.n += len(nodes)
        self.joined += int(np.count_nonzero(nodes.all(axis=1)))

    def connectome(self, tractogram: str) -> Connectome:
        """The sums as a connectome."""
        if not self.joined:
            where = f"two regions of {self.parcels.name}"
            raise ValueError(
                f"{tractogram}: none of {self.n} streamlines joins {where}; are both in the same space (mm)?"
            )
        weights, weighted, lengths = (self.square(total) for total in (self.weights, self.weighted, self.lengths))
        means = np.divide(lengths, weighted, out=np.zeros_like(lengths), where=weighted > 0)
        regions, findings = self.parcels.regions, ()
        if self.joined < 0.9 * self.n:
            text = f"{self.joined / self.n:.0%} of {self.n} streamlines have both ends in a region"
            findings = (Finding("unassigned", "warning", text),)
        return Connectome(
            weights, means, regions.labels, regions.centres, regions.hemispheres, regions.networks, findings
        )

    def square(self, total: np.ndarray) -> np.ndarray:
        """Symmetric matrix without the free ends and the diagonal."""
        upper = np.triu(total.reshape(self.size, self.size)[1:, 1:], 1)
        return upper + upper.T


def unit_weights(nodes: np.ndarray, lengths: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """One for each streamline (n,)."""
    return np.ones(len(lengths))


def inverse_length(nodes: np.ndarray, lengths: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """1 / length [1/mm] of each streamline, zero for those without length."""
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def inverse_volume(nodes: np.ndarray, lengths: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """2 / (voxels of one region + of the other) for each streamline."""
    return 2.0 / np.r_[np.inf, volumes][nodes].sum(axis=1)


SCALES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "none": unit_weights,
    "inverse_length": inverse_length,
    "inverse_volume": inverse_volume,
}


def end_voxel_search(parcels: Parcellation) -> Callable[[np.ndarray], np.ndarray]:
    """Function from ends (n, 2, 3) to nodes (n, 2): the voxel that holds the end."""

    def assign(ends: np.ndarray) -> np.ndarray:
        indices, inside = parcels.voxels(ends.reshape(-1, 3))
        found = np.zeros(len(indices), dtype=np.int64)
        found[inside] = parcels.nodes[tuple(indices[inside].T)]
        return found.reshape(-1, 2)

    return assign


def radial_search(parcels: Parcellation, radius: float) -> Callable[[np.ndarray], np.ndarray]:
    """Function from ends (n, 2, 3) to nodes (n, 2): the nearest labelled voxel centre within `radius` [mm]."""
    axes = np.ascontiguousarray(parcels.affine[:3, :3])
    slack = float(np.linalg.norm(grid_points([0.5] * 3) @ axes.T, axis=1).max())
    offsets = grid_points(np.ceil((radius + slack) * np.linalg.norm(np.linalg.inv(axes), axis=1)))
    far = np.linalg.norm(offsets @ axes.T, axis=1)
    order = np.argsort(far, kind="stable")
    order = order[far[order] <= radius + slack]
    offsets, far = offsets[order].astype(np.int64), far[order]

    def assign(ends: np.ndarray) -> np.ndarray:
        points = np.ascontiguousarray(ends.reshape(-1, 3))
        indices, _ = parcels.voxels(points)
        found = nearest_node(points, indices, parcels.nodes, axes, parcels.affine[:3, 3], offsets, far, radius, slack)
        return found.reshape(-1, 2)

    return assign


def grid_points(reach: Sequence[float]) -> np.ndarray:
    """Points (n, 3) in steps of 1 from -reach to reach along each of three axes."""
    return np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)


@compile_cached()
def nearest_node(
    points: np.ndarray,
    indices: np.ndarray,
    nodes: np.ndarray,
    axes: np.ndarray,
    origin: np.ndarray,
    offsets: np.ndarray,
    far: np.ndarray,
    radius: float,
    slack: float,
) -> np.ndarray:
    """Node (n,) of the labelled voxel centre nearest to each point; 0 where none is near enough.

    A point lies within `slack` of the centre of its own voxel, so offsets beyond the best distance + slack cannot win.

    Parameters
    ----------
    points : ends of streamlines (n, 3) [mm].
    indices : the voxel (n, 3) that each point lies in.
    nodes : the volume of the regions, 0 where there is none.
    axes, origin : from voxels to mm: (3, 3) and (3,).
    offsets : steps in voxels (m, 3) from a voxel outwards.
    far : their lengths (m,) [mm].
    radius : how far the centre may be [mm].
    slack : how far a point lies from the centre of its own voxel at most [mm].
    """
    found = np.zeros(len(points), dtype=np.int64)
    for n in range(len(points)):
        best = radius
        for k in range(len(offsets)):
            if far[k] > best + slack:
                break
            x, y, z = indices[n, 0] + offsets[k, 0], indices[n, 1] + offsets[k, 1], indices[n, 2] + offsets[k, 2]
            if not (0 <= x < nodes.shape[0] and 0 <= y < nodes.shape[1] and 0 <= z < nodes.shape[2]):
                continue
            if nodes[x, y, z] == 0:
                continue
            square = 0.0
            for i in range(3):
                square += (axes[i, 0] * x + axes[i, 1] * y + axes[i, 2] * z + origin[i] - points[n, i]) ** 2
            if square < best * best:
                best = np.sqrt(square)
                found[n] = nodes[x, y, z]
    return found
