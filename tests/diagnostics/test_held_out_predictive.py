"""The predictive check beside held-out simulations: a p-value of a right model is uniform, a planted fault is seen."""

import numpy as np
import pytest
from linear_gaussian import NAMES, A, Exact, draws, prior, simulate
from scipy import stats

from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.held_out_predictive import DRAWS, Neighbourhood, calibrated_check, held_out_misfits
from vbiflow.diagnostics.normal_scores import SmoothScores
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.inference.training_set import TrainingSet

THETA = prior().sample(1, 0, 2000)
DATA = TrainingSet.of(prior(), THETA, simulate(THETA, 2), NAMES, {"test_share": 0.15}, seed=1)
FRESH = simulate(prior().sample(5, 0, 200), 6)
SAMPLES = draws(FRESH, DRAWS, 7)
HELD_OUT = DATA.held_out()[1]
MISFITS = held_out_misfits(Exact(), DATA, HELD_OUT, seed=1)
UNSEEN = np.linalg.svd(A)[2][-1]
"""A direction of the features that no parameter moves."""


def p_values(x, samples=SAMPLES, misfits=MISFITS):
    known = Neighbourhood.of(DATA)
    own = [known.misfit(z, x_i, k) for k, (z, x_i) in enumerate(zip(samples, x, strict=True))]
    return (1 + (misfits >= np.array(own)[:, None]).sum(axis=1)) / (1 + len(misfits))


def test_of_a_right_model_it_is_uniform_and_the_plain_one_is_not():
    calibrated = p_values(FRESH)
    assert stats.kstest(calibrated, "uniform").pvalue > 0.01
    assert np.mean(calibrated < 0.1) == pytest.approx(0.1, abs=0.05)
    plain = [check_features(simulate(z, k), x)["p_value"] for k, (z, x) in enumerate(zip(SAMPLES, FRESH, strict=True))]
    assert stats.kstest(plain, "uniform").pvalue < 1e-6 and np.mean(np.array(plain) < 0.1) < 0.03


def test_it_is_uniform_too_where_the_estimator_is_wrong_or_the_regression_poor():
    wide = held_out_misfits(Exact(widen=2.0, shift=1.0), DATA, HELD_OUT, seed=1)
    calibrated = p_values(FRESH, draws(FRESH, DRAWS, 7, widen=2.0, shift=1.0), wide)
    assert stats.kstest(calibrated, "uniform").pvalue > 0.01


def test_features_that_do_not_go_together_are_seen_more_often_than_by_the_plain_one():
    x = FRESH[:80] + 2.5 * UNSEEN
    samples = draws(x, DRAWS, 7)
    plain = [check_features(simulate(z, k), x_i)["p_value"] for k, (z, x_i) in enumerate(zip(samples, x, strict=True))]
    seen, by_plain = (float(np.mean(np.array(p) < 0.05)) for p in (p_values(x, samples), plain))
    assert seen > 0.6 and seen > by_plain + 0.1


def test_approximate_simulations_are_those_of_the_model_in_mean_and_spread():
    z = np.tile([[0.7, -1.1]], (4000, 1))
    found = Neighbourhood.of(DATA).simulate(z, FRESH[0], 3)
    np.testing.assert_allclose(found.mean(axis=0), z[0] @ A, atol=0.35)  # 30 neighbours: 0.7 / sqrt(30)
    assert found.std(axis=0).mean() == pytest.approx(0.7, abs=0.1)


def test_covariates_of_the_connectome_stay_those_of_the_recording():
    rng = np.random.default_rng(1)
    pooled = rng.choice([1.0, 2.0, 5.0], (len(THETA), 1))
    x = np.hstack([DATA.x * pooled, pooled])
    data = TrainingSet.of(prior(), THETA, x, [*NAMES, "connectome.total"], {"test_share": 0.15}, seed=1)
    found = Neighbourhood.of(data).simulate(np.tile([[1.0, 0.0]], (500, 1)), np.r_[FRESH[0], 5.0], 3)
    assert (found[:, -1] == 5.0).all()
    np.testing.assert_allclose(found[:, :-1].mean(axis=0), 5 * A[0], atol=1.2)


@pytest.mark.parametrize("tails", ["standard_cauchy", "standard_exponential"])
def test_somebody_elses_posterior_is_seen_as_often_beside_features_of_heavy_tails(tails):
    """Three features of noise more, of which one value in a hundred would outweigh all others."""

    def with_noise(x, seed):
        noise = getattr(np.random.default_rng(seed), tails)((len(x), 3))
        return np.hstack([x, noise if tails == "standard_cauchy" else np.exp(noise)])

    class Narrow(Exact):
        def inputs(self, x):
            return super().inputs(np.asarray(x)[..., : len(NAMES)])

    names = [*NAMES, "h1", "h2", "h3"]
    data = TrainingSet.of(prior(), THETA, with_noise(DATA.x, 11), names, {"test_share": 0.15}, seed=1)
    scores, misfits = SmoothScores.of(data.x), held_out_misfits(Narrow(), data, data.held_out()[1], seed=1)
    truths = np.random.default_rng(3).uniform(0.8, 1.2, (40, 2)) * np.random.default_rng(4).choice([-1, 1], (40, 2))
    seen = []
    for k, theta in enumerate(truths):
        x = simulate(theta[None], 100 + k)
        x_o, samples = with_noise(x, 500 + k)[0], draws(-x, DRAWS, k)[0]
        plain = check_features(scores(with_noise(simulate(samples, 700 + k), 900 + k)), scores(x_o))
        found = calibrated_check(plain, data, samples, x_o, misfits, seed=k)
        seen.append(min(found["p_value"], found["calibrated_p"]) < 0.01)
    assert np.mean(seen) > 0.5


def test_smooth_scores_keep_order_and_place_and_make_any_law_normal():
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.standard_cauchy(2000), np.exp(2 * rng.standard_normal(2000)), rng.integers(0, 3, 2000)])
    found = SmoothScores.of(x)(x)
    assert stats.kstest(found[:, 0], "norm").pvalue > 0.9 and stats.kstest(found[:, 1], "norm").pvalue > 0.9
    assert len(np.unique(found[:, 2])) == 3
    normal = rng.standard_normal((2000, 1))
    beyond = SmoothScores.of(normal)(np.array([[-9.0], [1.0], [7.0]]))[:, 0]
    assert beyond == pytest.approx([-9.0, 1.0, 7.0], rel=0.15) and (np.diff(beyond) > 0).all()
    kept = SmoothScores.of(np.array([[1.0, 2.0], [1.0, np.nan], [1.0, 4.0]]))(np.array([[3.0, np.nan], [1.0, np.inf]]))
    assert kept[:, 0].tolist() == [3.0, 1.0] and np.isnan(kept[0, 1]) and np.isinf(kept[1, 1])


def test_the_verdict_turns_by_it_alone():
    inside = {"features": dict.fromkeys(NAMES, 0.5), "outside": {}, "p_value": 0.5, "mmd_p": 0.5, "beyond_p": 1.0}
    inside |= {"n_compared": 900, "near": 0.01, "n_features": 6, "n_recorded": 6}
    good = {"verdict": "trusted", "reasons": [], "numbers": {}, "words": "2 of 2 parameters are calibrated"}
    plain = check_features(simulate(SAMPLES[0], 0), FRESH[0])
    found = calibrated_check(plain, DATA, SAMPLES[0], FRESH[0], MISFITS, seed=1)
    assert found["p_value"] == plain["p_value"] and found["n_held_out"] == len(MISFITS) == 300
    assert subject_verdict(inside, good, found)["verdict"] == "trusted"
    assert subject_verdict(inside, good, found | {"n_simulations": 10})["verdict"] == "trusted"
    wrong = subject_verdict(inside, good, found | {"calibrated_p": 1 / 301})
    assert wrong["parts"]["recording"]["verdict"] == wrong["verdict"] == "not trusted"
    assert "(p = 0.0033 beside 300 held-out simulations with theirs;" in wrong["reasons"][0]
