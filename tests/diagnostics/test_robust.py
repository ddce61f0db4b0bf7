"""The robust posterior: its sampler against quadrature, a wrong feature found and left out, the truth kept."""

import numpy as np
import pytest
from linear_gaussian import NAMES, Exact, draws, prior, simulate
from scipy import stats

from vbiflow.diagnostics.robust import SLAB, SLAB_SHARE, SPIKE, Mixture, denoise, robust_posterior, summarise_robust
from vbiflow.inference.inputs import Condenser
from vbiflow.inference.reduction import Reduction
from vbiflow.inference.scaling import Scaling
from vbiflow.inference.training_set import TrainingSet

THETA = prior().sample(1, 0, 2000)
DATA = TrainingSet.of(prior(), THETA, simulate(THETA, 2), NAMES, {"test_share": 0.1}, seed=1)
TRUTH = prior().sample(5, 0, 8)
FRESH = simulate(TRUTH, 6)


class Scaled(Exact):
    """The exact posterior behind standardised features."""

    def __init__(self):
        super().__init__()
        self.scaling, _ = Scaling.fit(DATA.x, np.zeros(6), NAMES, "robust", 0.0)
        self.condenser = Condenser(Reduction.identity(6))

    def normal_samples(self, inputs, n, seed):
        x = inputs * self.scaling.scale + self.scaling.centre
        yield slice(0, len(x)), draws(x, n, seed)


def test_gibbs_sampling_agrees_with_quadrature():
    """One feature of a mixture of two Gaussians: the share of wrong ones and the mean of v, on a grid."""
    law = Mixture(np.log([0.3, 0.7]), np.array([[-1.0], [2.0]]), np.array([[[0.25]], [[1.0]]]))
    grid = np.linspace(-30, 30, 300_001)
    density = 0.3 * stats.norm.pdf(grid, -1, 0.5) + 0.7 * stats.norm.pdf(grid, 2, 1)
    for u in (0.3, 6.0):
        spike = (1 - SLAB_SHARE) * density * stats.norm.pdf(u - grid, 0, SPIKE)
        slab = SLAB_SHARE * density * stats.cauchy.pdf(u - grid, 0, SLAB)
        expected = slab.sum() / (spike + slab).sum()
        mean = (grid * (spike + slab)).sum() / (spike + slab).sum()
        none = np.zeros(1, bool)
        found = [denoise(law, np.array([u]), none, none, np.random.default_rng(k)) for k in range(3)]
        assert np.mean([wrong[0] for _, wrong in found]) == pytest.approx(expected, abs=0.06)
        assert np.mean([v.mean() for v, _ in found]) == pytest.approx(mean, abs=0.1)


def test_features_that_are_right_by_assumption_or_missing_keep_their_value():
    law = Mixture(np.zeros(1), np.zeros((1, 2)), np.eye(2)[None])
    u = np.array([5.0, 0.0])
    v, wrong = denoise(law, u, np.array([True, False]), np.array([False, True]), np.random.default_rng(0))
    assert wrong.tolist() == [0, 0] and (v[:, 1] == 0).all() and np.abs(v[:, 0] - 5).max() < 0.1


def test_a_wrong_feature_is_named_and_left_out_and_a_right_recording_is_kept():
    plain, hits, widths = Scaled(), {"plain": [], "robust": [], "kept": []}, []
    for k, (truth, x_o) in enumerate(zip(TRUTH, FRESH, strict=True)):
        kept = robust_posterior(plain, DATA, x_o, 500, seed=k)
        assert not kept.offending()
        widths.append(kept.theta.std(axis=0) / draws(x_o[None], 500, k)[0].std(axis=0))
        bad = x_o.copy()
        bad[4] += 8.0
        found = robust_posterior(plain, DATA, bad, 500, seed=k)
        assert found.offending() == ["x4"] and found.theta.shape == (500, 2)
        for name, samples in (("plain", draws(bad[None], 500, k)[0]), ("robust", found.theta), ("kept", kept.theta)):
            low, high = np.quantile(samples, [0.05, 0.95], axis=0)
            hits[name].append((low <= truth) & (truth <= high))
    assert np.mean(hits["plain"]) < 0.5 < 0.8 < min(np.mean(hits["robust"]), np.mean(hits["kept"]))
    assert 0.95 < np.mean(widths) < 1.4
    again = robust_posterior(plain, DATA, FRESH[-1], 500, seed=len(FRESH) - 1)
    assert np.array_equal(again.theta, kept.theta)


def test_too_many_features_are_refused():
    x = np.random.default_rng(1).standard_normal((200, 301))
    names = [f"x{k}" for k in range(301)]
    data = TrainingSet.of(prior(), THETA[:200], x, names, {"test_share": 0.1}, seed=1)
    plain = Scaled()
    plain.scaling, _ = Scaling.fit(x, np.zeros(301), names, "robust", 0.0)
    with pytest.raises(ValueError, match="301 features are too many for a robust posterior; take 300 or fewer"):
        robust_posterior(plain, data, x[0], seed=1)


def test_a_summary_names_the_wrong_features_and_what_they_move():
    rng = np.random.default_rng(2)
    plain, robust = rng.normal([5.0, 0.0], 0.1, (4000, 2)), rng.normal([3.0, 0.0], 0.2, (4000, 2))
    found = {"theta": robust, "features": ["a", "b", "c"], "wrong": np.array([0.95, 0.1, 0.99])}
    quantiles, off, sentence = summarise_robust(found | {"shift": np.array([1.0, 9.0, -4.0])}, ["G", "w"], plain)
    np.testing.assert_allclose(quantiles[:, 0], 3 + 0.2 * stats.norm.ppf([0.05, 0.5, 0.95]), atol=0.03)
    assert off == ["c", "a"]
    assert "finds c, a wrong" in sentence and "without them G lies between 2.6" in sentence
    right = summarise_robust(found | {"wrong": np.zeros(3), "shift": np.zeros(3)}, ["G", "w"], plain)
    assert right[1:] == ([], "no feature is found wrong by the robust posterior")
