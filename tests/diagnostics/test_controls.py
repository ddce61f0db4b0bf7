"""Negative controls of spectra and series: what they are, how they are judged, and what is said of them."""

import numpy as np
import pytest
from linear_gaussian import NAMES, A, Exact, prior, simulate

from vbiflow import io
from vbiflow.diagnostics.controls import (
    CONTROLS,
    OF_SERIES,
    OF_SPECTRA,
    control_series,
    control_tables,
    controls_note,
    negative_controls,
)
from vbiflow.diagnostics.held_out_predictive import held_out_misfits
from vbiflow.features import Nodes, compute_observed, compute_observed_spectra
from vbiflow.features.files import series_features
from vbiflow.features.spectra import spectral_features
from vbiflow.inference.training_set import TrainingSet

FREQUENCIES = np.arange(2.0, 46.0)
POWER = np.arange(1, 9)[:, None] / ((FREQUENCIES - 10) ** 2 + 4)
SPECS = [{"psd": {"segment": 1, "range": [3, 45], "bands": {"alpha": [8, 13]}, "per": ["node", "network"]}}]


def test_controls_are_what_their_words_say():
    tables = control_tables(POWER, FREQUENCIES, 60e3, seed=1)
    assert tables.keys() == OF_SPECTRA.keys() and all(table.shape == POWER.shape for table in tables.values())
    np.testing.assert_array_equal(tables["reversed"], POWER[:, ::-1])
    np.testing.assert_allclose(tables["white"].mean(1), POWER.mean(1), rtol=0.1)
    np.testing.assert_allclose(tables["white"].std(1) / tables["white"].mean(1), 1 / np.sqrt(60), rtol=0.4)
    ratio = tables["line"] / POWER
    assert (ratio == 10).sum() == len(POWER) and (ratio == 1).sum() == POWER.size - len(POWER)
    assert sorted(map(tuple, tables["shuffled"])) == sorted(map(tuple, POWER))
    assert not np.array_equal(tables["shuffled"], POWER)
    again = control_tables(POWER, FREQUENCIES, 60e3, seed=1)
    assert all(np.array_equal(tables[name], again[name]) for name in tables)


def test_they_are_judged_by_the_tests_of_a_recording():
    theta = prior().sample(1, 0, 1500)
    data = TrainingSet.of(prior(), theta, simulate(theta, 2), NAMES, {"test_share": 0.2}, seed=1)
    posterior, fresh = Exact(), simulate(prior().sample(9, 0, 1), 8)[0]
    far = fresh + 8 * np.linalg.svd(A)[2][-1]  # where no parameter reaches
    tables = {"shuffled": fresh[None], "line": far[None]}
    misfits = held_out_misfits(posterior, data, data.held_out()[1], seed=1)
    found = negative_controls(tables, np.ravel, posterior, data, simulate(theta, 2), misfits, seed=1)
    assert found["shuffled"]["passes"] and found["shuffled"]["fit_p"] > 0.05 and not found["shuffled"]["outside"]
    assert not found["line"]["passes"] and min(found["line"]["rare_p"], found["line"]["fit_p"]) < 0.02
    (note,) = controls_note(found)
    assert note == (
        f"the same tests, but for re-simulation, would let pass {CONTROLS['shuffled']}; "
        f"they refuse {CONTROLS['line']}; from what passes only "
        "the model's grade tells the recording"
    )
    assert controls_note({}) == []
    assert controls_note({"line": found["line"]}) == [
        "the same tests, but for re-simulation, refuse all negative controls"
    ]


def test_features_of_a_control_are_taken_as_those_of_the_recording(tmp_path):
    nodes = Nodes([f"r{k}" for k in range(8)], networks=["front"] * 4 + ["back"] * 4)
    found = compute_observed_spectra(POWER, FREQUENCIES, SPECS, nodes, fs=200.0)
    io.write(tmp_path / "x_o.h5", found, {})
    features = spectral_features(tmp_path / "x_o.h5", SPECS)
    np.testing.assert_array_equal(features(POWER), found["x"].values)
    assert features(POWER[:, ::-1]) != pytest.approx(found["x"].values)


def test_series_are_what_their_words_say():
    rng = np.random.default_rng(3)
    slow = np.cumsum(rng.standard_normal((1, 2001)), axis=1)
    ts = 3 + np.arange(1, 7)[:, None] * (slow / slow.std() + rng.standard_normal((6, 2001)))
    found, again = control_series(ts, 1), control_series(ts, 1)
    assert found.keys() == OF_SERIES.keys() and all(np.array_equal(found[name], again[name]) for name in found)
    edges, fc = np.triu_indices(6, 1), np.corrcoef(ts)
    for name in ("independent", "stationary"):
        np.testing.assert_allclose(abs(np.fft.rfft(found[name])), abs(np.fft.rfft(ts)), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.corrcoef(found["stationary"]), fc, atol=1e-9)
    assert not np.allclose(found["stationary"], ts)
    np.testing.assert_allclose(found["uniform"].mean(axis=1), ts.mean(axis=1))
    white = rng.standard_normal((40, 4000)) + np.linspace(0, 2, 40)[:, None] * rng.standard_normal((1, 4000))
    found, edges = control_series(white, 1), np.triu_indices(40, 1)
    wanted = np.corrcoef(white)[edges]
    assert abs(np.corrcoef(found["independent"])[edges]).max() < 0.1
    assert np.corrcoef(found["uniform"])[edges] == pytest.approx(wanted.mean(), abs=0.08) and wanted.std() > 0.2
    np.testing.assert_allclose(found["uniform"].std(axis=1), white.std(axis=1), rtol=0.1)
    assert sorted(map(tuple, found["shuffled"])) == sorted(map(tuple, white))


def test_features_of_another_series_are_taken_as_those_of_the_recording(tmp_path):
    rng = np.random.default_rng(4)
    nodes = Nodes([f"r{k}" for k in range(6)], networks=["front"] * 3 + ["back"] * 3)
    ts = rng.standard_normal((6, 400)) + rng.standard_normal((1, 400))
    specs = [{"fc": {"masks": ["all", "within"]}}, {"moments": {"per": ["node"]}}]
    steps = {"bandpass": [0.02, 0.3], "standardise": True}
    found = compute_observed(ts, 1.0, specs, nodes, signal="bold", unit="%", prepare=steps)
    io.write(tmp_path / "x_o.h5", found, {})
    features = series_features(tmp_path / "x_o.h5", specs, steps)
    np.testing.assert_array_equal(features(found["ts"].values), found["x"].values)
    assert features(found["ts"].values[::-1]) != pytest.approx(found["x"].values)


def test_a_control_with_an_undefined_feature_is_refused():
    theta = prior().sample(1, 0, 1500)
    data = TrainingSet.of(prior(), theta, simulate(theta, 2), NAMES, {"test_share": 0.2}, seed=1)
    misfits = held_out_misfits(Exact(), data, data.held_out()[1], seed=1)
    own = simulate(prior().sample(9, 0, 1), 8)
    own[0, 0] = np.nan
    found = negative_controls({"shuffled": own}, np.ravel, Exact(), data, simulate(theta, 2), misfits, seed=1)
    assert not found["shuffled"]["passes"]
