import numpy as np
import pytest
from linear_gaussian import NAMES, SIGMA, A, prior, simulate

from vbiflow.diagnostics.learning_curve import learning_curve
from vbiflow.diagnostics.sensitivity import sensitivity
from vbiflow.inference.split import split
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet

THETA = prior().sample(1, 0, 3000)
X = simulate(THETA, 2)
OPTIONS = {"estimator": "mdn", "learning_rate": 3e-3, "batch_size": 300, "max_epochs": 25}


def test_one_feature_pins_down_one_direction():
    """For a normal posterior E[s s'] is the precision I + a a' / sigma^2: stiff along a, as the prior across it."""
    posterior, _ = train(TrainingSet.of(prior(), THETA, X[:, 3:4], NAMES[3:4], OPTIONS, seed=1), OPTIONS, seed=1)
    values, vectors = sensitivity(posterior, X[3, 3:4], seed=1)
    a = A[:, 3]
    assert values == pytest.approx([1 + a @ a / SIGMA**2, 1], rel=0.3)
    assert abs(vectors[0] @ a) / np.linalg.norm(a) > 0.97
    assert vectors @ vectors.T == pytest.approx(np.eye(2), abs=1e-6)


def test_error_falls_with_the_number_of_simulations():
    found = learning_curve(
        TrainingSet.of(prior(), THETA, X, NAMES, OPTIONS | {"patience": 5}, seed=1),
        OPTIONS | {"patience": 5},
        [100, 3000],
        seed=1,
        n_samples=100,
    )
    assert found["n_simulations"].tolist() == [100, 3000 - len(split(np.ones(3000, bool), 1).test)]
    assert found["log_prob"][1] > found["log_prob"][0]
    assert found["rmse"].shape == found["shrinkage"].shape == found["coverage_90"].shape == (2, 2)
    assert found["rmse"][1].mean() < found["rmse"][0].mean()
    assert found["information"].shape == (2, 2) and found["information"][1].min() > 0.2


def test_a_curve_longer_than_the_study_is_refused():
    with pytest.raises(ValueError, match=r"a learning curve of 4000 simulations cannot be drawn from 3000"):
        learning_curve(TrainingSet.of(prior(), THETA, X, NAMES, OPTIONS, seed=1), OPTIONS, [4000], seed=1)
