"""Disks without room, read-only ones, and too little memory: by address space, and by a scheduler's control group."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from checkout import Copy

from tests.faults.damages import remove
from tests.faults.kills import LOOK, Watch, Whole, start
from tests.faults.trials import Trials, different, results, run_to_end

DISK = """
set -u
cd {path}; mv results/tiny results/tiny.kept; mkdir results/tiny
mount -t tmpfs -o size={size} tmpfs results/tiny || exit 77
{before}
{run} -- results/tiny/101309/connectome.h5 > said.txt 2>&1; echo "first $?"
ls -A results/tiny/101309 2>/dev/null | grep -c part | sed 's/^/parts /'
mount -o remount,rw,size=20m results/tiny; rm -f results/tiny/fill
{run} -- results/tiny/101309/connectome.h5 > again.txt 2>&1; echo "second $?"
umount results/tiny; rmdir results/tiny; mv results/tiny.kept results/tiny
"""
DISKS = {
    "a disk without room": ("40k", "dd if=/dev/zero of=results/tiny/fill bs=1k count=30 2>/dev/null"),
    "a disk that is full to the last byte": ("40k", "cat /dev/zero > results/tiny/fill 2>/dev/null"),
    "a read-only disk": ("10m", "mount -o remount,ro results/tiny"),
}


def lack_room(copy: Copy, trials: Trials) -> None:
    """Run one job on a disk that is full or read-only, then on the same with room."""
    for what, (size, before) in DISKS.items():
        if os.geteuid():
            trials.note(what, "not tried: only root can mount such a disk")
            continue
        run = f"{sys.executable} -m snakemake --cores 1 --quiet host"
        script = DISK.format(path=f"'{copy.path}'", size=size, before=before, run=run)
        done = subprocess.run(["unshare", "-m", "bash", "-c", script], capture_output=True, text=True, timeout=300)
        if "first" not in done.stdout:
            trials.note(what, "not tried: no such disk can be mounted here")
            continue
        said = (copy.path / "said.txt").read_text()
        line = re.search(r"No space left|Read-only file system", said)
        good = "first 0" not in done.stdout and "second 0" in done.stdout and "parts 0" in done.stdout and line
        traced = "Traceback (most recent call last)" in said or "Signals." in said
        outcome = "one line, nothing half written, goes on once there is room"
        trials.note(what, outcome if good and not traced else f"FAILED: {done.stdout.split()} {said[-600:]!r}")


LARGE = ("duration: 864.0e+3", "duration: 172800.0e+3"), ("shard_size: 80", "shard_size: 300")
"""Changes of the tiny study that let a shard, which goes to its file in parts, need more than 1.2 GB of addresses."""
TOLD = re.compile(r"out of memory", re.IGNORECASE)


def lack_address_space(copy: Copy, whole: Whole, trials: Trials) -> None:
    """Run jobs with less address space than they need, then with enough."""
    study, target = "config/studies/tiny.yaml", "results/tiny/101309/simulations/shard-000000-000300.h5"
    for old, new in LARGE:
        copy.edit(study, old, new)
    said = run_limited(copy, 1.2, target)
    for old, new in LARGE:
        copy.edit(study, new, old)
    told = {line for line in said.splitlines() if TOLD.search(line)}  # the log of a failed job is shown too
    good = len(told) == 1 and "Traceback (most recent call last)" not in said and not (copy.path / target).exists()
    trials.note("less address space than a job needs (ulimit)", "one line" if good else f"FAILED: {said[-900:]!r}")
    target = "results/tiny/101309/posterior.pt"
    remove(copy.path / target)
    said = run_limited(copy, 0.75, target)
    outcome = (
        "the last of the lines says so, and what to do"
        if "out of memory: raise the limit" in said
        else f"FAILED: {said[-900:]!r}"
    )
    trials.note("less address space than a job's libraries need (ulimit)", outcome)
    go_on(copy, whole, target, trials)


def run_limited(copy: Copy, gigabytes: float, target: str) -> str:
    """What a run says that has so much address space; nothing if that was enough."""
    command = f"ulimit -v {gigabytes * 1e6:.0f}; {sys.executable} -m snakemake --cores 1 --notemp {target}"
    done = subprocess.run(["bash", "-c", command], cwd=copy.path, capture_output=True, text=True, timeout=300)
    return (done.returncode and done.stdout + done.stderr) or ""


GROUPS = Path("/sys/fs/cgroup/memory")
LIMIT = 60 << 20


def be_killed_for_memory(copy: Copy, whole: Whole, trials: Trials) -> None:
    """Put a training into a control group with too little memory, as a scheduler does: the kernel kills it."""
    what, group = "more memory than a control group has (SIGKILL by the kernel)", GROUPS / f"vbiflow-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    except OSError:
        trials.note(what, "not tried: no control group can be made here")
        return
    target, log = "results/tiny/101309/posterior.pt", copy.path.with_name("starved.txt")
    remove(copy.path / target)
    with open(log, "w") as file:
        run, watch = start(copy, target, file), Watch()
        while run.poll() is None:
            for _, process in watch.look(run):
                (group / "cgroup.procs").write_text(str(process.pid))
            time.sleep(LOOK)
    said = log.read_text()
    told = [line for line in said.splitlines() if "for its memory" in line]
    good = run.returncode and len(told) == 1 and "Traceback (most recent call last)" not in said
    trials.note(what, "one line says so, and what to do" if good else f"FAILED: {run.returncode} {said[-900:]!r}")
    group.rmdir()
    go_on(copy, whole, target, trials)


def go_on(copy: Copy, whole: Whole, target: str, trials: Trials) -> None:
    """Run again with enough, and compare."""
    said = run_to_end(copy, target)
    wrong = different(whole.files, results(copy, "tiny"), all_there=True)
    trials.note(
        "run again with enough memory", f"FAILED: {wrong[:3]} {said[-600:]!r}" if said or wrong else "the same bytes"
    )
