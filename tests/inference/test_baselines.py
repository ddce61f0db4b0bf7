import numpy as np
import pytest
from linear_gaussian import exact, prior, simulate

from vbiflow.inference import baselines
from vbiflow.inference.baselines import BASELINES, compare_baselines, nearest, ridge

THETA, TEST = prior().sample(1, 0, 4000), prior().sample(2, 0, 300)
X, X_TEST = simulate(THETA, 3), simulate(TEST, 4)


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_learn_but_not_more_than_there_is_to_know(name):
    found = compare_baselines(prior(), THETA, X, TEST, X_TEST, [name])[name]
    mean, _ = exact(X_TEST)
    least = np.sqrt(((mean - TEST) ** 2).mean(axis=0))
    assert np.all(found["rmse"] > 0.98 * least) and np.all(found["rmse"] < 0.8)
    assert found["coverage_90"] == pytest.approx([0.9, 0.9], abs=0.12)


def test_ridge_is_exact_where_the_posterior_is_linear():
    found = compare_baselines(prior(), THETA, X, TEST, X_TEST, ["ridge"])["ridge"]
    mean, _ = exact(X_TEST)
    assert found["rmse"] == pytest.approx(np.sqrt(((mean - TEST) ** 2).mean(axis=0)), rel=0.02)
    assert found["coverage_90"] == pytest.approx([0.9, 0.9], abs=0.05)


def test_residuals_are_those_of_leaving_each_simulation_out(monkeypatch):
    monkeypatch.setattr(baselines, "PENALTIES", [2.0])
    rng = np.random.default_rng(0)
    u, z = rng.standard_normal((25, 3)), rng.standard_normal((25, 1))
    spread = ridge(z, u)(u[:1])[0, :, 0]
    expected = []
    for k in range(25):
        rest, target = np.delete(u, k, 0), np.delete(z, k, 0)
        centred = rest - rest.mean(axis=0)
        beta = np.linalg.solve(centred.T @ centred + 2 * np.eye(3), centred.T @ (target - target.mean()))
        expected.append(z[k, 0] - target.mean() - (u[k] - rest.mean(axis=0)) @ beta[:, 0])
    assert np.diff(spread) == pytest.approx(np.diff(expected))


def test_scores_are_the_same_however_many_observations_are_taken_at_a_time(monkeypatch):
    whole = compare_baselines(prior(), THETA[:500], X[:500], TEST, X_TEST)
    monkeypatch.setattr(baselines, "OBSERVATIONS", 7)
    for name, found in compare_baselines(prior(), THETA[:500], X[:500], TEST, X_TEST).items():
        assert found["rmse"] == pytest.approx(whole[name]["rmse"], rel=1e-9)
        assert np.array_equal(found["coverage_90"], whole[name]["coverage_90"])


def test_nearest_by_hand():
    assert nearest(np.array([[0.0], [5.0], [6.0]]), np.array([[5.6]]), 2)[0].tolist() in ([1, 2], [2, 1])


def test_unknown_baseline_and_no_finite_feature():
    with pytest.raises(
        ValueError, match=r"unknown baseline 'abc'; choose from rejection_abc, nearest_neighbours, ridge"
    ):
        compare_baselines(prior(), THETA, X, TEST, X_TEST, ["abc"])
    with pytest.raises(ValueError, match=r"no feature is finite in every simulation"):
        compare_baselines(prior(), THETA, X * np.nan, TEST, X_TEST)
