from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from linear_gaussian import NAMES, SIGMA, A, Exact, prior, simulate
from scipy import stats

from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.diagnostics.calibration import calibrate, coverage, share_nearer
from vbiflow.diagnostics.feature_report import single_features
from vbiflow.diagnostics.verdict import holm, numbers_in_words, tarp_test, verdict
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

THETA = prior().sample(11, 0, 600)
X = simulate(THETA, 12)
FOLLOWERS = single_features(TrainingSet.of(prior(), THETA, X, NAMES, seed=1))


def judged(posterior, theta=THETA, x=X, followers=FOLLOWERS, **kwargs):
    return verdict(calibrate(posterior, theta, x, seed=3, n_samples=400), followers, **kwargs)


def words(result):
    return {name: entry["verdict"] for name, entry in result["parameters"].items()}


def test_exact_posterior_is_trusted():
    result = judged(Exact())
    assert words(result) == {"a": "trusted", "b": "trusted"}
    assert result["verdict"] == "trusted" and result["tarp"]["verdict"] == "trusted"
    assert result["parameters"]["a"]["coverage_90"] == pytest.approx(0.9, abs=0.04)


def test_a_verdict_by_own_thresholds_says_so():
    assert "thresholds" not in judged(Exact())["words"]
    lax = judged(Exact(), thresholds={"alpha": 0.0})
    assert lax["words"].endswith("; by the study's own thresholds: alpha 0 (by default 0.01)")


def test_the_verdict_gives_its_numbers():
    result = judged(Exact())
    covered = sorted(entry["coverage_90"] for entry in result["parameters"].values())
    tarp = result["tarp"]["deviation"]
    assert result["numbers"] == {
        "calibrated": 2, "parameters": 2, "held_out": 600, "coverage_90": covered, "tarp": tarp, "tarp_limit": 0.05
    }  # fmt: skip
    low, high = (f"{100 * share:.0f}" for share in covered)
    between = low if low == high else f"{low} to {high}"
    assert result["reasons"] == [result["words"]]
    assert result["words"] == (
        f"2 of 2 parameters are calibrated over 600 held-out simulations, 90 % intervals hold {between} % of the "
        f"truths, TARP is off by {tarp:.2f} (limit 0.05)"
    )
    assert judged(Exact(widen=0.6))["numbers"]["calibrated"] == 0
    assert judged(Exact(), thresholds={"tarp_deviation": 0.1})["words"].partition("; by")[0].endswith("(limit 0.1)")
    many = {"calibrated": 85, "parameters": 85, "held_out": 2600, "coverage_90": [0.891, 0.918], "tarp": 0.03}
    said = (
        "85 of 85 parameters are calibrated over 2 600 held-out simulations, 90 % intervals hold 89 to 92 % of the "
        "truths, TARP is off by 0.0"
    )
    assert numbers_in_words(many | {"tarp_limit": 0.05}, off=False) == f"{said}3 (limit 0.05)"
    more = many | {"tarp": 0.08, "tarp_limit": 0.05}
    assert numbers_in_words(more, off=False) == f"{said}8 (limit 0.05, but not significant)"
    assert numbers_in_words(more, off=True) == f"{said}8 (limit 0.05)"


def test_overconfident_posterior_is_seen():
    result = judged(Exact(widen=0.6))
    assert words(result) == {"a": "overconfident", "b": "overconfident"}
    assert result["verdict"] == "not trusted"
    assert result["tarp"]["verdict"] == "overconfident"
    covered = result["parameters"]["a"]["coverage_90"]
    assert covered == pytest.approx(2 * stats.norm.cdf(1.645 * 0.6) - 1, abs=0.05)
    assert f"a is overconfident: its 90 % intervals hold the true value in {covered:.0%}" in result["reasons"][0]


def test_underconfident_posterior_is_seen():
    result = judged(Exact(widen=1.8))
    assert words(result) == {"a": "underconfident", "b": "underconfident"}
    assert result["verdict"] == "not trusted" and "wider than they need to be" in result["reasons"][0]


@pytest.mark.parametrize("n_parameters", [2, 85])
@pytest.mark.parametrize(("size", "word"), [(1.3, "overconfident"), (0.75, "underconfident")])
def test_tarp_says_which_way_in_few_dimensions_and_in_many(n_parameters, size, word):
    """Errors of some size of posteriors a tenth as wide as the prior, references from the prior."""
    rng = np.random.default_rng(5)
    references, centres = rng.standard_normal((2, 400, n_parameters))
    truths = centres + 0.1 * size * rng.standard_normal(centres.shape)
    samples = centres[:, None] + 0.1 * rng.standard_normal((400, 300, n_parameters))
    found = tarp_test(SimpleNamespace(tarp=share_nearer(samples, truths, references)))
    assert found["direction"] == word, found


def test_biased_posterior_is_seen():
    result = judged(Exact(shift=0.7))
    assert words(result)["a"] == "biased"
    assert result["verdict"] == "not trusted" and "its estimates lie too high" in result["reasons"][0]
    assert "too low" in judged(Exact(shift=-0.7))["reasons"][0]


def test_intervals_that_miss_say_which_way_where_ranks_are_even():
    """Ranks that avoid the outer tenths, or crowd there, are symmetric; a small shift is no bias."""
    rng, found = np.random.default_rng(4), calibrate(Exact(), THETA, X, seed=1)
    for kept, word in ((0.95, "underconfident"), (0.84, "overconfident")):
        inside = rng.random((4000, 2)) < kept
        u = np.where(inside, rng.uniform(0.05, 0.95, (4000, 2)), rng.choice([0.02, 0.98], (4000, 2)))
        ranks = np.floor(u * (found.n_samples + 1))
        same = found.theta[:1].repeat(4000, 0)
        shown = replace(found, theta=same, mean=same, ranks=ranks, shrinkage=np.full((4000, 2), 0.9))
        assert set(words(verdict(shown, FOLLOWERS)).values()) == {word}


def test_one_wrong_parameter_does_not_condemn_the_other():
    class HalfWrong(Exact):
        def normal_samples(self, inputs, n, seed):
            for rows, z in super().normal_samples(inputs, n, seed):
                middle = z[..., 1].mean(axis=1, keepdims=True)
                z[..., 1] = middle + 0.4 * (z[..., 1] - middle)
                yield rows, z

    assert words(judged(HalfWrong())) == {"a": "trusted", "b": "overconfident"}


class Ignorant(Exact):
    """The prior whatever the features are."""

    def normal_samples(self, inputs, n, seed):
        yield slice(0, len(inputs)), np.random.default_rng(seed).standard_normal((len(inputs), n, 2))

    def log_prob(self, theta, x):
        return self.prior.log_prob(theta)


def test_prior_as_posterior_is_uninformative_and_calibrated():
    result = judged(Ignorant())
    assert words(result) == {"a": "uninformative", "b": "uninformative"}
    assert result["verdict"] == "trusted"
    assert "a is hardly learnt from these features" in result["reasons"][1]


def test_of_what_is_not_learnt_the_verdict_says_whether_single_features_follow_it():
    """An estimator that learns nothing, from features that tell both parameters and from noise."""
    by_each = judged(Ignorant())["reasons"][1:]
    strongest = {name: NAMES[np.abs(A[k]).argmax()] for k, name in enumerate("ab")}
    for name, reason in zip("ab", by_each, strict=True):
        assert reason.endswith(f"of 6 single features {FOLLOWERS[name]['n']} follow it in simulations, "
                               f"{strongest[name]} most closely")  # fmt: skip
    noise = np.random.default_rng(1).standard_normal(X.shape)
    none = single_features(TrainingSet.of(prior(), THETA, noise, NAMES, seed=1))
    untold = judged(Ignorant(), followers=none)["reasons"][1]
    assert "none of 6 single features follows it in simulations; what features tell only together" in untold


def test_both_parameters_that_a_square_tells_up_to_their_sign_are_informative_by_a_spline_flow():
    """x = theta^2 + noise: two modes each, as wide as the prior, and a single feature follows either."""
    flat = Prior.from_config({"a": {"uniform": [-1, 1]}, "b": {"uniform": [-1, 1]}})
    theta = flat.sample(1, 0, 2000)
    x = theta**2 + 0.02 * np.random.default_rng(2).standard_normal(theta.shape)
    options = {"estimator": {"nsf": {"num_transforms": 3}}, "learning_rate": 5e-3, "batch_size": 250, "max_epochs": 20}
    options |= {"test_share": 0.2}
    data = TrainingSet.of(flat, theta, x, ["x", "y"], options, seed=1)
    posterior, _ = train(data, options, seed=1)
    found = calibrate(posterior, *data.held_out(), seed=1, n_samples=400)
    result = verdict(found, single_features(data, options))
    assert found.shrinkage.mean(axis=0) == pytest.approx([0, 0], abs=0.15)
    assert all(entry["information"] > 1.2 for entry in result["parameters"].values()), result["parameters"]
    assert "uninformative" not in words(result).values() and "hardly learnt" not in " ".join(result["reasons"])
    assert [entry["single_features"]["closest"] for entry in result["parameters"].values()] == ["x", "y"]


def test_frozen_noise_in_training_is_seen_on_fresh_noise():
    """All training simulations share one noise vector: the network learns to subtract it, as in vbi's notebooks."""
    theta = prior().sample(5, 0, 1000)
    frozen = theta @ A + SIGMA * np.random.default_rng(1).standard_normal(A.shape[1])
    options = {"estimator": "mdn", "learning_rate": 2e-3, "max_epochs": 40}
    posterior, _ = train(TrainingSet.of(prior(), theta, frozen, NAMES, options, seed=1), options, seed=1)
    result = judged(posterior)
    assert words(result) == {"a": "overconfident", "b": "overconfident"}
    assert result["verdict"] == "not trusted"


class Leaking(Exact):
    """Samples from the likelihood alone: a good part of its mass lies outside a box prior."""

    def __init__(self):
        super().__init__()
        self.prior = Prior.from_config({"a": {"uniform": [-0.4, 0.4]}, "b": {"uniform": [-0.4, 0.4]}})

    def likelihood(self, x):
        information = A @ A.T / SIGMA**2
        return x @ A.T @ np.linalg.inv(information) / SIGMA**2, np.linalg.inv(information)

    def normal_samples(self, inputs, n, seed):
        mean, covariance = self.likelihood(inputs)
        noise = np.random.default_rng(seed).standard_normal((len(inputs), n, 2))
        yield slice(0, len(inputs)), self.prior.to_normal(mean[:, None] + noise @ np.linalg.cholesky(covariance).T)

    def log_prob(self, theta, x):
        mean, covariance = self.likelihood(x)
        return stats.multivariate_normal([0, 0], covariance).logpdf(theta - mean)


def test_a_posterior_that_leaks_out_of_the_prior_is_seen():
    leaking = Leaking()
    theta = leaking.prior.sample(3, 0, 600)
    result = judged(leaking, theta, simulate(theta, 4))
    assert result["verdict"] == "not trusted"
    leaked = [reason for reason in result["reasons"] if "where the prior has none" in reason]
    outside = (np.abs(next(leaking.normal_samples(simulate(theta, 4), 400, 3))[1]) > 5).any(axis=-1).mean()
    assert leaked == [f"{outside:.0%} of the posterior's mass lies where the prior has none"] and outside > 0.3
    assert not any("where the prior has none" in reason for reason in judged(Exact())["reasons"])


def test_an_estimator_trained_on_part_of_the_prior_is_seen():
    """Simulations with a < 0 were left out of the training, as when the invalid ones depend on theta."""
    theta = prior().sample(5, 0, 2000)
    theta = theta[theta[:, 0] > 0]
    options = {"estimator": "mdn", "learning_rate": 2e-3, "max_epochs": 25}
    posterior, _ = train(TrainingSet.of(prior(), theta, simulate(theta, 6), NAMES, options, seed=1), options, seed=1)
    result = judged(posterior)
    assert words(result)["a"] in ("biased", "overconfident") and result["verdict"] == "not trusted"


def test_trained_estimator_passes_sbc():
    theta = prior().sample(5, 0, 6000)
    options = {"learning_rate": 2e-3, "batch_size": 500, "max_epochs": 20}
    posterior, _ = train(TrainingSet.of(prior(), theta, simulate(theta, 6), NAMES, options, seed=1), options, seed=1)
    result = judged(posterior)
    assert result["verdict"] == "trusted", result["reasons"]
    assert result["information_gain"] == pytest.approx(judged(Exact())["information_gain"], abs=0.1)


def test_a_round_is_compared_with_the_truncated_prior_that_it_draws_from():
    gain = judged(Exact())["information_gain"]
    whole, part = (" ".join(judge(gain + shift)["reasons"]) for shift in (-0.1, 0.1))
    assert "worse than the prior" not in whole and "worse than the prior that they were drawn from" in part


def judge(gain):
    """The verdict on the exact posterior in a round whose truncated prior is better than the prior by `gain`."""
    return verdict(calibrate(Exact(), THETA, X, seed=3, n_samples=400, share=np.exp(-gain)), FOLLOWERS)


def test_worse_than_the_prior_too_few_tests_and_too_many_invalid_are_reasons():
    assert "worse than the prior" in " ".join(judged(Exact(widen=0.2))["reasons"])
    few = judged(Exact(), THETA[:40], X[:40])
    assert few["reasons"] == ["only 40 held-out simulations; 100 are needed to see a miscalibration"]
    lost = judged(Exact(), THETA[:40], X[:40], invalid=0.03)["reasons"][0]
    assert lost.startswith(
        "only 40 held-out simulations, since 3.0% of all are invalid: raise inference.test_share; 100"
    )
    assert "60% of the simulations are invalid" in judged(Exact(), invalid=0.6)["reasons"][0]


def test_thresholds_can_be_moved_and_are_reported():
    wide = {"rank_deviation": 0.3, "coverage_deviation": 0.3, "tarp_deviation": 0.5}
    loose = judged(Exact(widen=0.85), thresholds=wide)
    assert loose["verdict"] == "trusted" and loose["thresholds"]["tarp_deviation"] == 0.5
    assert judged(Exact(widen=0.6), thresholds={"alpha": 0})["verdict"] == "trusted"
    assert words(judged(Exact(), thresholds={"information": 2.9}))["a"] == "uninformative"


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"alfa": 0.1}, f"unknown threshold 'alfa'; choose from {', '.join(THRESHOLDS)}"),
        ({"alpha": "low"}, "threshold alpha must be a number from 0 up, found 'low'"),
    ],
)
def test_wrong_thresholds_are_refused(thresholds, message):
    with pytest.raises(ValueError) as error:
        judged(Exact(), thresholds=thresholds)
    assert str(error.value) == message


def test_worked_numbers():
    class Fixed(Exact):
        def normal_samples(self, inputs, n, seed):
            yield slice(0, 1), np.array([[[-1.0, 0.0], [0.0, 0.5], [1.0, 1.0], [2.0, 1.5]]])

    found = calibrate(Fixed(), np.array([[0.5, 2.0]]), X[:1], seed=0, n_samples=4)
    assert found.ranks.tolist() == [[2, 4]]
    assert found.mean == pytest.approx(np.array([[0.5, 0.75]]))
    assert found.sd[0, 0] == pytest.approx(np.sqrt(1.25))
    assert found.shrinkage[0] == pytest.approx([-0.25, 1 - 0.3125])
    assert found.z[0] == pytest.approx([0, 1.25 / np.sqrt(0.3125)])


def test_coverage_counts_central_intervals():
    ranks = np.arange(101)[:, None]  # 100 samples, every rank once
    assert coverage(ranks, 100, np.array([0.0, 0.5, 0.9, 1.0]))[:, 0] == pytest.approx([1 / 101, 51 / 101, 91 / 101, 1])


def test_nearer_counts_samples_closer_to_the_reference_than_the_truth():
    z = np.array([[[0.0], [1.0], [3.0], [5.0]]])
    assert share_nearer(z, np.array([[2.0]]), np.array([[0.0]])).tolist() == [0.5]


def test_calibration_is_the_same_from_the_same_seed_and_blocks(monkeypatch):
    from vbiflow.inference import posterior as module

    theta = prior().sample(5, 0, 300)
    posterior, _ = train(TrainingSet.of(prior(), theta, simulate(theta, 6), NAMES, seed=1), {"max_epochs": 2}, seed=1)
    whole = calibrate(posterior, THETA[:20], X[:20], seed=3, n_samples=50)
    monkeypatch.setattr(module, "BATCH", 101)
    assert np.array_equal(calibrate(posterior, THETA[:20], X[:20], seed=3, n_samples=50).ranks, whole.ranks)


def test_agreement_with_sbi():
    """Ranks, uniformity p-values and TARP as sbi 0.27 computes them from the same samples."""
    import torch
    from sbi.diagnostics.sbc import check_uniformity_frequentist
    from sbi.diagnostics.tarp import _run_tarp
    from sbi.utils.metrics import l2

    found = calibrate(Exact(), THETA, X, seed=3, n_samples=400)
    p = check_uniformity_frequentist(torch.tensor(found.ranks, dtype=torch.float32), 400)
    own = [entry["sbc_p"] for entry in verdict(found, FOLLOWERS)["parameters"].values()]
    assert own == pytest.approx(p.numpy(), abs=0.1)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([3, 0x74617270])))
    references = torch.from_numpy(rng.standard_normal(THETA.shape))
    (_, z) = next(iter(Exact().normal_samples(X, 400, 3)))
    expected, alpha = _run_tarp(
        torch.from_numpy(z.transpose(1, 0, 2).copy()), torch.from_numpy(THETA), references, distance=l2, num_bins=20
    )
    inside = np.array([(found.tarp < level).mean() for level in alpha.numpy()])
    assert inside == pytest.approx(expected.numpy(), abs=0.01)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_no_held_out_simulations():
    with pytest.raises(ValueError, match=r"calibration needs held-out simulations: found 0 theta and 0 x"):
        calibrate(Exact(), np.empty((0, 2)), np.empty((0, 6)), seed=1)
