import numpy as np
import pytest
from linear_gaussian import prior

from vbiflow.inference import Posterior, TrainingSet, train
from vbiflow.inference.reduction import Reduction, explained


def many(n, seed):
    """Two of 400 features' directions follow theta; a third, larger than both, is noise that features share."""
    rng = np.random.default_rng(seed)
    theta = prior().sample(seed, 0, n)
    loadings = np.random.default_rng(0).standard_normal((3, 400))
    latent = np.column_stack([theta[:, 0], theta[:, 1] ** 2 + 0.2 * theta[:, 1], 4 * rng.standard_normal(n)])
    return theta, latent @ loadings + rng.standard_normal((n, 400))


def test_directions_that_follow_theta_are_kept_and_shared_noise_is_not():
    theta, x = many(500, 1)
    reduction = Reduction.fit(x, prior().to_normal(theta), "auto", len(x))
    assert reduction.n_outputs in (2, 3)
    v = reduction(x)
    assert v.std(axis=0) == pytest.approx(1, abs=1e-3)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(500), v]))
    for target in (theta[:, 0], theta[:, 1] ** 2 + 0.2 * theta[:, 1]):
        assert ((target - basis @ (basis.T @ target)) ** 2).sum() / ((target - target.mean()) ** 2).sum() < 0.05


def test_both_sides_of_the_eigenproblem_agree():
    theta, x = many(300, 2)
    wide = Reduction.fit(x, theta, "informative", 300)
    tall = Reduction.fit(np.vstack([x, x]), np.vstack([theta, theta]), "informative", 600)
    assert np.abs(np.sum(wide.components[:, 0] * tall.components[:, 0])) == pytest.approx(1, abs=1e-6)


def test_auto_leaves_few_features_alone():
    theta, x = many(500, 1)
    assert Reduction.fit(x[:, :25], theta, "auto", 500).n_outputs == 25
    assert Reduction.fit(x[:, :26], theta, "auto", 500).n_outputs < 26
    assert Reduction.fit(x, theta, "none", 500).n_outputs == 400


def test_explained_variance_of_noise_is_about_zero():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((300, 20))
    v = np.column_stack([rng.standard_normal(300), z[:, 3] ** 2, z[:, 0] + rng.standard_normal(300)])
    assert explained(v, z) == pytest.approx([0, 1, 0.5], abs=0.1)


def test_nothing_informative_keeps_the_largest():
    rng = np.random.default_rng(0)
    assert Reduction.fit(rng.standard_normal((200, 50)), rng.standard_normal((200, 2)), "auto", 200).n_outputs >= 1


def test_reduction_learns_more_from_many_features_and_is_stored(tmp_path):
    theta, x = many(700, 3)
    names, options = [f"x{k}" for k in range(400)], {"learning_rate": 2e-3, "max_epochs": 15}
    reduced, history = train(TrainingSet.of(prior(), theta, x, names, options, seed=1), options, seed=1)
    whole, _ = train(
        TrainingSet.of(prior(), theta, x, names, seed=1),
        options | {"reduction": "none"},
        seed=1,
    )
    fresh, x_fresh = many(300, 4)
    assert history["n_inputs"] in (2, 3)
    assert reduced.log_prob(fresh, x_fresh).mean() > whole.log_prob(fresh, x_fresh).mean() + 0.3
    reduced.save(tmp_path / "posterior.pt")
    loaded = Posterior.load(tmp_path / "posterior.pt")
    assert np.array_equal(loaded.sample(x[0], 5, seed=1), reduced.sample(x[0], 5, seed=1))
