"""One estimator for many people beside a person's own: a linear model whose gain belongs to the connectome."""

import numpy as np
import pytest
from linear_gaussian import Exact, exact, simulate
from linear_gaussian import prior as linear_prior

from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import SUMMARIES, connectome_summaries
from vbiflow.diagnostics.amortisation import amortisation
from vbiflow.features.files import add_conditioning, append_conditioning

WEIGHTS = np.array([[0, 2.0, 1], [1, 0, 0], [1, 3, 0]])
PERSON = Connectome(WEIGHTS, np.ones((3, 3)), ("a", "b", "c"), np.zeros((3, 3)), ("L", "R", "R"), ("",) * 3)
NAMES = [f"x{k}" for k in range(6)]
THETA = linear_prior().sample(1, 0, 2000)
X = simulate(THETA, 2)


class Conditioned(Exact):
    """The known posterior as an estimator that is conditioned on the connectome, which it checks."""

    def __init__(self, widen=1.0):
        super().__init__(widen)
        self.features = (*NAMES, *(f"connectome.{name}" for name in SUMMARIES))

    def inputs(self, x, names=None):
        assert names is None or tuple(names) == self.features
        assert x[:, 6:] == pytest.approx(np.tile(connectome_summaries(PERSON), (len(x), 1)))
        return x[:, :6]

    def log_prob(self, theta, x):
        return super().log_prob(theta, self.inputs(x))


class Own(Exact):
    def inputs(self, x, names=None):
        assert names is None or tuple(names) == self.features
        return super().inputs(x)


def test_the_right_estimator_loses_nothing_and_a_wide_one_what_theory_says():
    found = amortisation(Own(), Conditioned(), THETA, X, NAMES, PERSON, seed=1)
    assert found["parameters"] == ["a", "b"] and found["n_test"] == 2000
    for key in ("rmse", "coverage_90", "shrinkage", "log_prob"):
        assert found["own"][key] == pytest.approx(found["other"][key])
    assert found["own"]["coverage_90"] == pytest.approx([0.9, 0.9], abs=0.025)
    assert found["own"]["rmse"] == pytest.approx(np.sqrt(np.diag(exact(X)[1])), rel=0.06)
    wide = amortisation(Own(), Conditioned(2.0), THETA, X, NAMES, PERSON, seed=1)["other"]
    lost = 2 * np.log(2) + 0.5 * 2 * (1 / 4 - 1)  # two parameters: log width, less the smaller squared distance
    assert found["own"]["log_prob"] - wide["log_prob"] == pytest.approx(lost, abs=0.06)
    assert (wide["coverage_90"] > 0.98).all()


def test_only_those_conditioned_on_connectomes_see_their_summaries():
    plain, names = add_conditioning(X, NAMES, PERSON, NAMES)
    assert plain is X and names == NAMES
    joined, names = add_conditioning(X, NAMES, PERSON, Conditioned().features)
    assert tuple(names) == Conditioned().features and joined.shape == (2000, 6 + len(SUMMARIES))
    one, _ = append_conditioning(X[3], NAMES, connectome_summaries(PERSON))
    assert np.array_equal(joined[3], one)


def test_other_parameters_are_refused():
    other = Conditioned()
    other.parameters = ("a", "c")
    with pytest.raises(ValueError, match="infer a, b and a, c; compare studies with the same prior"):
        amortisation(Own(), other, THETA, X, NAMES, PERSON, seed=1)
