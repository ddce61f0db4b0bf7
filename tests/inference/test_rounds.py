import numpy as np
import pytest
from linear_gaussian import NAMES, exact, prior, simulate

from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.inference.rounds import Region, join_rounds, next_round, truncated_prior
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

THETA = prior().sample(1, 0, 3000)
X = simulate(THETA, 2)
X_O = simulate(np.array([[1.0, -0.5]]), 3)[0]


@pytest.fixture(scope="module")
def posterior():
    options = {"estimator": "mdn", "learning_rate": 3e-3, "batch_size": 300, "max_epochs": 20}
    return train(TrainingSet.of(prior(), THETA, X, NAMES, options, seed=1), options, seed=1)[0]


def test_draws_follow_the_prior_inside_the_region(posterior):
    theta, share = truncated_prior(posterior, X_O, 4000, seed=1, cut=0.05)
    mean, covariance = exact(X_O[None])
    offset = theta - mean[0]
    distance = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(covariance), offset)
    assert 0.01 < share < 0.6
    assert np.mean(distance > 14) < 0.02
    wide, larger = truncated_prior(posterior, X_O, 4000, seed=1, cut=1e-4)
    assert larger > share and wide.std(axis=0).min() > 0.9 * theta.std(axis=0).min()


def test_the_truth_is_seldom_cut_off(posterior):
    fresh = prior().sample(9, 0, 12)
    for truth, x_o in zip(fresh, simulate(fresh, 10), strict=True):
        theta, _ = truncated_prior(posterior, x_o, 300, seed=1)
        assert np.all(truth > theta.min(axis=0) - 0.4) and np.all(truth < theta.max(axis=0) + 0.4)


def test_same_seed_same_draws(posterior):
    assert np.array_equal(*(truncated_prior(posterior, X_O, 50, seed=4)[0] for _ in range(2)))


def test_a_region_too_small_to_hit_ends_in_one_line(posterior):
    with pytest.raises(ValueError, match=r"^only \d+ of 20000 draws of the prior lie in the region .* raise the"):
        truncated_prior(posterior, X_O, 50_000, seed=1, budget=20_000)


def test_regions_of_all_rounds_are_shared_and_earlier_simulations_inside_are_used_again(posterior):
    first = Region([posterior], X_O, 1)
    both = Region([posterior, posterior], X_O, 1)
    assert np.array_equal(first.holds(THETA), both.holds(THETA))
    found = next_round([posterior], X_O, THETA, 200, seed=1)
    reused = found["reused"].values
    assert np.array_equal(reused, np.flatnonzero(first.holds(THETA))) and 0 < len(reused) < len(THETA)
    assert first.holds(found["theta"].values).all() and found["theta"].values.shape == (200, 2)
    assert found["share"].values == pytest.approx(first.holds(prior().sample(5, 0, 20_000)).mean(), rel=0.2)


def test_a_pool_holds_the_earlier_simulations_inside_and_then_the_new(posterior):
    drawn = {name: quantity.values for name, quantity in next_round([posterior], X_O, THETA, 50, seed=1).items()}
    new = {"x": simulate(drawn["theta"], 4), "valid": np.ones(50, bool), "reason": [""] * 50, "names": NAMES}
    old = {"x": X, "valid": np.arange(3000) % 7 > 0, "reason": [""] * 3000, "names": NAMES}
    priors, features = join_rounds(drawn, new, THETA, old, ("1", "1"))
    kept = drawn["reused"]
    assert np.array_equal(priors["theta"].values[: len(kept)], THETA[kept])
    assert np.array_equal(priors["theta"].values[len(kept) :], drawn["theta"])
    assert np.array_equal(features["x"].values[len(kept) :], new["x"])
    assert np.array_equal(features["valid"].values[: len(kept)], old["valid"][kept])
    with pytest.raises(ValueError, match=r"features of this round are not those of the round before"):
        join_rounds(drawn, new | {"names": NAMES[::-1]}, THETA, old, ("1", "1"))


def test_two_rounds_give_the_exact_posterior_where_one_is_not_enough(posterior):
    """A few hundred simulations more, where they matter, and the posterior at x_o is closer to the exact one."""
    drawn = {name: quantity.values for name, quantity in next_round([posterior], X_O, THETA, 1500, seed=1).items()}
    theta = np.concatenate([THETA[drawn["reused"]], drawn["theta"]])
    x = np.concatenate([X[drawn["reused"]], simulate(drawn["theta"], 8)])
    options = {"estimator": "mdn", "learning_rate": 3e-3, "batch_size": 300, "max_epochs": 30}
    second, _ = train(TrainingSet.of(prior(), theta, x, NAMES, options, seed=2), options, seed=2)
    mean, covariance = exact(X_O[None])
    samples = second.sample(X_O, 4000, seed=1)
    assert samples.mean(axis=0) == pytest.approx(mean[0], abs=0.1)
    assert np.cov(samples.T) == pytest.approx(covariance, abs=0.05)


def test_a_recording_in_a_corner_of_the_prior_is_rare_in_the_first_round_and_common_in_the_next():
    """Of the prior 7 in 10 000 have an `a` of 60 or more."""
    wide = Prior.from_config({name: {"beta": [1, 8, 0, 100]} for name in "ab"})
    theta, (x_o,) = wide.sample(1, 0, 2000), simulate(np.array([[60.0, 10.0]]), 3)
    x = simulate(theta, 2)
    options = {"estimator": "mdn", "learning_rate": 5e-3, "batch_size": 250, "max_epochs": 20}
    first = train(TrainingSet.of(wide, theta, x, NAMES, options, seed=1), options, seed=1)[0]
    drawn = {name: quantity.values for name, quantity in next_round([first], x_o, theta, 600, seed=1).items()}
    every = {"valid": np.ones(2000, bool), "reason": [""] * 2000, "names": NAMES}
    new = {key: values if key == "names" else values[:600] for key, values in every.items()}
    new["x"] = simulate(drawn["theta"], 4)
    joined = join_rounds(drawn, new, theta, every | {"x": x}, ("1", "1"))[1]["x"].values
    before, after = (misspecification(found, x_o, NAMES, seed=1) for found in (x, joined))
    assert not before["inside"] and after["inside"], (before, after)
    assert before["near"] < 0.002 < after["near"]
