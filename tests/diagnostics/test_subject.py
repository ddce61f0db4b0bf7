import numpy as np
import pytest
from linear_gaussian import NAMES, prior, simulate

from vbiflow.diagnostics import misspecification, predictive_scores, subject_verdict
from vbiflow.features.scores import SCORES, choose_scores, fc_correlation, fcd_ks, series_error

X = simulate(prior().sample(1, 0, 1500), 2)
CALIBRATED = {"verdict": "trusted", "reasons": ["calibrated on 600 held-out simulations"]}


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
    found = subject_verdict(result, CALIBRATED)
    assert found["verdict"] == "trusted"
    assert found["reasons"] == ["the recording lies inside what the model can produce"]


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
    found = subject_verdict(result, CALIBRATED)
    assert found["verdict"] == "not trusted"
    gap = abs(25.0 - np.median(X[:, 3])) / (np.subtract(*np.quantile(X[:, 3], [0.75, 0.25])) / 1.349)
    expected = f"outside what the model can produce: x3 lies {gap:.1f} standard widths above the median simulation"
    assert expected in found["reasons"][0]


def test_what_simulations_lack_as_well_is_no_evidence():
    """Mean tract length of a cohort whose files hold none."""
    x, x_o = np.column_stack([X, np.full(len(X), np.nan)]), np.append(X[0], np.nan)
    result = compared(x_o, x, [*NAMES, "connectome.length"])
    assert result["inside"] and not result["outside"]


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
    found = subject_verdict(compared(np.r_[x_o, people[0] + [0, 9, 0]], pooled, names), CALIBRATED)
    assert "the connectome is outside those that the estimator learned from: connectome.gap lies" in found["reasons"][0]
    assert len(found["reasons"]) == 1 and found["verdict"] == "not trusted"


def test_an_impossible_combination_of_possible_features_is_seen():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((1500, 1))
    x = np.hstack([a, a]) + 0.05 * rng.standard_normal((1500, 2))
    result = compared(np.array([1.5, -1.5]), x, ["u", "v"])
    assert not result["outside"] and not result["inside"]
    assert result["distance"] > 5
    reason = subject_verdict(result, CALIBRATED)["reasons"][0]
    assert reason.startswith("the recording's features do not occur together in simulations")


def test_a_missing_feature_is_named():
    x_o = X[0].copy()
    x_o[2] = np.nan
    assert "x2 is not finite" in subject_verdict(compared(x_o), CALIBRATED)["reasons"][0]


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


def test_predictions_as_good_as_noise_allows_are_trusted():
    found = subject_verdict(compared(X[0]), CALIBRATED, scores())
    assert found["verdict"] == "trusted", found["reasons"]
    assert "reproduce it as well as noise allows" in found["reasons"][0]


def test_predictions_unlike_the_recording_are_seen():
    found = subject_verdict(compared(X[0]), CALIBRATED, scores(shift=0.9))
    assert found["verdict"] == "not trusted"
    assert "do not reproduce the functional connectivity" in found["reasons"][0]
    assert "do not reproduce the dynamics" in found["reasons"][1]


def test_frozen_noise_shows_in_the_noise_floor():
    found = subject_verdict(compared(X[0]), CALIBRATED, scores(repeats_vary=False))
    assert "repeated simulations at one theta are identical" in " ".join(found["reasons"])


def test_a_model_without_noise_may_repeat_itself():
    found = subject_verdict(compared(X[0]), CALIBRATED, scores(repeats_vary=False), deterministic=True)
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
    tight = {score.threshold(name): 0.0001 if name == "fcd_ks" else 0.01}
    assert (
        "do not reproduce " + score.what
        in subject_verdict(compared(X[0]), CALIBRATED, poor, thresholds=tight)["reasons"][0]
    )
    assert subject_verdict(compared(X[0]), CALIBRATED, good)["verdict"] == "trusted"


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
    failed = {"verdict": "not trusted", "reasons": ["G is overconfident: ..."]}
    x_o = np.full(6, 40.0)
    found = subject_verdict(compared(x_o), failed)
    assert "outside what the model can produce" in found["reasons"][0]
    assert found["reasons"][1] == "the estimator is not trusted: G is overconfident: ..."
    assert found["estimator"] == "not trusted"


def test_what_cannot_be_identified_is_said_of_the_subject_too():
    note = "G cannot be identified from these features: its posterior is as wide as its prior"
    found = subject_verdict(compared(X[0]), CALIBRATED | {"reasons": [note]})
    assert found["verdict"] == "trusted" and found["reasons"][-1] == note


def test_scores_by_hand():
    fc = np.array([[[1, 0.1, 0.2], [0.1, 1, 0.6], [0.2, 0.6, 1]]])
    assert fc_correlation(fc, 3 * fc[0] + 1) == pytest.approx([1])
    assert fc_correlation(-fc, fc[0]) == pytest.approx([-1])
    assert fc_correlation(np.ones((1, 3, 3)), fc[0]) == pytest.approx([0])
    other = np.array([[1, 0.15, 0.7], [0.15, 1, 0.8], [0.7, 0.8, 1]])
    assert fcd_ks(fc, other) == pytest.approx([2 / 3])
    assert fcd_ks(fc, fc[0]) == pytest.approx([0])


def test_scores_refuse_other_regions_and_a_single_repeat():
    with pytest.raises(ValueError, match=r"FC of 3 nodes cannot be compared with FC of 4 nodes"):
        fc_correlation(np.ones((1, 3, 3)), np.ones((4, 4)))
    one = np.ones((1, 3, 3))
    with pytest.raises(ValueError, match=r"needs at least 2 repeated simulations at one theta, found 1"):
        predictive_scores(["fc_correlation"], {"fc": one}, {"fc": one[0]}, {"fc": one})
