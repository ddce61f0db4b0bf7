"""What runs again after a change; docs/development.md shows the same table."""

import functools
import re
import shutil

import h5py
import numpy as np
import pytest

from vbiflow import dependencies, statements
from vbiflow.dependencies import ROOT
from vbiflow.figures.table import wanted_figures
from vbiflow.registries import members_of
from vbiflow.study import load_study

REPORT = "results/tiny/report.html"
DOCUMENT = ROOT / "docs" / "development.md"
MODEL = '''"""Noise alone."""

from vbiflow.models.model import Model, Parameter, State


def send(y, p):
    return (y.x,)


def dfun(y, c, p):
    return (-y.x + p.G * c.x,)


def x(y, p):
    return y.x


MODEL = Model(
    name="plain",
    title="Plain",
    states={"x": State(initial=(0.0, 1.0), noise=1.0)},
    parameters={"G": Parameter(1.0, "1", "global coupling"), "sigma": Parameter(0.1, "1/ms^0.5", "noise")},
    sends=("x",),
    coupling="linear",
    send=send,
    dfun=dfun,
    signals={"x": x},
    time_scale=lambda p: 1.0,
    reference="none",
    defaults={"dt": 0.1},
)
'''
FEATURE = '''

@feature("largest")
def largest(batch):
    """Largest value of all nodes."""
    yield ["value"], batch.ts.max(axis=(1, 2))[:, None]
'''
FIGURE = '''

def largest(x):
    """Histogram of a feature."""
    figure, axes = subplots()
    axes.hist(x)
    return figure
'''


def add_model(tree):
    (tree / "vbiflow/models/plain.py").write_text(MODEL)
    edit(tree, "vbiflow/models/__init__.py", "    montbrio,\n", "    montbrio,\n    plain,\n")
    edit(tree, "vbiflow/models/__init__.py", "        montbrio,\n", "        montbrio,\n        plain,\n")


def appended(file, text):
    return lambda tree: edit(tree, file, "", text, at_end=True)


def line(file, function):
    """A new line in a function, before its last statement."""

    def change(tree):
        text = (tree / file).read_text()
        (number,) = (s.node.body[-1].lineno for s in parse(tree, file) if function in s.binds)
        lines = text.split("\n")
        start = lines[number - 1]
        lines.insert(number - 1, f"{start[: len(start) - len(start.lstrip())]}changed = 1")
        (tree / file).write_text("\n".join(lines))

    return change


def parse(tree, file):
    return statements.read_module(tree / file, "", "vbiflow").statements


def edit(tree, file, old, new, at_end=False):
    text = (tree / file).read_text()
    assert old in text, f"{file} does not hold {old!r}"
    (tree / file).write_text(text + new if at_end else text.replace(old, new, 1))


NOTHING = set()
CODE = {
    "a model that the study does not use, added": (add_model, NOTHING),
    "a built-in feature that it does not use, added": (appended("vbiflow/features/connectivity.py", FEATURE), NOTHING),
    "a figure that it does not draw, added": (appended("vbiflow/figures/recording.py", FIGURE), NOTHING),
    "a comment or a docstring": (
        lambda tree: edit(tree, "vbiflow/engine/cpu.py", '    """', '    # why\n    """Otherwise: '),
        NOTHING,
    ),
    "a line in `connectome/tractogram.py`, for a connectome of matrices": (
        line("vbiflow/connectome/tractogram.py", "build_connectome"), NOTHING,
    ),
    "a line in `engine/gpu.py`, on a CPU": (line("vbiflow/engine/gpu.py", "run"), NOTHING),
    "a line of another model": (line("vbiflow/models/wong_wang_ei.py", "bisect"), NOTHING),
    "a line of another estimator": (line("vbiflow/inference/flows.py", "nsf_samples"), NOTHING),
    "a line in `engine/cpu.py`": (line("vbiflow/engine/cpu.py", "run"), {"simulate"}),
    "a line of the study's model": (line("vbiflow/models/wong_wang.py", "dfun"), {"simulate"}),
    "a line of one of its features": (
        line("vbiflow/features/connectivity.py", "fc"),
        {"features", "observe", "posterior_predictive", "negative_controls"},
    ),
    "a line of its estimator": (
        line("vbiflow/inference/flows.py", "maf_samples"),
        {"train", "calibrate", "sample", "sensitivity", "negative_controls"},
    ),
    "a line of one of its figures": (line("vbiflow/figures/posterior.py", "pairs"), {"figures"}),
}  # fmt: skip
"""Changes of the code, and the scripts of `tiny` on a CPU whose jobs run again for it."""
STUDY = {
    "one more feature in the study's list": "features, observe, simulate",
    "one more feature in the list of a study with `simulation: {keep: true}`": "features, observe",
}
"""Changes of the study, and what runs again first."""


@pytest.fixture
def tree(tmp_path):
    for part in ("vbiflow", "scripts"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@functools.cache
def parsed(file, text, package, own):
    """Each text is parsed once for all tests."""
    return statements.parse_module(text, package, own)


def forget():
    names = ("compute_hash", "sources_digest", "statement_targets", "acting_statements", "find_module")
    for function in (*names, "is_module", "file_of", "path_of"):
        getattr(dependencies, function).cache_clear()


@pytest.fixture
def scripts(tree, monkeypatch):
    """A function that hashes the scripts of the tiny study's jobs, as they are in the tree now."""
    study = load_study("tiny")
    monkeypatch.setattr(dependencies, "ROOT", tree)
    monkeypatch.setattr(dependencies, "read_module", lambda path, *more: parsed(path.name, path.read_text(), *more))
    figures = [*wanted_figures("estimator", study).items(), *wanted_figures("subject", study, "101309").items()]
    beside = {"figures": [function for name, figure in figures for function in figure.functions(name)]}
    names = "connectome prior simulate observe exclusions features gather features_report train calibrate sample "
    names += "sensitivity posterior_predictive negative_controls tabulate figures report"

    def hashes(device):
        forget()
        members = members_of(study, {".mat"}, {"bold"}, {"maf"}, device)
        return {
            name: dependencies.code_hash(f"scripts/{name}.py", members, beside.get(name, ())) for name in names.split()
        }

    yield hashes
    forget()


@pytest.mark.parametrize("what", CODE)
def test_a_change_of_the_code_runs_again_what_it_can_change(tree, scripts, what):
    change, expected = CODE[what]
    before = scripts("cpu")
    change(tree)
    after = scripts("cpu")
    assert {name for name in before if before[name] != after[name]} == expected


def test_a_line_of_the_gpu_engine_runs_simulations_on_a_gpu_again(tree, scripts):
    before = scripts("cuda")
    line("vbiflow/engine/gpu.py", "run")(tree)
    after = scripts("cuda")
    assert {name for name in before if before[name] != after[name]} == {"simulate"}


def test_the_table_of_the_documentation_is_this_one():
    rows = [(what, ", ".join(sorted(rules)) or "nothing") for what, (_, rules) in CODE.items()]
    for what, rules in [*rows, *STUDY.items()]:
        assert f"| {what} | {rules} |" in DOCUMENT.read_text()
    assert DOCUMENT.read_text().count("\n| ") - 1 == len(CODE) + len(STUDY)


def jobs(done):
    """Rules that a (dry) run lists in its job table, with their numbers."""
    assert done.returncode == 0, done.stdout[-3000:]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}


def test_code_that_the_study_does_not_use_runs_nothing_again(again):
    for change, rules in CODE.values():
        if rules == NOTHING:
            change(again.path)
    done = again.snakemake("-n", REPORT)
    assert "Nothing to be done" in done.stdout, done.stdout[-3000:]


def test_one_more_feature_simulates_again_unless_series_are_kept(again):
    again.edit("config/studies/tiny.yaml", "features: [fc]", "features: [fc, variance]")
    again.edit("config/studies/tiny.yaml", "  shard_size: 80", "  shard_size: 80\n  keep: true")
    kept = jobs(again.snakemake("-n", REPORT))
    assert kept["features"] == 4 and kept["observe"] == 1 and "simulate" not in kept and "simulate_kept" not in kept
    assert kept["simulate_predictive_kept"] == 1, "the posterior is another"
    again.edit("config/studies/tiny.yaml", "\n  keep: true", "")
    shutil.rmtree(again.path / "results/tiny/101309/simulations")  # as without --notemp
    new = jobs(again.snakemake("-n", REPORT))
    assert new["simulate"] == new["features"] == 4 and new["observe"] == 1
    assert not {"connectome", "prior"} & (kept.keys() | new.keys())


@pytest.mark.parametrize("keep", [True, False])
def test_kept_series_stay_compressed_with_the_same_numbers(again, finished, keep):
    simulations, features = (
        f"results/tiny/101309/{part}/shard-000240-000300.h5" for part in ("simulations", "features")
    )
    for file in (simulations, features):
        (again.path / file).unlink()
    if keep:
        again.edit("config/studies/tiny.yaml", "  shard_size: 80", "  shard_size: 80\n  keep: true")
    ran = jobs(again.snakemake(features))
    assert ran == {"simulate_kept" if keep else "simulate": 1, "features": 1, "total": 2}
    assert (again.path / simulations).exists() is keep
    if keep:
        with h5py.File(again.path / simulations) as new, h5py.File(finished.path / simulations) as old:
            assert new["bold"].compression == "gzip" and new["bold"].chunks == (1, *old["bold"].shape[1:])
            assert new["bold"].dtype == np.float32
            np.testing.assert_array_equal(new["bold"][()], old["bold"][()])
    with h5py.File(again.path / features) as new, h5py.File(finished.path / features) as old:
        np.testing.assert_array_equal(new["x"][()], old["x"][()])


def test_results_of_other_settings_are_refused_where_snakemake_is_told_to_overlook_them(again):
    again.edit("config/studies/tiny.yaml", "features: [fc]", "features: [fc, variance]")
    (again.path / "results/tiny/101309/posterior.pt").unlink()
    done = again.snakemake("--rerun-triggers", "mtime", "--", "results/tiny/101309/posterior.pt")
    refused = "features.h5: made with another features than the study has now; delete it and run again"
    assert done.returncode and refused in done.stdout and "Traceback" not in done.stdout, done.stdout[-3000:]
