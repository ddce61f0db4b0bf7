import numpy as np
import pytest

from vbiflow.diagnostics.ablation import ablate, compare_ablations
from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.feature_report import (
    cluster_features,
    explained_by_each,
    explained_by_regression,
    feature_groups,
    features_report,
    rank_correlation,
    side_of_simulations,
)
from vbiflow.estimator_options import resolve_options
from vbiflow.inference.split import split
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Quantity, read_json, write, write_json
from vbiflow.prior import Prior

NAMES = ["a.one", "a.two", "b[x]", "noise", "flat", "gaps"]
FEATURES = ["a", "b", "noise", "flat", "gaps"]
PARAMETERS = ["G", "w"]
PRIOR = Prior.from_config({"G": {"uniform": [-1, 1]}, "w": {"uniform": [-1, 1]}})
QUICK = {"estimator": {"mdn": {"num_components": 1}}, "max_epochs": 60, "learning_rate": 2e-2, "batch_size": 100}


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(0)
    theta = rng.uniform(-1, 1, (600, 2))
    noise = rng.standard_normal((600, 3))
    x = np.stack(
        [
            theta[:, 0] + 0.1 * noise[:, 0],
            2 * theta[:, 0] + 0.2 * noise[:, 0] + 1,
            theta[:, 1] ** 2,
            noise[:, 1],
            np.full(600, 3.0),
            np.where(np.arange(600) % 2, noise[:, 2], np.nan),
        ],
        axis=1,
    )
    return theta, x


def simulations(theta, x, seed=1, valid=None):
    return TrainingSet.of(PRIOR, theta, x, NAMES, QUICK, seed=seed, valid=valid)


def test_groups_are_the_features_that_names_begin_with():
    found = feature_groups(
        ["fc.mean", "fc.sd", "variance[A_L]", "fcd.mean", "power"], ["fcd", "fc", "variance", "power"]
    )
    assert {name: columns.tolist() for name, columns in found.items()} == {
        "fcd": [3], "fc": [0, 1], "variance": [2], "power": [4],
    }  # fmt: skip
    with pytest.raises(ValueError, match="columns of fc are not those of fc, fcd"):
        feature_groups(["fc.mean"], ["fc", "fcd"])


def test_features_that_follow_each_other_cluster(study):
    _, x = study
    columns = np.column_stack([x[:, 0], x[:, 3], -(x[:, 1] ** 3)])
    labels, order = cluster_features(rank_correlation(columns))
    assert labels[0] == labels[2] != labels[1]
    assert abs(np.flatnonzero(order == 0) - np.flatnonzero(order == 2)) == 1
    assert cluster_features(np.ones((1, 1)))[0].tolist() == [1]


def test_information_of_single_features_whatever_the_shape(study):
    theta, x = study
    found = explained_by_each(x[:, :4], theta)
    assert found[0, 0] > 0.9
    assert found[0, 1] < 0.1
    assert found[2, 1] < 0.1
    assert explained_by_each(theta[:, 1:], theta[:, 1:] ** 2)[0, 0] > 0.95
    assert found[3].max() < 0.05


def test_regression_on_simulations_left_out(study):
    theta, x = study
    explained = explained_by_regression(x[:, :4], theta)
    assert explained[0] > 0.95
    assert explained[1] < 0.3
    assert explained_by_regression(x[:, 3:4], theta).max() < 0.02


def test_regression_on_more_inputs_than_components_still_finds_the_signal(study):
    theta, _ = study
    rng = np.random.default_rng(1)
    wide = theta @ rng.standard_normal((2, 400)) + 0.1 * rng.standard_normal((600, 400))
    assert explained_by_regression(wide, theta).min() > 0.95


def test_a_recording_is_outside_of_all_simulations_or_not():
    x = np.array([[1.0, 1.0, 0.0, 1.0], [2.0, 1.0, np.nan, 2.0]])
    np.testing.assert_array_equal(side_of_simulations(x, np.array([0.5, 1.0, 3.0, np.nan])), [-1, 0, 1, np.nan])


def test_report_is_plain_and_says_what_each_feature_is_worth(study, tmp_path):
    theta, x = study
    recording = np.array([0.0, 99.0, 0.5, 0.0, 3.0, 0.0])
    write_json(
        tmp_path / "a.json",
        features_report(simulations(theta, x), FEATURES, recordings={"sub-1": recording}),
    )
    found = read_json(tmp_path / "a.json")
    assert found["n_simulations"] == 600 and found["n_features"] == 6
    assert found["dropped"].keys() == {"flat", "gaps"}
    assert found["redundant"] == [["a.one", "a.two"]]
    assert found["informs"]["a.one"]["G"] > 0.9
    assert found["explained"]["G"] > 0.95
    assert found["explained_by"]["a"]["G"] > 0.95 and found["explained_by"]["noise"]["G"] < 0.05
    assert found["explained_by"]["flat"] == {"G": 0, "w": 0}
    assert found["outside"] == {"sub-1": {"a.two": "above"}}
    assert sorted(found["shown"]) == ["a.one", "a.two", "b[x]", "noise"]
    assert np.shape(found["correlation"]) == (4, 4)


def test_report_drops_what_the_training_drops(study):
    theta, x = study
    valid = np.arange(600) % 3 > 0
    found = features_report(simulations(theta, x, 3, valid), FEATURES, QUICK)
    _, history = train(simulations(theta, x, 3, valid), QUICK | {"max_epochs": 1}, seed=3)
    assert found["dropped"] == history["dropped_features"]


def test_report_needs_rows_that_match_and_enough_of_them(study):
    theta, x = study
    with pytest.raises(ValueError, match="with 10 theta and 6 names, x must have as many rows and columns"):
        simulations(theta[:10], x)
    with pytest.raises(ValueError, match="10 valid simulations are too few"):
        features_report(simulations(theta[:10], x[:10]), FEATURES)


def test_without_the_only_feature_that_tells_of_a_parameter_it_is_not_learnt(study, tmp_path):
    theta, x = study
    recordings = {"sub-1": np.array([0.5, 2.0, 0.25, 0.0, 3.0, 0.0])}
    shares = resolve_options(QUICK)
    test = split(np.ones(600, bool), 1, shares["validation_share"], shares["test_share"]).test
    posterior, _ = train(TrainingSet.of(PRIOR, theta, x, NAMES, QUICK, seed=1), QUICK, seed=1)
    write(tmp_path / "full.h5", calibrate(posterior, theta[test], x[test], seed=1).quantities(), {})
    samples = posterior.sample(recordings["sub-1"], 500, seed=1)
    write(
        tmp_path / "samples.h5",
        {"mean": Quantity(samples.mean(axis=0), "1"), "sd": Quantity(samples.std(axis=0), "1")},
        {},
    )
    without = {}
    for name in ("a", "noise"):
        quantities = ablate(
            TrainingSet.of(PRIOR, theta, x, NAMES, QUICK, seed=1), FEATURES, name, QUICK, seed=1, recordings=recordings
        )
        without[name] = tmp_path / f"{name}.h5"
        write(without[name], quantities, {})
    found = compare_ablations(tmp_path / "full.h5", without, {"sub-1": tmp_path / "samples.h5"})
    rows, person = found["features"], found["subjects"]["sub-1"]["G"]
    assert list(rows) == ["all", "a", "noise"] and rows["all"]["loss"] == 0
    assert rows["a"]["loss"] > 0.7 > abs(rows["noise"]["loss"])
    assert rows["a"]["error"]["G"] > 0.8 > 0.3 > rows["noise"]["error"]["G"]
    assert rows["a"]["shrinkage"]["G"] < 0.3 < 0.7 < rows["noise"]["shrinkage"]["G"]
    assert abs(person["all"][0] - 0.5) < 0.2 and person["a"][1] > 3 * person["all"][1]


def test_ablation_names_what_it_cannot_leave_out(study, tmp_path):
    theta, x = study
    with pytest.raises(ValueError, match="cannot leave out 'c' of the features a, b"):
        ablate(TrainingSet.of(PRIOR, theta, x, NAMES, seed=1), FEATURES, "c", seed=1)
    with pytest.raises(ValueError, match="cannot leave out 'a' of the features a"):
        ablate(TrainingSet.of(PRIOR, theta, x[:, :2], NAMES[:2], seed=1), ["a"], "a", seed=1)
    for name, shift in (("full", 0.0), ("a", 0.1)):
        parts = dict.fromkeys(("theta", "mean", "shrinkage"), Quantity(theta[:5] + shift, "1"))
        parts["log_prob"] = Quantity(theta[:5, 0], "nat")
        write(tmp_path / f"{name}.h5", {"names": PARAMETERS, **parts}, {})
    with pytest.raises(ValueError, match="tested on other simulations"):
        compare_ablations(tmp_path / "full.h5", {"a": tmp_path / "a.h5"}, {})
