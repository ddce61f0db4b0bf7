import numpy as np
import pytest
import yaml
from linear_gaussian import NAMES, exact, prior, simulate

from vbiflow.diagnostics.benchmark import benchmark, difference_errors
from vbiflow.diagnostics.learning_curve import learning_curves
from vbiflow.diagnostics.optimisation import distance, evolve, point_estimates
from vbiflow.features import fc
from vbiflow.inference.baselines import BASELINES
from vbiflow.inference.split import split
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.provenance import ROOT
from vbiflow.streams import Stream

THETA = prior().sample(1, 0, 2500)
X = simulate(THETA, 2)
VALID = np.arange(2500) % 10 > 0
OPTIONS = {"estimator": "mdn", "learning_rate": 3e-3, "batch_size": 300, "max_epochs": 20}


def test_the_table_holds_every_method_on_the_same_tests():
    data = TrainingSet.of(prior(), THETA, X, NAMES, OPTIONS, seed=1, valid=VALID)
    trained = {name: train(data, OPTIONS | {"estimator": name}, seed=1) for name in ("mdn", "maf")}
    estimators = {name: (posterior, history["seconds"]) for name, (posterior, history) in trained.items()}
    optimised = {"rmse": [0.5, 0.6], "seconds": 9.0, "truth": [[0, 0]]}
    found = benchmark(data, estimators, optimised, seed=1)
    methods = found["methods"]
    assert set(methods) == {"mdn", "maf", *BASELINES, "differential_evolution"}
    test = split(VALID, 1).test
    least = np.sqrt(((exact(X[test])[0] - THETA[test]) ** 2).mean(axis=0))
    assert found["n_test"] == len(test) == methods["ridge"]["n_test"]
    assert methods["mdn"]["rmse"] == pytest.approx(least, rel=0.1)
    assert methods["mdn"]["coverage_90"] == pytest.approx([0.9, 0.9], abs=0.06)
    assert methods["rejection_abc"]["rmse"].mean() > methods["mdn"]["rmse"].mean()
    assert methods["differential_evolution"]["coverage_90"] is None
    assert methods["mdn"]["difference_error"].keys() == {"maf"}
    assert 0 < methods["mdn"]["difference_error"]["maf"] == pytest.approx(methods["maf"]["difference_error"]["mdn"])


def test_the_error_of_a_difference_is_that_of_paired_gains():
    luck = 5 * np.random.default_rng(0).standard_normal(400)
    gains = {"maf": luck, "nsf": luck + np.tile([0.1, 0.3], 200), "mdn": luck + 1}
    assert difference_errors("nsf", gains) == pytest.approx({"maf": 0.1 / 20, "mdn": 0.1 / 20})


def test_learning_curves_are_stacked_by_estimator():
    options, shown = OPTIONS | {"patience": 3}, []
    data = TrainingSet.of(prior(), THETA, X, NAMES, options, seed=1, valid=VALID)
    found = learning_curves(
        *(data, options, [300, 2400, 2500], ["maf"]),
        seed=1,
        progress=lambda *done: shown.append(done),
    )
    assert shown == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found["estimators"].values == ["mdn", "maf"]
    assert found["rmse"].values.shape == (2, 2, 2) and found["log_prob"].values.shape == (2, 2)
    assert found["information"].unit == found["log_prob"].unit == "nat" and found["rmse"].unit == "1"


def test_a_learning_curve_begins_at_the_fewest_simulations_that_a_study_may_name():
    schema = yaml.safe_load((ROOT / "config" / "schemas" / "study.schema.yaml").read_text())
    fewest = schema["properties"]["diagnostics"]["properties"]["learning_curve"]["items"]["minimum"]
    data = TrainingSet.of(prior(), THETA, X, NAMES, OPTIONS, seed=1, valid=VALID)
    found = learning_curves(data, OPTIONS | {"max_epochs": 2}, [fewest], seed=1)
    assert found["n_simulations"].values.tolist() == [fewest]


def coupled(theta, start, stream):
    """Three nodes whose correlations follow theta: two share a signal in the proportion a, two in the proportion b."""
    rng = np.random.default_rng([start, stream])
    noise, shared = rng.standard_normal((len(theta), 3, 400)), rng.standard_normal((len(theta), 2, 400))
    ts = noise.copy()
    ts[:, 0] += np.exp(theta[:, :1]) * shared[:, 0]
    ts[:, 1] += np.exp(theta[:, :1]) * shared[:, 0] + np.exp(theta[:, 1:]) * shared[:, 1]
    ts[:, 2] += np.exp(theta[:, 1:]) * shared[:, 1]
    return ts, np.ones(len(theta), bool), 1.0


def test_point_optimisation_recovers_what_fc_tells_within_its_budget():
    theta = np.tile([[1.0, -0.5], [-1.0, 0.7]], (50, 1))
    data = TrainingSet.of(prior(), theta, np.zeros((100, 6)), NAMES, {"test_share": 0.3}, seed=1)
    theta = theta[data.split.test[:2]]
    calls = []

    def counted(drawn, start, stream):
        calls.append((stream, start, len(drawn)))
        return coupled(drawn, start, stream)

    found = point_estimates(data, 2, counted, ["fc"], ["fc_correlation"], 300, seed=1)
    assert np.array_equal(found["truth"], theta) and found["found"].shape == (2, 2)
    assert 200 <= found["n_simulations"] <= 300
    assert max(found["cost"]) < -0.95
    drawn = [call for call in calls if call[0] == Stream.OPTIMISATION]
    assert [start for _, start, _ in drawn] == list(np.cumsum([0, *(n for *_, n in drawn[:-1])]))
    again = point_estimates(data, 2, coupled, ["fc"], ["fc_correlation"], 300, seed=1)
    assert np.array_equal(again["found"], found["found"])


def test_invalid_simulations_cost_most_and_a_small_budget_is_refused():
    ts, valid, fs = coupled(np.zeros((3, 2)), 0, 0)
    valid[1] = False
    cost = distance(ts, valid, fs, {"fc": fc(ts[0])}, ["fc_correlation"], {"fc": {}})
    assert cost[0] == pytest.approx(-1) and cost[1] == 10 and -1 <= cost[2] < 1
    with pytest.raises(ValueError, match=r"point optimisation needs at least 10 simulations, the study has 9"):
        evolve(lambda u: u.sum(axis=0), 2, 9, 0)
