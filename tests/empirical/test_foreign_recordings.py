"""Recordings as scanners, amplifiers and other programs leave them: what they say of themselves is taken and told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import mne
import nibabel as nib
import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.empirical import ComparisonSettings, observe
from vbiflow.empirical.cohort import COLUMNS
from vbiflow.empirical.contacts import check_contacts
from vbiflow.empirical.forward import annotation_labels
from vbiflow.empirical.lead_field import LeadField
from vbiflow.empirical.recording import read_recording, repetition_time
from vbiflow.empirical.sensor_space import make_lead_field
from vbiflow.empirical.sensors import read_sensors
from vbiflow.features import Nodes

LABELS = tuple(f"{name}_{side}" for side in "LR" for name in ("Aa", "Bb", "Cc"))
FS = 100.0
TS = np.random.default_rng(0).standard_normal((6, 60))


@pytest.mark.parametrize("stated", [2000.0, 0.0, 720.0])
def test_an_impossible_header_states_no_repetition_time(stated: float) -> None:
    assert repetition_time("b.nii", "2", "bold", stated) == 2
    with pytest.raises(ValueError, match=r"b.nii: no TR; its header says .* s, which cannot be; give tr"):
        repetition_time("b.nii", None, "bold", stated)


def test_a_header_of_counts_over_series(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    for header in (range(6), range(1, 7), (3, 1, 2, 6, 5, 4), (10, 11, 49, 50, 8, 47)):
        np.savetxt(path, TS.T, delimiter=",", header=",".join(map(str, header)), comments="")
        found = read_recording(path, tr=2, labels=LABELS)
        np.testing.assert_allclose(found.ts, TS)
    rows = ["time," + ",".join(LABELS), *(f"{2 * k}," + ",".join(map(str, row)) for k, row in enumerate(TS.T))]
    path.write_text("\n".join(rows))
    np.testing.assert_allclose(read_recording(path, tr=2, labels=LABELS).ts, TS)
    rows[5] = rows[5].replace("8,", "9,", 1)
    path.write_text("\n".join(rows))
    with pytest.raises(ValueError, match=r"column 'time' does not rise in equal steps"):
        read_recording(path, tr=2, labels=LABELS)


def test_matrices_of_connectivity_are_no_series(tmp_path: Path) -> None:
    path, fc = tmp_path / "x_relmat.tsv", np.corrcoef(TS)
    path.write_text("Node\t" + "\t".join(LABELS) + "\n" + "".join(
        label + "\t" + "\t".join(map(str, row)) + "\n" for label, row in zip(LABELS, fc, strict=True)
    ))  # fmt: skip
    with pytest.raises(ValueError, match=r"x_relmat.tsv: rows and columns bear the same names: a matrix"):
        read_recording(path, tr=2, least=3)
    np.save(tmp_path / "fc.npy", fc)
    with pytest.raises(ValueError, match=r"fc.npy: 6 x 6 and symmetric: a matrix of connectivity"):
        read_recording(tmp_path / "fc.npy", tr=2, least=3)


def test_a_region_left_out_may_be_beyond_the_field_of_view(tmp_path: Path) -> None:
    volume, image = np.zeros((6, 4, 4), np.int16), np.zeros((6, 4, 4, 60), np.float32)
    for k in range(6):
        volume[k], image[k] = k + 1, TS[k]
    nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / "a.nii")
    nib.save(nib.Nifti1Image(image[:5], np.eye(4)), tmp_path / "b.nii")
    rows = "".join(f"{k + 1}\t{label}\n" for k, label in enumerate(LABELS))
    (tmp_path / "r.tsv").write_text("index\tlabel\n" + rows)
    files = {"regions": tmp_path / "r.tsv", "atlas": tmp_path / "a.nii"}
    found = read_recording(tmp_path / "b.nii", tr=2, select={"label": {"exclude": ["Cc_R"]}}, **files)
    assert found.labels == LABELS[:5]
    np.testing.assert_allclose(found.ts, TS[:5], atol=1e-6)
    with pytest.raises(ValueError, match=r"b.nii: no voxel in Cc_R .* leave them out by connectome.select"):
        read_recording(tmp_path / "b.nii", tr=2, **files)


NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")


def raw_of(data: np.ndarray | None = None, names=NAMES, kind: str | list = "eeg") -> mne.io.RawArray:
    data = 1e-5 * np.random.default_rng(1).standard_normal((6, 1000)) if data is None else data
    return mne.io.RawArray(data, mne.create_info(list(names), FS, kind, verbose="ERROR"), verbose="ERROR")


def test_spans_marked_bad_are_left_out_and_told(tmp_path: Path, capsys) -> None:
    data = 1e-5 * np.random.default_rng(1).standard_normal((6, 1000))
    data[:, 200:400] += 1e-3
    raw = raw_of(data)
    raw.set_annotations(mne.Annotations([2.0, 7.0], [2.0, 1.0], ["BAD_movement", "stimulus"]))
    raw.save(tmp_path / "m_raw.fif", fmt="double", verbose="ERROR")
    clean = read_sensors(tmp_path / "m_raw.fif", "eeg")
    np.testing.assert_allclose(clean.get_data(), np.delete(data, np.s_[200:400], axis=1))
    assert "2 of 10 s are marked as bad and left out" in capsys.readouterr().out
    raw.set_annotations(mne.Annotations([2.0], [7.0], ["bad"]))
    raw.save(tmp_path / "m_raw.fif", fmt="double", overwrite=True, verbose="ERROR")
    with pytest.raises(ValueError, match=r"m_raw.fif: .*annotations mark 7 of 10 s as bad"):
        read_sensors(tmp_path / "m_raw.fif", "eeg")


def test_stored_projectors_act_on_both_sides(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    v = rng.standard_normal(6)
    v /= np.linalg.norm(v)
    data = 1e-13 * rng.standard_normal((6, 1000)) + v[:, None] * 1e-10 * np.sin(np.arange(1000) / 9)
    raw = raw_of(data, [f"MEG{k}1" for k in range(6)], "mag")
    content = {"nrow": 1, "ncol": 6, "row_names": None, "col_names": raw.ch_names, "data": v[None]}
    raw.add_proj(mne.Projection(active=False, kind=1, desc="PCA", explained_var=0.9, data=content), verbose="ERROR")
    raw.save(tmp_path / "m_meg.fif", fmt="double", verbose="ERROR")
    read = read_sensors(tmp_path / "m_meg.fif", "meg").get_data()
    np.testing.assert_allclose(read, data - v[:, None] * (v @ data), rtol=1e-3, atol=1e-17)
    gains = rng.standard_normal((6, 2))
    table = "sensor\ta_L\ta_R\n" + "".join(f"{n}\t{a}\t{b}\n" for n, (a, b) in zip(raw.ch_names, gains, strict=True))
    (tmp_path / "g.tsv").write_text(table)
    brain = Connectome(np.ones((2, 2)), np.ones((2, 2)), ("a_L", "a_R"), np.zeros((2, 3)), ("L", "R"), ("", ""))
    field = make_lead_field(tmp_path / "m_meg.fif", "meg", {}, {"lead_field": str(tmp_path / "g.tsv")}, brain)
    field.save(tmp_path / "lead_field.h5", {"study": "x"})
    matrix, names = LeadField.load(tmp_path / "lead_field.h5").view({})
    assert list(names) == raw.ch_names
    np.testing.assert_allclose(v @ matrix @ field.gain, 0, atol=1e-6)
    np.testing.assert_allclose(matrix @ gains, gains - np.outer(v, v @ gains), atol=1e-6)


def test_averages_are_told_apart_from_recordings(tmp_path: Path) -> None:
    mne.EvokedArray(np.ones((6, 50)), raw_of().info, nave=9, verbose="ERROR").save(
        tmp_path / "x-ave.fif", verbose="ERROR"
    )
    with pytest.raises(ValueError, match=r"x-ave.fif: evoked responses; averages lack the ongoing activity"):
        read_sensors(tmp_path / "x-ave.fif", "eeg")


def test_a_file_that_marks_all_channels_as_bad(tmp_path: Path) -> None:
    raw = raw_of()
    raw.info["bads"] = list(raw.ch_names)
    raw.save(tmp_path / "b_raw.fif", verbose="ERROR")
    with pytest.raises(ValueError, match=r"b_raw.fif: the file marks all of its 6 eeg channels as bad; interpolate"):
        read_sensors(tmp_path / "b_raw.fif", "eeg")


def test_names_of_electrodes_are_found_however_they_are_written(tmp_path: Path) -> None:
    for names in (("Fp1.", "Fp2.", "C3..", "C4..", "O1..", "O2.."), [f"EEG {name.upper()}-REF" for name in NAMES]):
        raw_of(names=names).save(tmp_path / "e_raw.fif", overwrite=True, verbose="ERROR")
        found = read_sensors(tmp_path / "e_raw.fif", "eeg", {"montage": "standard_1020"})
        assert found.ch_names == list(NAMES) and all(np.any(one["loc"][:3]) for one in found.info["chs"])


def test_a_seizure_is_cut_around_its_mark_in_arbitrary_units(tmp_path: Path) -> None:
    data = np.random.default_rng(3).standard_normal((6, 1000))
    raw = raw_of(data, [f"A{k}" for k in range(1, 7)], "seeg")
    raw.set_annotations(mne.Annotations([1.0, 4.0], [0, 0], ["start", "EEG onset"]))
    raw.save(tmp_path / "s_raw.fif", fmt="double", verbose="ERROR")
    with pytest.raises(ValueError, match=r"standard deviation of .* V, allowed is"):
        read_sensors(tmp_path / "s_raw.fif", "seeg")
    cut = {"scale": "arbitrary", "seizure": {"mark": "onset", "before": 1, "after": 3}}
    found = read_sensors(tmp_path / "s_raw.fif", "seeg", cut)
    np.testing.assert_allclose(found.get_data(), data[:, 300:700])
    for change, value, message in (
        ("mark", "offset", r"recording.seizure: no mark 'offset'; the file has EEG onset, start"),
        ("after", 9, r"3 to 13 s around the mark is beyond the recording"),
    ):
        wrong = {**cut, "seizure": {**cut["seizure"], change: value}}
        with pytest.raises(ValueError, match=message):
            read_sensors(tmp_path / "s_raw.fif", "seeg", wrong)


CENTRES = np.array([[x, y, z] for x in (-50, -20, 20, 50) for y in (-80, -40, 0, 40) for z in (-20, 20, 60)], float)
BRAIN = Connectome(
    np.ones((48, 48)), np.ones((48, 48)), tuple(f"r{k}_{'L' if c[0] < 0 else 'R'}" for k, c in enumerate(CENTRES)),
    CENTRES, tuple("L" if c[0] < 0 else "R" for c in CENTRES), ("",) * 48,
)  # fmt: skip


def test_contacts_in_another_space_are_found_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    contacts = CENTRES[rng.permutation(48)[:20]] + rng.uniform(-10, 10, (20, 3))
    names = [f"A{k}" for k in range(20)]
    check_contacts("c.tsv", contacts, CENTRES, names)
    turn = np.deg2rad(20)
    head = contacts @ np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]) + [
        0,
        15,
        45,
    ]
    with pytest.raises(ValueError, match=r"c.tsv: \d+ contacts lie outside the head .* space of the regions' centres"):
        check_contacts("c.tsv", head, CENTRES, names)
    with pytest.raises(ValueError, match=r"contacts lie outside the head"):
        check_contacts("c.tsv", contacts / 1000 + 200, CENTRES, names)


def test_contacts_without_positions_are_given_regions(tmp_path: Path) -> None:
    table = tmp_path / "c.tsv"
    table.write_text("name\tregion\tgain\nA1\tr3_L\t1\nA1\tr4_L\t0.5\nB1\tr40_R\t2\n")
    field = make_lead_field(None, "seeg", {}, {"contacts": str(table)}, BRAIN)
    assert field.sensors == ("A1", "B1")
    expected = np.zeros((2, 48))
    expected[0, 3], expected[0, 4], expected[1, 40] = 1, 0.5, 2
    np.testing.assert_array_equal(field.gain, expected)
    table.write_text("name\tregion\nA1\tnowhere\n")
    with pytest.raises(ValueError, match=r"regions do not match .*c.tsv, column region: it lacks nowhere"):
        make_lead_field(None, "seeg", {}, {"contacts": str(table)}, BRAIN)


SYSTEMS = [("MNI152Lin", "mm", 1), ("fsaverage", "m", 1000), ("ACPC", "mm", 1)]


@pytest.mark.parametrize(("system", "unit", "factor"), SYSTEMS)
def test_contacts_of_a_recording_are_taken_in_mni_space(system: str, unit: str, factor: int, tmp_path: Path) -> None:
    names = [f"A{k}" for k in range(1, 7)]
    raw = raw_of(1e-4 * np.random.default_rng(1).standard_normal((6, 1000)), names, "seeg")
    path = tmp_path / "sub-01_task-rest_ieeg.fif"
    raw.save(path, verbose="ERROR")
    lines = ["\t".join(map(str, (name, *place / factor))) for name, place in zip(names, CENTRES, strict=False)]
    (tmp_path / "sub-01_electrodes.tsv").write_text("name\tx\ty\tz\n" + "\n".join(lines))
    content = {"iEEGCoordinateSystem": system, "iEEGCoordinateUnits": unit}
    (tmp_path / "sub-01_coordsystem.json").write_text(json.dumps(content))
    if system != "ACPC":
        field = make_lead_field(path, "seeg", {}, {"contacts": "recording"}, BRAIN)
        np.testing.assert_allclose(field.positions, CENTRES[:6])
        return
    with pytest.raises(ValueError, match=r"no positions of contacts in MNI space \(found .*tsv in ACPC\); give"):
        make_lead_field(path, "seeg", {}, {"contacts": "recording"}, BRAIN)


def test_whatever_goes_wrong_in_reading_is_one_line(tmp_path: Path, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate\n74 GiB")

    monkeypatch.setattr(sys.modules["vbiflow.empirical.regional"], "read_recording", fails)
    settings = ComparisonSettings("bold", Nodes(LABELS), 2000.0, 80e3, ["mean"], {})
    row = dict.fromkeys(COLUMNS, "") | {"recording": "b.npy", "kind": "bold", "tr": "2"}
    with pytest.raises(ValueError, match=r"^b.npy: cannot be read \(MemoryError: Unable to allocate 74 GiB\)$"):
        observe(row, settings, {}, {})


def test_a_header_whose_types_nobody_knows_is_one_line(tmp_path: Path) -> None:
    """A flipped bit in the type of a channel: MNE finds no such constant, after it has read the file."""
    raw_of().save(tmp_path / "k_raw.fif", verbose="ERROR")
    data = (tmp_path / "k_raw.fif").read_bytes()
    at = data.index(np.array([203, 30], ">i4").tobytes())  # tag and type of a channel's description
    (tmp_path / "k_raw.fif").write_bytes(data[: at + 24] + b"\x00\xfb\x00\x00" + data[at + 28 :])
    with pytest.raises(ValueError, match=r"^\S+k_raw.fif: ") as told:
        read_sensors(tmp_path / "k_raw.fif", "eeg")
    assert "\n" not in str(told.value)


def test_broken_files_of_a_lead_field_are_one_line_that_names_them(tmp_path: Path) -> None:
    """The job that makes a person's lead field leaves out that person for a ValueError, and for nothing else."""
    contacts = tmp_path / "c.tsv"
    contacts.write_text("name\tregion\nA1\tr3_L\n")
    for name in ("x_raw.fif", "x.edf", "x.set", "x.vhdr", "x-fwd.fif"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 8)
        with pytest.raises(ValueError, match=rf"^\S*{name}: .*") as told:
            make_lead_field(tmp_path / name, "seeg", {}, {"contacts": str(contacts)}, BRAIN)
        assert "\n" not in str(told.value)
    for name, content in {"g.h5": b"\x89HDF\r\n\x1a\n" + bytes(40), "g.csv": b"", "g.npy": b"\x93NUMPY"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"^\S*{name}: .*") as told:
            make_lead_field(None, "eeg", {}, {"lead_field": str(tmp_path / name)}, BRAIN)
        assert "\n" not in str(told.value)
    contacts.write_text("")
    with pytest.raises(ValueError, match=r"c.tsv: empty"):
        make_lead_field(None, "seeg", {}, {"contacts": str(contacts)}, BRAIN)


def write_eeglab_73(path: Path, data: np.ndarray, names: tuple[str, ...], fs: float) -> None:
    """A recording (n_channels, n_times) in microvolts as EEGLAB saves it in MATLAB's format 7.3."""

    def characters(text: str) -> np.ndarray:
        return np.frombuffer(text.encode("utf-16-le"), dtype="<u2").reshape(-1, 1)

    def put(group: h5py.Group, name: str, values: np.ndarray, kind: str) -> h5py.Dataset:
        dataset = group.create_dataset(name, data=values)
        dataset.attrs["MATLAB_class"] = np.bytes_(kind)
        return dataset

    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("EEG")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        numbers = {"nbchan": len(data), "trials": 1, "pnts": data.shape[1], "srate": fs, "xmin": 0.0}
        for name, value in (numbers | {"xmax": (data.shape[1] - 1) / fs}).items():
            put(group, name, np.array([[float(value)]]), "double")
        put(group, "data", data.T.astype("f4"), "single")
        put(group, "setname", characters("rest"), "char")
        for name in ("event", "epoch"):
            put(group, name, np.zeros((0, 0)), "double")
        places, cells = group.create_group("chanlocs"), file.create_group("#refs#")
        places.attrs["MATLAB_class"] = np.bytes_("struct")
        labels = [put(cells, f"n{k}", characters(name), "char").ref for k, name in enumerate(names)]
        places.create_dataset("labels", data=np.array(labels, dtype=h5py.ref_dtype).reshape(-1, 1))
        for axis in "XYZ":
            spots = [put(cells, f"{axis}{k}", np.array([[float(k)]]), "double").ref for k in range(len(names))]
            places.create_dataset(axis, data=np.array(spots, dtype=h5py.ref_dtype).reshape(-1, 1))
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\x00\x02IM")


def test_eeglab_files_of_matlab_73(tmp_path: Path) -> None:
    data = 20 * np.random.default_rng(2).standard_normal((len(NAMES), 1000))
    write_eeglab_73(tmp_path / "e.set", data, tuple(NAMES), FS)
    found = read_sensors(tmp_path / "e.set", "eeg")
    assert found.ch_names == list(NAMES) and found.info["sfreq"] == FS
    np.testing.assert_allclose(found.get_data(), 1e-6 * data, rtol=1e-6)


def test_labels_of_freesurfer_are_regions(tmp_path: Path) -> None:
    """A folder of .label files, of both sides or of one, stands for an annotation."""
    vertices = {"lh.insula": [5, 2, 9], "lh.cuneus": [1], "rh.insula": [7, 8], "lh.unknown": [3]}
    for name, numbers in vertices.items():
        rows = "\n".join(f"{k}  1.0 2.0 3.0 0.0" for k in numbers)
        (tmp_path / f"{name}.label").write_text(f"#!ascii label, from subject sub-01\n{len(numbers)}\n{rows}\n")
    mne.Label([4, 6], hemi="rh", name="cuneus-rh").save(tmp_path / "cuneus-rh.label")
    found = annotation_labels(tmp_path, tmp_path)
    assert [(one.name, one.vertices.tolist()) for one in found] == [
        ("cuneus-lh", [1]), ("insula-lh", [2, 5, 9]), ("cuneus-rh", [4, 6]), ("insula-rh", [7, 8]),
    ]  # fmt: skip
    for content in ("no label\n", "", "#!ascii\n2\n1 0 0 0 0\n", "#!ascii\n1\nx 0 0 0 0\n"):
        (tmp_path / "lh.cuneus.label").write_text(content)
        with pytest.raises(ValueError, match=r"lh.cuneus.label: not a whole label of FreeSurfer"):
            annotation_labels(tmp_path, tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match=r"none: no .label file of lh; give FreeSurfer's .annot, or a folder"):
        annotation_labels(tmp_path / "none", tmp_path)
