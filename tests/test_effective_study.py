"""Weights fitted to recordings: what a study may say of them; a recording that is judged is never among them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vbiflow.provenance import ROOT
from vbiflow.study import load_study


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of config/ to change."""
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def replace_text(path: Path, old: str, new: str) -> None:
    """The file with `old` replaced everywhere."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nobody_is_judged_on_what_weights_were_fitted_to(config: Path) -> None:
    others = load_study("hcp_models@effective_others", config)
    for person in others.subjects:
        assert sorted([person, *others.fitted_to(person)]) == sorted(others.subjects)
    assert others.fitted_part is None and others.fitted_words("101309") == "recordings of 6 other people"
    own = load_study("hcp_models@effective", config)
    assert own.fitted_to("101309") == ["101309"] and own.fitted_part == "first_half"
    assert own["recording"]["part"] == "second_half"
    assert load_study("hcp_models", config).fitted_to("101309") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "recording: {part: second_half}",
            "recording: {part: first_half}",
            r"judged on part first_half, weights",
        ),
        (
            "{from: first_half}",
            "{from: second_half}",
            r"effective.from: found 'second_half'; choose from others",
        ),
        ("{per: subject, effective", "{per: average, effective", r"would know their recordings; set per: subject"),
        ("{per: subject, effective", "{per: leave_one_out, effective", r"would know their recordings; set per: subj"),
        ("effective: {from: first_half}", "effective: {whose: own}", r"effective: unknown key 'whose'"),
        ("recording: {part: second_half}", "recording: {part: second}", r"recording.part: found 'second'; choose fro"),
    ],
)
def test_leakage_is_refused_in_one_line(config: Path, old: str, new: str, message: str) -> None:
    replace_text(config / "studies" / "hcp_models.yaml", old, new)
    with pytest.raises(ValueError, match=message) as caught:
        load_study("hcp_models@effective", config)
    assert "\n" not in str(caught.value)


def test_leakage_of_a_whole_recording_is_refused(config: Path) -> None:
    path = config / "studies" / "hcp_linear.yaml"
    replace_text(path, "per: subject\n", "per: subject\n  effective: {from: first_half}\n")
    with pytest.raises(ValueError, match=r"judged on the whole recording, .* write recording: {part: second_half}"):
        load_study("hcp_linear", config)


def test_the_same_recording_of_two_participants_leaks(config: Path) -> None:
    table = config / "cohorts" / "hcp.tsv"
    replace_text(table, "102311/bold.mat", "101309/bold.mat")
    with pytest.raises(ValueError, match=r"101309 and 102311 have the same recording, .*101309/bold.mat"):
        load_study("hcp_models@effective_others", config)


def test_only_series_have_halves(config: Path) -> None:
    replace_text(
        config / "studies" / "wong_wang_maps.yaml", "\nfeatures:", "\nrecording: {part: first_half}\nfeatures:"
    )
    with pytest.raises(ValueError, match=r"halves are taken of series, not of kind simulated; leave it out"):
        load_study("wong_wang_maps", config)
