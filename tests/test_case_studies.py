"""The case studies of the paper: study files beside what it prints, at both scales."""

import csv
import io

import pytest
import yaml

from vbiflow.case_studies import CASE_STUDIES, PRINTED, choices, summarise_case_studies
from vbiflow.claims import CLAIMS
from vbiflow.documented_run import DOCUMENTED, TABLES, merge_table
from vbiflow.figures.case_studies import SHOWN
from vbiflow.figures.table import wanted_figures
from vbiflow.io import write_json
from vbiflow.provenance import ROOT
from vbiflow.study import load_study
from vbiflow.study.settings import asked_studies
from vbiflow.text_tables import tab_separated

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


def test_every_case_study_has_a_study_and_what_the_paper_prints():
    assert CASE_STUDIES.keys() == PAPER.keys()
    for name, figures in CASE_STUDIES.items():
        assert figures.split(", ")[0] == str(PAPER[name]["figure"])
    assert {claim.study for claim in CLAIMS} | PRINTED.keys() <= CASE_STUDIES.keys()
    for name, text in PRINTED.items():
        budgets = PAPER[name].get("n_simulations", [])
        assert not budgets or any(f"{budget:,}".replace(",", " ") in text for budget in budgets), name


def test_the_summary_is_made_from_the_result_files(tmp_path):
    tmp_path = tmp_path / "estimator"
    tmp_path.mkdir()
    one = {"shrinkage": 0.8, "information": 0.805, "z_score": 0.8, "coverage_90": 0.9, "verdict": "trusted"}
    content = {"parameters": {"G": one, "eta[a]": one}, "n_test": 300, "verdict": "trusted"}
    write_json(tmp_path / "diagnostics.json", content)
    shards = tmp_path / "benchmarks" / "simulate"
    shards.mkdir(parents=True)
    for k in range(2):
        (shards / f"shard-{k:04d}.tsv").write_text("s\tcpu_time\n3.0\t2.5\n")
    (shards.parent / "train.tsv").write_text("s\tcpu_time\n14.0\t12.0\n")
    for person in ("a", "b"):
        own = tmp_path.parent / "subjects" / person / "benchmarks"
        own.mkdir(parents=True)
        (own / "sample.tsv").write_text("s\tcpu_time\n1.0\t0.8\n")
    write_json(tmp_path / "features_report.json", {"explained": {"G": 0.9, "eta[a]": 0.9}})
    paths = {key: str(tmp_path / f"{key}.json") for key in ("diagnostics", "features_report")}
    rows, claims = summarise_case_studies({"epileptor@quick": paths | {"n_simulations": 4000}})
    row = next(csv.DictReader(io.StringIO(tab_separated(list(rows[0]), rows)), delimiter="\t"))
    assert (row["simulate_s"], row["train_s"], row["sample_s"]) == ("5.0", "12.0", "1.6")
    assert (row["information"], row["shrinkage"], row["simulations"]) == ("0.805", "0.8", "4000")
    assert row["features_s"] == "nan" and row["share_trusted"] == "1.0"
    assert {claim["verdict"] for claim in claims} == {"confirmed"} and len(claims) == 2


def test_what_the_paper_leaves_open_is_read_from_comments_of_the_study():
    text = """# paper: of the whole file
prior:
  g_e: {uniform: [0, 1]}     # paper: [0, 1] or [0, 3]; here: [0, 1]
simulation:                  # paper: Heun
  integrator: euler          # here: Euler
  dt: 0.5                    # ms
truth:                       # paper: not printed; here: three,
                             # each other
  maps: {a: 1}
"""
    assert choices(text) == [
        ("", "paper: of the whole file"),
        ("g_e", "paper: [0, 1] or [0, 3]; here: [0, 1]"),
        ("simulation", "paper: Heun; here: Euler"),
        ("truth", "paper: not printed; here: three, each other"),
    ]


@pytest.mark.parametrize("name", CASE_STUDIES)
def test_every_study_says_what_it_takes_from_the_paper_and_what_not(name):
    text = (ROOT / "config" / "studies" / f"{name}.yaml").read_text()
    assert choices(text) or "Paper: " in load_study(name)["description"]


def test_the_page_of_the_case_studies_is_no_study():
    assert asked_studies(["results/case_studies/report.html", "results/tiny/report.html"]) == ["tiny"]


@pytest.mark.parametrize("name", CASE_STUDIES)
def test_a_card_shows_the_panels_of_the_paper(name):
    study = load_study(f"{name}@paper")
    drawn = {*wanted_figures("subject", study, study.subjects[0])}
    drawn |= {*wanted_figures("estimator", study, study.estimators[0])}
    features = {next(iter(entry)) if isinstance(entry, dict) else entry for entry in study["features"]}
    wanted = {"series", "marginals", "recovery", "calibration", "scatter"} | features & {"psd", "fc", "fcd"}
    wanted |= {"brain"} if any(entry.get("per") == "node" for entry in study["prior"].values()) else set()
    texts = " ".join(claim.text for claim in CLAIMS if claim.study == name)
    for word, figure in (("sensitive", "sensitivity"), ("faster", "baselines"), ("suffice", "learning_curve")):
        wanted |= {figure} if word in texts else set()
    assert wanted <= drawn & {*SHOWN}


def test_documented_rows_are_replaced_by_those_of_a_study_that_ran_again():
    columns = ("study", "verdict")

    def table(*rows):
        return tab_separated(columns, [dict(zip(columns, row, strict=True)) for row in rows])

    old = table(("wilson_cowan@quick", "one"), ("wilson_cowan@quick", "two"), ("montbrio@quick", "three"))
    new = table(("epileptor@paper", "four"), ("wilson_cowan@paper", "five"))
    expected = table(("wilson_cowan@paper", "five"), ("epileptor@paper", "four"), ("montbrio@quick", "three"))
    assert merge_table(old, new) == expected
    assert merge_table(expected, expected) == expected


@pytest.mark.parametrize("name", TABLES)
def test_documented_tables_hold_every_case_study_in_order(name):
    text = (DOCUMENTED / f"{name}.tsv").read_text()
    assert merge_table(text, text) == text
    stems = {row["study"].partition("@")[0] for row in csv.DictReader(io.StringIO(text), delimiter="\t")}
    assert stems == {*CASE_STUDIES} if name == "summary" else stems <= {*CASE_STUDIES}
