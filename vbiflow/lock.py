"""The lock that a killed run leaves: taken away by the next one, if surely nobody is at work in the folder.

Snakemake locks the files of a run, and after SIGKILL they stay locked. Here every run on this machine's own cores holds
a shared flock on one file for as long as it lives, and every job of it one on another; the kernel ends both with the
process. A lock whose run and jobs are gone, of this machine since it was last started, belongs to nobody.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vbiflow.executors import check_executor, lift_default_rate
from vbiflow.working_folder import print_line, set_right

FOLDER = Path(".snakemake")
RUNS, JOBS, LOCKS = "vbiflow-runs.lock", "vbiflow-jobs.lock", "locks"
BOOT = Path("/proc/sys/kernel/random/boot_id")
CLUSTER = "cluster"
"""Stands in place of the machine where jobs run elsewhere: nobody can tell from here whether they still do."""


def claim(local: bool, folder: Path = FOLDER, patience: float = 600.0) -> int | None:
    """Say that a run begins in a folder; first take away what a killed one left.

    Jobs of a killed run go on to their end; they are waited for, `patience` seconds at most.

    Returns
    -------
    descriptor that holds the claim until the process ends; None where the file system knows no flock
    """
    folder.mkdir(exist_ok=True)
    try:
        runs = os.open(folder / RUNS, os.O_RDWR | os.O_CREAT, 0o644)
        owner = os.read(runs, 100).decode().strip()
        left = any((folder / LOCKS).glob("*.lock"))
        if left and owner == machine_id() and local and lock_alone(runs) and wait_until_idle(folder / JOBS, patience):
            for path in (folder / LOCKS).glob("*.lock"):
                path.unlink(missing_ok=True)
            print_line("the lock of a run that was killed is taken away; unfinished files are made again")
            left = False
        fcntl.flock(runs, fcntl.LOCK_SH)
        if not local or not left:
            os.pwrite(runs, (machine_id() if local else CLUSTER).ljust(40).encode() + b"\n", 0)
    except OSError:
        return None
    return runs


def hold_job(folder: Path = FOLDER) -> int | None:
    """Say that a job is at work; the descriptor holds this until the process ends."""
    if not folder.is_dir():
        return None
    try:
        jobs = os.open(folder / JOBS, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(jobs, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return None
    return jobs


def lock_alone(descriptor: int) -> bool:
    """Whether nobody else holds the file, which is then held alone."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody does, or the file system cannot say
        return False
    return True


@contextmanager
def keep_others_out(claimed: int | None, folder: Path = FOLDER) -> Iterator[bool]:
    """Whether no other run of this machine, nor a job of one, is at work in the folder, with --nolock or without.

    A run that begins within the block waits in `claim` for its end.
    """
    if claimed is None:
        yield True
        return
    try:
        yield lock_alone(claimed) and wait_until_idle(folder / JOBS, patience=0.0)
    finally:
        fcntl.flock(claimed, fcntl.LOCK_SH)


def wait_until_idle(path: Path, patience: float) -> bool:
    """Whether no job is at work, at the latest after `patience` seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end = time.monotonic() + patience
        if patience and not lock_alone(descriptor):
            print_line("jobs of a run that was killed are still at work; waiting for their end")
        while not lock_alone(descriptor):
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
    finally:
        os.close(descriptor)
    return True


def machine_id() -> str:
    """This machine since it was last started; never that of a file where it cannot be told."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return f"unknown-{os.getpid()}"


def claim_when_run(workflow: Any, folders: Callable[[], Iterable[str]]) -> None:
    """Let a Snakemake workflow `claim` its working folder before it locks it, and set right what is in it.

    Its default limit of starts is lifted then (`lift_default_rate`). Dry runs, and the jobs' own, claim nothing; a run
    that cannot submit jobs from this machine ends at once. `folders` are those whose files Snakemake compares by their
    dates.
    """
    execute = workflow.execute

    def claimed(executor_plugin: Any, *args: Any, **options: Any) -> Any:
        settings = executor_plugin.common_settings
        if workflow.is_main_process and not settings.dryrun_exec and not getattr(settings, "touch_exec", False):
            try:
                check_executor(executor_plugin.name)
                lift_default_rate(workflow)
                workflow.claim = claim(settings.local_exec)
                # where a lock is left a run may be at work, and Snakemake refuses this one
                with keep_others_out(workflow.claim) as alone:
                    if alone and not any((FOLDER / LOCKS).glob("*.lock")):
                        set_right(folders())
            except ValueError as error:
                raise SystemExit(str(error)) from None
        return execute(executor_plugin, *args, **options)

    workflow.execute = claimed
