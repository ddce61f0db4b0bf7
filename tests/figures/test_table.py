"""The table of figures: entries in step with functions and captions, faults told before the DAG, one broken figure."""

import inspect
import re
from dataclasses import replace

import numpy as np
import pytest

from vbiflow.exclusion import Exclusion, write_exclusion
from vbiflow.figures import table
from vbiflow.figures.draw import draw_figures, value_of
from vbiflow.figures.estimators import read_estimators
from vbiflow.figures.figure import has_plane
from vbiflow.figures.people import read_people_samples
from vbiflow.figures.scatter import read_plane
from vbiflow.figures.style import NOT_DRAWN
from vbiflow.figures.table import (
    FIGURES,
    check_table,
    figure_function,
    figure_inputs,
    figure_parameters,
    wanted_figures,
)
from vbiflow.io import Quantity, write, write_json
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study import load_study


def reader(name):
    """The function that an entry's arguments go to."""
    function, read = inspect.unwrap(figure_function(name)), FIGURES[name].read
    return function.__globals__[read] if read else function


@pytest.mark.parametrize("name", FIGURES)
def test_arguments_are_those_that_the_function_takes(name):
    inspect.signature(reader(name)).bind(**FIGURES[name].arguments)


def test_every_caption_is_of_a_figure_and_every_figure_has_one():
    written = {path.stem for path in (ROOT / "rules" / "report").glob("*.rst")}
    assert written == {*FIGURES, "figure"}
    assert all(len(caption) > 40 for caption in table.captions().values())


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"scope": "person"}, r"unknown scope of figure fc 'person'; choose from cohort, estimator, subject, .*"),
        ({"module": "nosuch"}, r"unknown module of figure fc 'nosuch'; choose from .*recording.*"),
        ({"module": "training"}, r"unknown function of figure fc in vbiflow/figures/training.py 'fc'; choose from .*"),
        ({"read": "nosuch"}, r"unknown function of figure fc in .*recording.py 'nosuch'; choose from .*"),
        (
            {"arguments": {"observed": "smaples/theta"}},
            r"unknown input of figure fc 'smaples'; choose from samples, .*",
        ),
    ],
)
def test_a_fault_in_an_entry_is_one_line(change, line, monkeypatch):
    check_table()
    monkeypatch.setitem(FIGURES, "fc", replace(FIGURES["fc"], **change))
    with pytest.raises(ValueError, match=f"^{line}$"):
        check_table()


def test_a_missing_caption_is_one_line(monkeypatch):
    monkeypatch.setitem(FIGURES, "draw_histograms", replace(FIGURES["fc"]))
    with pytest.raises(
        ValueError, match=r"^figure draw_histograms has no caption; write rules/report/draw_histograms\.rst$"
    ):
        check_table()


def test_a_study_wants_what_its_recordings_allow():
    study = load_study("eeg_recovery")
    assert {"topography", "psd", "series"} <= wanted_figures("subject", study, "simulated-1").keys()
    study = load_study("tiny")
    study.cohort["101309"]["kind"] = "features"
    assert list(wanted_figures("subject", study, "101309")) == ["marginals", "pairs", "sensitivity", "misspecification"]
    assert wanted_figures("cohort", study) == {}
    assert set(wanted_figures("cohort", load_study("tiny@cohort"))) <= {"cohort", "covariates"}


def test_noise_regional_features_and_few_people_are_drawn_where_there_are_some():
    noise, coupling = load_study("epileptor_noise"), load_study("wong_wang_coupling")
    assert "noise_levels" in wanted_figures("estimator", noise, "low")
    assert "noise_levels" not in wanted_figures("estimator", coupling, "virtual-1")
    assert "noise_levels" not in wanted_figures("estimator", load_study("wong_wang_maps"), "virtual-1")  # sigma on maps
    assert "regional_features" in wanted_figures("subject", noise, "high")
    assert "regional_features" not in wanted_figures("subject", coupling, "virtual-1")
    assert "cohort_pairs" in wanted_figures("cohort", noise) and "cohort_pairs" in wanted_figures("cohort", coupling)
    assert "cohort_pairs" not in wanted_figures("cohort", load_study("hcp_wong_wang"))  # seven people
    found = figure_inputs("cohort", coupling)["samples"]
    assert found == [f"results/wong_wang_coupling/subjects/virtual-{k}/samples.h5" for k in (1, 2, 3)]


def test_two_parameters_are_drawn_as_a_plane_with_the_truths_of_the_estimators_people(tmp_path):
    coupling, maps = load_study("wong_wang_coupling"), load_study("wong_wang_maps")
    assert "plane" in wanted_figures("estimator", coupling, "virtual-1")
    assert "plane" not in wanted_figures("estimator", maps, "virtual-1")  # G and nine coefficients
    assert "plane" not in wanted_figures("estimator", load_study("wilson_cowan"), "random")  # P of each region
    fixed = load_study("wong_wang_coupling")
    fixed["prior"]["J"] = {"map": {"constant": 0.2, "myelin": {"uniform": [0, 1]}}}
    assert has_plane(fixed, "virtual-1")  # a coefficient that is a number is no parameter
    fixed["prior"]["J"]["random"] = {"sd": {"uniform": [0, 1]}}
    assert not has_plane(fixed, "virtual-1")  # the size of regional effects is one
    truths = figure_parameters("estimator", coupling, "virtual-1")["truths"]
    prior = Prior.from_config(coupling["prior"])
    theta, x = prior.sample(0, 0, 40), np.arange(120.0).reshape(40, 3)
    names = ["fc.mean", "fcd.sd", "psd.centroid"]
    drawn = {"theta": Quantity(theta, ["1", "nA"], ("simulation", "parameter")), "names": prior.names}
    write(tmp_path / "prior.h5", drawn, {"prior": prior.to_config()})
    found = {"x": Quantity(x, ["1", "1", "Hz"], ("simulation", "feature")), "names": names}
    write(tmp_path / "features.h5", found | {"valid": np.arange(40) > 4}, {})
    informs = {name: {"G": 0.2 * k, "J": 0.1} for k, name in enumerate(names)}
    found = read_plane(informs, [], str(tmp_path / "prior.h5"), str(tmp_path / "features.h5"), truths, {"J": "nA"})
    assert list(found["truths"]) == ["virtual-1", "virtual-2", "virtual-3"]
    assert np.array(list(found["truths"].values())) == pytest.approx(
        np.array([[3.0, 0.2609], [6.28, 0.2609], [2.0, 0.15]])
    )
    assert found["theta"] == pytest.approx(theta[5:])
    assert np.array_equal(found["x"], x[5:, ::-1]) and found["feature_units"] == ["Hz", "1", "1"]


def test_a_person_left_out_is_not_among_the_joint_posteriors(tmp_path):
    prior = Prior.from_config({"G": {"uniform": [0, 1]}, "eta": {"uniform": [-6, -3], "per": "node"}}, ["a", "b"])
    theta, files = prior.sample(0, 0, 50), []
    drawn = {"theta": Quantity(theta, ["1"] * 3, ("simulation", "parameter")), "names": prior.names}
    write(tmp_path / "prior.h5", drawn, {"prior": prior.to_config()})
    for name in ("sub-1", "sub-2", "sub-3"):
        files.append(tmp_path / name / "samples.h5")
        files[-1].parent.mkdir()
        write(
            files[-1],
            {"theta": Quantity(theta, "1", ("sample", "parameter")), "truth": Quantity(theta[0], "1", ("parameter",))},
            {},
        )
    files[1].unlink()
    write_exclusion(Exclusion("sub-2", "observe", "no such file"), files[1:2])
    found = read_people_samples(list(map(str, files)), [str(tmp_path / "prior.h5")])
    assert list(found["samples"]) == list(found["truths"]) == ["sub-1", "sub-3"] and found["names"] == ["G"]
    assert found["samples"]["sub-3"][:, 0] == pytest.approx(theta[:, 0]) and found["prior"].shape[1] == 1


def test_inputs_lie_in_the_folders_of_estimator_round_and_subject():
    found = figure_inputs("subject", load_study("tiny@rounds"), "101309")
    assert found["samples"] == "results/tiny@rounds/subjects/101309/samples.h5"
    assert found["first_prior"] == "results/tiny@rounds/101309/prior.h5"
    assert found["prior"] == "results/tiny@rounds/subjects/101309/rounds/2/prior.h5"
    assert found["features"] == "results/tiny@rounds/subjects/101309/rounds/2/features.h5"  # as the verdict compares
    assert found["rounds"] == ["results/tiny@rounds/subjects/101309/rounds/2/theta.h5"]
    study = load_study("hcp_wong_wang")
    assert figure_inputs("cohort", study)["priors"] == [
        f"results/hcp_wong_wang/{name}/prior.h5" for name in study.estimators
    ]


def test_posteriors_of_other_estimators_stand_beside_the_studys_own(tmp_path):
    study = load_study("tiny@evidence")
    assert "estimators" in wanted_figures("subject", study, "101309")
    path = "results/tiny@evidence/subjects/101309/baselines/nsf.h5"
    assert figure_inputs("subject", study, "101309")["baselines"] == [path]
    assert figure_parameters("subject", study, "101309")["estimators"] == ["maf", "nsf"]
    study["diagnostics"]["baselines"] = False  # as where learning curves alone train others
    assert "estimators" not in wanted_figures("subject", study, "101309")
    study["diagnostics"]["baselines"], study["inference"]["rounds"] = True, 2
    assert "estimators" not in wanted_figures("subject", study, "101309"), "others have learnt from the first round"
    prior, theta = Prior.from_config({"G": {"uniform": [0, 1]}}, []), np.random.default_rng(1).random((2, 50, 1))
    write(tmp_path / "nsf.h5", {"theta": Quantity(theta[1], "1", ("sample", "parameter"))}, {})
    found = read_estimators(prior.to_config(), theta[0], [str(tmp_path / "nsf.h5")], ["maf", "nsf"], names=["G"])
    assert list(found["samples"]) == ["maf", "nsf"] and np.array_equal(list(found["samples"].values()), theta)


def test_spectra_have_the_unit_of_their_file(tmp_path):
    write(tmp_path / "predictive.h5", {"psd": Quantity(np.ones((2, 3)), "mV^2/Hz", ("node", "frequency"))}, {})
    source = FIGURES["psd"].arguments["unit"]
    assert value_of(source, {"predictive": str(tmp_path / "predictive.h5")}, {}) == "mV^2/Hz"


@pytest.fixture
def entries(tmp_path):
    """Two figures of an estimator, and the files that they are drawn from."""
    write_json(tmp_path / "training.json", {"train_loss": [[2.0, 1.0]], "validation_loss": [[2.0, 1.5]]})
    rng = np.random.default_rng(1)
    write(tmp_path / "prior.h5", {"theta": Quantity(rng.random((60, 2)), "1"), "names": ["G", "sigma"]}, {})
    write(tmp_path / "features.h5", {"valid": np.arange(60) > 9}, {})
    files = {name: str(tmp_path / f"{name}.{'json' if name == 'training' else 'h5'}")
             for name in ("training", "prior", "features")}  # fmt: skip
    return {name: FIGURES[name].plain() for name in ("training", "invalid")}, files


def test_a_figure_that_cannot_be_drawn_loses_no_other(entries, tmp_path, capsys):
    figures, files = entries
    write(tmp_path / "features.h5", {"valid": np.arange(7) > 2}, {})
    paths, said = {name: tmp_path / f"{name}.svg" for name in figures}, []
    assert draw_figures(figures, files, {}, paths, said.append) == ["invalid"]
    assert len(said) == 1 and said[0].startswith("figure invalid could not be drawn: ")
    assert NOT_DRAWN in paths["invalid"].read_text() and NOT_DRAWN not in paths["training"].read_text()
    assert re.findall(r"^(\d/2 \w+), [\d.]+ s$", capsys.readouterr().out, re.MULTILINE) == [
        "1/2 training",
        "2/2 invalid",
    ]


def test_an_input_that_cannot_be_read_is_named_with_its_figure(entries, tmp_path):
    figures, files = entries
    (tmp_path / "prior.h5").write_bytes(b"\x89HDF")
    with pytest.raises(ValueError, match=r"^figure invalid: .*prior.h5: damaged.*delete it and run again"):
        draw_figures(figures, files, {}, {name: tmp_path / f"{name}.svg" for name in figures})
