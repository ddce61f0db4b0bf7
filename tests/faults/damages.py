"""Damaged and foreign files: what jobs ask of their inputs, and whole runs that read one."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from checkout import CRATE, Copy

from tests.faults.kills import Whole
from tests.faults.trials import SEALED, SERIES, UNSEALED, Trials, results, run_to_end
from vbiflow.seal import seal_path, verify_input

REMEDY = re.compile(r"delete (it|the folder (\S+)) and run again")
ROUNDS = 3
BLOCK = 512


def truncate(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def zero(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = rng.randrange(len(content))
    while not content[start]:
        start = rng.randrange(len(content))
    content[start : start + BLOCK] = bytes(min(BLOCK, len(content) - start))
    path.write_bytes(content)


def swap(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    half = max(1, len(content) // 2)
    path.write_bytes(content[half:] + content[:half])


def replace_by_another(path: Path, rng: random.Random) -> None:
    others = [
        other for other in path.parents[1].rglob(f"*{path.suffix}") if other != path and seal_path(other) != other
    ]
    other = rng.choice([other for other in others if other.read_bytes() != path.read_bytes()])
    shutil.copyfile(other, path)
    if seal_path(other).exists():
        shutil.copyfile(seal_path(other), seal_path(path))


def empty(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"")


def replace_by_folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


def replace_by_loop(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


def lose_seal(path: Path, rng: random.Random) -> None:
    """Of a table the seal beside it, of others the end that holds it."""
    beside = seal_path(path)
    if beside.exists():
        beside.unlink()
    else:
        content = path.read_bytes()
        path.write_bytes(content[: content.rindex(b"vbiflow-seal")])


Damage = Callable[[Path, random.Random], None]
DAMAGES: dict[str, Damage] = {
    "truncated": truncate, "a bit flipped": flip, "512 bytes zeroed": zero, "halves swapped": swap,
    "foreign": replace_by_another, "empty": empty, "seal lost": lose_seal, "a folder in its place": replace_by_folder,
    "a loop of links in its place": replace_by_loop,
}  # fmt: skip


@contextmanager
def damaged(path: Path, damage: Damage, rng: random.Random) -> Iterator[bool]:
    """Damage a file under its old date, put it back at the end; whether that was possible."""
    status, content = path.stat(), path.read_bytes()
    seal = seal_path(path).read_bytes() if seal_path(path).exists() else None
    try:
        try:
            damage(path, rng)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
            possible = path.is_symlink() or path.is_dir() or path.read_bytes() != content or "lose" in damage.__name__
        except IndexError:
            possible = False  # there is no other file of its kind
        yield possible
    finally:
        remove(path)
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        if seal is not None:
            seal_path(path).write_bytes(seal)


def remove(path: Path) -> None:
    """Remove a file, link or folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def damage_files(copy: Copy, study: str, trials: Trials) -> None:
    """Damage every result file of a study in every way, and ask what every job asks of its inputs."""
    before = os.getcwd()
    os.chdir(copy.path)  # seals hold paths as Snakemake writes them
    try:
        for path in sorted(Path("results", study).rglob("*")):
            inside = path.suffix in SEALED and not UNSEALED & {*path.parts} and not path.name.startswith(".")
            if inside and path.name != CRATE:  # which no job reads, and whose form has no place for a seal
                damage_file(path, trials)
    finally:
        os.chdir(before)
    print(f"{sum(trials.found.values())} trials with the damaged files of {study}", flush=True)


def damage_file(path: Path, trials: Trials) -> None:
    """Damage one file in every way, what is random `ROUNDS` times."""
    for name, damage in DAMAGES.items():
        for _ in range(ROUNDS if damage in (truncate, flip, zero, replace_by_another) else 1):
            with damaged(path, damage, trials.rng) as possible:
                if not possible:
                    continue
                try:
                    verify_input(path)
                    outcome = f"FAILED: {path} was taken"
                except ValueError as error:
                    said = str(error)
                    one = "\n" not in said and str(path) in said and REMEDY.search(said)
                    outcome = "refused in one line" if one else f"FAILED: {said}"
                if outcome.startswith("FAILED"):
                    trials.note(f"{path.suffix} {name}", outcome)
                else:
                    trials.found[f"{path.suffix} {name}", outcome] += 1


USES = {
    "101309/connectome.h5": "101309/prior.h5",
    "101309/prior.h5": "101309/posterior.pt",
    "101309/simulations/shard-000080-000160.h5": "101309/features/shard-000080-000160.h5",
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
    "cohort.tsv": "report.html",
}
"""A file of every stage of the tiny study, and a result that is made of it."""


def damage_runs(copy: Copy, whole: Whole, trials: Trials) -> None:
    """Damage a file of each stage, run what is made of it, do as the line says, and compare; until the time is over."""
    folder = copy.path / "results" / "tiny"
    shutil.copytree(folder, copy.path / "whole", dirs_exist_ok=True)
    first = True
    while first or trials.left > 0:
        for name, use in trials.rng.sample(sorted(USES.items()), k=len(USES)):
            kind = trials.rng.choice(sorted(DAMAGES))
            outcome = damage_run(copy, folder / name, kind, folder / use, whole, trials)
            if outcome.startswith("FAILED"):
                trials.note(f"a run with {name} {kind}", outcome)
                shutil.rmtree(folder)
                shutil.copytree(copy.path / "whole", folder)
            elif outcome:
                trials.note("a run with a damaged file", outcome)
            if trials.left < 0 and not first:
                return
        first = False


def damage_run(copy: Copy, path: Path, kind: str, made: Path, whole: Whole, trials: Trials) -> str:
    """What a run says of a damaged file, and whether it is good once that is heeded; nothing if it was impossible."""
    status = path.stat()
    try:
        DAMAGES[kind](path, trials.rng)
    except IndexError:
        return ""
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
    remove(made)
    use = made.relative_to(copy.path).as_posix()
    said = run_to_end(copy, use)
    if "Traceback (most recent call last)" in said:
        return f"FAILED: {said[-600:]!r}"
    outcome = "made again before it was read, the same bytes"
    if said:
        line = next((found for found in map(REMEDY.search, said.splitlines()) if found), None)
        if not line or path.name not in said:
            return f"FAILED: {said[-600:]!r}"
        outcome = "named in one line; deleted, the same bytes again"
        remove(path if line[1] == "it" else path.parent)  # figures are made again by the folder, as the line says
        wanted = path if line[1] == "it" else path.parent
        said = run_to_end(copy, use, wanted.relative_to(copy.path).as_posix())
    after = results(copy, "tiny")
    keys = [
        key for key in whole.files if (copy.path / "results/tiny" / key) in (path, made) or use in f"results/tiny/{key}"
    ]
    wrong = [key for key in keys if SERIES not in key and after.get(key) != whole.files[key]]
    return f"FAILED: {wrong} {said[-300:]!r}" if said or wrong else outcome


CHANGES = {
    "seed": ("seed: 7", "seed: 8"),
    "prior": ("w: {uniform: [0, 1]}", "w: {uniform: [0, 2]}"),
    "features": ("features: [fc]", "features: [fc, variance]"),
    "simulation": ("duration: 864.0e+3", "duration: 720.0e+3"),
    "observation": ("bold: {tr: 720}", "bold: {tr: 1440}"),
}
"""Changes of the tiny study that its features depend on."""


def change_settings(copy: Copy, trials: Trials) -> None:
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
