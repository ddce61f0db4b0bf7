"""What is set right in a working folder as a run begins: records of Snakemake that are damaged, dates in the future.

And what is refused: links that lead in a circle, at which Snakemake ends by a trace.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

RECORDS = (".snakemake/metadata", ".snakemake/incomplete")
AHEAD = 1.0
"""Seconds that a date may be ahead: disks of a network have clocks of their own."""


def drop_damaged_records(folders: Iterable[str | Path] = RECORDS) -> int:
    """Remove records that Snakemake could not read, and would end by a trace at; what they tell of is looked at anew.

    Returns
    -------
    how many
    """
    damaged = [path for folder in folders for path in Path(folder).rglob("*") if path.is_file() and not is_json(path)]
    for path in damaged:
        path.unlink(missing_ok=True)
    return len(damaged)


def is_json(path: Path) -> bool:
    """Whether a file holds JSON; an empty one is a mark, no record."""
    try:
        content = path.read_bytes()
        return not content or isinstance(json.loads(content), dict)
    except ValueError:
        return False


def date_now(folders: Iterable[str | Path]) -> int:
    """Give files and folders of a future date today's: Snakemake refuses what is made of them until then.

    All get the same date, so that nothing is older than what it was made of.

    Returns
    -------
    how many
    """
    now = time.time()
    found = (path for folder in folders for path in Path(folder).rglob("*"))
    ahead = [path for path in found if os.lstat(path).st_mtime > now + AHEAD]
    for path in ahead:
        os.utime(path, (now, now), follow_symlinks=False)
    return len(ahead)


def refuse_loops(folders: Iterable[str | Path]) -> None:
    """Look at every link of the folders.

    Raises
    ------
    ValueError
        If one leads back to itself.
    """
    for path in (path for folder in folders for path in Path(folder).rglob("*") if path.is_symlink()):
        try:
            path.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                what = f"the folder {path.parent}" if path.parent.name == "figures" else "it"  # made as a whole
                raise ValueError(f"{path}: a link that leads to itself; delete {what} and run again") from None
