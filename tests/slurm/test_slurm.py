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


def test_tiny_study_on_slurm(cluster, tmp_path):
    copy = Copy(tmp_path / "vbiflow")
    profile = ["--workflow-profile", "profiles/slurm", "--jobs", "4", *FAST]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", *profile, "--", "results/tiny/report.html"]
    done = subprocess.run(
        command,
        cwd=copy.path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    submitted = re.findall(r"submitted with SLURM jobid", done.stdout)
    per_study = 3  # exclusions, tabulate, report
    assert 3 <= len(submitted) <= 5 + per_study, "a person costs five submissions at most"
    assert (copy.path / "results/tiny/report.html").stat().st_size > 10_000
