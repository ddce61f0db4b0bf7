"""Spectra of the linear equations as a study's simulations: their mean, their spread, noise, shards, refusals."""

import shutil

import numpy as np
import pytest

from vbiflow import io
from vbiflow.connectome import Connectome
from vbiflow.empirical import ComparisonSettings, observe
from vbiflow.engine import linearise, simulate, simulate_draws
from vbiflow.engine.spectra import linear_spectra
from vbiflow.features import Nodes, compute, compute_file
from vbiflow.features.registry import read_specs, spectral_grid
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study import load_study

W = np.array([[0, 1, 2, 0], [3, 0, 1, 0], [0, 2, 0, 1], [1, 0, 0, 0]]) / 4
LABELS = ("A_L", "A_R", "B_L", "B_R")
CONNECTOME = Connectome(W, 40 * W, LABELS, np.zeros((4, 3)), ("L", "R", "L", "R"), ("",) * 4)
BANDS = {"theta": [6, 10], "alpha": [10, 14], "beta": [14, 30], "gamma": [30, 60]}
SPECS = [
    {"psd": {"segment": 0.5, "range": [6, 60], "bands": BANDS, "statistics": ["power", "relative"], "per": "node"}}
]
GRID = spectral_grid(read_specs(SPECS))
PRIOR = Prior.from_config({"G": {"uniform": [0.01, 0.05]}}, LABELS)
SETTINGS = ({"tau": 15.0}, {"duration": 20_000.0, "dt": 1.0, "transient": 0.0})
OBSERVATION = {"signals": {"x": {"period": 4.0}}, "spectrum": GRID}


def draws(theta, observation=OBSERVATION, parameters=None, model="linear", **options):
    fixed, simulation = SETTINGS
    options = {"seed": 5, "start": 0, "stream": 0, "device": "cpu", "threads": 1} | options
    return simulate_draws(model, CONNECTOME, PRIOR, theta, parameters or fixed, simulation, observation, **options)


def test_grid_holds_what_the_features_read():
    assert GRID == {"step": 2.0, "highest": 60.0}
    assert spectral_grid(read_specs([*SPECS, "spectrum"])) == {"step": 0.5, "highest": 60.0}
    with pytest.raises(ValueError, match="feature fc needs the series; from spectra come psd, spectrum, aperiodic"):
        spectral_grid(read_specs(["fc"]))


def test_spectra_are_drawn_around_those_of_theory_as_errors_of_forty_segments():
    out = draws(np.full((400, 1), 0.04))
    expected = linearise("linear", W, {"G": 0.04, "tau": 15.0}).spectra("x", out.frequencies)
    relative = out.ts["x"] / expected
    assert out.ts["x"].shape == (400, 4, 30) and out.valid.all() and out.units == {"x": "1^2/Hz"}
    np.testing.assert_allclose(relative.mean(0), 1, atol=5 / np.sqrt(40 * 400))
    np.testing.assert_allclose(relative.std(0).mean(), 1 / np.sqrt(40), rtol=0.03)
    cross = linearise("linear", W, {"G": 0.04, "tau": 15.0}).cross_spectra("x", out.frequencies[:1])[0]
    coherence = np.abs(cross[0, 1]) ** 2 / (cross[0, 0] * cross[1, 1]).real
    assert coherence > 0.3 and np.corrcoef(relative[:, 0, 0], relative[:, 1, 0])[0, 1] == pytest.approx(
        coherence, abs=0.15
    )


def test_features_are_those_of_simulated_series_in_mean_and_spread(tmp_path):
    theta, nodes = np.full((150, 1), 0.04), Nodes(list(LABELS))
    io.write(tmp_path / "spectra.h5", draws(theta).quantities(), {})
    ours = compute_file(tmp_path / "spectra.h5", SPECS, nodes)
    run = {"signals": {"x": {"period": 2.0, "average": False}}, "duration": 20_000.0, "transient": 500.0, "dt": 1.0}
    ts = simulate("linear", W, {"G": 0.04, "tau": 15.0}, n_simulations=150, seed=3, device="cpu", **run).ts["x"]
    theirs = compute(ts, SPECS, fs=500.0, nodes=nodes)
    assert ours["names"].values == theirs.names and ours["valid"].values.all()
    assert list(ours["x"].unit) == list(theirs.units)
    power = np.array(["power" in name for name in theirs.names])
    np.testing.assert_allclose(
        ours["x"].values[:, power].mean(0) / theirs.x[:, power].mean(0), 1, atol=0.06
    )  # of sampling at 500 Hz, 2 % are folded back to 60 Hz
    np.testing.assert_allclose(ours["x"].values[:, ~power].mean(0), theirs.x[:, ~power].mean(0), atol=0.01)
    ratio = ours["x"].values.std(0) / theirs.x.std(0)
    assert 0.75 < ratio.mean() < 1.25


def test_bytes_do_not_depend_on_shards_and_do_on_seed_and_stream():
    theta = PRIOR.sample(1, 0, 5)
    whole = draws(theta).ts["x"]
    parts = [draws(theta[a:b], start=a).ts["x"] for a, b in ((0, 2), (2, 5))]
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    assert whole.tobytes() not in (draws(theta, seed=6).ts["x"].tobytes(), draws(theta, stream=1).ts["x"].tobytes())


def test_measurement_noise_adds_a_floor():
    theta, own = np.full((100, 1), 0.03), {"tau": 15.0, "sigma": 1e-6}
    out = draws(theta, OBSERVATION | {"noise": 0.5}, own).ts["x"]
    np.testing.assert_allclose(out.mean(), 0.5**2 * 2 / 250, rtol=0.02)
    linear = linearise("linear", W, {"G": 0.03, **own})
    out = draws(theta, OBSERVATION | {"noise": {"level": 2.0, "relative": True}}, own).ts["x"]
    floor = 4 * np.diag(linear.covariance("x")).mean() * 2 / 250
    np.testing.assert_allclose((out.mean(0) - linear.spectra("x", OBSERVATION_FREQUENCIES)).mean(), floor, rtol=0.03)


OBSERVATION_FREQUENCIES = np.arange(2.0, 61.0, 2.0)


def test_delays_change_the_spectra_of_every_simulation_by_its_own_speed():
    own = {"a": -1.0, "tau": 100.0, "omega": 0.06, "sigma": 1e-3}
    prior = Prior.from_config({"G": {"uniform": [0, 2]}, "speed": {"uniform": [1, 5]}}, LABELS)
    observation = {"signals": {"x": {"period": 4.0}}, "spectrum": GRID}
    run = {"seed": 5, "start": 0, "stream": 0, "device": "cpu"}
    theta = np.array([[1.5, 1.0], [1.5, 4.0]])
    out = simulate_draws("hopf", CONNECTOME, prior, theta, own, SETTINGS[1], observation, **run)
    for k, speed in enumerate((1.0, 4.0)):
        linear = linearise("hopf", W, own | {"G": 1.5}, tract_lengths=40 * W, speed=speed)
        np.testing.assert_allclose(out.ts["x"][k].mean() / linear.spectra("x", out.frequencies).mean(), 1, atol=0.2)


def test_without_a_stable_fixed_point_a_simulation_is_invalid_and_its_features_too(tmp_path):
    prior = Prior.from_config({"mu": {"uniform": [0.05, 0.3]}}, LABELS)
    observation = {"signals": {"eeg": {"period": 4.0}}, "spectrum": GRID}
    theta = np.array([[0.1], [0.24]])
    run = {"seed": 5, "start": 0, "stream": 0, "device": "cpu"}
    out = simulate_draws("jansen_rit", CONNECTOME, prior, theta, {"G": 0.2}, SETTINGS[1], observation, **run)
    assert out.valid.tolist() == [True, False] and "limit cycle" in out.reason[1]
    io.write(tmp_path / "spectra.h5", out.quantities(), {})
    found = compute_file(tmp_path / "spectra.h5", SPECS, Nodes(list(LABELS)))
    assert found["valid"].values.tolist() == [True, False] and "limit cycle" in found["reason"].values[1]


def test_a_virtual_persons_spectra_are_its_recording(tmp_path):
    io.write(tmp_path / "recording.h5", draws(np.array([[0.04]])).quantities(), {})
    settings = ComparisonSettings("x", Nodes(list(LABELS)), 4.0, 20_000.0, SPECS, {})
    row = {"recording": str(tmp_path / "recording.h5"), "kind": "simulated", "atlas": "", "confounds": ""}
    found = observe(row, settings, {}, {})
    expected = compute_file(tmp_path / "recording.h5", SPECS, Nodes(list(LABELS)))
    np.testing.assert_array_equal(found["x"].values, expected["x"].values[0])


STUDY = """
title: Spectra
description: Spectra without simulating.
seed: 1
cohort: tiny
connectome: {normalise: [max]}
model: jansen_rit
prior: {mu: {uniform: [0.05, 0.15]}}
simulation: {duration: 60.0e+3}
observation: {signals: {eeg: {period: 5}}, spectrum: analytic}
features: [{psd: {segment: 1}}]
inference: {n_simulations: 500, test_share: 0.3}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", "101309 is bold"),
        ("{psd: {segment: 1}}", "fc", "feature fc needs the series"),
        ("observation: {", "preparation: {standardise: true}\nobservation: {", "there are no series for preparation"),
        ("60.0e+3", "500", "simulation.duration 500 ms holds no segment of 1000 ms"),
        ("spectrum: analytic", "spectrum: exact", "observation.spectrum: .*analytic"),
    ],
)
def test_a_study_says_what_does_not_go_with_spectra(tmp_path, monkeypatch, old, new, message):
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config/studies/spectra.yaml").write_text(STUDY.replace(old, new) if old else STUDY)
    with pytest.raises(ValueError, match=message):
        load_study("spectra", tmp_path / "config")


def test_a_study_of_spectra_and_of_a_virtual_person_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    table = (ROOT / "config/cohorts/dk_virtual.tsv").read_text()
    (tmp_path / "config/cohorts/spectra.tsv").write_text(table)
    text = STUDY.replace("cohort: tiny", "cohort: spectra") + "truth: {virtual-1: {mu: 0.1}}\n"
    (tmp_path / "config/studies/spectra.yaml").write_text(text)
    study = load_study("spectra", tmp_path / "config")
    assert study.recorded["spectrum"] == {"step": 1.0, "highest": 45.0} and not study.deterministic


def test_a_model_of_ones_own_has_spectra_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "config/models").mkdir(parents=True)
    text = (ROOT / "vbiflow/models/linear.py").read_text().replace('name="linear"', 'name="ours"')
    (tmp_path / "config/models/ours.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    settings = {"n_simulations": 1, "duration": 20_000.0, "seed": 1, **OBSERVATION}
    parameters = {"G": [[0.02]], "tau": 15.0, "sigma": 0.1}
    ours, shipped = (linear_spectra(name, W, parameters, **settings) for name in ("ours", "linear"))
    np.testing.assert_array_equal(ours.ts["x"], shipped.ts["x"])
