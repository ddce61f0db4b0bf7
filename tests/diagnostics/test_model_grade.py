"""A planted fault of the model, from BOLD to verdict: features are reproduced, the grade alone says what is wrong."""

import numpy as np
import pytest

from vbiflow import io
from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.feature_report import single_features
from vbiflow.diagnostics.grade import GRADES
from vbiflow.diagnostics.held_out_predictive import calibrated_check, held_out_misfits
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.diagnostics.posterior_predictive import posterior_predictive
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.diagnostics.verdict import verdict
from vbiflow.engine import simulate
from vbiflow.features import compute
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

N_NODES, N_TIMES, TR, TAU = 20, 400, 720.0, 200.0
PRIOR = Prior.from_config({"G": {"uniform": [0.5 / TAU, 0.95 / TAU]}, "sigma": {"uniform": [0.05, 0.2]}})
TRUTH = np.array([[0.85 / TAU, 0.1]])
SPECS = [{"fc": {"quantiles": [0.25, 0.75]}}, "sd"]
OPTIONS = {"estimator": "mdn", "learning_rate": 3e-3, "max_epochs": 60, "test_share": 0.3}
N_PREDICTIVE = 100


def network(seed: int, share: float = 1.0) -> np.ndarray:
    """Weights that fall with the distance of regions in space, a `share` of them beside those of W."""
    rng = np.random.default_rng(seed)
    places = rng.standard_normal((N_NODES, 3))
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    weights = np.exp(-distance + 0.5 * rng.standard_normal(distance.shape))
    weights = (weights + weights.T) * (1 - np.eye(N_NODES))
    weights /= np.abs(np.linalg.eigvals(weights)).max()
    return weights if share == 1 else share * weights + (1 - share) * network(1)


W = network(1)


def bold(theta, stream, weights=W, model="linear", **further):
    """BOLD (n, n_nodes, n_times) at theta (n, 2)."""
    values = {"G": theta[:, [0]], "sigma": theta[:, [1]]} | further
    run = {"n_simulations": len(theta), "duration": N_TIMES * TR, "transient": 30e3, "dt": 20.0, "seed": 1}
    observed = {"parameters": "stephan2007", "tr": TR}
    return simulate(model, weights, values, **run, stream=stream, device="cpu", accept=["dt"], bold=observed).ts["bold"]


def features(ts):
    return compute(ts, SPECS, fs=1000 / TR)


@pytest.fixture(scope="module")
def study():
    theta = PRIOR.sample(1, 0, 500)
    found = features(bold(theta, 2, tau=TAU))
    data = TrainingSet.of(PRIOR, theta, found.x, found.names, OPTIONS, seed=1)
    posterior, _ = train(data, OPTIONS, seed=1)
    theta, x = data.held_out()
    estimator = verdict(calibrate(posterior, theta, x, seed=1), single_features(data, OPTIONS))
    return data, posterior, estimator, held_out_misfits(posterior, data, x, seed=1)


def judged(study, recording, folder, **options):
    """The verdict on a recording (n_nodes, n_times); the network of the other person is mixed of W and another."""
    data, posterior, estimator, misfits = study
    x_o = features(recording[None]).x[0]
    samples = posterior.sample(x_o, 1000, seed=2)
    again = np.concatenate([samples[:N_PREDICTIVE], np.tile(np.median(samples, axis=0), (20, 1))])
    ts = bold(again, 4, tau=TAU)
    series = io.Quantity(ts, "1", ("simulation", "node", "time"), {"fs": 1000 / TR})
    io.write(folder / "simulations.h5", {"bold": series, "valid": np.ones(len(ts), bool)}, {})
    other = {"other": bold(TRUTH, 5, network(3, share=0.3), tau=TAU)[0]}
    _, scores = posterior_predictive(
        folder / "simulations.h5", recording, 1000 / TR, SPECS, N_PREDICTIVE, ["fc_correlation"], others=other
    )
    check = check_features(features(ts[:N_PREDICTIVE]).x, x_o)
    check = calibrated_check(check, data, samples, x_o, misfits, seed=3)
    return subject_verdict(misspecification(data.x, x_o, data.names, seed=1), estimator, check, scores, **options)


def test_the_true_model_reaches_what_the_data_allow(study, tmp_path):
    found = judged(study, bold(TRUTH, 6, tau=TAU)[0], tmp_path, require="own_half")
    assert found["verdict"] == "trusted", found["reasons"]
    assert found["parts"]["model"]["grade"] in ("own_half", "noise_ceiling")
    assert {"above_chance", "other_person", "own_half", "noise_ceiling"} == {
        *found["parts"]["model"]["scores"]["fc_correlation"]["ladder"]
    }


@pytest.mark.parametrize("fault", ["another connectome", "nodes exchanged"])
def test_a_recording_of_another_wiring_falls_on_the_ladder_though_it_has_the_features(study, tmp_path, fault):
    if fault == "another connectome":
        (recording,) = bold(TRUTH, 6, network(7), tau=TAU)
    else:
        recording = bold(TRUTH, 6, tau=TAU)[0][np.random.default_rng(1).permutation(N_NODES)]
    found = judged(study, recording, tmp_path)
    assert found["verdict"] == found["parts"]["recording"]["verdict"] == "trusted", found["reasons"]
    assert found["parts"]["model"]["grade"] in GRADES[:2], found["parts"]["model"]
    asked = judged(study, recording, tmp_path, require="other_person")
    assert asked["verdict"] == "not trusted" and "the study requires the grade other_person" in asked["reasons"][0]


def test_a_recording_of_another_model_falls_on_the_ladder(study, tmp_path):
    (recording,) = bold(np.array([[2.0, 0.01]]), 6, 0.227 * W, "wong_wang")
    found = judged(study, recording, tmp_path)
    assert found["parts"]["model"]["grade"] in GRADES[:2], found["parts"]["model"]
