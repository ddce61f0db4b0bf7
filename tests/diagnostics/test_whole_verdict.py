"""The verdict from end to end on a known model: the truth passes, each planted fault turns the part it belongs to."""

import numpy as np
import pytest
from linear_gaussian import NAMES, SIGMA, A, Exact, draws, prior, simulate

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.feature_report import single_features
from vbiflow.diagnostics.held_out_predictive import calibrated_check, held_out_misfits
from vbiflow.diagnostics.marginal import judge_marginals
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.diagnostics.verdict import verdict
from vbiflow.inference.training_set import TrainingSet

THETA = prior().sample(1, 0, 2000)
DATA = TrainingSet.of(prior(), THETA, simulate(THETA, 2), NAMES, {"test_share": 0.2}, seed=1)
MISFITS = held_out_misfits(Exact(), DATA, DATA.held_out()[1], seed=1)
UNSEEN = np.linalg.svd(A)[2][-1]


def estimator(**wrong):
    return verdict(calibrate(Exact(**wrong), *DATA.held_out(), seed=1), single_features(DATA))


RIGHT = estimator()


def judged(x_o, k=0, judgement=RIGHT, samples=None, resimulate=simulate):
    samples = draws(x_o[None], 100, k)[0] if samples is None else samples
    check = check_features(resimulate(samples, k), x_o)
    check = calibrated_check(check, DATA, samples, x_o, MISFITS, seed=k)
    return subject_verdict(misspecification(DATA.x, x_o, NAMES, seed=1), judgement, check)


def parts(found):
    return {name: found["parts"][name]["verdict"] for name in ("estimator", "recording")}


def test_the_truth_is_trusted():
    found = [judged(x_o, k) for k, x_o in enumerate(simulate(prior().sample(5, 0, 12), 6))]
    assert sum(one["verdict"] == "trusted" for one in found) >= 11
    assert all(one["parts"]["estimator"]["verdict"] == "trusted" for one in found)


@pytest.mark.parametrize("wrong", [{"widen": 0.6}, {"widen": 1.7}, {"shift": 0.7}])
def test_a_wrong_estimator_turns_its_own_part_alone(wrong):
    found = judged(simulate(prior().sample(5, 0, 1), 6)[0], judgement=estimator(**wrong))
    assert parts(found) == {"estimator": "not trusted", "recording": "trusted"} and found["verdict"] == "not trusted"
    mine = found["parts"]["estimator"]
    assert mine["numbers"]["calibrated"] < 2 and mine["words"] in found["reasons"][0]


def beyond(x):
    return x + np.eye(6)[3] * 15


def together(x):
    return x + 5 * SIGMA * UNSEEN


def heavy(x):
    return x * np.array([1, 1, 1, 1, 8, 1]) + np.array([0, 0, 0, 0, 5, 0])


@pytest.mark.parametrize("fault", [beyond, together, heavy])
def test_a_fault_of_the_recording_turns_its_part_alone(fault):
    found = judged(fault(simulate(prior().sample(5, 0, 1), 6)[0]))
    assert parts(found) == {"estimator": "trusted", "recording": "not trusted"} and found["verdict"] == "not trusted"


def test_with_rounds_the_words_name_the_last_and_never_say_that_the_model_cannot():
    """A recording that one simulation in thousands of the prior is like, and half of those of a later round are."""
    x_o = simulate(np.array([[3.6, -3.4]]), 6)[0]
    later = simulate(np.array([3.6, -3.4]) + 0.3 * prior().sample(8, 0, 1000), 9)
    check = check_features(later, x_o)
    first, last = (misspecification(x, x_o, NAMES, seed=1) for x in (DATA.x, later))
    assert subject_verdict(last, RIGHT, check, where="the prior of round 2")["verdict"] == "trusted"
    for where in ("this prior", "the prior of round 2"):
        (reason,) = subject_verdict(first, RIGHT, check, where=where)["reasons"]
        assert reason.startswith(
            f"the recording is rare under {where} ({first['near']:.2%} of its simulations come near"
        )
        assert "cannot" not in reason and "can produce" not in reason


def test_what_was_learnt_of_a_person_is_said_by_their_own_posterior_not_by_the_average():
    """An estimator that on average learns nothing of b, and a person whose posterior tells both parameters."""
    average = RIGHT | {"reasons": [RIGHT["words"], "b is hardly learnt from these features, on average"]}
    x_o = simulate(prior().sample(5, 0, 1), 6)[0]
    samples = draws(x_o[None], 1000, 1)[0]
    followers = {name: entry["single_features"] for name, entry in RIGHT["parameters"].items()}
    marginals, notes = judge_marginals(["a", "b"], prior().cdf(samples), 0.05, followers, prior().bounds)
    assert min(entry["information"] for entry in marginals.values()) > 0.3 and not notes
    found = subject_verdict(misspecification(DATA.x, x_o, NAMES, seed=1), average, None, notes=notes)
    assert "hardly learnt" not in " ".join(found["reasons"])


def test_a_posterior_of_somebody_else_is_seen_in_the_features():
    x_o = simulate(np.array([[1.0, -1.0]]), 6)[0]
    found = judged(x_o, samples=draws(-x_o[None], 100, 1)[0])
    assert "do not have the features" in found["reasons"][0] and parts(found)["recording"] == "not trusted"


def test_p_at_its_limit_is_said_to_be_open():
    found = misspecification(DATA.x, simulate(prior().sample(5, 0, 1), 6)[0], NAMES, seed=1)
    reason = subject_verdict(found | {"p_value": 0.008, "inside": False}, RIGHT, None)["reasons"][0]
    assert "1000 simulations leave open on which side of 0.01 p lies" in reason
    reason = subject_verdict(found | {"p_value": 0.001, "inside": False}, RIGHT, None)["reasons"][0]
    assert "leave open" not in reason
    right = {"p_value": 0.4, "in_band": 0.95, "off": [0], "n_simulations": 100, "n_features": 6}
    right |= {"n_held_out": 300, "calibrated_p": 0.0133}
    passing = subject_verdict(found | {"p_value": 0.012}, RIGHT, right)
    assert passing["verdict"] == "trusted"
    assert all(f"{n} simulations leave open" in passing["reasons"][0] for n in (1000, 300))
    refused = subject_verdict(found, RIGHT, right | {"calibrated_p": 0.00997})
    assert refused["verdict"] == "not trusted" and "300 simulations leave open" in refused["reasons"][0]
