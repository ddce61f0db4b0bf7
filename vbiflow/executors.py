"""Executors of Snakemake: what has to be on the machine from which they submit jobs, and how many they start."""

from __future__ import annotations

import shutil
from typing import Any

COMMANDS = {"slurm": ("sbatch", "the cluster's login node")}
"""Command by which an executor submits jobs, and where it is found; without it Snakemake tries for ever."""

DEFAULT_RATE = (100, 1)
"""Jobs that Snakemake starts at most, in so many seconds."""


def check_executor(name: str) -> None:
    """Refuse an executor whose command this machine does not have.

    Raises
    ------
    ValueError
        In one line, with where to run instead.
    """
    command, place = COMMANDS.get(name, ("", ""))
    if command and shutil.which(command) is None:
        raise ValueError(f"profiles/{name}: no {command} on this machine; run it on {place}")


def lift_default_rate(workflow: Any) -> None:
    """Lift the limit of 100 starts a second that a Snakemake workflow has by default; one that was given stays.

    While there is a limit, the scheduler (Snakemake 9.27) sets a timer whenever it looks for jobs, and each timer lets
    it look again: each job adds one look a second until the run ends, on top of all before.
    """
    settings = getattr(workflow, "scheduling_settings", None)
    limit = settings and settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == DEFAULT_RATE:
        settings.max_jobs_per_timespan = None
