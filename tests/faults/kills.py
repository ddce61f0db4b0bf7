"""Kills at random times and places: a study is made from nothing while run after run of it is killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TextIO

import psutil
from checkout import Copy

from tests.faults.trials import Trials, different, results, run_to_end
from vbiflow.exclusion import read_exclusion

SCRIPT = re.compile(r"\.snakemake/scripts/\w+\.(\w+)\.py")
LOOK = 0.05
"""Seconds between two looks at which jobs are at work."""
BETWEEN = 0.15
"""Share of kills that wait for no job: as Snakemake starts, plans and writes its records."""
STARTED = 6.0
"""Seconds after the start within which these come."""
GRACE = 900.0


def of_group(sent: int) -> Callable[[int, list[psutil.Process]], None]:
    return lambda run, jobs: os.killpg(run, sent)


def of_a_job(sent: int) -> Callable[[int, list[psutil.Process]], None]:
    """As a scheduler does that takes one job away; of Snakemake's processes where none is at work."""

    def kill(run: int, jobs: list[psutil.Process]) -> None:
        at_work = [process for process in jobs if process.is_running()]
        at_work[0].send_signal(sent) if at_work else os.killpg(run, sent)

    return kill


KILLS: dict[str, Callable[[int, list[psutil.Process]], None]] = {
    "SIGKILL of all processes": of_group(signal.SIGKILL),
    "SIGKILL of Snakemake alone": lambda run, jobs: os.kill(run, signal.SIGKILL),
    "SIGKILL of a job": of_a_job(signal.SIGKILL),
    "SIGTERM of all processes": of_group(signal.SIGTERM),
    "SIGTERM of a job": of_a_job(signal.SIGTERM),
    "SIGINT of all processes": of_group(signal.SIGINT),
}


@dataclass
class Whole:
    """A run that nobody disturbed: its files, how many jobs it had, and how long those of each script took."""

    files: dict[str, bytes]
    n_jobs: int
    seconds: dict[str, float]


@dataclass
class Watch:
    """Jobs seen at work, by process number, with script, first and last moment."""

    seen: dict[int, tuple[str, float, float]] = field(default_factory=dict)

    def look(self, run: subprocess.Popen) -> list[tuple[str, psutil.Process]]:
        """Script and process of each job that began since the last look."""
        new, now = [], time.monotonic()
        for script, process in jobs_of(run):
            if process.pid not in self.seen:
                new.append((script, process))
            self.seen[process.pid] = (script, self.seen.get(process.pid, (script, now))[1], now)
        return new

    def seconds(self) -> dict[str, float]:
        """How long jobs of each script take."""
        scripts = {script for script, *_ in self.seen.values()}
        return {one: median(last - first for script, first, last in self.seen.values() if script == one)
                for one in scripts}  # fmt: skip


def jobs_of(run: subprocess.Popen) -> Iterator[tuple[str, psutil.Process]]:
    """Script and process of the jobs at work."""
    try:
        children = psutil.Process(run.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for process in children:
        try:
            found = SCRIPT.search(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if found:
            yield found[1], process


def start(copy: Copy, target: str, log: TextIO) -> subprocess.Popen:
    """A run in a session of its own."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", "--notemp", target]
    return subprocess.Popen(command, cwd=copy.path, start_new_session=True, stdout=log, stderr=subprocess.STDOUT)


def build(copy: Copy, study: str) -> Whole:
    """Make a study that nobody disturbs, with a look at its jobs."""
    watch, log = Watch(), copy.path.with_name("undisturbed.txt")
    with open(log, "w") as file:
        run = start(copy, f"results/{study}/report.html", file)
        while run.poll() is None:
            watch.look(run)
            time.sleep(LOOK)
    if run.returncode:
        raise SystemExit(log.read_text()[-3000:])
    return Whole(results(copy, study), len(watch.seen), watch.seconds())


def kill_again_and_again(copy: Copy, study: str, whole: Whole, quota: int, trials: Trials) -> None:
    """Make a study from nothing, as often as it takes to kill `quota` of its runs; until the time is over."""
    done = 0
    while done < quota and trials.left > 0:
        shutil.rmtree(copy.path / "results" / study)
        done += make_under_kills(copy, study, whole, quota - done, trials)
        check_end(copy, study, whole, trials)


def make_under_kills(copy: Copy, study: str, whole: Whole, quota: int, trials: Trials) -> int:
    """Make a study from nothing, killing at most `quota` of its runs; how many were killed."""
    log = copy.path.with_name("killed.txt")
    for done in range(quota):
        share = len(results(copy, study)) / len(whole.files)
        with open(log, "w") as file:
            run = start(copy, f"results/{study}/report.html", file)
            how = kill_at_random(run, whole, (quota - done) / max(1.0, whole.n_jobs * (1 - share)), trials)
        if how is None:
            if run.returncode:
                trials.note(f"a run of {study} that nobody killed", f"FAILED: {log.read_text()[-1000:]}")
            return done
        trials.kills += 1
        wrong = different(whole.files, results(copy, study), all_there=False)
        trials.note(f"{how}, {study}", f"FAILED: {', '.join(wrong[:3])}" if wrong else SAME)
    return quota


SAME = "whole files or none; the study went on to the same bytes"


def kill_at_random(run: subprocess.Popen, whole: Whole, chance: float, trials: Trials) -> str | None:
    """Kill a run at a random moment of one of its jobs, each chosen with that chance; None if it ended before."""
    rng, watch = trials.rng, Watch()
    how = rng.choice(sorted(KILLS))
    end = time.monotonic() + rng.uniform(0.5, STARTED) if rng.random() < BETWEEN else None
    chosen: list[psutil.Process] = []
    while run.poll() is None and (end is None or time.monotonic() < end):
        for script, process in watch.look(run):
            if end is None and rng.random() < chance:
                end, chosen = time.monotonic() + rng.uniform(0, whole.seconds.get(script, 1.0)), [process]
        time.sleep(LOOK)
    if run.poll() is not None:
        return None
    at_work = list(jobs_of(run))
    living = {process.pid for _, process in at_work}
    first = [process for process in chosen if process.pid in living] or [process for _, process in at_work]
    try:
        KILLS[how](run.pid, first)
    except (ProcessLookupError, psutil.NoSuchProcess):  # it ended just now
        run.wait(GRACE)
        return None
    if run.wait(GRACE) == 0:
        print(
            f"{how}: the run ended all the same; at work were {', '.join(script for script, _ in at_work)}", flush=True
        )
        return None
    trials.stages.update({script for script, _ in at_work} or {"Snakemake itself"})
    return how


def reasons(folder: Path) -> list[str]:
    """Why people of a study are left out."""
    found = (read_exclusion(path) for path in sorted(folder.rglob("*.h5")))
    return sorted({f"{one.excluded} by {one.rule}: {one.reason}" for one in found if one})


def check_end(copy: Copy, study: str, whole: Whole, trials: Trials) -> None:
    """Make what is left of a study, and compare all of it with what nobody disturbed."""
    said = run_to_end(copy, f"results/{study}/report.html")
    gone = different(whole.files, results(copy, study), all_there=True)
    wrong = [f"{len(gone)} files differ: {', '.join(gone[:3])}"] if gone else []
    wrong += [f"left out: {text}" for text in reasons(copy.path / "results" / study)]
    wrong += [str(path) for name in (".*.part", "*.unfinished") for path in (copy.path / "results" / study).rglob(name)]
    wrong += [said[-1000:]] if said else []
    again = copy.snakemake("-n", "--notemp", f"results/{study}/report.html").stdout
    wrong += [] if "Nothing to be done" in again else [f"more to be done: {again[-300:]}"]
    trials.note(f"all files of {study} after its kills", f"FAILED: {'; '.join(wrong)}" if wrong else
                "the bytes of a run that nobody disturbed, nothing left over, nothing to be done")  # fmt: skip
