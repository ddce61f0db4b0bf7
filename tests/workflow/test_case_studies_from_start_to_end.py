"""Every case study of the paper at a tiny size, from its simulations to the page of all: make test-case-studies."""

import csv
import json
from importlib import import_module

import numpy as np
import pytest
import yaml
from checkout import Copy
from drawn import labels, outside

from vbiflow.case_studies import CASE_STUDIES, choices
from vbiflow.claims import CLAIMS
from vbiflow.decisions import ENOUGH
from vbiflow.figures.case_studies import REPEATED, SHOWN
from vbiflow.figures.draw import value_of
from vbiflow.figures.style import NOT_DRAWN, quantity, symbol
from vbiflow.figures.table import figure_inputs, figure_parameters, wanted_figures
from vbiflow.io import parameter_units, read
from vbiflow.study import load_study

pytestmark = pytest.mark.slow
N = 240
SHORT = {
    "montbrio": {"duration": 80.0e3, "transient": 5.0e3},
    "wong_wang": {"duration": 150.0e3, "transient": 20.0e3},
    "stuart_landau": {"duration": 2500, "transient": 500},
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


def tiny(study):
    """A scale of a study at which all its rules run, in half a minute of a processor."""
    scales = [study, *study["scales"].values()]
    asked = {key: value for one in scales for key, value in one.get("diagnostics", {}).items()}
    asked |= {"n_predictive": 5, "n_floor": 5} | ({"learning_curve": [50, 120]} if "learning_curve" in asked else {})
    return {
        "simulation": SHORT.get(study["model"], {}),
        "inference": {"n_simulations": N, "validation_share": 0.2, "test_share": 0.45, "max_epochs": 40},
        "posterior": {"n_samples": 500},
        "diagnostics": asked,
    }


def studies_at(scale):
    """The setting of the command line that asks for every case study at a scale."""
    return f"case_studies=[{','.join(f'{name}@{scale}' for name in CASE_STUDIES)}]"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout in which every case study has run at scale `tiny`, up to the page of all."""
    copy = Copy(tmp_path_factory.mktemp("case-studies") / "vbiflow")
    for name in CASE_STUDIES:
        path = copy.path / "config" / "studies" / f"{name}.yaml"
        study = yaml.safe_load(path.read_text())
        lines = yaml.safe_dump({"tiny": tiny(study)}, sort_keys=False).splitlines()
        path.write_text(path.read_text().rstrip() + "\n" + "\n".join(f"  {line}" for line in lines) + "\n")
    done = copy.snakemake(PAGE, "--keep-going", "--quiet", "host", "--config", studies_at("tiny"), timeout=3000)
    assert done.returncode == 0, done.stdout[-6000:]
    return copy


def owners(study):
    """Scope and owner of each folder of figures of a study."""
    alone = [("cohort", "")] if len(study.subjects) > 1 else []
    return [*alone, *(("estimator", one) for one in study.estimators), *(("subject", one) for one in study.subjects)]


def redrawn(study):
    """Figures of a study by scope, owner and name, drawn again from its result files."""
    for scope, owner in owners(study):
        files, parameters = (part(scope, study, owner) for part in (figure_inputs, figure_parameters))
        for name, figure in wanted_figures(scope, study, owner).items():
            arguments = {key: value_of(source, files, parameters) for key, source in figure.arguments.items()}
            module = import_module(f"vbiflow.figures.{figure.module}")
            if figure.read:
                arguments = getattr(module, figure.read)(**arguments)
            yield scope, owner, name, getattr(module, name)(**arguments)


@pytest.mark.parametrize("name", CASE_STUDIES)
def test_every_figure_has_data_labels_and_units(made, name, monkeypatch):
    monkeypatch.chdir(made.path)
    study = load_study(f"{name}@tiny")
    units = parameter_units(study.path(study.estimators[0], "prior.h5"))
    names = read(study.path(study.estimators[0], "prior.h5"), "names")["names"]
    for scope, owner, drawn, figure in redrawn(study):
        at = f"{name}, {scope} {owner}, {drawn}"
        assert not outside(figure), f"{at}: {outside(figure)}"
        if drawn == "invalid" and not figure.axes:
            continue  # a line says that all simulations are valid
        shown = [axes for axes in figure.axes if axes.axison]
        assert shown and all(axes.has_data() or axes.texts for axes in shown), at  # a correlation is a number alone
        texts = labels(figure)
        assert texts and any(AXES.get(drawn, "") in text for text in texts), f"{at}: {texts}"
        bare = tuple(symbol(one) for one in names if quantity(one, units) != symbol(one))
        assert not any(text.endswith(bare) for text in texts), f"{at}: {texts}"


def test_the_summary_equals_the_result_files(made, monkeypatch):
    monkeypatch.chdir(made.path)
    with open("results/case_studies/summary.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["study"] for row in rows] == [f"{name}@tiny" for name in CASE_STUDIES]
    for row in rows:
        study = load_study(row["study"])
        folder = made.path / "results" / row["study"] / study.estimators[0]
        judged = json.loads((folder / "diagnostics.json").read_text())
        drawn = read(folder / "prior.h5", "theta", "names")
        assert (int(row["simulations"]), int(row["parameters"])) == drawn["theta"].shape == (N, len(drawn["names"]))
        assert int(row["held_out"]) == judged["n_test"] and row["verdict"] == judged["verdict"]
        for key in ("z_score", "information", "shrinkage", "coverage_90"):
            middle = np.median([one[key] for one in judged["parameters"].values()])
            assert float(row[key]) == pytest.approx(middle, abs=6e-4), (row["study"], key)
        for stage in ("simulate", "features", "train"):
            assert float(row[f"{stage}_s"]) > 0, (row["study"], stage)


def test_every_claim_is_read_and_too_few_simulations_decide_none(made):
    with open(made.path / "results" / "case_studies" / "claims.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = [(row["study"].removesuffix("@tiny"), row["claim"]) for row in rows]
    assert sorted(found) == sorted((claim.study, claim.text) for claim in CLAIMS)
    assert all(row["numbers"] and "not compared" not in row["numbers"] for row in rows)
    assert all(int(row["held_out"]) < ENOUGH for row in rows)
    assert {row["verdict"] for row in rows if "faster" not in row["claim"]} == {"undecided"}


def test_the_page_shows_the_figures_of_every_study_and_opens_offline(made, monkeypatch):
    monkeypatch.chdir(made.path)
    page = (made.path / PAGE).read_text()
    assert NOT_DRAWN not in page and "<script" not in page and 'src="http' not in page
    heads, cards = zip(*(part.split('"', 1) for part in page.split('<h2 id="')[1:]), strict=True)
    assert heads == tuple(f"{name}@tiny" for name in CASE_STUDIES)
    for head, card in zip(heads, cards, strict=True):
        study = load_study(head)
        first, *others = study.subjects
        shown = [*wanted_figures("subject", study, first), *wanted_figures("estimator", study, study.estimators[0])]
        shown = [name for name in [*shown, *wanted_figures("cohort", study)] if name in SHOWN]
        repeated = [name for one in others for name in wanted_figures("subject", study, one) if name in REPEATED]
        assert card.count("<figure>") == card.count("<svg") == len(shown) + len(repeated), head
        for _, said in choices((made.path / "config" / "studies" / f"{study.name.partition('@')[0]}.yaml").read_text()):
            assert said.partition("paper: ")[2][:12].replace("'", "&#39;") in card, (head, said)


def test_a_second_run_does_nothing(made):
    done = made.snakemake("-n", PAGE, "--config", studies_at("tiny"))
    assert done.returncode == 0 and "Nothing to be done" in done.stdout, done.stdout[-3000:]
