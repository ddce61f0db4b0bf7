import numpy as np
import pytest
from linear_gaussian import NAMES, Exact, prior, simulate

from vbiflow.connectome.pool import CONDITIONING, SUMMARIES
from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.feature_report import single_features
from vbiflow.diagnostics.grade import GRADES, grade_scores
from vbiflow.diagnostics.marginal import cut_off, judge_marginals, marginal_information
from vbiflow.diagnostics.misspecification import misspecification, sparse_note
from vbiflow.diagnostics.posterior_predictive import measured_rungs
from vbiflow.diagnostics.predictive import predictive_scores
from vbiflow.diagnostics.subject import PASSED, subject_verdict
from vbiflow.diagnostics.verdict import verdict
from vbiflow.features.scores import SCORES, choose_scores, fc_correlation, fcd_ks, series_error
from vbiflow.inference.training_set import TrainingSet

X = simulate(prior().sample(1, 0, 1500), 2)
RIGHT = {"p_value": 0.4, "in_band": 0.95, "off": [], "n_simulations": 100, "n_features": 6}
DATA = TrainingSet.of(prior(), prior().sample(1, 0, 1500), X, NAMES, {"test_share": 0.4}, seed=1)
CALIBRATED = verdict(calibrate(Exact(), *DATA.held_out(), seed=1), single_features(DATA))


def compared(x_o, x=X, names=NAMES, **kwargs):
    return misspecification(x, x_o, names, seed=1, **kwargs)


def scores(shift=0.0, repeats_vary=True):
    """Random FC and FCD around one pattern; predictions moved away from the recording by `shift`."""
    rng = np.random.default_rng(3)
    base, other = rng.standard_normal((2, 12, 12))
    floor_noise = 0.4 * rng.standard_normal((6, 12, 12)) * repeats_vary
    predicted = (1 - shift) * base + shift * other + 0.4 * rng.standard_normal((20, 12, 12))
    return predictive_scores(
        ["fc_correlation", "fcd_ks"],
        {"fc": predicted, "fcd": predicted + 3 * shift},
        {"fc": base, "fcd": base + 0.4 * rng.standard_normal((12, 12))},
        {"fc": base + floor_noise, "fcd": base + floor_noise},
    )


def test_a_simulation_is_inside():
    result = compared(simulate(prior().sample(9, 0, 1), 8)[0])
    assert result["inside"] and not result["outside"]
    found = subject_verdict(result, CALIBRATED, RIGHT)
    assert found["verdict"] == "trusted"
    (words,) = found["reasons"]
    p = found["parts"]["recording"]["p"]
    numbers = f"(p = {p['rarity']:.2g}, the smallest of three tests; p = 0.4)"
    assert words == f"{PASSED.format(n=100)} {numbers}; {CALIBRATED['words']}" and p["features"] == 0.4
    assert found["parts"]["estimator"]["words"] == CALIBRATED["words"]
    assert found["parts"]["estimator"]["numbers"] == CALIBRATED["numbers"]


def test_a_corner_of_a_wide_prior_is_inside_with_a_proposal_of_rounds():
    """Parameters that a thousandth of the simulations has: in the midst of as many others there is nothing to say."""
    rng = np.random.default_rng(4)
    wide = np.r_[rng.normal(0, 0.05, (6000, 2)), rng.uniform(-1, 1, (10, 2))]
    corner, middle = (misspecification(wide, np.array(x_o), ["a", "b"], seed=1) for x_o in ([0.7, -0.6], [0.02, 0.01]))
    assert corner["near"] < 0.0005 < middle["near"]
    (note,) = sparse_note(corner | {"inside": True}, 1)
    assert note.startswith("0.0") and "inference: {rounds: 2}" in note
    assert not sparse_note(middle, 1) and not sparse_note(corner | {"inside": False}, 1)


def test_p_values_of_simulations_are_uniform():
    fresh = simulate(prior().sample(9, 0, 60), 8)
    results = [compared(x_o, X[:600]) for x_o in fresh]
    assert np.mean([r["p_value"] < 0.1 for r in results]) == pytest.approx(0.1, abs=0.07)
    assert np.mean([r["mmd_p"] < 0.1 for r in results]) == pytest.approx(0.1, abs=0.07)
    assert np.mean([r["inside"] for r in results]) > 0.95


def test_one_impossible_feature_is_named_with_its_distance():
    x_o = X[0].copy()
    x_o[3] = 25.0
    result = compared(x_o)
    assert not result["inside"] and list(result["outside"]) == ["x3"]
    assert result["features"]["x3"] == 1.0 and result["p_value"] < 0.01
    found = subject_verdict(result, CALIBRATED, RIGHT)
    assert found["verdict"] == "not trusted"
    gap = (25.0 - X[:, 3].max()) / np.subtract(*np.quantile(X[:, 3], [0.999, 0.001]))
    assert f"x3 lies above all simulations, by {gap:.1f} times their width" in found["reasons"][0]
    assert found["reasons"][0].startswith("the recording is rare under this prior (0.00% of its simulations come near")


def test_a_person_at_the_rim_of_the_pool_is_inside_and_one_beyond_is_set_apart_from_the_recording():
    """Covariates of connectomes: three numbers, mixtures of those of four people who share a pool."""
    rng, people = np.random.default_rng(1), np.random.default_rng(2).normal(5, 1, (4, 3))
    share = rng.random((len(X), 1))
    covariates = share * people[rng.integers(4, size=len(X))] + (1 - share) * people[rng.integers(4, size=len(X))]
    pooled, names = (
        np.column_stack([X, covariates]),
        [*NAMES, "connectome.total", "connectome.gap", "connectome.length"],
    )
    x_o = simulate(prior().sample(9, 0, 1), 8)[0]
    for person in people:
        assert compared(np.r_[x_o, person], pooled, names)["inside"]
    assert compared(np.r_[x_o, people[0]], pooled, names)["p_value"] == compared(x_o)["p_value"]
    found = subject_verdict(compared(np.r_[x_o, people[0] + [0, 9, 0]], pooled, names), CALIBRATED, RIGHT)
    assert "the connectome is outside those that the estimator learned from: connectome.gap lies" in found["reasons"][0]
    assert len(found["reasons"]) == 1 and found["verdict"] == "not trusted"


def test_an_impossible_combination_of_possible_features_is_seen():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((1500, 1))
    x = np.hstack([a, a]) + 0.05 * rng.standard_normal((1500, 2))
    result = compared(np.array([1.5, -1.5]), x, ["u", "v"])
    assert not result["outside"] and not result["inside"]
    assert result["distance"] > 5
    reason = subject_verdict(result, CALIBRATED, RIGHT)["reasons"][0]
    assert "rare under this prior" in reason and "its features do not occur together" in reason


def test_a_missing_feature_is_named():
    x_o = X[0].copy()
    x_o[2] = np.nan
    assert (
        "x2 is not finite, as it is in simulations" in subject_verdict(compared(x_o), CALIBRATED, RIGHT)["reasons"][0]
    )


def test_constant_and_missing_columns_do_no_harm():
    x = np.column_stack([X, np.full(1500, 2.0), np.where(np.arange(1500) % 9, X[:, 0], np.nan)])
    assert compared(x[1], x, [*NAMES, "flat", "holes"])["inside"]


def test_nearest_simulations_come_first():
    assert compared(X[17])["nearest"][0] == 17


def test_misspecification_does_not_depend_on_units():
    scale = 10.0 ** np.arange(-3, 3)
    one, other = compared(X[5]), compared(X[5] * scale + 7, X * scale + 7)
    assert one["p_value"] == other["p_value"]
    assert one["distance"] == pytest.approx(other["distance"])


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"x has shape \(1500, 6\), x_o \(5,\) and there are 6 names; they must agree"):
        compared(X[0, :5])
    with pytest.raises(ValueError, match=r"9 simulations are too few to compare x_o with"):
        compared(X[0], X[:9])


def test_predictions_are_graded_on_the_ladder_of_the_data():
    found = subject_verdict(compared(X[0]), CALIBRATED, RIGHT, scores())
    assert found["verdict"] == "trusted", found["reasons"]
    assert found["parts"]["model"]["grade"] == "noise_ceiling"
    rungs = {"chance_fc_correlation": np.full(40, 0.05), "other_fc_correlation": np.array([0.61, 0.84])}
    rungs |= {"half_fc_correlation": np.array([0.9]), "floor_fc_correlation": np.array([0.95, 0.99])}
    for value, grade in zip((0.0, 0.3, 0.7, 0.92, 0.97), GRADES, strict=True):
        one = grade_scores({"fc_correlation": np.full(9, value)} | rungs)["fc_correlation"]
        assert one["grade"] == grade, value
    shuffled = rungs | {"chance_fc_correlation": np.full(40, 0.75)}  # no other rung counts where chance is nearer
    assert grade_scores({"fc_correlation": np.full(9, 0.7)} | shuffled)["fc_correlation"]["grade"] == "chance"
    low = {"chance_fc_correlation": np.linspace(-0.3, 0.3, 40), "floor_fc_correlation": np.array([0.0, 0.2])}
    low |= {"fc_correlation": np.full(9, 0.1), "other_fc_correlation": np.array([-0.05, 0.02])}
    for half, grade in ((0.05, "noise_ceiling"), (0.6, "chance")):  # nothing to explain, or more than the model does
        assert grade_scores(low | {"half_fc_correlation": np.array([half])})["fc_correlation"]["grade"] == grade
    del low["floor_fc_correlation"]  # as alike as another person who is no more like the recording than chance is
    assert grade_scores(low)["fc_correlation"]["grade"] == "chance"
    assert one["words"].startswith("FC correlation 0.97: as much as another simulation of the same parameters")
    assert "another person's recording 0.61 to 0.84" in one["words"]


def test_no_rung_is_reached_without_those_below_it():
    """A model so noisy that its own simulations differ from one another as much as from the recording."""
    noisy = {"fc_correlation": np.full(9, 0.35), "chance_fc_correlation": np.linspace(-0.04, 0.04, 40)}
    noisy |= {"other_fc_correlation": np.array([0.61, 0.84]), "floor_fc_correlation": np.linspace(0.3, 0.45, 40)}
    found = grade_scores(noisy)["fc_correlation"]
    assert found["grade"] == "above_chance" and found["words"].endswith("all that the model's own noise lets it reach")
    assert subject_verdict(compared(X[0]), CALIBRATED, RIGHT, noisy, require="other_person")["verdict"] == "not trusted"
    halves = noisy | {"fc_correlation": np.full(9, 0.5), "half_fc_correlation": np.array([0.45])}
    assert grade_scores(halves)["fc_correlation"]["grade"] == "above_chance"
    alone = {name: values for name, values in noisy.items() if not name.startswith("other")}
    assert grade_scores(alone)["fc_correlation"]["grade"] == "noise_ceiling"


def test_courses_without_noise_are_graded_by_shuffled_nodes_and_no_ceiling():
    """Seizures that start at other times in each region: right courses are more than chance, another order is not."""
    onset, time = np.linspace(10, 90, 12)[:, None], np.arange(100)
    course = (time > onset) * np.sin(time)
    near = course + 0.1 * np.cos(time)
    rungs = measured_rungs(["series_error"], course, 1.0, {"series": {}}, {})
    assert len(rungs["chance_series_error"]) == 40
    for drawn, grade in ((near, "above_chance"), (near[::-1], "chance")):
        found = predictive_scores(
            ["series_error"], {"series": drawn[None]}, {"series": course}, {"series": np.array([near, near])}
        )
        (one,) = grade_scores(found | rungs).values()
        assert one["grade"] == grade and one["words"].endswith("a model without noise has no noise ceiling")
        assert "noise_ceiling" not in one["ladder"]


def test_too_many_invalid_simulations_from_the_posterior_are_told():
    few = RIGHT | {"n_simulations": 3, "n_predictive": 100, "calibrated_p": 0.4, "n_held_out": 300}
    found = subject_verdict(compared(X[0]), CALIBRATED, few)
    assert (
        found["verdict"] == "not trusted"
        and "97% of the simulations from the posterior are invalid" in found["reasons"][0]
    )


def test_a_grade_that_was_not_measured_is_not_reached_and_is_called_so():
    alone = {"fcd_ks": np.full(9, 0.5), "floor_fcd_ks": np.full(9, 0.1)}
    (reason,) = subject_verdict(compared(X[0]), CALIBRATED, RIGHT, alone, require="other_person")["reasons"]
    assert "could not be measured by FCD distance (KS)" in reason


def test_a_grade_fails_a_posterior_only_where_the_study_requires_one():
    poor = scores(shift=0.9)
    assert subject_verdict(compared(X[0]), CALIBRATED, RIGHT, poor)["verdict"] == "trusted"
    found = subject_verdict(compared(X[0]), CALIBRATED, RIGHT, poor, require="noise_ceiling")
    assert found["verdict"] == "not trusted" and "the study requires the grade noise_ceiling" in found["reasons"][0]
    good = subject_verdict(compared(X[0]), CALIBRATED, RIGHT, scores(), require="noise_ceiling")
    assert good["verdict"] == "trusted"
    assert subject_verdict(compared(X[0]), CALIBRATED, RIGHT, require="chance")["verdict"] == "not trusted"


def test_nothing_is_trusted_without_a_check_of_its_features():
    found = subject_verdict(compared(X[0]), CALIBRATED, None)
    assert found["reasons"][0] == "no simulation from the posterior was compared with the recording"
    none = check_features(np.full((200, 6), np.nan), X[0])
    assert none["p_value"] == 1 and none["n_features"] == 0
    found = subject_verdict(compared(X[0]), CALIBRATED, none)
    assert found["verdict"] == found["parts"]["recording"]["verdict"] == "not trusted"
    assert found["reasons"][0].startswith("no feature could be compared")
    few = subject_verdict(compared(X[0]), CALIBRATED, RIGHT | {"n_simulations": 10})
    assert "set diagnostics.n_predictive to 99 or more" in few["reasons"][0]


def test_simulations_with_other_features_than_the_recording_fail_and_true_ones_pass_at_the_nominal_rate():
    rng = np.random.default_rng(4)
    p = [check_features(rng.standard_normal((100, 20)), rng.standard_normal(20))["p_value"] for _ in range(200)]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.07) and np.mean(np.array(p) < 0.01) < 0.05
    off = rng.standard_normal(20)
    off[7] += 12
    found = check_features(rng.standard_normal((200, 20)), off)
    assert found["p_value"] < 0.01 and found["off"][0] == 7
    holes = rng.standard_normal((200, 20))
    holes[np.arange(200), np.arange(200) % 20] = np.inf  # each lacks a feature, so that none has them all
    again = check_features(holes, off)
    assert again["n_features"] == 20 and again["p_value"] < 0.01 and again["off"][0] == 7
    verdict = subject_verdict(compared(X[0]), CALIBRATED, found | {"off": [3]})
    assert "do not have the features of the recording" in verdict["reasons"][0] and "x3" in verdict["reasons"][0]
    assert verdict["parts"]["recording"]["verdict"] == "not trusted"


def test_features_beyond_all_simulations_are_counted_whatever_their_tails():
    rng = np.random.default_rng(5)
    x = rng.standard_cauchy((2000, 60))
    x_o = np.abs(x).max(axis=0) * 1.2
    x_o[40:] = rng.standard_cauchy(20)
    found = compared(x_o, x, [f"x{k}" for k in range(60)])
    assert found["n_beyond"] >= 40 and found["beyond_p"] < 0.01 and not found["inside"]
    assert "rare under this prior" in subject_verdict(found, CALIBRATED, RIGHT)["reasons"][0]


def test_right_recordings_pass_beside_few_simulations_with_heavy_tails_and_wrong_ones_do_not():
    rng = np.random.default_rng(6)
    names = [f"x{k}" for k in range(300)]
    x, fresh = rng.standard_cauchy((300, 300)), rng.standard_cauchy((40, 300))
    assert np.mean([compared(x_o, x, names)["inside"] for x_o in fresh]) > 0.9
    off = fresh[0].copy()
    off[7] = 1e8
    found = compared(off, x, names)
    assert list(found["outside"]) == ["x7"] and not found["inside"]


def test_features_that_simulations_do_not_vary_or_seldom_have_are_compared_too():
    x = np.column_stack([X, np.zeros(len(X))])
    names, x_o = [*NAMES, "still"], x[5].copy()
    assert compared(x_o, x, names)["inside"]
    x_o[-1] = 5.0
    reason = subject_verdict(compared(x_o, x, names), CALIBRATED, RIGHT)["reasons"][0]
    assert "still lies above all simulations, which are (nearly) all the same" in reason
    x[7, -1] = 1e-3
    assert "nearly) all the same" in subject_verdict(compared(x_o, x, names), CALIBRATED, RIGHT)["reasons"][0]
    x[:, -1] = np.where(np.arange(len(X)) < 0.4 * len(X), X[:, 0] / 10, np.nan)
    assert "still lies above all simulations, by" in subject_verdict(
        compared(x_o, x, names), CALIBRATED, RIGHT)["reasons"][0]  # fmt: skip
    x[:, -1] = np.nan
    passed = subject_verdict(compared(x_o, x, names), CALIBRATED, RIGHT)["reasons"][0]
    assert "on 6 of 7 features that vary and that both have" in passed
    with pytest.raises(ValueError, match="none of the 7 features of the recording can be compared"):
        compared(np.full(7, np.nan), x, names)


def test_features_that_make_a_recording_rare_are_named_and_never_one_that_was_not_compared():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((1500, 1))
    x = np.hstack([a, a, rng.standard_normal((1500, 3)), np.full((1500, 1), np.nan)])
    x[:, :2] += 0.05 * rng.standard_normal((1500, 2))
    found = compared(np.array([1.2, -1.2, 0, 0, 2.5, 4]), x, ["u", "v", "a", "b", "c", "never"])
    assert {*found["farthest"][:2]} == {"u", "v"} and "never" not in found["farthest"]
    reason = subject_verdict(found, CALIBRATED, RIGHT)["reasons"][0]
    assert ", ".join(found["farthest"]) + " add most to it" in reason


def test_too_few_simulations_to_see_a_rare_recording_are_a_reason():
    found = subject_verdict(compared(X[5], X[:150]), CALIBRATED, RIGHT)
    assert found["verdict"] == "not trusted"
    assert found["reasons"][0].startswith("75 simulations, half of the valid ones, are too few to see a rare recording")


def test_a_feature_that_simulations_lack_too_is_no_evidence():
    x = X.copy()
    x[::3, 2] = np.nan
    x_o = X[5].copy()
    x_o[2] = np.nan
    assert compared(x_o, x)["inside"]


def test_a_pool_whose_lengths_nobody_knows_can_be_trusted():
    """Without tract lengths the covariate connectome.length is not finite, for people and simulations alike."""
    names = [*NAMES, *(CONDITIONING + name for name in SUMMARIES)]
    summaries = np.random.default_rng(0).random((len(X), len(SUMMARIES)))
    summaries[:, SUMMARIES.index("length")] = np.nan
    x = np.column_stack([X, summaries])
    found = compared(x[5], x, names)
    assert found["inside"] and not found["outside"] and np.isnan(found["features"]["connectome.length"])
    checked = check_features(x[::10], x[5])
    assert subject_verdict(found, CALIBRATED, checked)["verdict"] == "trusted"


def test_two_modes_inform_though_they_are_as_wide_as_the_prior():
    rng = np.random.default_rng(6)
    two = np.where(rng.random((4000, 1)) < 0.5, 0.05, 0.95) + 0.02 * rng.random((4000, 1))
    assert two.std() > 0.29 and marginal_information(two)[0] > 2
    assert marginal_information(rng.random((4000, 3))) == pytest.approx(0, abs=0.005)
    assert marginal_information(rng.random((20_000, 1)) / 4)[0] == pytest.approx(np.log(4), abs=0.01)


def test_a_posterior_piled_at_an_end_of_its_prior_says_which_prior_to_widen():
    rng = np.random.default_rng(7)
    u = np.column_stack([1 - 0.1 * rng.random(1000) ** 2, 0.5 + 0.05 * rng.standard_normal(1000), rng.random(1000)])
    assert np.array(cut_off(u)).tolist() == [[False] * 3, [True, False, False]]
    assert np.array(cut_off(1 - u)).tolist() == [[True, False, False], [False] * 3]
    followers = {name: {"n": 1, "of": 7, "closest": "fc.mean"} for name in ("noise", "G", "w")}
    found, notes = judge_marginals(["noise", "G", "w"], u, 0.05, followers, ([1.0] * 3, [2.0] * 3))
    said = "noise is piled at the upper end of its prior: widen the prior of noise upwards"
    assert notes[0] == f"{said}, unless the parameter itself ends there"
    assert notes[1].startswith("w is hardly learnt from this recording") and len(notes) == 2
    assert notes[1].endswith("of 7 single features 1 follows it in simulations, fc.mean most closely")
    assert found["noise"]["information"] > 1
    _, notes = judge_marginals(["noise", "G", "w"], 1 - u, 0.05, followers, ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]))
    assert notes[0] == "noise is piled at 0, the lower end of its prior: the recording asks for little or none of it"
    _, notes = judge_marginals(["noise", "G", "w"], 1 - u, 0.05, followers, ([-1.0, 0.0, 0.0], [1.0, 1.0, 1.0]))
    assert "widen the prior of noise downwards" in notes[0]
    _, notes = judge_marginals(["noise", "G", "w"], u, 0.05, followers, ([-np.inf] * 3, [np.inf] * 3))
    assert notes[0].endswith("where the upper tail of its prior has next to no mass: take a wider prior of noise")


def test_piles_that_are_wide_or_at_both_ends_are_seen_and_posteriors_beside_an_end_are_not():
    rng = np.random.default_rng(8)
    wide, ends = 1 - 0.6 * rng.random(2000) ** 2, np.where(rng.random(2000) < 0.5, 0.03, 1.0) - 0.03 * rng.random(2000)
    second = np.where(rng.random(2000) < 0.3, 1 - 0.01 * rng.random(2000), 0.6 + 0.05 * rng.standard_normal(2000))
    beside, slope = 0.97 + 0.01 * rng.standard_normal(2000).clip(-3, 2.9), np.sqrt(rng.random(2000))
    below, above = cut_off(np.column_stack([wide, ends, second, beside, slope, rng.random(2000)]))
    assert below.tolist() == [False, True, False, False, False, False]
    assert above.tolist() == [True, True, True, False, False, False]


def test_regions_of_one_prior_share_a_sentence():
    rng = np.random.default_rng(9)
    names = ["G", *(f"eta[{k}]" for k in "abcdef")]
    u = np.column_stack([0.5 + 0.05 * rng.standard_normal((1000, 1)), rng.random((1000, 6))])
    u[:, 2] = 1 - 0.1 * rng.random(1000) ** 2
    followers = {name: {"n": int(name == "eta[c]"), "of": 9, "closest": "fc"} for name in names}
    _, (piled, unlearnt) = judge_marginals(names, u, 0.05, followers, ([1.0] * 7, [2.0] * 7))
    assert piled.startswith("eta of b is piled at the upper end of its prior: widen the prior of eta upwards")
    assert unlearnt.startswith("eta is hardly learnt from this recording in 5 of 6: posteriors tell 0.0")
    assert unlearnt.endswith("1 of them are followed by some of 9 single features in simulations")


def test_frozen_noise_shows_in_the_noise_floor():
    found = subject_verdict(compared(X[0]), CALIBRATED, RIGHT, scores(repeats_vary=False))
    assert "repeated simulations at one theta are identical" in " ".join(found["reasons"])


def test_a_model_without_noise_may_repeat_itself():
    found = subject_verdict(compared(X[0]), CALIBRATED, RIGHT, scores(repeats_vary=False), deterministic=True)
    assert "identical" not in " ".join(found["reasons"])


@pytest.mark.parametrize("name", SCORES)
def test_every_score_is_best_for_the_recording_itself_and_judged(name):
    rng = np.random.default_rng(1)
    observed = np.abs(rng.standard_normal((6, 6))) + 1
    others = observed * (1 + 0.5 * rng.standard_normal((8, 6, 6)) ** 2)
    score = SCORES[name]
    best, found = score.compare(observed[None], observed)[0], score.compare(others, observed)
    assert best == pytest.approx(1.0 if score.sign > 0 else 0.0, abs=1e-9)
    assert (score.sign * (best - found) > 0).all()
    quantity = score.quantity
    near = observed + 1e-4 * rng.standard_normal((5, 6, 6))
    poor = predictive_scores([name], {quantity: others}, {quantity: observed}, {quantity: near})
    good = predictive_scores([name], {quantity: near}, {quantity: observed}, {quantity: near})
    assert GRADES.index(grade_scores(poor)[name]["grade"]) < GRADES.index("noise_ceiling")
    assert grade_scores(good)[name]["grade"] == "noise_ceiling"


def test_scores_are_chosen_by_name():
    assert choose_scores([], "bold") == ["fc_correlation", "fcd_ks"]
    assert choose_scores([], "eeg") == ["fc_correlation", "psd_distance"]
    with pytest.raises(ValueError, match=r"diagnostics.scores: unknown score 'fit'; choose from fc_correlation"):
        choose_scores(["fit"], "bold")


def test_the_error_of_a_series_by_hand():
    observed = np.array([[0.0, 2.0], [0.0, 2.0]])
    assert series_error(np.array([observed, observed + 3]), observed) == pytest.approx([0, 3])
    with pytest.raises(ValueError, match=r"series \(2, 2\) cannot be compared with series \(1, 2\)"):
        series_error(observed, observed[:1])


def test_an_untrusted_estimator_gives_no_trusted_subject_but_x_o_comes_first():
    failed = CALIBRATED | {"verdict": "not trusted", "reasons": ["G is overconfident: ..."]}
    x_o = np.full(6, 40.0)
    found = subject_verdict(compared(x_o), failed, RIGHT)
    assert "rare under this prior" in found["reasons"][0]
    assert found["reasons"][1] == f"the estimator is not trusted: G is overconfident: ...; {CALIBRATED['words']}"
    assert found["estimator"] == "not trusted"


def test_scores_by_hand():
    fc = np.array([[[1, 0.1, 0.2], [0.1, 1, 0.6], [0.2, 0.6, 1]]])
    assert fc_correlation(fc, 3 * fc[0] + 1) == pytest.approx([1])
    assert fc_correlation(-fc, fc[0]) == pytest.approx([-1])
    assert fc_correlation(np.ones((1, 3, 3)), fc[0]) == pytest.approx([0])
    other = np.array([[1, 0.15, 0.7], [0.15, 1, 0.8], [0.7, 0.8, 1]])
    assert fcd_ks(fc, other) == pytest.approx([2 / 3])
    assert fcd_ks(fc, fc[0]) == pytest.approx([0])


def test_a_model_at_its_noise_ceiling_is_less_alike_than_recordings_alone():
    noisy = {"fcd_ks": np.full(9, 0.2), "other_fcd_ks": np.array([0.1]), "floor_fcd_ks": np.linspace(0.01, 0.31, 40)}
    words = grade_scores(noisy)["fcd_ks"]["words"]
    assert "less alike than other recordings" in words
    assert words.endswith("all that the model's own noise lets it reach")
    far = grade_scores(noisy | {"fcd_ks": np.full(9, 0.5)})["fcd_ks"]["words"]
    assert "less alike than all that it was compared with" in far


def test_scores_refuse_other_regions():
    with pytest.raises(ValueError, match=r"FC of 3 nodes cannot be compared with FC of 4 nodes"):
        fc_correlation(np.ones((1, 3, 3)), np.ones((4, 4)))


def test_a_map_that_gives_no_valid_simulation_costs_the_noise_ceiling_alone():
    """The person keeps verdict and grades; of a single repeat there is no pair either."""
    known = scores()
    for repeats in (0, 1):
        one = np.ones((repeats, 3, 3))
        found = predictive_scores(["fcd_ks"], {"fcd": one}, {"fcd": np.ones((3, 3))}, {"fcd": one})
        assert not len(found["floor_fcd_ks"])
    unknown = known | {name: np.empty(0) for name in known if name.startswith("floor_")}
    rungs = {"chance_fc_correlation": np.linspace(-0.2, 0.2, 40)}
    found, whole = (subject_verdict(compared(X[0]), CALIBRATED, RIGHT, one | rungs) for one in (unknown, known))
    assert found["verdict"] == whole["verdict"] == "trusted"
    graded = found["parts"]["model"]["scores"]["fc_correlation"]
    assert graded["grade"] == "above_chance" and "noise_ceiling" not in graded["ladder"]
    assert not any("identical" in reason or "nan" in reason for reason in found["reasons"])
    assert not any(name.startswith("floor_") for name in found["predictive"])
    sentence = "no two simulations of the MAP are valid, so that the noise ceiling is not known"
    assert sentence in graded["words"] and sentence not in whole["parts"]["model"]["scores"]["fc_correlation"]["words"]
