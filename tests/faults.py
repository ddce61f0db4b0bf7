"""Faults on purpose: kills at random times, damaged and foreign files, a full disk, a read-only one, too little memory.

``python -m tests.faults --minutes N`` runs for about N minutes in a copy of the repository and writes what was tried,
and what came out, into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "workflow"))
from checkout import ROOT, Copy

from vbiflow.seal import seal_path, verify_input

PAGE = ROOT / "docs" / "reliability.md"
START, END = "<!-- made by make test-faults -->", "<!-- end -->"
STUDIES = ("tiny", "tiny@rounds", "tiny@cohort")
REMEDY = re.compile(r"delete (it|the folder \S+) and run again")
SEALED = (".h5", ".pt", ".json", ".svg", ".tsv")
USES = {
    "101309/connectome.h5": "101309/prior.h5",
    "101309/prior.h5": "101309/posterior.pt",
    "101309/features/shard-000080-000160.h5": "101309/features.h5",
    "101309/features.h5": "101309/posterior.pt",
    "101309/posterior.pt": "subjects/101309/samples.h5",
    "101309/training.json": "101309/figures",
    "101309/diagnostics.h5": "101309/figures",
    "101309/diagnostics.json": "subjects/101309/verdict.json",
    "subjects/101309/x_o.h5": "subjects/101309/samples.h5",
    "subjects/101309/samples.h5": "subjects/101309/figures",
    "subjects/101309/predictive.h5": "subjects/101309/figures",
    "subjects/101309/figures/fc.svg": "report.html",
}
"""A file of every stage of the tiny study, and a result that is made of it."""


def truncated(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def flipped(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def zeroed(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    filled = [k for k, byte in enumerate(content) if byte]
    start = rng.choice(filled)
    content[start : start + 512] = bytes(min(512, len(content) - start))
    path.write_bytes(content)


def swapped(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    half = max(1, len(content) // 2)
    path.write_bytes(content[half:] + content[:half])


def foreign(path: Path, rng: random.Random) -> None:
    others = [
        other for other in path.parents[1].rglob(f"*{path.suffix}") if other != path and seal_path(other) != other
    ]
    other = rng.choice([other for other in others if other.read_bytes() != path.read_bytes()])
    shutil.copyfile(other, path)
    if seal_path(other).exists():
        shutil.copyfile(seal_path(other), seal_path(path))


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncated": truncated, "a bit flipped": flipped, "512 bytes zeroed": zeroed, "halves swapped": swapped,
    "foreign": foreign,
}  # fmt: skip


class Trials:
    """What was tried and what came out, counted."""

    def __init__(self, minutes: float, seed: int) -> None:
        self.end, self.rng = time.monotonic() + 60 * minutes, random.Random(seed)
        self.found: Counter[tuple[str, str]] = Counter()

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def note(self, tried: str, outcome: str) -> None:
        self.found[tried, outcome] += 1
        print(f"{self.left:.0f} s left; {tried}: {outcome}", flush=True)


def results(copy: Copy, study: str) -> dict[str, bytes]:
    """Content of every result file of a study, without times."""
    folder = copy.path / "results" / study
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in SEALED}
    beyond = {"logs", "benchmarks", "simulations"}  # series that nothing needs any more are not made again
    kept = {name: path for name, path in files.items() if not beyond & {*path.parts}}
    return {name: without_times(path) for name, path in sorted(kept.items())}


def without_times(path: Path) -> bytes:
    """The bytes of a file; of JSON without seconds, and the seal that covers them."""
    if path.suffix != ".json":
        return path.read_bytes()
    content = json.loads(path.read_text())
    return json.dumps({key: value for key, value in content.items() if key not in ("seal", "seconds")}).encode()


def run_to_end(copy: Copy, *targets: str) -> str:
    """Make targets; the last lines if that fails, else nothing."""
    done = copy.snakemake("--notemp", "--quiet", "host", "--", *filter(None, targets), timeout=3600)
    return "" if done.returncode == 0 else done.stdout[-3000:]


def kill_at_random(copy: Copy, study: str, whole: dict[str, bytes], longest: float, trials: Trials) -> None:
    """Take some results away, kill the run that makes them again, run once more and compare."""
    rng, folder = trials.rng, copy.path / "results" / study
    for name in rng.sample(sorted(whole), k=max(1, len(whole) // rng.choice((2, 4, 8)))):
        (folder / name).unlink(missing_ok=True)
    for name in ("figures", "report.html"):
        for path in folder.rglob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--notemp", f"results/{study}/report.html"],
        cwd=copy.path, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(rng.uniform(1.0, longest))
    how = rng.choice(("SIGKILL of all processes", "SIGKILL of Snakemake alone", "SIGTERM of all processes"))
    if process.poll() is None:
        sent = signal.SIGTERM if "SIGTERM" in how else signal.SIGKILL
        os.kill(process.pid, sent) if "alone" in how else os.killpg(process.pid, sent)
    process.wait()
    said = run_to_end(copy, f"results/{study}/report.html")
    # of what was taken away Snakemake makes again only what something needs; the rest when it is asked for
    gone = [f"results/{study}/{name}" for name in whole.keys() - results(copy, study).keys()]
    said = said or (run_to_end(copy, *gone) if gone else "")
    after = results(copy, study)
    different = [name for name in whole if after.get(name) != whole[name]]
    parts = list(folder.rglob(".*.part"))
    outcome = "same bytes, nothing left over" if not (said or different or parts) else describe(said, different, parts)
    trials.note(f"{how}, {study}", outcome)


def describe(said: str, different: list[str], parts: list[Path]) -> str:
    """What was wrong after a kill."""
    if said:
        print(said)
        return f"FAILED to go on: {said.strip().splitlines()[-1][:80]}"
    return f"FAILED: {len(different)} files differ ({', '.join(different[:3])}), {len(parts)} parts are left"


def damaged_files(copy: Copy, study: str, trials: Trials, rounds: int = 3) -> None:
    """Damage every result file in every way, and ask what every job asks of its inputs."""
    os.chdir(copy.path)
    for path in sorted(Path("results", study).rglob("*")):
        if path.suffix not in SEALED or {"logs", "benchmarks"} & {*path.parts} or path.name.startswith("."):
            continue
        status = path.stat()
        before, seal = path.read_bytes(), seal_path(path).read_bytes() if seal_path(path).exists() else None
        for name, damage in DAMAGES.items():
            for _ in range(rounds):
                try:
                    damage(path, trials.rng)
                    if path.read_bytes() == before:
                        continue
                    verify_input(path)
                    trials.note(f"{path.suffix} {name}", f"FAILED: {path} was taken")
                except ValueError as error:
                    one = "\n" not in str(error) and str(path) in str(error) and "run again" in str(error)
                    trials.found[f"{path.suffix} {name}", "refused in one line" if one else f"FAILED: {error}"] += 1
                except IndexError:
                    pass  # there is no other file of its kind
                finally:
                    path.write_bytes(before)
                    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
                    if seal is not None:
                        seal_path(path).write_bytes(seal)
    print(f"{trials.left:.0f} s left; {sum(trials.found.values())} damaged files of {study}", flush=True)


def damaged_runs(copy: Copy, whole: dict[str, bytes], trials: Trials) -> Iterator[None]:
    """Damage a file of each stage, run what is made of it, do as the line says, and compare."""
    folder = copy.path / "results" / "tiny"
    for name, use in trials.rng.sample(sorted(USES.items()), k=len(USES)):
        path, kind = folder / name, trials.rng.choice(sorted(DAMAGES))
        status = path.stat()
        DAMAGES[kind](path, trials.rng)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        made = folder / use
        shutil.rmtree(made) if made.is_dir() else made.unlink()
        said = run_to_end(copy, f"results/tiny/{use}")
        lines = [line for line in said.splitlines() if REMEDY.search(line) and path.name in line]
        if not said and results(copy, "tiny") == whole:
            trials.note("a run with a damaged file", "made again before it was read, the same bytes")
            yield
            continue
        if not lines or "Traceback (most recent call last)" in said:
            trials.note(f"a run with {name} {kind}", f"FAILED: {said[-300:]!r}")
            shutil.copytree(copy.path / "whole", folder, dirs_exist_ok=True)
            yield
            continue
        alone = path.suffix != ".svg"  # figures are made again by the folder, as the line says
        path.unlink() if alone else shutil.rmtree(path.parent)
        said = run_to_end(copy, f"results/tiny/{use}", f"results/tiny/{name}" if alone else "")
        after = results(copy, "tiny")
        same = not said and all(after.get(key) == whole[key] for key in (name, use) if key in whole)
        trials.note("a run with a damaged file", "named in one line; deleted, the same bytes again" if same else
                    f"FAILED: {name} {kind}: {said[-200:]!r}")  # fmt: skip
        yield


CHANGES = {
    "seed": ("seed: 7", "seed: 8"),
    "prior": ("w: {uniform: [0, 1]}", "w: {uniform: [0, 2]}"),
    "features": ("features: [fc]", "features: [fc, variance]"),
    "simulation": ("duration: 864.0e+3", "duration: 720.0e+3"),
    "observation": ("bold: {tr: 720}", "bold: {tr: 1440}"),
}
"""Changes of the tiny study that its features depend on."""


def other_settings(copy: Copy, trials: Trials) -> None:
    """Change a setting and tell Snakemake to overlook it: results made with the old one are not to be taken."""
    study, posterior = "config/studies/tiny.yaml", copy.path / "results/tiny/101309/posterior.pt"
    content = posterior.read_bytes()
    for name, (old, new) in CHANGES.items():
        posterior.unlink()
        copy.edit(study, old, new)
        done = copy.snakemake("--rerun-triggers", "mtime", "--", "results/tiny/101309/posterior.pt")
        copy.edit(study, new, old)
        line = re.search(r"\S+: made with .*; delete it and run again", done.stdout)
        refused = done.returncode and line and name in line[0] and "Traceback" not in done.stdout
        trials.note(
            "results of other settings", "refused in one line" if refused else f"FAILED: {done.stdout[-300:]!r}"
        )
        posterior.write_bytes(content)


SHORT = """
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


def short_of(copy: Copy, what: str, size: str, before: str, trials: Trials) -> None:
    """Run one job on a disk that is full or read-only, then on the same with room."""
    if os.geteuid():
        trials.note(what, "not tried: only root can mount such a disk")
        return
    run = f"{sys.executable} -m snakemake --cores 1 --quiet host"
    script = SHORT.format(path=copy.path, size=size, before=before, run=run)
    done = subprocess.run(["unshare", "-m", "bash", "-c", script], capture_output=True, text=True, timeout=300)
    said = (copy.path / "said.txt").read_text() if (copy.path / "said.txt").exists() else ""
    if "first" not in done.stdout:
        trials.note(what, "not tried: no such disk can be mounted here")
        return
    line = re.search(r"(connectome tiny 101309: .*|.*(No space left|Read-only file system).*)", said)
    good = "first 0" not in done.stdout and "second 0" in done.stdout and "parts 0" in done.stdout and line
    traced = "Traceback (most recent call last)" in said
    outcome = "one line, nothing half written, goes on once there is room"
    trials.note(what, outcome if good and not traced else f"FAILED: {done.stdout.split()} {said[-200:]!r}")


def short_of_memory(copy: Copy, trials: Trials) -> None:
    """Run a job with less address space than it needs."""
    (copy.path / "results/tiny/101309/posterior.pt").unlink(missing_ok=True)
    for gigabytes in (1, 2):
        command = (
            f"ulimit -v {gigabytes * 1000000}; {sys.executable} -m snakemake --cores 1 results/tiny/101309/posterior.pt"
        )
        done = subprocess.run(["bash", "-c", command], cwd=copy.path, capture_output=True, text=True, timeout=300)
        said = done.stdout + done.stderr
        line = "out of memory" in said and "Traceback (most recent call last)" not in said
        outcome = "one line" if line else "no output, exit status told" if done.returncode else "had enough"
        trials.note(f"{gigabytes} GB of address space (ulimit)", outcome)
    trials.note("run again with enough memory", run_to_end(copy, "results/tiny/101309/posterior.pt") or "goes on")


def write_page(trials: Trials, minutes: float, studies: Iterable[str]) -> None:
    """The table of what was tried, into docs/reliability.md."""
    rows = [f"| {tried} | {outcome} | {count} |" for (tried, outcome), count in sorted(trials.found.items())]
    table = "\n".join(["| Tried | What came out | Times |", "|---|---|---|", *rows])
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text[: text.index(START) + len(START)], text[text.index(END) :]
    PAGE.write_text(
        f"{head}\n\nA run of {minutes:g} minutes on 2 cores, of {', '.join(studies)}:\n\n{table}\n\n{tail}",
        encoding="utf-8",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--studies", nargs="+", default=STUDIES, choices=STUDIES)
    parser.add_argument("--folder", type=Path, help="where the copy is kept, with its results, for the next call")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    trials, wholes = Trials(given.minutes, given.seed), {}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Copy((given.folder or Path(scratch)) / "vbiflow")
        for study in given.studies if given.minutes >= 20 else STUDIES[:1]:
            begin = time.monotonic()
            said = run_to_end(copy, f"results/{study}/report.html")
            if said:
                raise SystemExit(said)
            wholes[study] = results(copy, study), time.monotonic() - begin
            damaged_files(copy, study, trials)
        shutil.copytree(copy.path / "results/tiny", copy.path / "whole", dirs_exist_ok=True)
        other_settings(copy, trials)
        short_of(
            copy,
            "a disk without room",
            "40k",
            "dd if=/dev/zero of=results/tiny/fill bs=1k count=30 2>/dev/null",
            trials,
        )
        short_of(copy, "a read-only disk", "10m", "mount -o remount,ro results/tiny", trials)
        runs, kills = damaged_runs(copy, wholes["tiny"][0], trials), 0
        while trials.left > 20 and kills < given.kills:
            if next(runs, "over") == "over" or trials.rng.random() < 0.4:
                study = trials.rng.choice(sorted(wholes))
                kill_at_random(copy, study, wholes[study][0], min(60.0, wholes[study][1]), trials)
                kills += 1
        if trials.left > 10:
            short_of_memory(copy, trials)
        os.chdir(ROOT)
    write_page(trials, given.minutes, wholes)
    bad = [outcome for _, outcome in trials.found if outcome.startswith("FAILED")]
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
