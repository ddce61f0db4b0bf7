"""Digests of the files that people bring, so that these count by their content and not by their date.

Digests are kept with size, dates and inode number of each file, and a file is read again when one of these is another:
every write, rename and change of the date moves the date of the inode (ctime), which no program can set.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vbiflow.io import write_text
from vbiflow.provenance import file_digest

KEPT = Path(".snakemake") / "vbiflow-contents.json"
SETTLED = 2.0
"""Seconds that a file must have been left alone before its digest is kept: file systems date as coarsely as that."""
PATIENCE = 5.0
"""Seconds of reading after which it is told, and told again."""
COMPANIONS = (".vhdr", ".set", ".hdr")
"""Headers of formats whose data lie beside them under the same stem: BrainVision, EEGLAB, Analyze."""


class Contents:
    """Digests of files, kept in the file `path` between runs."""

    def __init__(self, path: Path = KEPT) -> None:
        self.path, self.changed, self.size, self.said = path, False, 0, time.monotonic()
        try:
            self.known: dict[str, list] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # a lost or damaged one is made again
            self.known = {}

    def digest(self, path: str | Path) -> str:
        """SHA-256 of a file, or of the files in a folder with their names; `missing` or `unreadable` where it is so."""
        parts = list(parts_of(Path(path)))
        try:
            found = [self.of_file(part) for part in parts]
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "unreadable"
        if parts == [Path(path)]:
            return found[0]
        names = (f"{os.path.relpath(part, Path(path).parent)} {one}" for part, one in zip(parts, found, strict=True))
        return hashlib.sha256("\n".join(names).encode()).hexdigest()

    def of_file(self, path: Path) -> str:
        """SHA-256 of one file, read only if it may have changed."""
        key, status = os.path.abspath(path), os.stat(path)
        mark = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        if self.known.get(key, [None])[:-1] == mark:
            return self.known[key][-1]
        found = file_digest(path)
        if 0 <= status.st_ctime < time.time() - SETTLED:
            self.known[key], self.changed = [*mark, found], True
        self.tell(status.st_size)
        return found

    def tell(self, size: int) -> None:
        """Say on the terminal how much has been read, if it takes long."""
        self.size += size
        if time.monotonic() - self.said > PATIENCE:
            self.said = time.monotonic()
            print(f"reading input files once, for their digests: {self.size / 1e9:.1f} GB", file=sys.stderr, flush=True)
            self.save()

    def save(self) -> None:
        """Keep the digests for later runs, where there is a place for them."""
        if self.changed and self.path.parent.is_dir():
            try:
                write_text(self.path, json.dumps(self.known))
            except OSError:
                return
            self.changed = False


def parts_of(path: Path) -> Iterator[Path]:
    """The files that hold what `path` stands for: itself, those in a folder, or a header's with the data beside it."""
    if path.is_dir():
        yield from sorted(part for part in path.rglob("*") if part.is_file())
    elif path.suffix.lower() in COMPANIONS:
        yield from sorted(part for part in path.parent.glob(f"{path.stem}.*") if part.is_file())
    else:
        yield path


@cache
def working_contents() -> Contents:
    """The digests of the working directory, saved when the process ends."""
    contents = Contents()
    atexit.register(contents.save)
    return contents


def content_digest(path: str | Path) -> str:
    """SHA-256 of a file or folder of the working directory's people."""
    return working_contents().digest(path)
