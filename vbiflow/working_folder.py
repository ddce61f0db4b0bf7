"""What is set right in a working folder as a run begins: damaged records of Snakemake, dates in the future.

And what is refused: links that lead in a circle, at which Snakemake ends by a trace.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

RECORDS, MARKS = Path(".snakemake/metadata"), Path(".snakemake/incomplete")
"""Where Snakemake keeps how files were made, and which are not complete."""
AHEAD = 1.0
"""Seconds that a date may be ahead: disks of a network have clocks of their own."""


def set_right(folders: Iterable[str | Path]) -> None:
    """Mend records, and dates of what is in `folders`, with a line for each; nobody else may be at work here.

    Raises
    ------
    ValueError
        If a link leads back to itself.
    """
    if damaged := mend_records():
        print_line(f"{damaged} damaged records of Snakemake in {RECORDS.parent} are set right")
    paths = [path for folder in folders for path in Path(folder).rglob("*")]
    refuse_loops(paths)
    if ahead := date_now(paths):
        print_line(f"{ahead} files are dated in the future, by a clock that was wrong; they get today's date")


def print_line(text: str) -> None:
    """One line on the terminal."""
    print(text, file=sys.stderr, flush=True)


def mend_records(records: Path = RECORDS, marks: Path = MARKS) -> int:
    """Set right what Snakemake could not read, and would end by a trace at.

    A record of how a file was made is removed. The mark that a file is incomplete must stay, and is written anew.

    Returns
    -------
    how many
    """
    damaged = [path for path in [*records.rglob("*"), *marks.rglob("*")] if path.is_file() and not is_json(path)]
    for path in damaged:
        if path.is_relative_to(marks):
            path.write_text("{}")
        else:
            path.unlink(missing_ok=True)
    return len(damaged)


def is_json(path: Path) -> bool:
    """Whether a file holds a JSON object."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False


def date_now(paths: Iterable[Path]) -> int:
    """Give files and folders of a future date today's: Snakemake refuses what is made of them until then.

    All get the same date, so that nothing is older than what it was made of.

    Returns
    -------
    how many
    """
    now = time.time()
    ahead = [path for path in paths if os.lstat(path).st_mtime > now + AHEAD]
    for path in ahead:
        os.utime(path, (now, now), follow_symlinks=False)
    return len(ahead)


def refuse_loops(paths: Iterable[Path]) -> None:
    """Look at every link.

    Raises
    ------
    ValueError
        If one leads back to itself.
    """
    for path in filter(Path.is_symlink, paths):
        try:
            path.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                what = f"the folder {path.parent}" if path.parent.name == "figures" else "it"  # made as a whole
                raise ValueError(f"{path}: a link that leads to itself; delete {what} and run again") from None
