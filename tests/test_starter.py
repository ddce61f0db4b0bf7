"""Repositories that `python -m vbiflow init` writes are valid as they stand, and every person of them is looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vbiflow.__main__ import main, summary
from vbiflow.empirical.cohort import read_cohort
from vbiflow.exclusion import Exclusion, write_exclusion
from vbiflow.io import Quantity, write, write_json
from vbiflow.study import load_study
from vbiflow.study.people import check_people
from vbiflow.study.starter import KINDS, start_repository
from vbiflow.study.study import choose_cohort


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_repository_is_valid_as_it_stands(kind, tmp_path, monkeypatch):
    start_repository(tmp_path / "lab", kind)
    monkeypatch.chdir(tmp_path / "lab")
    study = load_study("my_study")
    assert load_study("my_study@quick").n_simulations < study.n_simulations
    kinds = {row["kind"] for row in read_cohort("config/cohorts/my_cohort.tsv").values()}
    assert kinds == {"bold" if kind == "fmri" else kind}
    first = (tmp_path / "lab/config/studies/my_study.yaml").read_text().splitlines()[0]
    schema = Path(first.removeprefix("# yaml-language-server: $schema="))
    assert "cohort" in json.loads(schema.read_text(encoding="utf-8"))["properties"], "editors find the keys of a study"


def test_a_new_repository_runs_and_overwrites_nothing(tmp_path):
    start_repository(tmp_path / "lab", "fmri")
    with pytest.raises(ValueError, match="Snakefile is there already; name an empty folder"):
        start_repository(tmp_path / "lab", "eeg")
    with pytest.raises(ValueError, match="unknown kind 'mri'; choose from fmri, eeg"):
        start_repository(tmp_path / "other", "mri")
    command = [sys.executable, "-m", "snakemake", "-n", "--nocolor"]
    done = subprocess.run(command, cwd=tmp_path / "lab", capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "results/my_study/report.html" in done.stdout + done.stderr


def test_everybody_is_looked_at_before_anything_is_simulated(tmp_path, monkeypatch, capsys):
    """Spectra that are whole, cut off, and in decibel; a connectome that is not there to be fetched."""
    start_repository(tmp_path / "lab", "psd")
    monkeypatch.chdir(tmp_path / "lab")
    table = tmp_path / "lab/config/cohorts/my_cohort.tsv"
    header, row = table.read_text().splitlines()
    spectra = (tmp_path / "lab/data/example_spectra.tsv").read_text().splitlines()
    apart = abs(np.subtract.outer(np.arange(84), np.arange(84)))
    np.savetxt("data/sc.csv", (apart > 0) / (1.0 + apart), delimiter=",")
    row = row.replace(row.split("\t")[1], "data/sc.csv").replace(row.split("\t")[2], "")
    (tmp_path / "lab/data/short.tsv").write_text("\n".join(spectra[:10]))
    (tmp_path / "lab/data/decibel.tsv").write_text("\n".join(spectra).replace("\t0.", "\t-0."))
    others = [row.replace("example\t", f"{name}\t").replace("example_spectra", name) for name in ("short", "decibel")]
    table.write_text("\n".join([header, row, *others]))
    text = (tmp_path / "lab/config/studies/my_study.yaml").read_text().replace("per: example ", "per: subject ")
    text = text.replace("normalise:", "accept: [short_lengths, density]\n  normalise:")
    (tmp_path / "lab/config/studies/my_study.yaml").write_text(text)
    found = {outcome.person: outcome for outcome in check_people(load_study("my_study"))}
    assert found["example"].state == "ready", found
    assert "68 regions, psd, 21 features" in found["example"].text
    assert found["short"].state == "left out" and "short.tsv" in found["short"].text
    assert found["decibel"].state == "left out" and "not its logarithm in dB" in found["decibel"].text
    assert main(["check", "my_study"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[-1] == "1 of 3 would be ready; 2 would be left out"


def test_a_check_tells_what_is_wrong_with_connectome_and_recording_at_once(monkeypatch, tmp_path):
    study = load_study("tiny")
    np.savetxt(tmp_path / "w.csv", -np.ones((94, 94)), delimiter=",")
    np.savetxt(tmp_path / "bold.csv", np.full((94, 300), np.nan), delimiter=",")
    files = {"weights": "w.csv", "tract_lengths": "", "recording": "bold.csv"}
    for column, name in files.items():
        monkeypatch.setitem(study.cohort["101309"], column, str(tmp_path / name) if name else "")
    (found,) = check_people(study)
    assert found.state == "left out" and "\n" not in found.text
    assert "w.csv: " in found.text and "; and " in found.text and "bold.csv: " in found.text


def test_a_check_tells_what_no_name_and_no_finding_guards(monkeypatch, tmp_path):
    """A recording in the order of the connectome, or in none; a connectome with a warning in its own words."""
    study, rng = load_study("tiny"), np.random.default_rng(0)
    labels = [f"{side}_{k:02d}" for side in "LR" for k in range(10)]
    lines = zip(labels, 1 / (1 + abs(np.subtract.outer(range(20), range(20)))), strict=True)
    table = ["," + ",".join(labels), *(f"{a}," + ",".join(map(str, row)) for a, row in lines)]
    (tmp_path / "w.csv").write_text("\n".join(table))
    half = rng.standard_normal((10, 1300))
    series = np.vstack([half, half + 0.5 * rng.standard_normal((10, 1300))])
    bad = np.where(np.arange(20)[:, None] == 3, np.nan, series)
    for name, values in (("good", series), ("mixed", rng.permutation(series)), ("bad", bad)):
        np.save(tmp_path / f"{name}.npy", values)
    monkeypatch.setitem(study["connectome"], "select", {})
    monkeypatch.setitem(study["connectome"], "maps", {})
    texts = {}
    for name in ("good", "mixed", "bad"):
        for column, file in {
            "weights": "w.csv",
            "tract_lengths": "",
            "regions": "",
            "recording": f"{name}.npy",
        }.items():
            monkeypatch.setitem(study.cohort["101309"], column, str(tmp_path / file) if file else "")
        (found,) = check_people(study)
        texts[name] = found.text
    assert "; no names: taken in the connectome's order; " in texts["good"]
    assert (
        "; 100.0% of all connections are there; consider a threshold" in texts["good"] and "mind" not in texts["good"]
    )
    assert "are left and right, or the regions, mixed up?" in texts["mixed"]
    assert texts["bad"].count("not finite in") == 1 and "not finite in 1 region: L_03" in texts["bad"]


def test_a_check_places_the_truth_of_a_simulated_person(monkeypatch, tmp_path):
    study, apart = load_study("montbrio"), abs(np.subtract.outer(np.arange(84), np.arange(84)))
    np.savetxt(tmp_path / "w.csv", (apart > 0) / (1.0 + apart), delimiter=",")
    for column, name in {"weights": str(tmp_path / "w.csv"), "tract_lengths": ""}.items():
        monkeypatch.setitem(study.cohort["virtual-1"], column, name)
    monkeypatch.setitem(study["connectome"], "accept", ["density"])
    found, *_ = check_people(study)
    assert found.state == "ready", found
    study["truth"]["virtual-1"]["eta"]["at"] = {"ctx-lh-superiorfrontl": -4}
    found, *_ = check_people(study)
    assert found.state == "left out"
    assert found.text.startswith("truth.virtual-1: eta: no region 'ctx-lh-superiorfrontl'; choose from")
    assert found.text.endswith("did you mean 'ctx-lh-superiorfrontal'?")


def test_a_summary_is_of_people_with_a_posterior(tmp_path, monkeypatch):
    """A folder that holds no more than a simulated recording, as the tutorial for EEG makes one, is passed over."""
    (tmp_path / "results/some/subjects/example").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert summary("some") == "report: results/some/report.html"


def test_a_summary_gives_medians_and_says_who_is_left_out(tmp_path, monkeypatch, capsys):
    people = tmp_path / "results/some/subjects"
    write_exclusion(Exclusion("gone", "observe", "gone.mat: damaged"), [people / "gone" / "samples.h5"])
    levels = np.array([[0.1], [0.2], [0.3], [0.4], [0.5]]) * [1, 10]
    quantiles = Quantity(levels, "1", ("quantile", "parameter"))
    write(people / "here" / "samples.h5", {"names": ["G", "w"], "quantiles": quantiles}, {})
    parts = {
        "estimator": {"verdict": "trusted", "words": "1 of 1 parameters is calibrated"},
        "recording": {"verdict": "trusted", "p": {"rarity": 0.3214, "features": 0.04}},
        "model": {"scores": {"fc": {"short": "FC correlation 0.41: more than chance"}}},
    }
    write_json(people / "here" / "verdict.json", {
        "verdict": "trusted", "parts": parts, "parameters": {"G": {"information": 2.0}, "w": {"information": 0.01}},
    })  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["summary", "some"]) == 1
    assert capsys.readouterr().err.startswith("results/some/report.html: not there; it is made by: snakemake results/")
    (people.parent / "report.html").write_text("")
    assert main(["summary", "some"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "gone: left out: gone.mat: damaged",
        "here: trusted; G 0.3 [0.1, 0.5], w 3 [1, 5] (as the prior)",
        "  estimator trusted: 1 of 1 parameters is calibrated",
        "  recording trusted: smallest p = 0.32 among the simulations, smallest p = 0.04 of its features re-simulated",
        "  model: FC correlation 0.41: more than chance",
        "report: results/some/report.html",
    ]


def test_a_misspelt_cohort_is_told_with_those_of_the_lab(tmp_path, monkeypatch):
    (tmp_path / "config/cohorts").mkdir(parents=True)
    (tmp_path / "config/cohorts/my_cohort.tsv").write_text("participant_id\n")
    monkeypatch.chdir(tmp_path)
    said = "'my_cohrt'; choose from my_cohort, .*, or write config/cohorts/my_cohrt.tsv; did you mean 'my_cohort'"
    with pytest.raises(ValueError, match=said):
        choose_cohort("my_cohrt")
