"""Surroundings that nobody thought of: places, languages, clocks, lost records, a damaged cache, a second run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from checkout import Copy

from tests.faults.damages import DAMAGES, remove
from tests.faults.kills import Whole, start
from tests.faults.trials import Trials, different, results, run_to_end

TARGETS = ("results/tiny/101309/features/shard-000000-000080.h5", "results/tiny/subjects/101309/figures",
           "results/tiny/101309/simulations/shard-000000-000080.h5", "results/tiny/report.html")  # fmt: skip
"""What is made again: a simulation, its features, figures and the report."""
AHEAD = 400 * 86400.0
"""Seconds: the clock that dates files was ahead by so much, before it was set back."""
REPORT = "results/tiny/report.html"
CACHE = tempfile.gettempdir()
ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None, "XDG_CACHE_HOME": None},
    "a HOME that cannot be written": {"HOME": "/proc/nobody", "XDG_CACHE_HOME": CACHE},
    "a language of ASCII alone (LC_ALL=C)": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def run_with(copy: Copy, changed: Mapping[str, str | None], *targets: str) -> str:
    """Make targets with other variables of the environment; the last lines if that fails, else nothing."""
    environment = {name: value for name, value in (os.environ | changed).items() if value is not None}
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "2",
        "--nocolor",
        "--notemp",
        "--quiet",
        "host",
        "--",
        *targets,
    ]
    done = subprocess.run(command, cwd=copy.path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=600)  # fmt: skip
    return done.stdout[-1500:] if done.returncode else ""


def again(copy: Copy, whole: Whole, changed: Mapping[str, str | None]) -> str:
    """Make some results again with other variables, and compare; what was wrong."""
    for target in TARGETS:
        remove(copy.path / target)
    said = run_with(copy, changed, *TARGETS)
    wrong = different(whole.files, results(copy, "tiny"), all_there=True)
    return f"FAILED: {wrong[:3]} {said!r}" if said or wrong else "the same bytes"


def surround(copy: Copy, whole: Whole, trials: Trials) -> None:
    """All of them, one after the other."""
    for what, changed in ENVIRONMENTS.items():
        trials.note(what, again(copy, whole, changed))
    trials.note("no room for temporary files (TMPDIR)", on_full_disk(copy, whole))
    trials.note("a folder with spaces and letters beyond ASCII", elsewhere(copy, whole))
    trials.note("files dated by a clock that was ahead", dated_ahead(copy, whole))
    trials.note("two runs in one folder", twice(copy, whole))
    for what, spoil in {"damaged": spoil_file, "lost": lambda path, trials: path.unlink()}.items():
        trials.note(f"records of Snakemake {what}", records(copy, whole, spoil, trials))
    damage_cache(copy, whole, trials)


def on_full_disk(copy: Copy, whole: Whole) -> str:
    """Temporary files on a disk of some kilobytes that is full."""
    folder = copy.path.with_name("full")
    folder.mkdir(exist_ok=True)
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder]).returncode:
        return "not tried: only root can mount such a disk"
    try:
        with open(folder / "fill", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        for target in TARGETS:
            remove(copy.path / target)
        said = run_with(copy, {"TMPDIR": str(folder)}, *TARGETS)
    finally:
        subprocess.run(["umount", folder], check=True)
    if said and ("No space left" not in said or "Traceback (most recent call last)" in said):
        return f"FAILED: {said!r}"
    after = again(copy, whole, {})
    return after if after.startswith("FAILED") else "one line" if said else "the same bytes"


def elsewhere(copy: Copy, whole: Whole) -> str:
    """The checkout under another name."""
    other = copy.path.with_name("le cerveau à 脑 'sain'")
    copy.path.rename(other)
    try:
        return again(Copy(other), whole, {})
    finally:
        other.rename(copy.path)


def dated_ahead(copy: Copy, whole: Whole) -> str:
    """Results and input files of a future date: nothing is made again, and what is made is not made for ever."""
    then = time.time() + AHEAD
    for folder in ("results/tiny", "resources/data"):
        for path in (copy.path / folder).rglob("*"):
            os.utime(path, (then, then))
    idle = copy.snakemake("-n", "--notemp", REPORT).stdout
    outcome = again(copy, whole, {})
    still = copy.snakemake("-n", "--notemp", REPORT).stdout
    for path in (copy.path / "results/tiny").rglob("*"):
        os.utime(path)
    for name, said in {"before": idle, "after": still}.items():
        if "Nothing to be done" not in said and not outcome.startswith("FAILED"):
            outcome = f"FAILED: {name}: {said[-600:]!r}"
    return outcome


def twice(copy: Copy, whole: Whole) -> str:
    """A second run while one is at work: one line, and no harm to the first."""
    for target in TARGETS:
        remove(copy.path / target)
    log = copy.path.with_name("first.txt")
    with open(log, "w") as file:
        first = start(copy, REPORT, file)
        while not any((copy.path / ".snakemake/locks").glob("*")) and first.poll() is None:
            time.sleep(0.05)
        said = run_with(copy, {}, REPORT)
        first.wait()
    if first.returncode or "Traceback (most recent call last)" in said or "locked" not in said.lower():
        return f"FAILED: {first.returncode} {said!r}"
    outcome = again(copy, whole, {})
    return outcome if outcome.startswith("FAILED") else "the second is refused, the first goes on to the same bytes"


def spoil_file(path: Path, trials: Trials) -> None:
    """Truncate a file or flip a bit."""
    if path.stat().st_size:
        DAMAGES[trials.rng.choice(["truncated", "a bit flipped", "empty"])](path, trials.rng)


def records(copy: Copy, whole: Whole, spoil, trials: Trials) -> str:
    """Every record in .snakemake is damaged or lost."""
    kept = copy.path.with_name("records")
    shutil.copytree(copy.path / ".snakemake", kept, ignore=shutil.ignore_patterns("log", "scripts"))
    for path in [path for path in (copy.path / ".snakemake").rglob("*") if path.is_file() and "log" not in path.parts]:
        spoil(path, trials)
    outcome = again(copy, whole, {})
    remove(copy.path / ".snakemake")
    kept.rename(copy.path / ".snakemake")
    return outcome


def damage_cache(copy: Copy, whole: Whole, trials: Trials) -> None:
    """A cache of its own for one simulation, and each of its files damaged."""
    cache, target = copy.path.with_name("cache"), TARGETS[2]
    shutil.rmtree(cache, ignore_errors=True)
    said = run_with(copy, {"VBIFLOW_CACHE": str(cache)}, REPORT) or again(copy, whole, {"VBIFLOW_CACHE": str(cache)})
    if "FAILED" in said:
        trials.note("a cache of its own", said)
        return
    shutil.copytree(cache, cache.with_name("cache-whole"), dirs_exist_ok=True)
    for kind in ("truncated", "a bit flipped", "empty", "512 bytes zeroed"):
        files = [path for path in sorted(cache.rglob("*")) if path.is_file() and path.stat().st_size]
        for path in files:
            DAMAGES[kind](path, trials.rng)
        remove(copy.path / target)
        said = run_with(copy, {"VBIFLOW_CACHE": str(cache)}, target)
        wrong = different(whole.files, results(copy, "tiny"), all_there=True)
        good = (not wrong and not said) or ("delete it and run again" in said and "Traceback" not in said)
        outcome = ("refused in one line" if said else "the same bytes") if good else f"FAILED: {wrong[:3]} {said!r}"
        trials.note(f"the user's cache {kind}", outcome)
        shutil.rmtree(cache)
        shutil.copytree(cache.with_name("cache-whole"), cache)
        if said or wrong:
            remove(copy.path / target)
            run_to_end(copy, target)
