import numpy as np
import pytest
from linear_gaussian import NAMES, exact, prior, simulate

from vbiflow.inference import train, truncated_prior

THETA = prior().sample(1, 0, 3000)
X = simulate(THETA, 2)
X_O = simulate(np.array([[1.0, -0.5]]), 3)[0]


@pytest.fixture(scope="module")
def posterior():
    options = {"estimator": "mdn", "learning_rate": 3e-3, "batch_size": 300, "max_epochs": 20}
    return train(prior(), THETA, X, NAMES, options, seed=1)[0]


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
