"""The case studies of the paper: study files beside what it prints, at both scales."""

import csv
import io
import re
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from vbiflow import documented_run
from vbiflow.case_results import ENOUGH
from vbiflow.case_studies import (
    CASE_STUDIES,
    PRINTED,
    choices,
    cost_of_figure_7,
    cost_rows,
    processor_seconds,
    summarise_case_studies,
)
from vbiflow.claims import CLAIMS
from vbiflow.connectome.region_tables import read_regions
from vbiflow.documented_run import (
    BRIEF,
    DOCUMENTED,
    PICTURES,
    TABLES,
    case_studies_brief,
    case_studies_commands,
    case_studies_run,
    documented_rows,
    merge_table,
)
from vbiflow.figures import documented
from vbiflow.figures.case_studies import SHOWN
from vbiflow.figures.documented import LARGEST, WHOLE, shrink_picture, update_documented_run
from vbiflow.figures.table import wanted_figures
from vbiflow.io import write_json
from vbiflow.marginals import read_marginals
from vbiflow.observation.balloon import PARAMETERS, signal_constants
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study import load_study
from vbiflow.study.settings import asked_studies
from vbiflow.text_tables import tab_separated

FACTS = yaml.safe_load((ROOT / "tests" / "paper_case_studies.yaml").read_text())
PAPER = FACTS["studies"]
SCALES = ("", "@quick", "@paper")
NUMBER = re.compile(r"-?\d+(?: \d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
APART = ("model", "figure", "training", "parameters", "prior", "simulation", "within")
"""Facts of a study that are no setting by their own name."""


def printed_settings(name, study):
    """All values that the paper has of each setting of a study, by the name that sentences call it."""
    model, own = FACTS["models"][study["model"]], PAPER[name]
    facts = model | own | {key: model[key] | own.get(key, {}) for key in ("parameters", "prior", "simulation")}
    inferred = {marginal.name for entry in study["prior"].items() for marginal in read_marginals(*entry)}
    found = {key: value for key, value in facts.items() if key not in APART} | facts["simulation"]
    found |= {key: value for key, value in facts["parameters"].items() if key not in study["prior"]}
    found |= {key: value for key, value in facts["prior"].items() if key in inferred}
    found |= {key: [value] for key, value in facts.get("within", {}).items()}
    return {key: value if isinstance(value, list) else [value] for key, value in found.items()}


def resolved_settings(study):
    """The values that a study has of these, with the defaults of its model; None where only words can be compared."""
    features = {request.name: request.options for request in study.feature_requests}
    bold = study["observation"].get("bold", {}).get("parameters")
    table = next(iter(study.cohort.values()))["regions"]
    return (
        {"noise": None, "coupling": None}
        | study.values(*study.neural_mass.parameters)
        | {"speed": study["parameters"].get("speed")}
        | {name: entry.get("within") for name, entry in study["prior"].items()}
        | {m.name: list(m.values) for entry in study["prior"].items() for m in read_marginals(*entry)}
        | {key: study["simulation"][key] for key in ("integrator", "dt", "duration", "transient")}
        | {
            "simulations": study.n_simulations,
            "estimator": study.estimator_names[0],
            "period": study.interval,
            "features": [*features],
        }
        | {"bold": "table 7" if bold == "paper" else bold, "onset": features.get("onset", {}).get("threshold")}
        | {"regions": len(read_regions(table).where(study["connectome"]["select"])), "truth": None, "connectome": None}
    )


def same(printed, here):
    """Whether a value is the printed one, but for the rounding of its conversion to these units."""
    if isinstance(printed, list) and isinstance(here, list):
        return len(printed) == len(here) and all(map(same, printed, here))
    numbers = all(isinstance(one, int | float) for one in (printed, here))
    return here == pytest.approx(printed, rel=1e-5) if numbers else printed == here


def holds(text, value):
    """Whether a sentence has a value: all that a list or a map holds, times in ms or s, words written with - or _."""
    if isinstance(value, dict):
        return all(holds(text, one) for pair in value.items() for one in pair if one != "map")
    if isinstance(value, list):
        return all(holds(text, one) for one in value)
    if isinstance(value, str):
        return re.sub("[-_]", " ", value).lower() in re.sub("[-_]", " ", text).lower()
    numbers = [float(found.replace(" ", "")) for found in NUMBER.findall(text)]
    return any(same(size, number) for size in (value, value / 1000) for number in numbers)


def sentences(text):
    """Pairs of what a study file, given as text, says of the paper and of itself, with the setting beside them."""
    described = ("", " ".join(yaml.safe_load(text)["description"].split()))
    for beside, said in (described, *choices(text)):
        for part in re.split(r"\b[Pp]aper: ", f" {said}")[1:]:
            paper, _, here = part.partition("; here: ")
            yield beside, paper, here


def unsaid(name, study, text):
    """Settings of a study that are not the paper's, or of which it leaves a choice, and of which its file is silent."""
    here, found = resolved_settings(study), []
    for key, printed in printed_settings(name, study).items():
        told = (
            re.search(rf"\b{key}\b", f"{beside} {paper} {own}", re.IGNORECASE)
            and all(holds(paper, value) for value in printed)
            and own
            and (here[key] is None or holds(own, here[key]))
            for beside, paper, own in sentences(text)
        )
        if not (len(printed) == 1 and same(printed[0], here[key])) and not any(told):
            found.append(f"{key}: paper {printed}, here {here[key]}")
    return found


def file_of(name):
    """Text of a study file."""
    return (ROOT / "config" / "studies" / f"{name}.yaml").read_text()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", PAPER)
def test_a_study_has_what_the_paper_prints_or_says_what_it_has_in_its_place(name, scale):
    study, printed = load_study(f"{name}{scale}"), PAPER[name]
    assert study["model"] == printed["model"]
    figure = str(printed["figure"]).partition("-")[0]
    assert f"igure {figure}" in study["description"] and "2025" in study["description"]
    assert printed.get("training", "") in PRINTED.get(name, "")
    assert not unsaid(name, study, file_of(name))


@pytest.mark.parametrize(
    ("name", "key", "there", "planted"),
    [
        ("montbrio", "sigma", "sigma: 0.086}", "sigma: 0.05}"),
        ("montbrio", "J", "J: 14.5", "J: 15"),
        ("montbrio", "tau", "parameters: {", "parameters: {tau: 20, "),
        ("wilson_cowan", "c_ee", "parameters: {", "parameters: {c_ee: 17, "),
        ("wilson_cowan", "P", "P: {uniform: [0, 3]", "P: {uniform: [0, 4]"),
        ("epileptor", "dt", "dt: 0.1", "dt: 0.05"),
        ("epileptor_fast", "tau", "tau: 10", "tau: 90"),
        ("jansen_rit", "simulations", "n_simulations: 50000", "n_simulations: 60000"),
        ("wong_wang_coupling", "duration", "duration: 864.0e+3", "duration: 1000.0e+3"),
    ],
)
def test_a_deviation_without_a_sentence_is_found(tmp_path, name, key, there, planted):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    path = tmp_path / "config" / "studies" / f"{name}.yaml"
    text = path.read_text()
    assert there in text
    path.write_text(text.replace(there, planted))
    found = unsaid(name, load_study(f"{name}@paper", tmp_path / "config"), path.read_text())
    assert [one.partition(":")[0] for one in found] == [key]


def test_a_sentence_that_is_gone_is_found():
    for name in ("montbrio", "stuart_landau", "jansen_rit", "wong_wang_maps", "epileptor"):
        silent = re.sub(r"[Pp]aper: ", "", file_of(name))
        assert len(unsaid(name, load_study(name), silent)) >= 3


def test_the_constants_of_bold_that_are_called_the_papers_are_those_of_its_table():
    printed, ours = FACTS["bold"], PARAMETERS["paper"]
    k = signal_constants(printed["E0"], printed["theta0"], printed["r0"], printed["TE"], printed["ratio"])
    rates = {"kappa": 1e-3 / printed["decay"], "gamma": 1e-6 / printed["autoregulation"]}
    scaled = {"tau": 1e3 * printed["transit"], "efficacy": 1e-6 * printed["efficacy"]}
    assert ours == pytest.approx({key: printed[key] for key in ("alpha", "E0", "V0")} | k | rates | scaled)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", PAPER)
def test_two_hundred_truths_are_held_out_though_a_tenth_is_invalid(name, scale):
    study = load_study(f"{name}{scale}")
    level = {"epileptor_measurement_noise": 0.3, "montbrio_measurement_noise": 0.45}.get(name)
    share = level / study["prior"]["noise"]["uniform"][1] if level else 1
    assert 0.9 * study.n_simulations * study["inference"]["test_share"] * share >= ENOUGH


def test_the_paper_infers_global_coupling_and_nine_coefficients():
    study = load_study("wong_wang_maps")
    maps = [entry["map"] for entry in study["prior"].values() if "map" in entry]
    assert 1 + sum(map(len, maps)) == 1 + sum("." in name for name in PAPER["wong_wang_maps"]["prior"]) == 10


def test_three_maps_of_input_share_one_estimator():
    study = load_study("wilson_cowan")
    assert study.subjects == ["random", "strongest", "weakest"] and len(study.estimators) == 1
    assert len(study["truth"]["random"]["P"]) == 84


def test_the_strongest_and_weakest_regions_are_those_of_the_connectome(catalogue_file):
    weights = np.load(catalogue_file("tvboptim-dk", "connectome.npz"))["weights"]
    labels = read_regions(ROOT / "resources" / "atlases" / "dk.tsv").labels
    prior = Prior.from_config({"P": {"uniform": [0, 3], "per": "node"}}, labels)
    raised = {}
    for person in ("strongest", "weakest"):
        theta = prior.theta({"P": load_study("wilson_cowan")["truth"][person]["P"]}, weights)[0]
        raised[person] = {labels[k] for k in np.flatnonzero(theta == 2.2)}
    left, right = ("superiorfrontal", "precentral", "superiorparietal"), ("superiorfrontal", "superiorparietal")
    assert raised["strongest"] == {*(f"ctx-lh-{name}" for name in left), *(f"ctx-rh-{name}" for name in right)}
    accumbens = {"Left-Accumbens-area", "Right-Accumbens-area"}
    assert raised["weakest"] == accumbens | {"ctx-lh-frontalpole", "ctx-lh-entorhinal", "ctx-rh-entorhinal"}


def test_every_case_study_has_a_study_and_what_the_paper_prints():
    assert CASE_STUDIES.keys() == PAPER.keys()
    for name, figures in CASE_STUDIES.items():
        assert figures.split(", ")[0] == str(PAPER[name]["figure"])
    assert {claim.study for claim in CLAIMS} | PRINTED.keys() <= CASE_STUDIES.keys()
    for name, text in PRINTED.items():
        budgets = np.atleast_1d(PAPER[name].get("simulations", []))
        assert not len(budgets) or any(holds(text, int(budget)) for budget in budgets), name


def test_the_summary_is_made_from_the_result_files(tmp_path):
    tmp_path = tmp_path / "estimator"
    tmp_path.mkdir()
    one = {
        "shrinkage": 0.8,
        "information": 0.805,
        "z_score": 0.8,
        "coverage_90": 0.9,
        "verdict": "trusted",
        "shift": 0.4,
    }
    content = {"parameters": {"G": one, "eta[a]": one}, "n_test": 300, "verdict": "trusted"}
    write_json(tmp_path / "diagnostics.json", content)
    shards = tmp_path / "benchmarks" / "simulate"
    shards.mkdir(parents=True)
    for k in range(2):
        (shards / f"shard-{k:04d}.tsv").write_text("s\tcpu_time\n3.0\t2.5\n")
    (shards.parent / "train.tsv").write_text("s\tcpu_time\n14.0\t12.0\n")
    write_json(tmp_path / "training.json", {"seconds": 11.0})  # of before the time of killed jobs was kept
    for person in ("a", "b"):
        own = tmp_path.parent / "subjects" / person / "benchmarks"
        own.mkdir(parents=True)
        (own / "sample.tsv").write_text("s\tcpu_time\n1.0\t0.8\n")
    write_json(tmp_path / "features_report.json", {"explained": {"G": 0.9, "eta[a]": 0.9}})
    paths = {key: str(tmp_path / f"{key}.json") for key in ("diagnostics", "features_report")}
    rows, claims = summarise_case_studies({"montbrio@quick": paths | {"n_simulations": 4000}})
    row = next(csv.DictReader(io.StringIO(tab_separated(list(rows[0]), rows)), delimiter="\t"))
    assert (row["simulate_s"], row["train_s"], row["sample_s"]) == ("5.0", "12.0", "1.6")
    assert (row["information"], row["shrinkage"], row["simulations"]) == ("0.805", "0.8", "4000")
    assert row["features_s"] == "nan" and row["share_trusted"] == "1.0"
    assert {claim["verdict"] for claim in claims} == {"confirmed"} and len(claims) == 2
    for earlier, train in ((300.0, 300.0), (11.5, 12.0)):  # a benchmark has the last job alone, and its start
        write_json(tmp_path / "training.json", {"seconds": 11.0, "cpu_seconds": earlier})
        assert processor_seconds(tmp_path)["train"] == train


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


def test_a_choice_within_a_scale_is_told_of_that_scale_alone():
    text = """truth: {G: 1}                # paper: not printed; here: 1
scales:
  quick:                       # paper: 2 000 simulations; here: 1 000
    simulation:
      duration: 120            # paper: 200; here: 120
  paper:
    inference: {test_share: 0.1} # paper: not printed; here: 0.1
later: 1                       # paper: 2
"""
    common, last = ("truth", "paper: not printed; here: 1"), ("later", "paper: 2")
    quick = [("@quick", "paper: 2 000 simulations; here: 1 000"), ("@quick duration", "paper: 200; here: 120")]
    paper = [("@paper inference", "paper: not printed; here: 0.1")]
    assert choices(text) == [common, *quick, *paper, last]
    assert choices(text, "quick") == [common, *quick, last]
    assert choices(text, "paper") == [common, *paper, last]
    assert choices(text, "") == [common, last]
    assert not [key for key, _ in choices(file_of("montbrio_coupling"), "paper") if "quick" in key]


@pytest.mark.parametrize("name", CASE_STUDIES)
def test_every_study_says_what_it_takes_from_the_paper_and_what_not(name):
    assert choices(file_of(name)) or "Paper: " in load_study(name)["description"]


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
    wanted |= {"plane"} if name == "wong_wang_coupling" else set()
    texts = " ".join(claim.text for claim in CLAIMS if claim.study == name)
    shown = {"sensitive": {"sensitivity"}, "faster": {"baselines", "estimators"}, "suffice": {"learning_curve"}}
    for word, figures in shown.items():
        wanted |= figures if word in texts else set()
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


def test_results_that_are_missing_or_cut_off_leave_the_documentation_as_it_is(tmp_path, monkeypatch):
    results, kept = tmp_path / "results" / "case_studies", tmp_path / "kept"
    shutil.copytree(DOCUMENTED, kept)
    for module in (documented, documented_run):
        monkeypatch.setattr(module, "DOCUMENTED", kept)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"case_studies/summary.tsv: no such file; make case-studies makes it"):
        update_documented_run(results)
    rows = (DOCUMENTED / "summary.tsv").read_text().splitlines()
    epileptor = next(row for row in rows if row.startswith("epileptor@"))
    results.mkdir(parents=True)
    (results / "claims.tsv").write_text("")
    (results / "summary.tsv").write_text("\n".join([rows[0], epileptor[:40]]))
    with pytest.raises(ValueError, match=r"the row of epileptor@.* has another length than its header; make the table"):
        update_documented_run(results)
    (results / "summary.tsv").write_text("\n".join([rows[0], epileptor]))
    with pytest.raises(ValueError, match=r"figure \w+: results/epileptor@\w+/.*: no such file; run the rule"):
        update_documented_run(results)
    assert all((kept / path.name).read_bytes() == path.read_bytes() for path in DOCUMENTED.iterdir())


@pytest.mark.parametrize("name", TABLES)
def test_documented_tables_hold_every_case_study_in_order(name):
    text = (DOCUMENTED / f"{name}.tsv").read_text()
    assert merge_table(text, text) == text
    stems = {row["study"].partition("@")[0] for row in csv.DictReader(io.StringIO(text), delimiter="\t")}
    assert stems == {*CASE_STUDIES} if name == "summary" else stems <= {*CASE_STUDIES}


def test_every_claim_has_a_documented_row():
    rows = csv.DictReader(io.StringIO((DOCUMENTED / "claims.tsv").read_text()), delimiter="\t")
    documented = [(row["study"].partition("@")[0], row["claim"]) for row in rows]
    assert documented == [(claim.study, claim.text) for name in CASE_STUDIES for claim in CLAIMS if claim.study == name]


@pytest.mark.parametrize(
    ("study", "claim", "words"),
    [
        ("jansen_rit_power", "From power", "up to 30 Hz alone C is recovered worse too"),
        ("epileptor", "Healthy", "Its zones are told with 100 % accuracy"),
        ("wong_wang_coupling", "G and J", "That neither is told alone is"),
    ],
)
def test_words_about_a_claim_have_the_verdict_of_its_row(study, claim, words):
    rows = csv.DictReader(io.StringIO((DOCUMENTED / "claims.tsv").read_text()), delimiter="\t")
    (row,) = (row for row in rows if row["study"].startswith(f"{study}@") and row["claim"].startswith(claim))
    page = " ".join((ROOT / "docs" / "case_studies.md").read_text().split())
    assert re.search(rf"{re.escape(words)} \(?\*\*{row['verdict']}\*\*", page)


def test_costs_at_another_scale_follow_from_simulated_time():
    rows = [
        {"study": "montbrio@quick", "simulate_s": 1800.0, "features_s": 900.0, "train_s": 900.0},
        {"study": "epileptor@paper", "simulate_s": "1800", "features_s": float("nan"), "train_s": ""},
    ]
    assert cost_rows([{"study": "epileptor@quick", "simulate_s": float("nan"), "features_s": "", "train_s": ""}])
    one, other, every = cost_rows(rows)
    assert one == {"study": "montbrio@quick", "simulate_%": 50, "features_%": 25, "train_%": 25} | {
        "core_hours": "1",
        "core_hours_paper": f"{500_000 * 250 / (1500 * 140):.0f}",
    }
    assert (other["simulate_%"], other["core_hours"], other["core_hours_paper"]) == (100, "0.5", "0.5")
    assert (every["study"], every["simulate_%"], every["core_hours"]) == ("all", 67, "1.5")


def test_the_cost_of_figure_7_is_one_number_in_the_table_and_in_words():
    rows = [{"study": "montbrio@quick", "simulate_s": 1800.0, "features_s": 900.0, "train_s": 900.0}]
    times = 500_000 * 250 / (1500 * 140)
    words = cost_of_figure_7(rows)
    assert f"the 500 000 simulations of figure 7 take {times:.0f} core hours" in words
    assert f"{times / 2:.0f} are those of the simulations, of which a core did {1500 * 140 / 1800:.0f} s in a" in words
    assert re.search(r"would take \d\.\d hours of an NVIDIA H200, or \d+ core hours\.$", words)
    assert cost_of_figure_7([]) == words[words.index("By Heun") :]
    documented = next(row for row in cost_rows(documented_rows()) if row["study"].startswith("montbrio"))
    page = (ROOT / "docs" / "case_studies.md").read_text()
    assert f"take {documented['core_hours_paper']} core hours" in page
    assert len(re.findall(r"core hours", page[page.index("## Costs") :].partition("<!-- case")[0])) == 0


def test_readme_shows_as_many_columns_as_fit():
    brief, whole = (table().splitlines() for table in (case_studies_brief, case_studies_run))
    assert brief[0].count("|") - 1 == len(BRIEF) == 8 and len(brief) == len(whole)
    assert brief[0] == "| study | figure | parameters | simulations | shrinkage | 90 % coverage | estimator | paper |"
    assert all(row.split(" | ")[:4] == full.split(" | ")[:4] for row, full in zip(brief[2:], whole[2:], strict=True))


def test_pictures_of_the_documentation_are_small_and_the_page_says_how_they_are_made():
    page = (ROOT / "docs" / "case_studies.md").read_text()
    pictures = [path for path in DOCUMENTED.iterdir() if path.suffix != ".tsv"]
    assert {path.stem for path in pictures} - {*WHOLE} == {*PICTURES, "costs"}
    assert all(path.stat().st_size < LARGEST and f"](case_studies/{path.name})" in page for path in pictures)
    assert LARGEST == 200_000 and "make case-studies-docs" in page and "snakemake case_studies" in page
    commands = case_studies_commands()
    assert commands in page
    for picture, (stem, *_) in PICTURES.items():
        row = next(line for line in commands.splitlines() if f"/{picture}.png" in line)
        assert re.fullmatch(rf"\|.*snakemake case_studies .*\[{stem}@\w*\]'` \| [1-9]\d* \|", row), row


def test_a_picture_is_written_again_in_fewer_bytes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (300, 2000, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    shrink_picture(tmp_path / "large.png", tmp_path / "small.png")
    assert Image.open(tmp_path / "small.png").size == (1440, 216)
    assert (tmp_path / "small.png").stat().st_size < (tmp_path / "large.png").stat().st_size / 3
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "large.png")
    shrink_picture(tmp_path / "large.png", tmp_path / "small.png")
    assert Image.open(tmp_path / "small.png").mode == "RGB"  # what is small keeps its colours
