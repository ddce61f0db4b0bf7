"""The case studies of the paper: study files beside what it prints, at both scales."""

import pytest
import yaml

from vbiflow.provenance import ROOT
from vbiflow.study import load_study

PAPER = yaml.safe_load((ROOT / "tests" / "paper_case_studies.yaml").read_text())


@pytest.mark.parametrize("name", PAPER)
def test_a_study_is_what_the_paper_prints(name):
    printed, study = PAPER[name], load_study(f"{name}@paper")
    assert study["model"] == printed["model"]
    assert study.n_simulations in printed.get("n_simulations", [study.n_simulations])
    for parameter, ranges in printed["prior"].items():
        assert study["prior"][parameter]["uniform"] in ranges, parameter
    assert study["parameters"].items() >= printed.get("parameters", {}).items()
    figure = str(printed["figure"]).partition("-")[0]
    assert f"igure {figure}" in study["description"] and "2025" in study["description"]


@pytest.mark.parametrize("name", PAPER)
def test_both_scales_hold_out_at_least_two_hundred_truths(name):
    for scale in ("quick", "paper"):
        study = load_study(f"{name}@{scale}")
        held_out = study.n_simulations * study["inference"]["test_share"]
        assert held_out >= (100 if scale == "quick" else 200), f"{study.name}: {held_out:g}"


def test_the_paper_infers_global_coupling_and_nine_coefficients():
    study = load_study("wong_wang_maps")
    maps = [entry["map"] for entry in study["prior"].values() if "map" in entry]
    assert 1 + sum(map(len, maps)) == PAPER["wong_wang_maps"]["coefficients"] == 10


def test_three_maps_of_input_share_one_estimator():
    study = load_study("wilson_cowan")
    assert study.subjects == ["random", "strongest", "weakest"] and len(study.estimators) == 1
    assert len(study["truth"]["random"]["P"]) == 84
    assert len(study["truth"]["strongest"]["P"]["at"]) == len(study["truth"]["weakest"]["P"]["at"]) == 5
