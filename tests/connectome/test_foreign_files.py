"""Files as other programs write or spoil them: read right, or refused in one line that helps."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from vbiflow.arrays import FORMATS, read_array, read_table
from vbiflow.arrays.containers import read_in_child_process
from vbiflow.arrays.text import decode, read_at_most
from vbiflow.connectome import inspect, read_connectome, read_parcellation, read_regions
from vbiflow.connectome.maps import with_maps
from vbiflow.connectome.quality import CHECKS
from vbiflow.labels import canonical

N = 6
LABELS = tuple(f"{name}_{side}" for side in "LR" for name in ("Aa", "Bb", "Cc"))
W = np.round(np.random.default_rng(0).uniform(1, 9, (N, N)), 2) * (1 - np.eye(N))
TABLE = "".join(f"{label}\t{k + 1}\n" for k, label in enumerate(LABELS))


def lines(rows, mark: str = ",") -> str:
    return "".join(mark.join(map(str, row)) + "\n" for row in rows)


HEADERS = {
    "counted from 0": lines([range(N), *W]),
    "counted from 1": lines([range(1, N + 1), *W]),
    "counted as floats": lines([map(float, range(N)), *W]),
    "codes of an atlas": lines([(1001, 1002, 1003, 2001, 2002, 2003), *W]),
    "codes above whole weights": lines([(101, 102, 103, 104, 105, 206), *np.rint(W).astype(int)]),
    "codes in another order": lines([(2003, 1001, 11, 1002, 2001, 47), *W]),
    "counted in another order": lines([(3, 1, 2, 6, 5, 4), *W]),
    "counted rows": lines([[k, *row] for k, row in enumerate(W)]),
    "counted rows and columns": lines([["", *range(N)], *([k, *row] for k, row in enumerate(W))]),
    "comment": "# " + lines([LABELS], " ") + lines(W, " "),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_of_numbers_is_a_header(case: str, tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text(HEADERS[case])
    connectome = read_connectome(path)
    np.testing.assert_array_equal(connectome.weights, np.rint(W) if "whole" in case else W)
    assert connectome.labels[0] == (LABELS[0] if case == "comment" else "region-1")


def test_numbers_that_look_like_a_header_are_data(tmp_path: Path) -> None:
    for name, rows in {"goes on": np.arange(20).reshape(5, 4), "square": np.arange(9).reshape(3, 3)}.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(lines(rows))
        np.testing.assert_array_equal(read_array(path), rows)


def test_codes_in_the_header_find_the_regions(tmp_path: Path) -> None:
    codes, order = [1001, 1002, 1003, 2001, 2002, 2003], [3, 0, 5, 1, 4, 2]
    (tmp_path / "w.csv").write_text(lines([codes, *W]))
    (tmp_path / "r.tsv").write_text("label\tindex\n" + "".join(f"{LABELS[k]}\t{codes[k]}\n" for k in order))
    assert read_connectome(tmp_path / "w.csv", regions=tmp_path / "r.tsv").labels == LABELS


def test_an_index_with_decimals_decides_as_well(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", W)
    rows = sorted((label, f"{k}.0") for k, label in enumerate(LABELS, start=1))
    (tmp_path / "r.tsv").write_text("label\tIndex\n" + "".join("\t".join(row) + "\n" for row in rows[::-1]))
    assert read_connectome(tmp_path / "w.npy", None, tmp_path / "r.tsv").labels == tuple(LABELS)


def test_an_index_that_contradicts_the_lines_decides(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", W)
    byname = sorted(enumerate(LABELS, 1), key=lambda entry: entry[1])
    (tmp_path / "r.tsv").write_text("index\tlabel\n" + "".join(f"{k}\t{label}\n" for k, label in byname))
    assert read_connectome(tmp_path / "w.npy", regions=tmp_path / "r.tsv").labels == LABELS


def test_rows_and_columns_in_different_orders_are_brought_into_one(tmp_path: Path) -> None:
    order = [2, 0, 1, 5, 4, 3]
    rows = [["", *(LABELS[k] for k in order)], *([label, *row[order]] for label, row in zip(LABELS, W, strict=True))]
    (tmp_path / "w.csv").write_text(lines(rows))
    connectome = read_connectome(tmp_path / "w.csv")
    np.testing.assert_array_equal(connectome.weights, W)
    assert connectome.labels == LABELS


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_usual_encoding_is_read_and_told(encoding: str, tmp_path: Path, capfd) -> None:
    (tmp_path / "r.csv").write_bytes("label,network\nKörper_L,a\nÉcorce_R,b\n".encode(encoding))
    assert read_regions(tmp_path / "r.csv").labels == ("Körper_L", "Écorce_R")
    told = capfd.readouterr().err
    assert ("read as" in told and "r.csv" in told) != encoding.startswith("utf-8")


def test_bytes_that_are_no_text_are_refused() -> None:
    for data in (b"\x00\x01\x02\x03" * 20, b"abc\x07def", "\ufefflabel".encode("utf-16-le") + b"\x00\xd8"):
        with pytest.raises(ValueError, match=r"r\.tsv: (no|damaged) text"):
            decode(data, "r.tsv")


SCRIPTS = {
    "Chinese": ("额上回", "额中回", "岛叶"),
    "Greek": ("νησίδα", "ιππόκαμπος", "αμυγδαλή"),
    "Cyrillic": ("островок", "гиппокамп", "миндалина"),
    "Hindi": ("मस्तिष्क", "मस्तिष्का", "मस्तिष्कि"),
    "signs": ("+", "++", "*"),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_of_any_script_are_names(script: str) -> None:
    names = [f"{name}_{side}" for name in SCRIPTS[script] for side in "LR"]
    assert len({canonical(name) for name in names}) == 6
    assert canonical("左" + SCRIPTS[script][0]) == canonical(names[0])


def test_accents_are_the_same_however_they_are_coded() -> None:
    assert canonical("L_E\u0301corce") == canonical("\u00c9CORCE_L")


def cells(file: h5py.File, name: str, entries) -> None:
    group = file.require_group("#refs#")
    made = [
        group.create_dataset(f"{name}{k}", data=np.array([ord(letter) for letter in entry], np.uint16)[:, None]).ref
        for k, entry in enumerate(entries)
    ]
    file.create_dataset(name, data=np.array(made, h5py.ref_dtype)[None], dtype=h5py.ref_dtype)


def mat73(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["sc"] = W.T
        cells(file, "names", LABELS)
    return path


def dsi(path: Path) -> Path:
    codes = np.frombuffer(("\n".join(LABELS) + "\n").encode(), np.int8)[None]
    scipy.io.savemat(path, {"connectivity": W, "name": codes}, format="4")
    return path


def v5(path: Path) -> Path:
    scipy.io.savemat(path, {"sc": W, "names": np.array(LABELS, object)})
    return path


@pytest.mark.parametrize("write", [v5, mat73, dsi])
def test_names_beside_a_matrix_survive_every_format(write, tmp_path: Path) -> None:
    connectome = read_connectome(write(tmp_path / "w.mat"))
    assert connectome.labels == LABELS and connectome.hemispheres == tuple("LLLRRR")
    np.testing.assert_allclose(connectome.weights, W)


def test_hemispheres_of_tvb_are_true_on_the_right(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tvb.h5", "w") as file:
        file["weights"], file["region_labels"] = W, [f"area{k}" for k in range(N)]
        file["hemispheres"] = np.array([False, True] * 3)
    assert read_connectome(f"{tmp_path / 'tvb.h5'}::weights").hemispheres == tuple("LRLRLR")


def test_one_of_a_stack(tmp_path: Path) -> None:
    stack = np.stack([W * k for k in range(1, 4)])
    np.savez(tmp_path / "s.npz", sc=stack)
    scipy.io.savemat(tmp_path / "s.mat", {"sc": stack.transpose(1, 2, 0)})
    with scipy.io.netcdf_file(tmp_path / "s.nc", "w") as file:
        for name, size in zip("pij", stack.shape, strict=True):
            file.createDimension(name, size)
        file.createVariable("sc", "d", tuple("pij"))[:] = stack
    for entry in ("s.npz::sc[1]", "s.mat::sc[:,:,1]", "s.nc::sc[1]"):
        np.testing.assert_allclose(read_connectome(f"{tmp_path / entry}").weights, 2 * W)
    for entry, message in {
        "s.npz::sc[7]": r"index \[7\] is beyond its shape 3 x 6 x 6",
        "s.npz::sc[x]": r"index '\[x\]'; write \[3\] or",
        "s.npz": r"holds sc 3x6x6; name one, as in s.npz::sc\[0\]",
        "s.npz::sc": r"shape 3 x 6 x 6; .* pick one of a stack",
    }.items():
        with pytest.raises(ValueError, match=message):
            read_connectome(f"{tmp_path / entry}")


REGION_TABLES = {
    "MRIcron": "".join(f"{k} {label} {2000 + k}\n" for k, label in enumerate(LABELS, 1)),
    "index and name": "".join(f"{k}\t{label}\n" for k, label in enumerate(LABELS, 1)),
    "list": "\n".join(LABELS),
    "list with a header": "name\n" + "\n".join(LABELS),
    "semicolons": "Label;Network\n" + "".join(f"{label};a\n" for label in LABELS),
    "table": "label\tindex\n" + TABLE,
}


@pytest.mark.parametrize("case", REGION_TABLES)
def test_every_kind_of_region_table(case: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(REGION_TABLES[case])
    regions = read_regions(tmp_path / "r.txt")
    assert regions.labels == LABELS and regions.hemispheres == tuple("LLLRRR")


def test_quoted_names_keep_their_commas(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text('label,network\n"Gyrus, superior, L",a\n"Gyrus, inferior, L",b\n')
    (tmp_path / "w.csv").write_text(
        '"","Gyrus, superior, L","Gyrus, inferior, L"\n"Gyrus, superior, L",0,1\n"Gyrus, inferior, L",2,0\n'
    )
    assert read_regions(tmp_path / "r.csv").labels == ("Gyrus, superior, L", "Gyrus, inferior, L")
    assert read_connectome(tmp_path / "w.csv").labels == ("Gyrus, superior, L", "Gyrus, inferior, L")


def test_only_selected_regions_are_checked(tmp_path: Path) -> None:
    weights, lengths = W.copy(), 10 * W
    for matrix in (weights, lengths):
        matrix[2] = matrix[:, 2] = np.nan
    np.save(tmp_path / "w.npy", weights)
    np.save(tmp_path / "l.npy", lengths)
    files = tmp_path / "w.npy", tmp_path / "l.npy", tmp_path / "r.tsv"
    files[2].write_text(
        "label\thas\n" + "".join(f"{label}\t{'no' if k == 2 else 'yes'}\n" for k, label in enumerate(LABELS))
    )
    keep = [0, 1, 3, 4, 5]
    for select in ({"has": "yes"}, {"label": {"exclude": [LABELS[2]]}}, {"has": {"exclude": "no"}}):
        connectome = read_connectome(*files, select)
        np.testing.assert_array_equal(connectome.weights, W[np.ix_(keep, keep)])
        np.testing.assert_array_equal(connectome.tract_lengths, 10 * W[np.ix_(keep, keep)])
    with pytest.raises(ValueError, match=r"nothing is known of 1 region, Cc_L; leave them out by connectome.select"):
        read_connectome(*files)
    with pytest.raises(ValueError, match=r"select: label is \{'drop': 'x'\}; write values to keep, or"):
        read_connectome(*files, {"label": {"drop": "x"}})


def test_a_region_left_out_may_be_missing_in_the_volume(tmp_path: Path) -> None:
    import nibabel as nib

    volume = np.zeros((6, 4, 4), np.int16)
    for k in (0, 1, 3, 4, 5):
        volume[k] = k + 1
    nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / "a.nii.gz")
    (tmp_path / "r.tsv").write_text("label\tindex\n" + TABLE)
    found = read_parcellation(tmp_path / "a.nii.gz", tmp_path / "r.tsv", {"label": {"exclude": ["Cc_L"]}})
    assert found.regions.labels == tuple(label for label in LABELS if label != "Cc_L")
    with pytest.raises(ValueError, match=r"no voxel has the label of Cc_L; .* leave them out by connectome.select"):
        read_parcellation(tmp_path / "a.nii.gz", tmp_path / "r.tsv")
    np.save(tmp_path / "w.npy", W)
    own = read_connectome(
        tmp_path / "w.npy", None, tmp_path / "r.tsv", {"label": {"exclude": ["Cc_L"]}}, tmp_path / "a.nii.gz"
    )
    assert own.centres[:, 0].tolist() == [0, 1, 3, 4, 5] and own.tract_lengths[0, 4] == 5


def test_a_region_left_out_may_have_no_place_and_another_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", W)
    rows = [f"{label}\t{k}\t{k * k}\t0\n" for k, label in enumerate(LABELS)]
    rows[2] = f"{LABELS[2]}\tn/a\t\tNA\n"
    (tmp_path / "r.tsv").write_text("label\tx\ty\tz\n" + "".join(rows))
    files = tmp_path / "w.npy", None, tmp_path / "r.tsv"
    known = read_connectome(*files, {"label": {"exclude": [LABELS[2]]}})
    assert np.isfinite(known.tract_lengths).all() and [one.name for one in known.findings] == ["euclidean_lengths"]
    found = inspect(read_connectome(*files), list(CHECKS))
    assert [one.text for one in found.findings][:2] == [
        f"1 region has no centre: {LABELS[2]}", "no tract lengths given, and not all centres",
    ]  # fmt: skip


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    weights, lengths = W.copy(), 10 * W
    weights[1, 2], lengths[3, 4] = np.inf, -1
    np.save(tmp_path / "w.npy", weights)
    np.save(tmp_path / "l.npy", lengths)
    with pytest.raises(ValueError, match=r"w.npy: 1 entry is not finite.*; and .*l.npy: 1 length is below zero"):
        read_connectome(tmp_path / "w.npy", tmp_path / "l.npy")
    weights = -W
    weights[2] = weights[:, 2] = 0
    np.save(tmp_path / "w.npy", weights)
    with pytest.raises(
        ValueError, match=r"below zero, the first .*; 1 region has no connection.*accept: \[negative, isolated\]"
    ) as told:
        inspect(read_connectome(tmp_path / "w.npy"), name="w.npy")
    assert "\n" not in str(told.value)
    assert inspect(read_connectome(tmp_path / "w.npy"), list(CHECKS)).n_nodes == N


def zipped(path: Path, encrypted: bool = False, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_txt", ".txt"), content)
    if encrypted:
        data = bytearray(path.read_bytes())
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(mark) + offset] |= 1
        path.write_bytes(data)
    return path


CENTRES = "".join(f"{label} {k} 0 0\n" for k, label in enumerate(LABELS))


def test_archives_of_tvb_that_are_not_as_they_should_be(tmp_path: Path) -> None:
    weights = lines(W, " ")
    both = {f"{who}__{part}_txt": text for who in "ab" for part, text in (("weights", weights), ("centres", CENTRES))}
    two = zipped(tmp_path / "two.zip", **both)
    with pytest.raises(ValueError, match=r"two.zip: holds 2 connectomes, in a, b; name one, as in two.zip::a"):
        read_connectome(two)
    assert read_connectome(f"{two}::b").labels == LABELS
    hidden = {"__MACOSX__._weights_txt": "junk", "weights_txt": weights, "centres_txt": CENTRES}
    assert read_connectome(zipped(tmp_path / "mac.zip", **hidden)).labels == LABELS
    empty = read_connectome(zipped(tmp_path / "e.zip", weights_txt=weights, centres_txt=CENTRES, tract_lengths_txt=""))
    assert [one.name for one in empty.findings] == ["empty_lengths", "euclidean_lengths"]
    named = CENTRES.replace("_L", "").replace("_R", "")
    with pytest.raises(ValueError, match=r"centres.txt: label 'Aa' stands twice; give each region its own"):
        read_connectome(zipped(tmp_path / "t.zip", weights_txt=weights, centres_txt=named))
    sided = zipped(tmp_path / "s.zip", weights_txt=weights, centres_txt=named, hemisphere_txt="0\n0\n0\n1\n1\n1\n")
    assert read_connectome(sided).labels == ("L_Aa", "L_Bb", "L_Cc", "R_Aa", "R_Bb", "R_Cc")
    blanks = CENTRES.replace("Aa_L", "Area 4 L").replace("Bb_L", '"Area, 5"')
    assert read_connectome(zipped(tmp_path / "b.zip", weights_txt=weights, centres_txt=blanks)).labels[:2] == (
        "Area 4 L", "Area, 5",
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"enc.zip: encrypted; unpack it, and zip the files without a password"):
        read_connectome(zipped(tmp_path / "enc.zip", encrypted=True, weights_txt=weights, centres_txt=CENTRES))


def huge_npy() -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    return buffer.getvalue() + b"\0" * 64


def huge_npz(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sc.npy", huge_npy())


def huge_h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("sc", (10**5, 10**5), "f8", chunks=(100, 100))


def huge_sparse(path: Path) -> None:
    scipy.io.savemat(path, {"sc": scipy.sparse.csc_array((10**6, 10**6))})


def long_npy(path: Path) -> None:
    path.write_bytes(huge_npy())


HUGE = {"w.npy": long_npy, "w.npz": huge_npz, "w.h5": huge_h5, "w.mat": huge_sparse}


@pytest.mark.parametrize("name", HUGE)
def test_what_a_header_promises_is_never_allocated(name: str, tmp_path: Path) -> None:
    HUGE[name](tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}.*by its header") as told:
        read_connectome(tmp_path / name)
    assert "\n" not in str(told.value)


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, cut out or cut off."""
    found = bytearray(data)
    for place in rng.integers(len(found), size=rng.integers(1, 6)):
        found[place] = rng.integers(256)
    stop = int(rng.integers(len(found))) if rng.random() < 0.3 else len(found)
    return bytes(found[:stop])


def whole(folder: Path) -> dict[str, Path]:
    v5(folder / "v5.mat")
    mat73(folder / "v73.mat")
    np.savez_compressed(folder / "c.npz", sc=W, names=LABELS)
    np.save(folder / "w.npy", W)
    (folder / "w.csv").write_text(lines([LABELS, *W]))
    zipped(folder / "t.zip", weights_txt=lines(W, " "), centres_txt=CENTRES)
    with h5py.File(folder / "w.h5", "w") as file:
        file.create_dataset("sc", data=W, compression="gzip")
    return {path.name: path for path in folder.iterdir()}


def test_damaged_files_of_every_format_end_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    rng = np.random.default_rng(1)
    for name, path in whole(tmp_path / "good").items():
        data, bad = path.read_bytes(), tmp_path / name
        for _ in range(30):
            bad.write_bytes(flipped(data, rng))
            try:
                read_connectome(bad)
            except ValueError as error:
                assert str(bad) in str(error) and "\n" not in str(error), error


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0.2)  # the same end of its time, sooner
    while True:
        pass


def test_a_library_that_crashes_or_hangs_stops_nobody(tmp_path: Path) -> None:
    for work in (crash, hang):
        with pytest.raises(ValueError, match=r"w.mat: damaged: reading it ends in a crash, or not at all"):
            read_in_child_process(tmp_path / "w.mat", work)
    assert read_in_child_process(tmp_path / "w.mat", lambda: 3) == 3


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGHUP])
def test_a_reader_that_is_killed_from_outside_is_no_fault_of_the_file(tmp_path: Path, sent: signal.Signals) -> None:
    """As when memory runs out: the job ends in the same way and is made again; nobody is left out."""
    reader = os.fork()
    if not reader:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with contextlib.suppress(ValueError):
            read_in_child_process(tmp_path / "w.mat", lambda: os.kill(os.getpid(), sent))
        os._exit(0)
    status = os.waitpid(reader, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == sent


def test_a_flipped_bit_in_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "z.mat"
    scipy.io.savemat(path, {"sc": W, "more": np.random.default_rng(0).random((50, 50))}, do_compression=True)
    data = bytearray(path.read_bytes())
    data[-400] ^= 4
    path.write_bytes(data)
    with pytest.raises(zlib.error):
        scipy.io.loadmat(path)
    with pytest.raises(ValueError, match=r"z.mat: damaged or not a .mat file \(Error -3"):
        read_table(f"{path}::sc")


def test_formats_that_the_message_lists_are_all_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "w.doc").write_text("")
    with pytest.raises(ValueError) as told:
        read_connectome(tmp_path / "w.doc")
    for suffix in (*FORMATS, ".zip", ".tck", ".trk"):
        assert suffix in str(told.value)


def test_what_nobody_reads_is_told(tmp_path: Path, capsys) -> None:
    """Columns of the tables of regions and maps, and files that a format does without; a near miss is named."""
    (tmp_path / "r.tsv").write_text(
        "label\tnetworks\tlobe\tage\n" + "".join(f"{label}\ta\tb\t{k}\n" for k, label in enumerate(LABELS))
    )
    np.save(tmp_path / "w.npy", W)
    files = tmp_path / "w.npy", None, tmp_path / "r.tsv"
    found = read_connectome(*files, {"lobe": "b"}, streamlines={"streamline_weights": "s.txt"})
    assert [one.text for one in found.findings if one.name == "unread"] == [
        "columns of the cohort that nobody reads for such weights: streamline_weights",
        "r.tsv: columns that nobody reads: networks (did you mean network?), age",
    ]
    with_maps(found, {"age": f"{tmp_path / 'r.tsv'}::age"})
    assert "r.tsv: columns that nobody reads: networks (did you mean network?), lobe" in capsys.readouterr().out


def mat_cells(entries: list) -> np.ndarray:
    """A row of MATLAB cells."""
    found = np.empty((1, len(entries)), dtype=object)
    found[0, :] = entries
    return found


def test_structs_and_cells_of_matlab_are_looked_into(tmp_path: Path) -> None:
    """Fields by dotted name or, where one alone ends so, by their own; cells of one size are columns or a stack."""
    matrix, series = np.arange(9.0).reshape(3, 3), np.random.default_rng(0).standard_normal((40, 3))
    people = np.array([(matrix, "a"), (2 * matrix, "b")], dtype=[("sc", object), ("id", object)])
    columns = {
        "data": mat_cells([one[:, None] for one in series.T]),
        "names": mat_cells(["Aa", "Bb", "Cc"]),
        "xyz": matrix,
    }
    odd = mat_cells([np.ones((4, 1)), np.ones((4, 2))])
    content = {"s": {"deep": {"data": matrix}}, "people": people, "many": mat_cells([matrix, 3 * matrix]), "odd": odd}
    path = tmp_path / "w.mat"
    scipy.io.savemat(path, content)
    for key in ("s.deep.data", "s/deep/data", "deep.data", "data"):
        np.testing.assert_array_equal(read_array(f"{path}::{key}"), matrix)
    np.testing.assert_array_equal(read_array(f"{path}::people[1].sc"), 2 * matrix)
    np.testing.assert_array_equal(read_array(f"{path}::many[1]"), 3 * matrix)
    with pytest.raises(ValueError, match=r"w.mat::odd: holds cells of different sizes, not real numbers"):
        read_array(f"{path}::odd")
    with pytest.raises(ValueError, match=r"no array 'sc'; it holds s.deep.data, people\[0\].sc"):
        read_array(f"{path}::sc")
    scipy.io.savemat(tmp_path / "conn.mat", columns)
    table = read_table(f"{tmp_path / 'conn.mat'}::data")
    np.testing.assert_array_equal(table.values, series)
    assert table.texts["names"] == ("Aa", "Bb", "Cc")
    with pytest.raises(ValueError, match=r"holds data 40x3, names 1x3, xyz 3x3; name one, as in conn.mat::data"):
        read_array(tmp_path / "conn.mat")


def test_cells_of_matlab_73_are_columns_or_a_stack(tmp_path: Path) -> None:
    series, matrix = np.random.default_rng(0).standard_normal((40, 3)), np.arange(9.0).reshape(3, 3)
    with h5py.File(tmp_path / "w.mat", "w") as file:
        for name, entries in {"data": [one[:, None] for one in series.T], "many": [matrix, 2 * matrix]}.items():
            parts = [file.create_dataset(f"#refs#/{name}{k}", data=entry.T) for k, entry in enumerate(entries)]
            file.create_dataset(name, data=np.array([[part.ref] for part in parts], h5py.ref_dtype))
        file["s/sc"] = matrix.T
    np.testing.assert_array_equal(read_array(f"{tmp_path / 'w.mat'}::data"), series)
    for key in ("s.sc", "s/sc", "sc"):
        np.testing.assert_array_equal(read_array(f"{tmp_path / 'w.mat'}::{key}"), matrix)
    np.testing.assert_array_equal(read_array(f"{tmp_path / 'w.mat'}::many[1]"), 2 * matrix)


@pytest.mark.parametrize("line", ["{0} {1}", "{0}\t{1}\t{2}", "s{2}\t{0}\t{1}"])
def test_names_with_codes_are_names(line: str, tmp_path: Path) -> None:
    names = ["Precentral_L", "Precentral_R", "Frontal_Sup_L"]
    (tmp_path / "r.txt").write_text("\n".join(line.format(name, 2001 + k, k) for k, name in enumerate(names)))
    assert read_regions(tmp_path / "r.txt").labels == tuple(names)
    (tmp_path / "r.txt").write_text("Area 17\nArea 18\n")
    assert read_regions(tmp_path / "r.txt").labels == ("Area 17", "Area 18")


def test_text_is_read_in_blocks_so_memory_is_that_of_the_file():
    class Stream(io.BytesIO):
        asked = 0

        def read(self, size):
            self.asked = max(self.asked, size)
            return super().read(size)

    stream = Stream(b"1\t2\n" * 600_000)
    assert read_at_most(stream, 1 << 40) == stream.getvalue() and stream.asked <= 1 << 20
    assert read_at_most(Stream(b"12345"), 3) == b"123"
