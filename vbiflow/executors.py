"""Executors of Snakemake: what has to be on the machine from which they submit jobs."""

from __future__ import annotations

import shutil

COMMANDS = {"slurm": ("sbatch", "the cluster's login node")}
"""Command by which an executor submits jobs, and where it is found; without it Snakemake tries for ever."""


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
