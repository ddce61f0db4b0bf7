"""Every case study of the paper through its figures to the page of all, at a size that takes little time and a larger.

The larger one, of all regions, is that of ``make test-case-studies``.
"""

import csv
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from checkout import Copy

from vbiflow.case_results import ENOUGH
from vbiflow.case_studies import CASE_STUDIES, choices
from vbiflow.claims import CLAIMS
from vbiflow.documented_run import PICTURES
from vbiflow.figures.case_studies import REPEATED, SHOWN
from vbiflow.figures.documented import draw_picture
from vbiflow.figures.style import NOT_DRAWN, quantity, symbol
from vbiflow.figures.table import wanted_figures
from vbiflow.io import parameter_units, read
from vbiflow.study import load_study

SIZES = {
    "tiny": {"n": 120, "share": 0.25, "epochs": 2, "samples": 200, "curve": [50], "n_test": 30},
    "small": {"n": 240, "share": 0.4, "epochs": 40, "samples": 500, "curve": [50, 120], "n_test": 90},
}
"""Simulations, shares of them that validate and test, and what else makes a training short."""
WHOLE = ("wilson_cowan", "jansen_rit", "epileptor", "epileptor_coupling", "montbrio")
"""Studies that keep all regions when `tiny`; others have the eight of the occipital lobe, where no seizure is."""
SHORT = {
    "tiny": {
        "montbrio": {"duration": 45.0e3, "transient": 1.0e3},
        "wong_wang": {"duration": 90.0e3, "transient": 5.0e3},
        "stuart_landau": {"duration": 2100, "transient": 100},
        "wilson_cowan": {"duration": 600},
        "jansen_rit": {"duration": 1100, "transient": 200},
    },
    "small": {
        "montbrio": {"duration": 80.0e3, "transient": 5.0e3},
        "wong_wang": {"duration": 150.0e3, "transient": 20.0e3},
        "stuart_landau": {"duration": 2500, "transient": 500},
    },
}
"""Seconds instead of minutes, of the models that take longest; FCD still has several windows."""
AXES = {
    "series": "time [",
    "psd": "frequency [Hz]",
    "fcd": "time of window [s]",
    "connectome": "tract length [mm]",
    "training": "[nat]",
    "learning_curve": "[nat]",
}
"""What one label at least of a figure must hold, besides the units of parameters."""
PAGE = "results/case_studies/report.html"
FORKED = (sys.executable, Path(__file__).with_name("forked.py"))


def scaled(name, study, size):
    """A scale of a study at which all its rules run."""
    some = SIZES[size]
    asked = {
        key: value for one in (study, *study["scales"].values()) for key, value in one.get("diagnostics", {}).items()
    }
    asked |= {
        "n_predictive": 5,
        "n_floor": 5,
        "thresholds": dict.fromkeys(("misspecification_p", "predictive_p"), 0.05),
    }
    asked["thresholds"]["n_test"] = some["n_test"]
    asked |= {"learning_curve": some["curve"]} if "learning_curve" in asked else {}
    inference = {"n_simulations": some["n"], "validation_share": some["share"], "test_share": some["share"]}
    scale = {
        "simulation": SHORT[size].get(study["model"], {}) | {"shard_size": some["n"]},
        "inference": inference | {"max_epochs": some["epochs"], "members": 1},
        "posterior": {"n_samples": some["samples"]},
        "diagnostics": asked,
    }
    if size == "tiny" and name not in WHOLE:
        people = {person: {key: one_value(of) for key, of in truth.items()} for person, truth in study["truth"].items()}
        scale |= {"connectome": {"select": {"network": "occipital"}}, "truth": people}
    return scale


def one_value(entry):
    """One value for all regions, from the truth of a parameter."""
    return entry["value"] if isinstance(entry, dict) else entry[0] if isinstance(entry, list) else entry


@pytest.fixture(scope="module", params=["tiny", pytest.param("small", marks=pytest.mark.slow)])
def made(request, tmp_path_factory):
    """A checkout in which every case study has run at one size, up to the page of all; `size` and `run` of it."""
    size, copy = request.param, Copy(tmp_path_factory.mktemp("case-studies") / "vbiflow")
    for name in CASE_STUDIES:
        path = copy.path / "config" / "studies" / f"{name}.yaml"
        study = yaml.safe_load(path.read_text())
        lines = yaml.safe_dump({size: scaled(name, study, size)}, sort_keys=False).splitlines()
        path.write_text(path.read_text().rstrip() + "\n" + "\n".join(f"  {line}" for line in lines) + "\n")
    asked = f"case_studies=[{','.join(f'{name}@{size}' for name in CASE_STUDIES)}]"
    copy.size, copy.run = size, partial(copy.snakemake, PAGE, "--config", asked, timeout=3000, start=FORKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOK_OUTSIDE", "1" if size == "small" else "")
        done = copy.run("--keep-going", "--quiet", "host")
    assert done.returncode == 0, done.stdout[-6000:]
    return copy


def owners(study):
    """Scope, owner and folder of each set of figures of a study."""
    if len(study.subjects) > 1:
        yield "cohort", "", "figures"
    yield from (("estimator", one, f"{one}/figures") for one in study.estimators)
    yield from (("subject", one, f"subjects/{one}/figures") for one in study.subjects)


@pytest.mark.parametrize("name", CASE_STUDIES)
def test_every_figure_has_data_labels_and_units(made, name, monkeypatch):
    monkeypatch.chdir(made.path)
    study = load_study(f"{name}@{made.size}")
    units = parameter_units(study.path(study.estimators[0], "prior.h5"))
    names = read(study.path(study.estimators[0], "prior.h5"), "names")["names"]
    bare = tuple(symbol(one) for one in names if quantity(one, units) != symbol(one))
    for scope, owner, folder in owners(study):
        for drawn in wanted_figures(scope, study, owner):
            at = f"{name}, {scope} {owner}, {drawn}"
            figure = json.loads((made.path / "drawn" / "results" / study.name / folder / f"{drawn}.json").read_text())
            assert not figure["outside"], f"{at}: {figure['outside']}"
            if drawn == "invalid" and not figure["axes"]:
                continue  # a line says that all simulations are valid
            assert figure["axes"] and not figure["empty"], at
            texts = figure["labels"]
            assert texts and any(AXES.get(drawn, "") in text for text in texts), f"{at}: {texts}"
            assert not any(text.endswith(bare) for text in texts), f"{at}: {texts}"


def test_the_summary_equals_the_result_files(made, monkeypatch):
    monkeypatch.chdir(made.path)
    with open("results/case_studies/summary.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["study"] for row in rows] == [f"{name}@{made.size}" for name in CASE_STUDIES]
    for row in rows:
        study = load_study(row["study"])
        folder = made.path / "results" / row["study"] / study.estimators[0]
        judged = json.loads((folder / "diagnostics.json").read_text())
        drawn = read(folder / "prior.h5", "theta", "names")
        assert (
            (int(row["simulations"]), int(row["parameters"]))
            == drawn["theta"].shape
            == (SIZES[made.size]["n"], len(drawn["names"]))
        )
        assert int(row["held_out"]) == judged["n_test"] and row["verdict"] == judged["verdict"]
        for key in ("z_score", "information", "shrinkage", "coverage_90"):
            middle = np.median([one[key] for one in judged["parameters"].values()])
            assert float(row[key]) == pytest.approx(middle, abs=6e-4), (row["study"], key)
        for stage in ("simulate", "features", "train"):
            assert float(row[f"{stage}_s"]) > 0, (row["study"], stage)


def test_every_claim_is_read_and_too_few_simulations_decide_none(made):
    with open(made.path / "results" / "case_studies" / "claims.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = [(row["study"].partition("@")[0], row["claim"]) for row in rows]
    assert sorted(found) == sorted((claim.study, claim.text) for claim in CLAIMS)
    assert all(row["numbers"] and "not compared" not in row["numbers"] for row in rows)
    assert all(int(row["held_out"]) < ENOUGH for row in rows)
    assert {row["verdict"] for row in rows if "faster" not in row["claim"]} == {"undecided"}


def test_the_page_shows_the_figures_of_every_study_and_opens_offline(made, monkeypatch):
    monkeypatch.chdir(made.path)
    page = (made.path / PAGE).read_text()
    assert NOT_DRAWN not in page and "<script" not in page and 'src="http' not in page
    heads, cards = zip(*(part.split('"', 1) for part in page.split('<h2 id="')[1:]), strict=True)
    assert heads == tuple(f"{name}@{made.size}" for name in CASE_STUDIES)
    for head, card in zip(heads, cards, strict=True):
        study = load_study(head)
        first, *others = study.subjects
        shown = [*wanted_figures("subject", study, first), *wanted_figures("estimator", study, study.estimators[0])]
        shown = [name for name in [*shown, *wanted_figures("cohort", study)] if name in SHOWN]
        repeated = [name for one in others for name in wanted_figures("subject", study, one) if name in REPEATED]
        assert card.count("<figure>") == card.count("<svg") == len(shown) + len(repeated), head
        text = (made.path / "config" / "studies" / f"{study.name.partition('@')[0]}.yaml").read_text()
        for _, said in choices(text, made.size):
            assert said.partition("paper: ")[2][:12].replace("'", "&#39;") in card, (head, said)


def test_the_pictures_of_the_documentation_are_drawn_from_the_result_files(made, monkeypatch, tmp_path):
    monkeypatch.chdir(made.path)
    for picture, (stem, scope, figure) in PICTURES.items():
        draw_picture(f"{stem}@{made.size}", scope, figure, tmp_path / f"{picture}.png")
        assert 10_000 < (tmp_path / f"{picture}.png").stat().st_size < 200_000


def test_a_second_run_does_nothing(made):
    done = made.run("-n")
    assert done.returncode == 0 and "Nothing to be done" in done.stdout, done.stdout[-3000:]
