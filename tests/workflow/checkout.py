"""A copy of the repository in which Snakemake runs, so that the tests never touch the user's results."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRACE = Path(__file__).with_name("trace")
PARTS = ("Snakefile", "rules", "scripts", "envs", "profiles", "config", "resources", "vbiflow")


class Copy:
    """A checkout of its own; input data is shared with the repository, so that it is fetched once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        skip = shutil.ignore_patterns("__pycache__", "data")
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, path / part, ignore=skip)
            else:
                shutil.copy2(source, path / part)
        data = ROOT / "resources" / "data"
        data.mkdir(parents=True, exist_ok=True)
        (path / "resources" / "data").symlink_to(data)

    def snakemake(
        self, *arguments: str, cores: int = 2, timeout: float = 600, traces: Path | None = None
    ) -> subprocess.CompletedProcess:
        """Run Snakemake here; stdout and stderr are joined. What its jobs call is written to the folder `traces`."""
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nocolor", *arguments]
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
