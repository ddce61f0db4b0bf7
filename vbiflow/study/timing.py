"""What parts of a study take on this machine: a few simulations, features, a training and starts of jobs, timed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from vbiflow.clock import clock_of
from vbiflow.connectome import Connectome, prepare_connectome
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.regions import make_regions
from vbiflow.engine.draws import simulate_draws
from vbiflow.engine.gpu import why_no_gpu
from vbiflow.engine.simulate import Simulations
from vbiflow.features import compute
from vbiflow.features.files import compute_spectra
from vbiflow.features.nodes import Nodes
from vbiflow.maps import RECORDED_NOISE
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study.demand import size_of
from vbiflow.study.people import first_unfetched
from vbiflow.study.study import FOLDER, Study

BATCH, GPU_BATCH = 32, 4096
"""Simulations that are timed: a kernel of the CPU takes so many at once, one of the GPU as many as a shard has."""
ENOUGH = 0.5
"""Seconds that are timed at least, unless simulations of full length take less."""
EPOCHS = 160
"""Of a usual training; those of the studies that ship end after 100 to 200."""
PACKAGES = {
    "light": "numba, h5py, vbiflow.connectome, vbiflow.features, vbiflow.engine",
    "torch": "sbi.inference, vbiflow.diagnostics.calibration, vbiflow.inference.training",
    "drawing": "matplotlib.pyplot, scipy.stats, vbiflow.figures.draw",
}
"""What jobs load before they begin."""
LOAD_SNAKEMAKE = """
try:
    import snakemake.script
except ImportError:  # in an environment of the rule's own
    pass
"""


@dataclass(frozen=True)
class Costs:
    """Seconds of one core: of a simulation, of its features, of a training, of the start of a job by what it loads.

    `on_gpu` are the seconds of a simulation on this machine's GPU, of not one where there is none.
    """

    simulation: float
    features: float
    training: float
    starts: Mapping[str, float]
    on_gpu: float | None = None


def measure_costs(study: Study) -> Costs:
    """Time a few simulations, their features, a training and the starts of jobs, all on one core."""
    with threadpool_limits(1):
        connectome = some_connectome(study)
        simulation, simulations = time_simulations(study, connectome)
        n_features, features = time_features(study, connectome, simulations)
        training, starts = time_training(study, n_features), time_starts()
    on_gpu = None if study.analytic or why_no_gpu() else time_simulations(study, connectome, "cuda")[0]
    return Costs(simulation, features, training, starts, on_gpu)


def seconds_of(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Seconds of processor time, or by another clock, that some work takes, and what it gives."""
    begin = clock()
    found = work()
    return clock() - begin, found


def some_connectome(study: Study) -> Connectome:
    """The connectome of the first person, or one at random of that size where its files are still to be fetched.

    Each region has as much measurement noise as signal, which a study may take from recordings: time is the same.
    """
    person = study.connectome_of(study.subjects[0])
    if not first_unfetched(study, study.subjects[0], person):
        found = prepare_connectome(study.cohort[person], study["connectome"], study.maps(person), study.delays)
        return replace(found, maps={**found.maps, RECORDED_NOISE: np.ones(len(found.labels))})
    table, regions = study.cohort[person]["regions"], make_regions([f"r{k}" for k in range(size_of(study).nodes)])
    if Path(table).is_file():
        known = read_regions(table)
        regions = known.take(known.where(study["connectome"]["select"]))
    n, rng = len(regions.labels), np.random.default_rng(0)
    weights = np.triu(rng.uniform(size=(n, n)), 1)
    maps = {name: rng.standard_normal(n) for name in study["connectome"]["maps"]} | {RECORDED_NOISE: np.ones(n)}
    return Connectome(
        (weights + weights.T) / n,
        200 * (weights + weights.T),
        regions.labels,
        regions.centres,
        regions.hemispheres,
        regions.networks,
        maps=maps,
    )


def time_simulations(study: Study, connectome: Connectome, device: str = "cpu") -> tuple[float, Simulations]:
    """Seconds of one core, or of the GPU, for one simulation, from a batch of shorter ones, and that batch.

    What compiling takes is left out.
    """
    settings, interval = dict(study.simulation), study.interval
    n_whole = ceil((settings["duration"] + settings["transient"]) / interval)
    prior = Prior.from_config(study["prior"], connectome.labels, connectome.maps, study.units)
    batch = BATCH if device == "cpu" else min(GPU_BATCH, settings["shard_size"])
    theta = prior.sample(study["seed"], 0, batch)
    given = {"seed": study["seed"], "start": 0, "stream": 0, "device": device, "threads": 1}

    def run(n_samples: int) -> Simulations:
        short = settings if study.analytic else settings | {"duration": n_samples * interval, "transient": 0.0}
        drawn = study["model"], connectome, prior, theta, study["parameters"], short, study.recorded
        return simulate_draws(*drawn, **given)

    run(2)
    clock = clock_of(device)
    n_samples = n_whole if study.analytic else max(2, n_whole // 64)
    while True:
        seconds, simulations = seconds_of(partial(run, n_samples), clock)
        if seconds > ENOUGH or n_samples == n_whole:
            return seconds / batch * n_whole / n_samples, simulations
        n_samples = min(4 * n_samples, n_whole)


def time_features(study: Study, connectome: Connectome, simulations: Simulations, n: int = 6) -> tuple[int, float]:
    """Number of features, and seconds of one core for those of one simulation: of smooth noise, or of its spectra."""
    nodes = Nodes(connectome.labels, connectome.hemispheres, connectome.networks)
    if study.analytic:
        name, power = next(iter(simulations.ts.items()))
        given = study["features"], simulations.units[name], nodes, FOLDER, 1000.0 / study.interval
        seconds, found = seconds_of(lambda: compute_spectra(power, simulations.frequencies, *given))
        return found.x.shape[1], seconds / len(power)
    samples = size_of(study).samples
    noise = np.random.default_rng(0).standard_normal((n, len(connectome.labels), samples + 5))
    ts = sum(noise[..., k : samples + k] for k in range(5))
    given = {"fs": 1000.0 / study.interval, "nodes": nodes, "folder": FOLDER, "prepare": study["preparation"]}
    compute(ts[:1], study["features"], **given)
    seconds, found = seconds_of(lambda: compute(ts, study["features"], **given))
    return found.x.shape[1], seconds / n


def time_training(study: Study, n_features: int) -> float:
    """Seconds of one core for one training, from a few epochs on random numbers."""
    import torch

    from vbiflow.inference.training import train
    from vbiflow.inference.training_set import TrainingSet

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
    short, long = (seconds_of(lambda k=k: train(data, options | {"max_epochs": k}, seed=0))[0] for k in (1, 4))
    torch.set_num_threads(threads)
    return (short + EPOCHS * max(long - short, 0.0) / 3) * size_of(study).simulations / n


def time_starts() -> dict[str, float]:
    """Seconds of one core until a job begins, by what it loads."""
    found = {}
    for name, packages in PACKAGES.items():
        command = [sys.executable, "-c", f"{LOAD_SNAKEMAKE}import {packages}, time; print(time.process_time())"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found[name] = float(done.stdout)
    return found
