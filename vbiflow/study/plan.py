"""What a study costs before it runs: jobs by a dry run, hours by timing a few simulations and one training here."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import yaml
from threadpoolctl import threadpool_limits

from vbiflow.connectome import Connectome, prepare_connectome
from vbiflow.connectome.regions import make_regions
from vbiflow.features import compute
from vbiflow.features.nodes import Nodes
from vbiflow.places import user_path
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study.demand import TORCH, Size, demand, size_of
from vbiflow.study.people import first_unfetched
from vbiflow.study.study import FOLDER, Study

BATCH = 32
"""Simulations that are timed; a kernel takes so many at once."""
SHORTER = 20
"""Part of the duration that is timed."""
EPOCHS = 160
"""Of a usual training; those of the studies that ship end after 100 to 200."""
PACKAGES = {
    "light": "numba, h5py, vbiflow.connectome, vbiflow.features, vbiflow.engine",
    "torch": "sbi.inference, vbiflow.diagnostics, vbiflow.inference",
    "drawing": "matplotlib.pyplot, scipy.stats, vbiflow.figures.draw",
}
"""What jobs load before they begin."""
DRAWING = 5.0
"""Seconds that the figures of a person or an estimator take."""
MANAGER, EACH = 4.0, 0.1
"""Seconds that Snakemake itself takes, at the start and a job."""


@dataclass(frozen=True)
class Costs:
    """Seconds of one core: of a simulation, of its features, of a training, of the start of a job by what it loads."""

    simulation: float
    features: float
    training: float
    starts: Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """What a study takes: jobs by rule, core seconds by stage, and the wall time on `cores`."""

    study: str
    size: Size
    estimators: int
    jobs: Mapping[str, int]
    seconds: Mapping[str, float]
    memory: Mapping[str, int]
    temporary: float
    kept: float
    submissions: int
    cores: int

    @property
    def core_hours(self) -> float:
        """Of all jobs together."""
        return sum(self.seconds.values()) / 3600

    @property
    def wall_hours(self) -> float:
        """On `cores`: all cores at work, but for one training after the other at the end of each person's chain."""
        last = (self.seconds["training"] + self.seconds["figures"]) / 3600 / max(self.estimators, 1)
        return max(self.core_hours / self.cores, last)

    def text(self) -> str:
        """As a page of lines."""
        total = sum(self.jobs.values())
        rows = [
            ("simulations", f"{count_simulations(self.size, self.estimators)} of {self.size.nodes} regions"),
            (
                "core hours",
                f"{self.core_hours:.3g} ({', '.join(f'{k} {v / 3600:.2g}' for k, v in self.seconds.items())})",
            ),
            ("jobs", f"{total}, in {self.submissions} submissions on a cluster (profiles/slurm)"),
            ("disk", f"{self.kept:.3g} GB kept, at most {self.temporary:.3g} GB of series in between"),
            ("peak memory", ", ".join(f"{rule} {mb / 1000:.1f} GB" for rule, mb in self.memory.items())),
            ("wall time", f"{format_hours(self.wall_hours)} on {self.cores} cores like these"),
        ]
        return "\n".join([self.study, *(f"  {name:12} {text}" for name, text in rows)])


def plan_study(study: Study, cores: int = 2) -> Plan:
    """Count the jobs of a study and time its parts on this machine."""
    size, jobs, costs = size_of(study), count_jobs(study), measure_costs(study)
    estimators, people = len(study.estimators), len(study.subjects)
    predictive = study.n_predictive_simulations * people
    n_all = count_simulations(size, estimators) + predictive
    trainings = jobs.get("train", 0) + jobs.get("train_round", 0) + jobs.get("ablate", 0)
    starts = sum(number * costs.starts[loaded_packages(rule)] for rule, number in jobs.items())
    drawing = DRAWING * sum(number for rule, number in jobs.items() if rule.startswith("figures_"))
    heaviest = sorted(
        {
            rule: demand(study, rule)["mem_mb"]
            for rule in ("simulate", "features", "train", "calibrate", "features_report")
        }.items(),
        key=lambda one: -one[1],
    )[:3]
    seconds = {
        "simulations": n_all * costs.simulation,
        "features": n_all * costs.features,
        "training": trainings * costs.training,
        "figures": drawing,
        "starts": starts + MANAGER + EACH * sum(jobs.values()),
    }
    series = size.nodes * size.samples * size.itemsize * 1e-9
    table = 8e-9 * (size.features + size.parameters)
    kept = 2 * n_all * table + (n_all * series if study.keeps_series else 0.0) + 5e-3 * people
    temporary = min(n_all, max(cores, 1) * 2 * size.shard) * series
    submissions = count_submissions(jobs, *slurm_groups())
    return Plan(study.name, size, estimators, jobs, seconds, dict(heaviest), temporary, kept, submissions, cores)


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
    return "torch" if rule.removesuffix("_round") in TORCH else "light"


def measure_costs(study: Study) -> Costs:
    """Time a few simulations, their features, a training and the starts of jobs, all on one core."""
    with threadpool_limits(1):
        connectome = some_connectome(study)
        n_features, features = time_features(study, connectome)
        return Costs(time_simulations(study, connectome), features, time_training(study, n_features), time_starts())


def processor_seconds(work: Callable[[], Any]) -> float:
    """Seconds of processor time that some work takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def some_connectome(study: Study) -> Connectome:
    """The connectome of the first person, or one at random of that size where its files are still to be fetched."""
    person = study.connectome_of(study.subjects[0])
    if not first_unfetched(study, study.subjects[0], person):
        return prepare_connectome(study.cohort[person], study["connectome"], study.maps(person), study.delays)
    n = size_of(study).nodes
    weights = np.random.default_rng(0).uniform(size=(n, n)) * (1 - np.eye(n))
    return Connectome(weights / n, weights * 200, make_regions([f"r{k}" for k in range(n)]))


def time_simulations(study: Study, connectome: Connectome) -> float:
    """Seconds of one core for one simulation, from a batch of shorter ones; what compiling takes is left out."""
    from vbiflow.engine.draws import simulate_draws

    settings, interval = dict(study.simulation), study.interval
    n_short = max(2, ceil(settings["duration"] / SHORTER / interval))
    short = settings | {"duration": n_short * interval, "transient": 0.0}
    prior = Prior.from_config(study["prior"], connectome.labels, connectome.maps, study.units)
    theta = prior.sample(study["seed"], 0, BATCH)

    def run(duration: float) -> None:
        given = {"seed": study["seed"], "start": 0, "stream": 0, "device": "cpu", "threads": 1}
        simulate_draws(
            study["model"],
            connectome,
            prior,
            theta,
            study["parameters"],
            short | {"duration": duration},
            study.recorded,
            **given,
        )

    run(2 * interval)
    seconds = processor_seconds(lambda: run(short["duration"]))
    return seconds / BATCH * (study["simulation"]["duration"] + study["simulation"]["transient"]) / short["duration"]


def time_features(study: Study, connectome: Connectome, n: int = 6) -> tuple[int, float]:
    """Number of features, and seconds of one core for those of one simulation, taken from smooth noise."""
    nodes = Nodes.of(connectome) if hasattr(Nodes, "of") else Nodes(connectome.labels)
    samples = size_of(study).samples
    noise = np.random.default_rng(0).standard_normal((n, len(connectome.labels), samples + 5))
    ts = sum(noise[..., k : samples + k] for k in range(5))
    given = {"fs": 1000.0 / study.interval, "nodes": nodes, "folder": FOLDER, "prepare": study["preparation"]}
    found = compute(ts[:1], study["features"], **given)
    return found.x.shape[1], processor_seconds(lambda: compute(ts, study["features"], **given)) / n


def time_training(study: Study, n_features: int) -> float:
    """Seconds of one core for one training, from a few epochs on random numbers."""
    import torch

    from vbiflow.inference import TrainingSet, train

    n = min(size_of(study).simulations, 2000)
    labels = tuple(f"r{k}" for k in range(size_of(study).nodes))
    prior = Prior.from_config(
        study["prior"], labels, {name: np.ones(len(labels)) for name in study["connectome"]["maps"]}, study.units
    )
    theta = prior.sample(0, 0, n)
    x = np.random.default_rng(0).standard_normal((n, n_features))
    data = TrainingSet.of(prior, theta, x, [f"x{k}" for k in range(n_features)], study.inference_options, seed=0)
    threads, options = torch.get_num_threads(), study.inference_options
    torch.set_num_threads(1)
    short, long = (processor_seconds(lambda k=k: train(data, options | {"max_epochs": k}, seed=0)) for k in (1, 4))
    torch.set_num_threads(threads)
    return (short + EPOCHS * max(long - short, 0.0) / 3) * size_of(study).simulations / n


def time_starts() -> dict[str, float]:
    """Seconds of one core until a job begins, by what it loads."""
    found = {}
    for name, packages in PACKAGES.items():
        command = [sys.executable, "-c", f"import snakemake.script, {packages}, time; print(time.process_time())"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found[name] = float(done.stdout)
    return found


def format_hours(hours: float) -> str:
    """Hours as people write them."""
    return f"{hours * 60:.2g} min" if hours < 1.5 else f"{hours:.2g} h"
