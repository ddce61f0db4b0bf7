"""Memory and time that jobs of a study need, from the size of the study.

Constants come from benchmarks of the studies that ship and of 500 simulations of 84 regions and 12 000 samples. They
are meant to be enough at the first attempt without asking for many times what is used; a test compares them with the
benchmarks of a finished run.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable
from functools import cache
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vbiflow.connectome import read_connectome
from vbiflow.connectome.region_tables import read_regions
from vbiflow.connectome.streamlines import FORMATS
from vbiflow.diagnostic_options import MOST_ROBUST
from vbiflow.estimator_options import resolve_options
from vbiflow.features.registry import Request
from vbiflow.study.study import Study

MB = 1e-6
UNKNOWN_REGIONS = 200
"""Where no table says how many regions there are; most atlases have fewer."""
SMALL = 3e6
"""Bytes of a file of weights that is read to count its regions whenever Snakemake starts."""
BLOCKS = 256
"""Megabytes of series that a simulating job holds, or two batches of 32 rows (engine/blocks.py); on a GPU all."""
COMPILING = 150
"""Megabytes that compiling a kernel takes, before there are series."""
PER_NODE_STEP = 15e-9
"""Seconds of one core for a step of one node, on a processor with AVX2."""
SURVEYED, INPUTS = 20_000, 300
"""Rows that features are scaled by, and most megabytes of a network's inputs in memory (inference/inputs.py)."""
COMPARED = 50_000
"""Simulations that baselines learn from at most (inference/baselines.py)."""
DELAYED = 6
"""So many times longer with delays."""
PER_VALUE = 3e-7
"""Seconds of one core for one feature of one sample of one node, a group of features at a time."""


class Size(NamedTuple):
    """What demand follows from: numbers of the study's largest job of each kind."""

    nodes: int
    samples: int
    steps: float
    shard: int
    simulations: int
    features: int
    groups: int
    parameters: int
    people: int
    members: int
    itemsize: int
    delayed: bool
    pooled: bool

    @property
    def series(self) -> float:
        """Megabytes of the series of a shard."""
        return self.shard * self.nodes * self.samples * self.itemsize * MB

    @property
    def table(self) -> float:
        """Megabytes of the features of all simulations, in double precision."""
        return self.simulations * (self.features + self.parameters) * 8 * MB

    @property
    def theta(self) -> float:
        """Megabytes of all parameters, held by jobs that learn or test, thrice while they are transformed."""
        return 3 * self.simulations * self.parameters * 8 * MB

    @property
    def learning(self) -> float:
        """Megabytes of a training: theta, the rows that scale features, inputs of the network unless in a file."""
        surveyed = 4 * min(self.simulations, SURVEYED) * self.features * 8 * MB
        return self.theta + surveyed + min(self.simulations * self.features * 4 * MB, INPUTS)

    @property
    def connectomes(self) -> float:
        """Megabytes of the connectomes of a pool."""
        return 4 * self.people * self.nodes**2 * 8 * MB if self.pooled else 0.0

    @property
    def simulating(self) -> float:
        """Core minutes of a shard's simulations."""
        cost = self.nodes * (PER_NODE_STEP * (DELAYED if self.delayed else 1) + 1e-10 * self.nodes)
        return self.shard * self.steps * cost / 60

    @property
    def reducing(self) -> float:
        """Core minutes of a shard's features."""
        return self.shard * self.groups * self.nodes * self.samples * PER_VALUE / 60

    @property
    def training(self) -> float:
        """Core minutes of one training of a masked autoregressive flow, of which others take a few times as long."""
        return self.members * (0.1 + self.simulations * (1 + self.parameters / 20) / 20_000)

    @property
    def held_out(self) -> float:
        """Simulations that diagnostics are computed for, at most: a quarter of all, or 5 000."""
        return min(self.simulations / 4, 5000)


def size_of(study: Study) -> Size:
    """Numbers that the demand of a study's jobs follows from."""
    simulation, inference = study["simulation"], resolve_options(study["inference"])
    nodes = count_regions(study)
    dt = simulation.get("dt", study.neural_mass.defaults.get("dt", 1.0))
    prior = study["prior"].values()
    return Size(
        nodes=nodes,
        samples=ceil(simulation["duration"] / study.interval),
        steps=(simulation["duration"] + simulation["transient"]) / dt,
        shard=min(simulation["shard_size"], study.n_simulations),
        simulations=study.n_simulations * study.n_rounds,
        features=sum(count_values(request, nodes) for request in study.feature_requests),
        groups=len(study.groups),
        parameters=sum(nodes if entry.get("per") else len(entry.get("map", [0])) for entry in prior),
        people=len(study.subjects),
        members=inference["members"],
        itemsize=4 if simulation["precision"] == "float32" else 8,
        delayed=study.delays is not None,
        pooled=study.pooled,
    )


def count_regions(study: Study) -> int:
    """Regions of the largest connectome by its table; of matrices that bring their own names, the first one's."""
    select = repr(study["connectome"]["select"])
    by_table = {row["regions"]: row["weights"] for row in reversed(study.cohort.values())}
    return max(count_selected(weights, table, select) for table, weights in by_table.items())


@cache
def count_selected(weights: str, table: str, select: str) -> int:
    """Regions that a selection keeps; a usual number where no file that is read in no time says it."""
    table, matrix = table.partition("::")[0], Path(weights.partition("::")[0])
    try:
        if Path(table).is_file():
            return len(read_regions(table).where(literal_eval(select)))
        if not table and matrix.is_file() and matrix.suffix not in FORMATS and matrix.stat().st_size < SMALL:
            return len(read_connectome(weights, select=literal_eval(select)).labels)
    except ValueError:  # the job that reads the connectome says what is wrong
        pass
    return UNKNOWN_REGIONS


def count_values(request: Request, nodes: int) -> int:
    """About how many values a feature gives, rather too many."""
    every = {"node": nodes, "pair": nodes * (nodes - 1) // 2, "edge": nodes * (nodes - 1) // 2}
    name, options = request.feature.name, request.options
    places = ("pair",) if "pairs" in name or "edge" in name else np.atleast_1d(options.get("per", ()))
    each = sum(every.get(str(place), 1) for place in places) or 1
    width = max(5, len(options.get("bands") or ()) + len(options.get("statistics") or ()))
    return width * each + 30


def fewest_features(study: Study) -> int:
    """Features that each region has by itself, at least; 0 where it is not known how many regions or sensors are."""
    nodes = count_regions(study)
    if study.sensors or nodes == UNKNOWN_REGIONS:
        return 0
    regional = (request.options for request in study.feature_requests if "node" in request.options.get("per", ()))
    return nodes * sum(max(1, len(options.get("statistics") or ())) for options in regional)


SNAKEMAKE = 250
"""Megabytes of Snakemake itself, which runs beside the script within each job of a cluster."""
BASE = {
    "simulate": 350,
    "features": 450,
    "gather": 300,
    "observe": 700,
    "lead_field": 1500,
    "figures": 900,
    "tabulate": 700,
    "report": 700,
}
"""Megabytes that loading its libraries takes, by rule; 900 where torch is loaded, 500 else."""
TORCH = (
    "train", "truncate", "calibrate", "sample", "sensitivity", "local_c2st", "baselines", "learning_curve", "optimise",
    "robust", "negative_controls", "mix_posteriors", "transfer", "compare_people",
    "posterior_predictive", "features_report", "ablate", "ablation", "amortisation", "compare", "exact", "join_rounds",
)  # fmt: skip

MEMORY: dict[str, Callable[[Size], float]] = {
    "simulate": lambda size: (
        max(COMPILING, 2 * min(size.series, max(BLOCKS, 64 * size.series / size.shard))) + size.connectomes
    ),
    "pool_connectomes": lambda size: size.connectomes,
    "features": lambda size: 3 * size.shard * size.features * 8 * MB,
    "gather": lambda size: 3 * size.shard * size.features * 8 * MB,
    "prior": lambda size: size.theta,
    "train": lambda size: size.learning,
    "ablate": lambda size: size.learning,
    "baselines": lambda size: size.learning + 1.5 * min(size.simulations, COMPARED) * size.features * 8 * MB,
    "learning_curve": lambda size: size.learning + 5000 * size.features * 16 * MB,
    "join_rounds": lambda size: 2 * size.table,
    "truncate": lambda size: 100 * size.parameters,
    "calibrate": lambda size: size.theta + 5000 * size.features * 64 * MB + 3 * size.parameters,
    "local_c2st": lambda size: size.theta + 5000 * size.features * 16 * MB,
    "features_report": lambda size: size.theta + 3 * 20_000 * size.features * 8 * MB,
    "robust": lambda size: (3 * 10_000 * size.features + 50 * 21 * min(size.features, MOST_ROBUST) ** 2) * 8 * MB,
    "posterior_predictive": lambda size: 4 * 20_000 * size.features * 8 * MB,
    "negative_controls": lambda size: 4 * 20_000 * size.features * 8 * MB,
    "observe": lambda size: 20 * size.nodes * size.samples * 8 * MB,
    "tabulate": lambda size: 0.05 * size.people,
    "report": lambda size: 0.5 * size.people,
}
"""Megabytes beyond those of the libraries, by rule."""
MINUTES: dict[str, Callable[[Size], float]] = {
    "simulate": lambda size: size.simulating,
    "features": lambda size: size.reducing,
    "gather": lambda size: size.simulations / 50_000,
    "train": lambda size: size.training,
    "ablate": lambda size: size.training,
    "baselines": lambda size: 3 * size.training,
    "learning_curve": lambda size: 4 * size.training,
    "optimise": lambda size: 5 * size.simulating * size.simulations / size.shard,
    "truncate": lambda size: 5 + size.simulations / 5000,
    "calibrate": lambda size: 0.2 + size.held_out * (1 + size.parameters / 10) / 12_500,
    "local_c2st": lambda size: 5,
    "robust": lambda size: 1 + 60 * (min(size.features, MOST_ROBUST) / MOST_ROBUST) ** 3,
    "sensitivity": lambda size: 2,
    "posterior_predictive": lambda size: 2,
    "negative_controls": lambda size: 2,
    "observe": lambda size: 3,
    "lead_field": lambda size: 3,
    "figures": lambda size: 3,
    "report": lambda size: size.people / 100,
    "tabulate": lambda size: size.people / 500,
}
"""Core minutes beyond the start, by rule."""
START, MARGIN = 5, 3
"""Minutes that any job is given, and times what is estimated."""


def demand(study: Study, rule: str, device: str = "cpu") -> dict[str, int]:
    """`mem_mb` and `runtime` [min] of a rule's largest job, at the first attempt on one core."""
    size = size_of(study)
    memory = SNAKEMAKE + BASE.get(rule, 900 if rule in TORCH else 500) + MEMORY.get(rule, lambda size: 0)(size)
    if rule == "simulate" and device != "cpu":
        memory += 1.5 * size.series
    threads = study["resources"].get(rule, {}).get("threads", 1)
    minutes = START + MARGIN * MINUTES.get(rule, lambda size: 0)(size) / threads
    return {"mem_mb": 100 * ceil(memory / 100), "runtime": ceil(minutes)}
