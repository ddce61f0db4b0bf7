"""What a study file may hold: YAML as a user means it, keys as the registries say, names that results can hold."""

import os
import time

import pytest
import yaml

from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.empirical import sensor_options, series
from vbiflow.estimator_options import CHOICES
from vbiflow.pools import LEAVE_ONE_OUT, POOLED
from vbiflow.provenance import ROOT
from vbiflow.study import load_study
from vbiflow.study.checks import check_participants, rules_with_resources
from vbiflow.study.document import read_document
from vbiflow.study.settings import asked_studies, kept_studies, known_studies
from vbiflow.study.topology import Topology

SCHEMA = yaml.safe_load((ROOT / "config" / "schemas" / "study.schema.yaml").read_text())["properties"]


def read(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path, "study.yaml")


def test_words_that_an_option_takes_are_those_of_the_estimators():
    written = {key: entry.get("enum") for key, entry in SCHEMA["inference"]["properties"].items() if key in CHOICES}
    assert written == {key: list(allowed) for key, allowed in CHOICES.items()}


def test_plain_values_are_what_they_look_like(tmp_path):
    text = "a: 1e4\nb: -.5\nc: [no, yes, on]\nd: true\ne:\nf: '010'\ng: 2020-01-01\n"
    text += "007: x\nh: &n {k: 1}\ni: {<<: *n, l: 2}\n"
    expected = {"a": 1e4, "b": -0.5, "c": ["no", "yes", "on"], "d": True, "e": None, "f": "010", "g": "2020-01-01"}
    assert read(tmp_path, text) == expected | {"007": "x", "h": {"k": 1}, "i": {"k": 1, "l": 2}}
    assert read(tmp_path, "\ufeffa: é".encode("utf-16-le")) == {"a": "é"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\na: 2\nseed: 3\n", "study.yaml: key 'seed' stands twice, in lines 1 and 3; keep one"),
        ("a: 010", "line 1: 010 may mean another number; write 10, or '010' as a name"),
        ("a:\n  b: .nan", "line 2: found .nan; write a finite number"),
        ("a: 1e999", "found 1e999; write a finite number"),
        ('a: "\\0"', "has a control character"),
        (b"a: \x00", "a character that YAML does not allow"),
        (b"a: 1\nb: \xfc", "line 2: no text in UTF-8"),
        ("a: " + 9000 * "[", "line 1: nested more than 40 levels deep"),
        ("a: &x [*x]", "an anchor that holds itself"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"{b}: &{b} [{', '.join(10 * [f'*{a}'])}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)),
            "anchors",
        ),
        ("a: !!python/object/apply:os.getcwd []", "tag"),
        ("? [a]\n: 1", "a key that is a list or a table"),
        ("[1, 2]", r"found \[1, 2\]; write key: value pairs"),
        ("", "found None; write key: value pairs"),
    ],
)
def test_what_could_mean_something_else_is_one_line(tmp_path, text, message):
    begin = time.process_time()
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value) and time.process_time() - begin < 2


def test_schema_is_in_step_with_the_registries():
    assert SCHEMA["diagnostics"]["properties"]["thresholds"]["properties"].keys() == THRESHOLDS.keys()
    assert SCHEMA["recording"]["properties"].keys() == {*sensor_options.RECORDING, *series.OPTIONS}
    assert SCHEMA["observation"]["properties"]["sensors"]["properties"].keys() == set(sensor_options.SENSORS)
    assert SCHEMA["recording"]["properties"]["method"]["enum"] == list(sensor_options.METHODS)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "studies").mkdir()
    (tmp_path / "cohorts").symlink_to(ROOT / "config" / "cohorts")
    return tmp_path


def write(config, old="", new=""):
    text = (ROOT / "config" / "studies" / "tiny.yaml").read_text()
    assert old in text
    (config / "studies" / "tiny.yaml").write_text(text.replace(old, new, 1))


def test_everything_that_is_wrong_is_told_at_once(config):
    write(config, "n_predictive: 10", "n_predictive: ten\n  n_flor: 3\n  exact: yes")
    with pytest.raises(
        ValueError,
        match=r"n_flor.*did you mean 'n_floor'.*found 'yes'; write true or false.*found 'ten'; write a who",
    ):
        load_study("tiny", config)
    write(config, "features: [fc]", "features: [fdc]\ntruth: {nobody: {G: 1}}\nresources: {simulte: {threads: 2}}")
    with pytest.raises(ValueError, match=r"unknown rule in resources 'simulte'; choose from .*simulate"):
        load_study("tiny", config)
    write(config, "features: [fc]", "features: [fdc]\ntruth: {nobody: {G: 1}}")
    with pytest.raises(ValueError, match=r"truth: 'nobody' .*; also unknown feature 'fdc'"):
        load_study("tiny", config)


def test_resources_are_of_rules_that_take_them():
    assert {"simulate", "features", "train", "observe"} <= set(rules_with_resources())


def test_whole_floats_are_integers_and_numbers_can_be_names(config):
    write(config, "n_samples: 500", "n_samples: 1.0e4")
    assert load_study("tiny", config)["posterior"]["n_samples"] == 10_000
    write(config, "connectome:\n", "connectome:\n  per: 101309\n")
    assert load_study("tiny", config).estimators == ["101309"]


def test_regions_can_be_left_out(config):
    """Of the eight regions that the study selects, one."""
    write(config, "  select: {label: [Calcarine_L, ", "  select: {hemisphere: L, label: {exclude: Calcarine_L}}\n  #")
    assert load_study("tiny", config)["connectome"]["select"]["label"] == {"exclude": "Calcarine_L"}
    write(config, "  select: {label: [Calcarine_L, ", "  select: {label: {exclude: []}}\n  #")
    with pytest.raises(ValueError, match=r"connectome.select.label.exclude"):
        load_study("tiny", config)


@pytest.mark.parametrize(("old", "new"), [("cohort", "pooled"), ("others", "leave_one_out")])
def test_earlier_words_say_what_they_are_called_now(config, old, new):
    write(config, "connectome:\n", f"connectome:\n  per: {old}\n")
    with pytest.raises(ValueError, match=f"connectome.per: '{old}' is now called {new}; write per: {new}"):
        load_study("tiny", config)


def people(*names, per="pooled"):
    rows = {name: {"kind": "bold", "recording": "x"} for name in names}
    return Topology("x", {"connectome": {"per": per}}, rows)


@pytest.mark.parametrize("name", ["subjects", "Figures", "logs", "benchmarks", "pooled", "leave_one_out", "subject"])
def test_ids_that_are_words_of_the_workflow_are_refused(name):
    with pytest.raises(ValueError, match=f"participant_id '{name}' is a word of the workflow's own; write sub-{name}"):
        check_participants(people("a", name))


def test_ids_that_differ_by_case_are_refused():
    with pytest.raises(ValueError, match="participant_id 'Ann' and 'ann' differ by case alone"):
        check_participants(people("Ann", "bob", "ann"))


def test_folders_of_pools_are_nobodys():
    """Ids have no full stop, so that people called like a pool have folders of their own."""
    names = ("cohort", "pooled-all", "others-1", "leave_one_out-1", "1")
    check_participants(people(*names))
    assert {people(*names).estimator_of(name) for name in names} == {POOLED}
    apart = people(*names, per="leave_one_out")
    assert apart.estimators == [LEAVE_ONE_OUT + name for name in names] and not set(apart.estimators) & set(names)
    assert apart.members(LEAVE_ONE_OUT + "1") == list(names[:-1])
    assert people(*names, per="subject").estimators == list(names)


def test_studies_are_found_by_what_is_asked_for(config):
    asked = asked_studies(
        ["snakemake", "-n", "results/a-b@c/report.html", "results/comparison/d+e/1.svg", "all", "x/results/f"]
    )
    assert asked == ["a-b@c", "d", "e"]
    assert asked_studies(["results/amortisation/g+h.svg"]) == ["g", "h"]
    write(config, "shard_size: 80", "shard_size: 80\n  keep: true")
    (config / "studies" / "broken.yaml").write_text("title: [")
    (config / "studies" / "._tiny.yaml").write_bytes(b"\x00")
    assert "broken" in known_studies(config) and not any(name.startswith(".") for name in known_studies(config))
    assert kept_studies(config) == ["tiny", "tiny@evidence", "tiny@rounds", "tiny@cohort"]


def test_names_that_nobody_can_ask_for_stop_no_other_study(config):
    text = (ROOT / "config" / "studies" / "tiny.yaml").read_text()
    kept = text.replace("shard_size: 80", "shard_size: 80\n  keep: true")
    (config / "studies" / "copy (1.yaml").write_text(kept)
    (config / "studies" / "gone.yaml").symlink_to("nowhere.yaml")
    os.mkfifo(config / "studies" / "pipe.yaml")
    (config / "studies" / "tiny.yaml").write_text(kept.replace("scales:\n", "scales:\n  'x(': {}\n"))
    assert kept_studies(config) == ["tiny", "tiny@evidence", "tiny@rounds", "tiny@cohort"]
    assert "gone" not in known_studies(config) and "pipe" not in known_studies(config)
    with pytest.raises(ValueError, match=r"tiny.yaml: scale 'x\(': name it by letters, digits, - and _"):
        load_study("tiny", config)


@pytest.mark.parametrize("name", ["high.res", "high res", "x@y"])
def test_scales_are_named_as_studies_are(config, name):
    write(config, "scales:\n", f"scales:\n  '{name}': {{seed: 5}}\n")
    with pytest.raises(ValueError, match=rf"tiny.yaml: scale '{name}': name it by letters, digits, - and _"):
        load_study("tiny@rounds", config)


def test_a_person_of_no_cohort_is_told_who_there_is():
    with pytest.raises(ValueError, match="x: no participant 'p1'; it has a, b"):
        people("a", "b").row("p1")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 7", "\tseed: 7", r"line \d+: a tab; indent by blanks"),
        ("seed: 7", "seed: @7", r"line \d+: '@' begins a value; put the value into quotes"),
        ("seed: 7", "seed: 7\n---\nseed: 8", r"line \d+: a line of --- begins a second study; keep one a file"),
        ("n_simulations: 300", "n_simulations: 1_000x", "n_simulations: found '1_000x'; write a whole number"),
        ("transient: 30.0e+3", "transient: [60]", r"transient: found \[60\]; write a number"),
    ],
)
def test_a_mistake_is_told_in_words_that_say_what_to_do(config, old, new, said):
    write(config, old, new)
    with pytest.raises(ValueError, match=said) as told:
        load_study("tiny", config)
    assert "\n" not in str(told.value)
