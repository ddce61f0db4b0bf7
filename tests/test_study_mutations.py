"""Studies with random mistakes: each ends in one line, or is a study whose parts can all be made; none hangs."""

import os
import random
import signal
import traceback
from contextlib import contextmanager

import pytest
import yaml

from vbiflow.diagnostic_options import resolve_thresholds
from vbiflow.empirical.sensor_options import head_files
from vbiflow.estimator_options import resolve_options
from vbiflow.figures.table import figure_inputs
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study import load_study

STUDIES = {path.stem: path.read_text() for path in sorted((ROOT / "config" / "studies").glob("*.yaml"))}
ODD = (
    *(None, True, False, "", "x", "x" * 3000, "no", "{x}", "{participant_id:>99}", "$\\frac$", "a b", "é", "\x07"),
    *(-1, 0, 1, 2, 7, 10**9, 2**63, 2**70, 1.0e4, 0.5, -0.5, 1e30, 1e-30, float("inf"), float("nan"), 250.0),
    *([], {}, [[]], [None], [1], ["max"], {"a": 1}, {"a": {"b": {"c": 1}}}, [{"a": [1]}], {"uniform": [0, 1]}),
    *([True], [[1, 2], [3]], "a\u202eb"),
)
TOKENS = (
    *("\x00", "\t", "&a [*a]", "*b", "{", "]", "!!python/none", "%", "010", "0x1F", "1e400", ".inf", ".nan", "~"),
    *("---\n", "<<: 3\n", "?", "yes", "'"),
)
LONGEST = 5.0


@contextmanager
def time_limit(seconds):
    def stop(*_):
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def places(content, path=()):
    """Paths of everything in a document."""
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


def mutated(text, rng):
    """A study's text with one mistake, in its content or in its letters."""
    if rng.random() < 0.25:
        return mutated_text(text, rng)
    content = yaml.safe_load(text)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        *folder, key = rng.choice(list(places(content)))
        block = content
        for step in folder:
            block = block[step]
        change(block, key, rng)
    dumped = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return dumped


def change(block, key, rng):
    """Change one entry of a list or mapping."""
    value = block[key]
    kind = rng.randrange(7)
    if kind <= 2:
        block[key] = rng.choice(ODD)
    elif kind == 3:
        del block[key]
    elif kind == 4 and isinstance(block, dict):
        name = str(key)
        place = rng.randrange(len(name) + 1)
        block[name[:place] + rng.choice("xX_ .$") + name[place + rng.randrange(2) :]] = block.pop(key)
    elif kind == 5:
        block[key] = rng.choice(([value], {"a": value}, str(value), [value, value]))
    elif isinstance(value, int | float):
        block[key] = value * rng.choice((-1, 0, 1e-12, 1.5, 1e6, 1e12))
    else:
        block[key] = rng.choice(ODD)


def mutated_text(text, rng):
    """Text with a letter, token or line taken out, put in or doubled."""
    lines = text.split("\n")
    line = rng.randrange(len(lines))
    place = rng.randrange(len(text))
    return rng.choice(
        (
            text[:place] + text[place + 1 :],
            text[:place] + rng.choice(TOKENS) + text[place:],
            text[:place] + chr(rng.randrange(1, 0x3000)) + text[place + 1 :],
            "\n".join(lines[:line] + lines[line + 1 :]),
            "\n".join(lines[: line + 1] + lines[line:]),
            "\n".join([*lines[:line], rng.choice((" ", "   ")) + lines[line], *lines[line + 1 :]]),
            text[:place],
        )
    )


def make_parts(study):
    """What the rules make of a study without its people's files."""
    prior = Prior.from_config(study["prior"], ("a", "b"), {name: [1.0, 2.0] for name in study["connectome"]["maps"]})
    prior.sample(study["seed"], 0, 3)
    resolve_options(study["inference"])
    resolve_thresholds(study["diagnostics"]["thresholds"])
    head_files(study.sensors)
    for subject in study.subjects:
        study.estimator_of(subject), study.round_of(subject, 1), study.row(subject)
        figure_inputs("subject", study, subject)
    made = (
        study.shards,
        study.units,
        study.delays,
        study.groups,
        study.recorded,
        study.deterministic,
        study.covariates,
    )
    return made, [study.rows(shard) for shard in study.shards], yaml.safe_dump(study.settings)


def outcome(config, text):
    """Empty if a study with this text is refused in one line or sound; else what happened."""
    (config / "studies" / "mutant.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        with time_limit(LONGEST):
            study = load_study("mutant", config)
            make_parts(study)
    except ValueError as error:
        if isinstance(error, UnicodeError) or "\n" in str(error) or len(str(error)) > 2200:
            return f"message of several lines: {error!r}"
        if "mutant.yaml" not in str(error):
            return f"message without the file: {error!r} {traceback.format_exc(limit=-3)}"
        return ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {str(error)[:200]} {traceback.format_exc(limit=-4)}"
    return ""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "config" / "studies").mkdir(parents=True)
    os.symlink(ROOT / "config" / "cohorts", tmp_path / "config" / "cohorts")
    return tmp_path / "config"


def failures(config, numbers):
    """Outcomes of mutants that are neither refused in one line nor sound, by their number."""
    found = {}
    for number in numbers:
        rng = random.Random(number)
        what = outcome(config, mutated(STUDIES[rng.choice(sorted(STUDIES))], rng))
        if what:
            found[number] = what
    return found


def test_the_studies_that_ship_pass_whole(config):
    assert {name: what for name, text in STUDIES.items() if (what := outcome(config, text))} == {}


def test_mutants_end_in_one_line_or_are_sound(config):
    assert failures(config, range(300)) == {}


@pytest.mark.slow
def test_five_thousand_mutants(config):
    found = failures(config, range(300, 5300))
    assert len(found) <= 5, found
