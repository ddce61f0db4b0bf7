"""What a study costs before it runs: jobs by a dry run, hours by timing a few simulations and one training here."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import yaml

from vbiflow.places import user_path
from vbiflow.provenance import ROOT
from vbiflow.study.checks import rules_with_resources
from vbiflow.study.demand import TORCH, Size, demand, size_of
from vbiflow.study.study import Study
from vbiflow.study.timing import measure_costs
from vbiflow.termination import resource_name

CORES = (1, 8, 64)
"""Numbers of cores that the wall time is told of unless others are asked for."""
HEAVY = 5
"""Rules whose memory is told by name, those that need most."""
DRAWING = 5.0
"""Seconds that the figures of a person or an estimator take."""
MANAGER, EACH = 4.0, 0.1
"""Seconds that Snakemake itself takes, at the start and a job."""


@dataclass(frozen=True)
class Plan:
    """What a study takes: jobs by rule, core seconds by stage, seconds of this machine's GPU if there is one, memory
    [MB] by rule, disk [GB], and the wall time on `cores`.
    """

    study: str
    size: Size
    estimators: int
    jobs: Mapping[str, int]
    seconds: Mapping[str, float]
    gpu_seconds: float | None
    memory: Mapping[str, int]
    temporary: float
    kept: float
    submissions: int
    cores: Sequence[int]

    @property
    def core_hours(self) -> float:
        """Of all jobs together."""
        return sum(self.seconds.values()) / 3600

    def wall_hours(self, cores: int) -> float:
        """On so many cores, all at work but for the training and figures at the end of each person's chain."""
        last = (self.seconds["training"] + self.seconds["figures"]) / 3600 / max(self.estimators, 1)
        return max(self.core_hours / cores, last)

    @property
    def gpu_hours(self) -> str:
        """Hours of a GPU, and the core hours that they take the place of."""
        if self.gpu_seconds is None:
            return "0; with a GPU (profiles/gpu) see what this prints on a machine that has one"
        hours, simulating = self.gpu_seconds / 3600, self.seconds["simulations"] / 3600
        return f"0, or {hours:.2g} of one like this in place of {simulating:.2g} core hours (profiles/gpu)"

    def text(self) -> str:
        """As a page of lines."""
        total = sum(self.jobs.values())
        heavy = dict(sorted(self.memory.items(), key=lambda one: -one[1])[:HEAVY])
        others = max((mb for rule, mb in self.memory.items() if rule not in heavy), default=0)
        memory = [
            *(f"{rule} {mb / 1000:.1f} GB" for rule, mb in heavy.items()),
            f"others {others / 1000:.1f} GB at most",
        ]
        parts = ", ".join(f"{stage} {seconds / 3600:.2g}" for stage, seconds in self.seconds.items())
        walls = ", ".join(f"{format_hours(self.wall_hours(cores))} on {cores}" for cores in self.cores)
        rows = {
            "simulations": f"{count_simulations(self.size, self.estimators)} of {self.size.nodes} regions",
            "core hours": f"{self.core_hours:.3g} ({parts})",
            "GPU hours": self.gpu_hours,
            "jobs": f"{total}, in {self.submissions} submissions on a cluster (profiles/slurm)",
            "disk": f"{self.kept:.3g} GB kept, at most {self.temporary:.3g} GB of series in between",
            "peak memory": ", ".join(memory),
            "wall time": f"{walls} {'core' if list(self.cores) == [1] else 'cores'} like these",
        }
        return "\n".join([self.study, *(f"  {name:12} {text}" for name, text in rows.items())])


def plan_study(study: Study, cores: Sequence[int] = CORES, jobs: Mapping[str, int] | None = None) -> Plan:
    """Count the jobs of a study, unless they are given by rule, and time its parts on this machine."""
    size, jobs, costs = size_of(study), jobs or count_jobs(study), measure_costs(study)
    estimators, people = len(study.estimators), len(study.subjects)
    n_all = count_simulations(size, estimators) + study.n_predictive_simulations * people
    trainings = sum(jobs.get(rule, 0) for rule in ("train", "train_round", "train_baseline", "ablate"))
    starts = sum(number * costs.starts[loaded_packages(rule)] for rule, number in jobs.items())
    drawing = DRAWING * sum(number for rule, number in jobs.items() if rule.startswith("figures_"))
    seconds = {
        "simulations": n_all * costs.simulation,
        "features": n_all * costs.features,
        "training": trainings * costs.training,
        "figures": drawing,
        "starts": starts + MANAGER + EACH * sum(jobs.values()),
    }
    series = size.nodes * size.samples * size.itemsize * 1e-9
    table = 8e-9 * (size.features + size.parameters)
    return Plan(
        study.name,
        size,
        estimators,
        jobs,
        seconds,
        None if costs.on_gpu is None else n_all * costs.on_gpu,
        memory_of(study, jobs),
        temporary=min(n_all, max(cores) * 2 * size.shard) * series,
        kept=2 * n_all * table + (n_all * series if study.keeps_series else 0.0) + 5e-3 * people,
        submissions=count_submissions(jobs, *slurm_groups()),
        cores=cores,
    )


def memory_of(study: Study, jobs: Mapping[str, int]) -> dict[str, int]:
    """Memory [MB] that a job of each rule of a study asks for, by the names that `resources` takes."""
    asked = {*map(resource_name, jobs)}
    run = [rule for rule in rules_with_resources() if rule in asked]
    own = study["resources"]
    return {rule: own.get(rule, {}).get("mem_mb", demand(study, rule)["mem_mb"]) for rule in run}


def count_simulations(size: Size, estimators: int) -> int:
    """Simulations that estimators learn from and are tested on."""
    return size.simulations * estimators


def count_jobs(study: Study) -> dict[str, int]:
    """Jobs by rule of all that leads to the report, as a dry run of Snakemake tells.

    Raises
    ------
    ValueError
        If Snakemake cannot plan the study.
    """
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--directory",
        ".",
        "--nocolor",
    ]
    command += ["--dry-run", "--forceall", "--cores", "1", "--", f"results/{study.name}/report.html"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stdout.strip().splitlines()[-1])
    found = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE)}
    return {name: count for name, count in found.items() if name != "total"}


LOCAL = ("download", "unpack", "all", "demo")
"""Rules that run on the head node."""


def count_submissions(jobs: Mapping[str, int], groups: Mapping[str, str], components: Mapping[str, int]) -> int:
    """Jobs that a cluster gets, where a profile groups rules and puts several groups into one submission.

    A group is counted once for the rule of it that has most jobs, since its jobs follow one another.
    """
    alone = sum(number for rule, number in jobs.items() if rule not in groups and rule not in LOCAL)
    largest: dict[str, int] = {}
    for rule, number in jobs.items():
        if rule in groups:
            largest[groups[rule]] = max(largest.get(groups[rule], 0), number)
    return alone + sum(ceil(number / components.get(name, 1)) for name, number in largest.items())


def slurm_groups() -> tuple[dict[str, str], dict[str, int]]:
    """Groups of rules, and how many of them are one submission, in profiles/slurm."""
    profile = yaml.safe_load(user_path("profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    return profile["groups"], profile["group-components"]


def loaded_packages(rule: str) -> str:
    """What the script of a rule loads before it begins."""
    if rule.startswith("figures_"):
        return "drawing"
    without = ("features_report", "posterior_predictive")  # their checks need no network
    return "torch" if resource_name(rule) in TORCH and rule not in without else "light"


def format_hours(hours: float) -> str:
    """Hours as people write them."""
    if hours < 0.025:
        return f"{hours * 3600:.2g} s"
    return f"{hours * 60:.2g} min" if hours < 1.5 else f"{hours:.2g} h"
