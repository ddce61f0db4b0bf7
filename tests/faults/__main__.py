"""Faults on purpose: kills at random times and places, damaged and foreign files, full and read-only disks, too little
memory, odd surroundings.

``python -m tests.faults --kills N --minutes M`` kills N runs in a copy of the repository, damages files until M minutes
are over, and writes what was tried, and what came out, into docs/reliability.md. What was found is kept in
results/faults.json: trials that were ended are gone on with, and a new start removes that file first.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from checkout import ROOT, Copy

from tests.faults.damages import change_settings, damage_files, damage_runs
from tests.faults.kills import Whole, build, kill_again_and_again
from tests.faults.shortages import be_killed_for_memory, lack_address_space, lack_room
from tests.faults.surroundings import surround
from tests.faults.trials import Trials

PAGE = ROOT / "docs" / "reliability.md"
START, END = "<!-- made by make test-faults -->", "<!-- end -->"
STUDIES = ("tiny", "tiny@rounds", "tiny@cohort")
PEOPLE = 3
"""How many of the cohort take part."""
COHORT = "config/cohorts/hcp.tsv"
RECORD = ROOT / "results" / "faults.json"


def processor() -> str:
    """The processor's name and the number of its cores that may be used."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "a processor")
    return f"{len(os.sched_getaffinity(0))} cores of {name}"


def write_page(trials: Trials) -> None:
    """The table of what was tried, into docs/reliability.md."""
    rows = [f"| {tried} | {outcome} | {count} |" for (tried, outcome), count in sorted(trials.found.items())]
    table = "\n".join(["| Tried | What came out | Times |", "|---|---|---|", *rows])
    stages = ", ".join(f"{name} {count}" for name, count in sorted(trials.stages.items()))
    head = (
        f"{datetime.date.today():%d %B %Y}, {trials.taken:.0f} minutes on {processor()}: {trials.kills} kills over "
        f"{', '.join(STUDIES)} ({PEOPLE} people).\nAt work when they came (times): {stages}."
    )
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(START) + len(START)], text[text.index(END) :]
    PAGE.write_text(f"{before}\n\n{head}\n\n{table}\n\n{after}", encoding="utf-8")


def try_all(copy: Copy, n_kills: int, trials: Trials) -> None:
    """Kills first, as many as are asked for; then damage and shortages; at last damage until the time is over."""
    wholes: dict[str, Whole] = {}
    while trials.kills < n_kills or not wholes:
        for k, study in enumerate(STUDIES):
            wholes.setdefault(study, build(copy, study))
            quota = math.ceil((n_kills - trials.kills) / (len(STUDIES) - k))
            kill_again_and_again(copy, study, wholes[study], quota, trials)
            write_page(trials)
    tiny = wholes["tiny"]
    parts: list[Callable[[], None]] = [
        *(partial(damage_files, copy, study, trials) for study in STUDIES),
        lambda: change_settings(copy, trials),
        lambda: lack_room(copy, trials),
        lambda: lack_address_space(copy, tiny, trials),
        lambda: be_killed_for_memory(copy, tiny, trials),
        lambda: surround(copy, tiny, trials),
        lambda: damage_runs(copy, tiny, trials),
    ]
    for part in parts:
        part()
        trials.save()
        write_page(trials)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10000)
    parser.add_argument("--record", type=Path, default=RECORD, help="what earlier trials found, to be added to")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in its background ignore it
    print(f"seed {given.seed}", flush=True)
    trials = Trials(given.minutes, given.seed, given.record)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Copy(Path(scratch) / "vbiflow")
        cohort = copy.path / COHORT
        cohort.write_text("\n".join(cohort.read_text().splitlines()[: PEOPLE + 1]) + "\n")
        try_all(copy, given.kills, trials)
    for line in trials.failed:
        print(line)
    return bool(trials.failed)


if __name__ == "__main__":
    sys.exit(main())
