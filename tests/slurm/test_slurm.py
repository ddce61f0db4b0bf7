"""The tiny study on a real slurmctld: `make test-slurm`, as root on Debian (slurm-wlm, munge)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from checkout import Copy

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
    """Bytes of the tiny study's results, but for shards, which are cut otherwise, and the seconds of the training."""
    return {name: content for name, content in results(copy, "tiny").items() if "shard-" not in name}
