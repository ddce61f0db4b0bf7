"""The tiny study on a real slurmctld: `make test-slurm`, as root on Debian (slurm-wlm, munge)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from checkout import CRATE, ROOT, Copy

from tests.faults.trials import results
from vbiflow.engine import gpu
from vbiflow.study import load_study

SCRIPT = Path(__file__).parent / "minislurm.sh"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("slurmctld") is None or os.geteuid() != 0, reason="needs slurm-wlm and root"),
]
FAST = [
    "--slurm-status-command=squeue",
    "--slurm-init-seconds-before-status-checks=2",
    "--seconds-between-status-checks=3",
    "--latency-wait=10",
    "--default-resources", "slurm_partition=cpu",
]  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    state = tmp_path_factory.mktemp("slurm")
    up = subprocess.run([SCRIPT, "up", state], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert up.returncode == 0 and up.stdout.count("idle") == 2, up.stdout
    yield
    subprocess.run([SCRIPT, "down", state], check=False)


def submit(copy, *arguments, timeout=1500):
    """Run Snakemake in a checkout, its jobs on the cluster."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", "--jobs", "4", *arguments]
    return subprocess.run(
        command,
        cwd=copy.path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )


def submissions():
    """What Slurm knows of each job, one text a job."""
    shown = subprocess.run(["scontrol", "show", "jobs"], capture_output=True, text=True, check=True).stdout
    return shown.split("\n\n")


def test_shards_are_tasks_of_an_array(cluster, tmp_path):
    copy = Copy(tmp_path / "vbiflow")
    shards = [f"results/tiny/101309/simulations/{name}.h5" for name in load_study("tiny").shards]
    plain = ["--workflow-profile", "none", "--executor", "slurm", "--slurm-array-jobs=simulate", "--notemp"]
    done = submit(copy, *plain, *FAST, "--", *shards)
    assert done.returncode == 0, done.stdout[-4000:]
    assert sum("ArrayJobId=" in job for job in submissions()) == 4
    assert all((copy.path / shard).is_file() for shard in shards)


def test_a_gpu_is_asked_for_where_the_profile_says_so_and_only_there(cluster, tmp_path):
    copy = Copy(tmp_path / "vbiflow")
    raised = ["--set-resources", "simulate:gpu=1", "simulate:slurm_partition=gpu", "--retries", "0"]
    target = "results/tiny/101309/simulations/shard-000000-000080.h5"
    before = len(submissions())
    done = submit(copy, "--workflow-profile", "none", "--executor", "slurm", *FAST, *raised, "--", target)
    jobs = submissions()[before - 1 :] if before > 1 else submissions()
    on_gpu = [job for job in jobs if "gres/gpu" in job or "gres:gpu" in job]
    assert len(on_gpu) == 1 and "NodeList=gpu1" in on_gpu[0], done.stdout[-4000:]
    assert any("NodeList=cpu1" in job for job in jobs), "the connectome needs none"
    if gpu.why_no_gpu():
        said = (copy.path / "results/tiny/101309/logs/simulate/shard-000000-000080.log").read_text()
        assert done.returncode != 0 and "device 'cuda'" in said


def test_tiny_study_on_slurm(cluster, tmp_path):
    copy = Copy(tmp_path / "vbiflow")
    done = submit(copy, "--workflow-profile", "profiles/slurm", *FAST, "--", "results/tiny/report.html")
    assert done.returncode == 0, done.stdout[-4000:]
    submitted = re.findall(r"submitted with SLURM jobid", done.stdout)
    per_study = 3  # exclusions, tabulate, report
    assert 3 <= len(submitted) <= 5 + per_study, "a person costs five submissions at most"
    assert (copy.path / "results/tiny/report.html").stat().st_size > 10_000
    local = Copy(tmp_path / "local")
    local.edit("config/studies/tiny.yaml", "shard_size: 80", "shard_size: 43")
    done = local.snakemake("results/tiny/report.html", timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:]
    on_cluster, here = results_of(copy), results_of(local)
    assert on_cluster.keys() == here.keys() and len(here) > 30
    assert not [name for name, content in here.items() if content != on_cluster[name]], "the same bytes on local cores"


def results_of(copy):
    """Bytes of results without times, but for shards, cut otherwise, and the crate, with the study's own digest."""
    found = results(copy, "tiny")
    return {name: content for name, content in found.items() if "shard-" not in name and name != CRATE}


def test_a_virtual_person_in_two_rounds_on_slurm(cluster, tmp_path):
    copy = Copy(tmp_path / "vbiflow")
    header, row = (ROOT / "config/cohorts/tiny.tsv").read_text().splitlines()
    cells = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    cells |= {"participant_id": "virtual-1", "recording": "", "kind": "simulated", "tr": ""}
    (copy.path / "config/cohorts/virtual.tsv").write_text(f"{header}\n" + "\t".join(cells.values()) + "\n")
    copy.edit("config/studies/tiny.yaml", "cohort: tiny\n", "cohort: virtual\ntruth:\n  virtual-1: {G: 5, w: 0.5}\n")
    report = "results/tiny@rounds/report.html"
    done = submit(copy, "--workflow-profile", "profiles/slurm", *FAST, "--", report)
    assert done.returncode == 0, done.stdout[-4000:]
    folder = copy.path / "results/tiny@rounds/subjects/virtual-1"
    assert (folder / "truth.h5").is_file() and (folder / "rounds/2/posterior.pt").is_file()
    submitted = re.findall(r"submitted with SLURM jobid", done.stdout)
    n_shards = len(load_study("tiny").shards)
    assert len(submitted) <= 5 + 4 + n_shards + 3, "a later round costs four more, and one a shard"


def test_a_job_that_runs_out_of_memory_is_sent_again_with_more(cluster, tmp_path):
    copy = Copy(tmp_path / "vbiflow")
    copy.edit("config/studies/tiny.yaml", "features: [fc]", "features: [fc]\nresources:\n  connectome: {mem_mb: 120}")
    target = "results/tiny/101309/connectome.h5"
    plain = ["--workflow-profile", "none", "--executor", "slurm", "--retries", "4"]
    done = submit(copy, *plain, *FAST, "--", target)
    assert done.returncode == 0 and (copy.path / target).is_file(), done.stdout[-4000:]
    own = [job for job in submissions() if str(copy.path) in job and "connectome" in job]
    asked = [int(re.search(r"MinMemoryNode=(\d+)M", job)[1]) for job in own]
    states = [re.search(r"JobState=(\w+)", job)[1] for job in own]
    assert asked == [120 * attempt for attempt in range(1, len(asked) + 1)] and len(asked) > 1, asked
    assert states[-1] == "COMPLETED" and states[0] in ("OUT_OF_MEMORY", "FAILED", "CANCELLED"), states
