"""Faults on purpose: kills at random times and places, damaged and foreign files, full and read-only disks, too little
memory, odd surroundings.

``python -m tests.faults --kills N --minutes M`` kills N runs in a copy of the repository, damages files until M minutes
are over, and writes what was tried, and what came out, into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from checkout import ROOT, Copy

from tests.faults.damages import change_settings, damage_files, damage_runs
from tests.faults.kills import build, kill_again_and_again
from tests.faults.shortages import be_killed_for_memory, lack_address_space, lack_room
from tests.faults.surroundings import surround
from tests.faults.trials import Trials

PAGE = ROOT / "docs" / "reliability.md"
START, END = "<!-- made by make test-faults -->", "<!-- end -->"
STUDIES = ("tiny", "tiny@rounds", "tiny@cohort")
PEOPLE = 3
"""How many of the cohort take part."""
COHORT = "config/cohorts/hcp.tsv"


def processor() -> str:
    """The processor's name and the number of its cores that may be used."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "a processor")
    return f"{len(os.sched_getaffinity(0))} cores of {name}"


def write_page(trials: Trials, kills: int) -> None:
    """The table of what was tried, into docs/reliability.md."""
    rows = [f"| {tried} | {outcome} | {count} |" for (tried, outcome), count in sorted(trials.found.items())]
    table = "\n".join(["| Tried | What came out | Times |", "|---|---|---|", *rows])
    stages = ", ".join(f"{name} {count}" for name, count in sorted(trials.stages.items()))
    minutes = trials.minutes - trials.left / 60
    head = (
        f"A run of {datetime.date.today():%d %B %Y} that took {minutes:.0f} minutes on {processor()}: {kills} kills "
        f"over {', '.join(STUDIES)} ({PEOPLE} people).\nAt work when they came (times): {stages}."
    )
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(START) + len(START)], text[text.index(END) :]
    PAGE.write_text(f"{before}\n\n{head}\n\n{table}\n\n{after}", encoding="utf-8")


def try_all(copy: Copy, n_kills: int, trials: Trials) -> int:
    """Kills first, as many as are asked for; then damage and shortages; at last damage until the time is over."""
    wholes, kills = {study: build(copy, study) for study in STUDIES}, 0
    while kills < n_kills:
        for k, study in enumerate(STUDIES):
            quota = math.ceil((n_kills - kills) * wholes[study].n_jobs / sum(wholes[s].n_jobs for s in STUDIES[k:]))
            kills += kill_again_and_again(copy, study, wholes[study], quota, trials) if quota else 0
    for study in STUDIES:
        damage_files(copy, study, trials)
    tiny = wholes["tiny"]
    change_settings(copy, trials)
    lack_room(copy, trials)
    lack_address_space(copy, tiny, trials)
    be_killed_for_memory(copy, tiny, trials)
    surround(copy, tiny, trials)
    for k, _ in enumerate(damage_runs(copy, tiny, trials)):
        if k > 13 and trials.left < 0:
            break
    return kills


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    trials = Trials(given.minutes, given.seed)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Copy(Path(scratch) / "vbiflow")
        cohort = copy.path / COHORT
        cohort.write_text("\n".join(cohort.read_text().splitlines()[: PEOPLE + 1]) + "\n")
        kills = try_all(copy, given.kills, trials)
    write_page(trials, kills)
    for line in trials.failed:
        print(line)
    return bool(trials.failed)


if __name__ == "__main__":
    sys.exit(main())
