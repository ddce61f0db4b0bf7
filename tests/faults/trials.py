"""What was tried and what came out; runs of a study to their end; the bytes of its results."""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from checkout import Copy, without_times

SEALED = (".h5", ".pt", ".json", ".svg", ".tsv")
UNSEALED = {"logs", "benchmarks"}
SERIES = "simulations"
"""Part of the path of files that nothing needs any more once their features are there."""


class Trials:
    """What was tried and what came out, counted; kept in a file, so that a later run of trials adds to it."""

    def __init__(self, minutes: float, seed: int, record: Path) -> None:
        self.begin, self.minutes, self.rng, self.record = time.monotonic(), minutes, random.Random(seed), record
        known = json.loads(record.read_text()) if record.exists() else {}
        self.found = Counter({(tried, outcome): count for tried, outcome, count in known.get("found", [])})
        self.stages: Counter[str] = Counter(known.get("stages", {}))
        self.kills, self.before = known.get("kills", 0), known.get("minutes", 0.0)

    @property
    def left(self) -> float:
        """Seconds of the time that was given; negative once it is over."""
        return 60 * self.minutes - (time.monotonic() - self.begin)

    @property
    def taken(self) -> float:
        """Minutes of all trials."""
        return self.before + (time.monotonic() - self.begin) / 60

    @property
    def failed(self) -> list[str]:
        """What came out wrong."""
        return [f"{tried}: {outcome}" for tried, outcome in self.found if outcome.startswith("FAILED")]

    def note(self, tried: str, outcome: str) -> None:
        """Count one trial."""
        self.found[tried, outcome] += 1
        print(f"{self.taken:.1f} min; {tried}: {outcome}", flush=True)
        self.save()

    def save(self) -> None:
        """Keep all that was found."""
        found = [[*key, count] for key, count in sorted(self.found.items())]
        content = {"found": found, "stages": self.stages, "kills": self.kills, "minutes": self.taken}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(content))


def results(copy: Copy, study: str) -> dict[str, bytes]:
    """Content of every result file of a study, without times."""
    folder = copy.path / "results" / study
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix in SEALED and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): without_times(path) for path in paths if not UNSEALED & {*path.parts}}


def different(whole: dict[str, bytes], after: dict[str, bytes], *, all_there: bool) -> list[str]:
    """Names of result files of other bytes; of those that are missing too if all must be there."""
    missing = [name for name in whole.keys() - after.keys() if all_there and SERIES not in name]
    return sorted(missing + [name for name in whole.keys() & after.keys() if after[name] != whole[name]])


def run_to_end(copy: Copy, *targets: str) -> str:
    """Make targets; the last lines if that fails, else nothing."""
    done = copy.snakemake("--notemp", "--quiet", "host", "--", *filter(None, targets), timeout=3600)
    return "" if done.returncode == 0 else done.stdout[-3000:]
