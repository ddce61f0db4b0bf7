"""From a sensor file to the model's space, through the same lead field both ways."""

from __future__ import annotations

from pathlib import Path

import mne
import nibabel as nib
import numpy as np
import pytest

from vbiflow.connectome import Connectome, read_connectome
from vbiflow.empirical.cleaning import STEPS as DONE
from vbiflow.empirical.sensor_options import STEPS, check_recording, check_sensors, head_files
from vbiflow.empirical.sensor_space import make_lead_field, sensor_recording
from vbiflow.observation.sensors import Sensors, reference_matrix, reference_of

LABELS = ("ctx-lh-lateraloccipital", "ctx-rh-precentral", "ctx-lh-insula")
CENTRES = np.array([[-30.0, -90, 0], [40, -10, 50], [-36, 0, 0]])
NOWHERE = np.full((3, 3), np.nan)
BRAIN = Connectome(np.ones((3, 3)) - np.eye(3), NOWHERE, LABELS, CENTRES, ("L", "R", "L"), ("",) * 3)


@pytest.fixture
def recorded(tmp_path: Path, eeg: tuple, template: tuple) -> tuple[Path, np.ndarray, dict]:
    """A file of electrodes that hear three regions, what the regions did, and the head between them."""
    info, _, _, field = eeg
    sources = 1e-9 * np.random.default_rng(0).standard_normal((3, 400))
    path = tmp_path / "sub-01_raw.fif"
    heard = field.take(labels=LABELS).project(sources)
    mne.io.RawArray(heard, info, verbose="ERROR").save(path, fmt="double", verbose="ERROR")
    surfaces, annotations = ([str(file) for file in files] for files in template)
    return path, sources, {"surfaces": surfaces, "annotations": annotations, "montage": "biosemi32"}


@pytest.mark.parametrize("reference", ["average", "none", "Cz", ["O1", "O2"]])
def test_simulated_sources_meet_the_recording_on_the_sensors(recorded: tuple, reference: str | list) -> None:
    path, sources, head = recorded
    head = {**head, "reference": reference}
    field = make_lead_field(path, "eeg", {}, head, BRAIN)
    matrix, names = reference_matrix(field.sensors, reference_of("eeg", head))
    simulated = Sensors(field.gain, matrix)(sources[None], [0])[0]
    recording = sensor_recording(path, "eeg", {}, head, field)
    assert recording.labels == names and len(names) == 32 - (reference == "Cz")
    np.testing.assert_allclose(simulated, recording.ts, atol=1e-4 * np.abs(recording.ts).max())


def test_average_is_the_reference_of_eeg_alone() -> None:
    assert reference_of("eeg", {}) == "average" and reference_of("meg", {}) == reference_of("seeg", {}) == "none"
    assert reference_of("eeg", {"reference": "Cz"}) == "Cz"


def test_a_montage_stands_for_a_recording(recorded: tuple) -> None:
    path, _, head = recorded
    field, alone = make_lead_field(path, "eeg", {}, head, BRAIN), make_lead_field(None, "eeg", {}, head, BRAIN)
    assert field.sensors == alone.sensors and field.kind == "eeg"
    np.testing.assert_allclose(alone.gain, field.gain, rtol=1e-5, atol=1e-6 * np.abs(field.gain).max())
    np.testing.assert_allclose(alone.positions, field.positions, atol=1e-2)
    twice = make_lead_field(None, "eeg", {}, {**head, "scale": 2}, BRAIN)
    np.testing.assert_allclose(twice.gain, 2 * alone.gain)
    with pytest.raises(ValueError, match=r"observation.sensors.montage: missing; name the sensors"):
        make_lead_field(None, "eeg", {}, {name: head[name] for name in ("surfaces", "annotations")}, BRAIN)
    with pytest.raises(ValueError, match=r"unknown montage '10-20'; choose from"):
        make_lead_field(None, "eeg", {}, {**head, "montage": "10-20"}, BRAIN)


def test_channels_without_a_position_are_named(recorded: tuple, tmp_path: Path) -> None:
    path, _, head = recorded
    raw = mne.io.read_raw(path, preload=True, verbose="ERROR").rename_channels({"Oz": "EXG1"}, verbose="ERROR")
    raw.info["chs"][raw.ch_names.index("EXG1")]["loc"][:] = np.nan
    raw.save(tmp_path / "b_raw.fif", verbose="ERROR")
    with pytest.raises(ValueError, match=r"lead field: 1 channel has no position: EXG1; set recording.montage"):
        make_lead_field(tmp_path / "b_raw.fif", "eeg", {}, head, BRAIN)
    field = make_lead_field(tmp_path / "b_raw.fif", "eeg", {"drop": ["EXG1"]}, head, BRAIN)
    assert len(field.sensors) == 31


def test_meg_systems_that_mne_knows(template: tuple) -> None:
    surfaces, annotations = ([str(file) for file in files] for files in template)
    head = {"surfaces": surfaces, "annotations": annotations, "montage": "neuromag"}
    field = make_lead_field(None, "meg", {"sensors": "mag"}, head, BRAIN)
    assert field.gain.shape == (102, 3) and np.abs(field.gain).max(axis=0).min() > 0
    with pytest.raises(ValueError, match=r"unknown MEG system 'biosemi64'; choose from neuromag"):
        make_lead_field(None, "meg", {}, {**head, "montage": "biosemi64"}, BRAIN)


def test_tables_and_saved_lead_fields(recorded: tuple) -> None:
    path, _, head = recorded
    field = make_lead_field(path, "eeg", {}, head, BRAIN)
    field.save(path.with_name("g.h5"), {})
    again = make_lead_field(path, "eeg", {}, {"lead_field": str(path.with_name("g.h5"))}, BRAIN)
    np.testing.assert_array_equal(again.gain, field.gain)
    alone = make_lead_field(None, "eeg", {}, {"lead_field": str(path.with_name("g.h5"))}, BRAIN)
    assert alone.sensors == field.sensors


def test_forward_solutions_of_mne(recorded: tuple, eeg: tuple, tmp_path: Path) -> None:
    path, _, head = recorded
    _, forward, labels, _ = eeg
    mne.write_forward_solution(tmp_path / "a-fwd.fif", forward, verbose="ERROR")
    annotations = []
    for side, hemi in (("lh", 0), ("rh", 1)):
        names = [label.name for label in labels if label.hemi == side]
        keys = np.full(len(forward["src"][hemi]["rr"]), -1)
        for k, name in enumerate(names):
            keys[next(label for label in labels if label.name == name).vertices] = k
        table = np.array([[k, 1, 0, 0, k + 256] for k in range(len(names))])
        annotations.append(str(tmp_path / f"{side}.annot"))
        bare = [name.removesuffix(f"-{side}") for name in names]
        nib.freesurfer.write_annot(annotations[-1], keys, table, bare, fill_ctab=False)
    given = {"forward": str(tmp_path / "a-fwd.fif"), "annotations": annotations}
    field = make_lead_field(path, "eeg", {}, given, BRAIN)
    wanted = make_lead_field(path, "eeg", {}, head, BRAIN)
    np.testing.assert_allclose(field.gain, wanted.gain, rtol=1e-3, atol=1e-5 * np.abs(wanted.gain).max())


def test_tvbs_projection_names_its_own_regions(catalogue_file) -> None:
    head = {
        "projection": str(catalogue_file("tvb", "projection_eeg_65.npy")),
        "region_mapping": str(catalogue_file("tvb", "region_mapping_76.txt")),
        "names": str(catalogue_file("tvb", "sensors_eeg_65.txt")),
        "regions": str(catalogue_file("tvb", "connectivity_76.zip")),
    }
    connectome = read_connectome(head["regions"])
    few = connectome.take([5, 2, 40])
    field = make_lead_field(None, "eeg", {}, head, few)
    whole = make_lead_field(None, "eeg", {}, head, connectome)
    assert field.labels == few.labels and len(field.sensors) == 63  # two of TVB's 65 sensors have no numbers
    np.testing.assert_array_equal(field.gain, whole.gain[:, [5, 2, 40]])
    assert set(head_files(head)) == set(head.values())


def test_sources_are_those_of_the_connectome(recorded: tuple) -> None:
    path, sources, head = recorded
    recording = sensor_recording(path, "eeg", {"to": "sources"}, head, labels=LABELS)
    assert recording.ts.shape == (3, 400) and recording.labels[1] == "precentral-rh"
    similar = np.abs(np.corrcoef(recording.ts[:2], sources[:2])[:2, 2:])
    assert similar.diagonal().min() > 2 * max(similar[0, 1], similar[1, 0])
    with pytest.raises(ValueError, match=r"sources: regions do not match the connectome: it lacks ctx-lh-V1"):
        sensor_recording(path, "eeg", {"to": "sources"}, head, labels=["ctx-lh-V1"])


def test_intracranial_contacts(recorded: tuple, tmp_path: Path) -> None:
    path, _, _ = recorded
    names = mne.io.read_info(path, verbose="ERROR")["ch_names"]
    table = tmp_path / "contacts.tsv"
    table.write_text("label\tx\ty\tz\n" + "".join(f"{name}\t{k}\t-10\t0\n" for k, name in enumerate(names)))
    field = make_lead_field(path, "seeg", {}, {"contacts": str(table)}, BRAIN)
    assert field.sensors == tuple(names) and field.gain[0, 0] == pytest.approx(1 / 7300)
    assert make_lead_field(None, "seeg", {}, {"contacts": str(table)}, BRAIN).sensors == tuple(names)
    assert field.positions[3].tolist() == [3, -10, 0] and field.kind == "seeg"
    table.write_text("label\nA1\n")
    with pytest.raises(ValueError, match=r"lead field: a contact or a region has no position; give x, y, z"):
        make_lead_field(None, "seeg", {}, {"contacts": str(table)}, BRAIN)
    table.write_text("label\tx\ty\tz\nA1\t0\t0\t0\n")
    with pytest.raises(ValueError, match=r"lead field: no sensor Fp1, .*; it has A1"):
        make_lead_field(path, "seeg", {}, {"contacts": str(table)}, BRAIN)


def test_every_step_that_a_study_may_name_is_done() -> None:
    assert tuple(DONE) == STEPS


HEAD = {"template": "fsaverage5-dk"}


@pytest.mark.parametrize(
    ("sensors", "message"),
    [
        ({"head": 1}, r"observation.sensors: unknown option 'head'; choose from template, surfaces"),
        ({}, r"observation.sensors: found none; give one of template, surfaces, forward, lead_field"),
        ({"forward": "a", "contacts": "b"}, r"observation.sensors: found forward, contacts; give one of"),
        ({"forward": "a"}, r"observation.sensors: forward needs annotations as well"),
        ({"forward": "a", "annotations": ["l"]}, r"observation.sensors.annotations: give two files"),
        ({"template": "fsaverage5-dk", "scale": 0}, r"observation.sensors.scale: found 0; write a positive number"),
        ({"template": "fsaverage5-dk", "noise": -1}, r"observation.sensors.noise: found -1; write a positive"),
        ({"projection": "p"}, r"observation.sensors: projection needs region_mapping, names as well"),
        ({"template": "colin27"}, r"observation.sensors: unknown template 'colin27'; choose from fsaverage5-dk"),
    ],
)
def test_misused_sensors_are_one_line(sensors: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_sensors(sensors)


@pytest.mark.parametrize(
    ("options", "sensors", "message"),
    [
        ({"bands": [1, 2]}, HEAD, r"recording: unknown option 'bands'; choose from to, method"),
        ({"to": "cortex"}, HEAD, r"recording.to: found 'cortex'; choose from sensors, sources"),
        ({"method": "music"}, HEAD, r"recording.method: found 'music'; choose from MNE"),
        ({"to": "sources"}, {"contacts": "c"}, r"recording.to: sources need a head with a cortex"),
        ({}, None, r"observation.sensors: missing; say how regions reach the sensors by template"),
    ],
)
def test_misused_options_are_one_line(options: dict, sensors: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_recording(options, sensors)
