"""From a sensor file to the model's space, through the same lead field both ways."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.empirical import prepare
from vbiflow.empirical.sensor_space import check_sensor_options, make_lead_field, sensor_recording

LABELS = ("ctx-lh-lateraloccipital", "ctx-rh-precentral", "ctx-lh-insula")
CENTRES = np.array([[-30.0, -90, 0], [40, -10, 50], [-36, 0, 0]])
NOWHERE = np.full((3, 3), np.nan)
BRAIN = Connectome(np.ones((3, 3)) - np.eye(3), NOWHERE, LABELS, CENTRES, ("L", "R", "L"), ("",) * 3)


@pytest.fixture
def recorded(tmp_path: Path, eeg: tuple, template: tuple) -> tuple[Path, np.ndarray, dict]:
    """A file of electrodes that hear three regions, what the regions did, and the options that lead back."""
    info, _, _, field = eeg
    sources = 1e-10 * np.random.default_rng(0).standard_normal((3, 400))
    sensors = field.take(labels=LABELS).project(sources)
    path = tmp_path / "sub-01_raw.fif"
    mne.io.RawArray(sensors, info, verbose="ERROR").save(path, fmt="double", verbose="ERROR")
    surfaces, annotations = ([str(file) for file in files] for files in template)
    return path, sources, {"montage": "biosemi32", "surfaces": surfaces, "annotations": annotations}


def test_simulated_sources_meet_the_recording_on_the_sensors(recorded: tuple) -> None:
    path, sources, options = recorded
    field = make_lead_field(path, "eeg", options, BRAIN)
    recording = sensor_recording(path, "eeg", options)
    assert field.labels != LABELS and field.sensors == recording.labels
    scale = np.abs(recording.ts).max()
    np.testing.assert_allclose(field.project(sources), recording.ts, atol=1e-4 * scale)
    field.save(path.with_name("g.h5"), {})
    again = make_lead_field(path, "eeg", {"lead_field": str(path.with_name("g.h5")), "reference": "none"}, BRAIN)
    np.testing.assert_array_equal(again.gain, field.gain)


def test_prepare_reconstructs_the_connectomes_regions(recorded: tuple) -> None:
    path, sources, options = recorded
    row = {"recording": str(path), "kind": "eeg", "tr": "", "regions": ""}
    recording = prepare(row, LABELS, {}, {**options, "to": "sources"}, 5.0, 1500.0)
    assert recording.ts.shape == (3, 300) and recording.labels[1] == "precentral-rh"
    similar = np.abs(np.corrcoef(recording.ts[:2], sources[:2, :300])[:2, 2:])
    assert similar.diagonal().min() > 2 * max(similar[0, 1], similar[1, 0])
    with pytest.raises(
        ValueError, match=r"a sample every 5 ms, but the study simulates one every 4 ms; set recording.resample to 250"
    ):
        prepare(row, LABELS, {}, options, 4.0, 1500.0)
    with pytest.raises(ValueError, match=r"400 samples, but the study simulates 600; set simulation.duration to 2000"):
        prepare(row, LABELS, {}, options, 5.0, 3000.0)
    with pytest.raises(ValueError, match=r"sources: regions do not match the connectome: it lacks ctx-lh-V1"):
        prepare(row, ["ctx-lh-V1"], {}, {**options, "to": "sources"}, 5.0, 1500.0)


def test_intracranial_contacts(recorded: tuple, tmp_path: Path) -> None:
    path, _, _ = recorded
    names = mne.io.read_info(path, verbose="ERROR")["ch_names"]
    table = tmp_path / "contacts.tsv"
    table.write_text("label\tx\ty\tz\n" + "".join(f"{name}\t{k}\t0\t0\n" for k, name in enumerate(names)))
    field = make_lead_field(path, "seeg", {"contacts": str(table)}, BRAIN)
    assert field.sensors == tuple(names) and field.gain[0, 0] == pytest.approx(1 / 9000)
    table.write_text("label\tx\ty\tz\nA1\t0\t0\t0\n")
    with pytest.raises(ValueError, match=r"lead field: no sensor Fp1, .*; it has A1"):
        make_lead_field(path, "seeg", {"contacts": str(table)}, BRAIN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": [1, 2]}, r"recording: unknown option 'bands'; choose from to, method"),
        ({"to": "cortex", "forward": "f"}, r"recording.to: found 'cortex'; choose from sensors, sources"),
        ({"method": "music", "forward": "f"}, r"recording.method: found 'music'; choose from MNE"),
        ({}, r"recording: found none; give one of lead_field, forward, surfaces, contacts"),
        ({"forward": "a", "contacts": "b"}, r"recording: found forward, contacts; give one of"),
        ({"forward": "a", "annotations": ["l"]}, r"recording.annotations: forward needs two files"),
        ({"to": "sources", "contacts": "c"}, r"recording.to: sources need forward, or surfaces, not contacts"),
    ],
)
def test_misused_options_are_one_line(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_sensor_options(options)


def test_options_of_regional_recordings(tmp_path: Path) -> None:
    np.save(tmp_path / "ts.npy", np.random.default_rng(0).standard_normal((3, 50)))
    row = {"recording": str(tmp_path / "ts.npy"), "kind": "bold", "tr": "2", "regions": ""}
    with pytest.raises(ValueError, match=r"recording: unknown option 'bandpass'; choose from demean, detrend, band"):
        prepare(row, LABELS, {}, {"bandpass": [0.01, 0.1]}, 2000.0, 60000.0)
