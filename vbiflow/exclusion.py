"""Exclusion of people whose files are no good: it stands in place of what would be made of them; the others go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from vbiflow.io import read_json, sealed

FIRST_BYTES = '{"excluded": '
FILE_NAME = "exclusion.json"
"""Name of the exclusion within an output that is a folder."""


@dataclass(frozen=True)
class Exclusion:
    """Who is left out (a subject, or the person whose connectome it is), by which rule and why."""

    excluded: str
    rule: str
    reason: str


def write_exclusion(exclusion: Exclusion, paths: Iterable[str | Path]) -> None:
    """Write the exclusion in place of each file, and into each folder, which is a path without a suffix."""
    for path in map(Path, paths):
        with sealed(path if path.suffix else path / FILE_NAME) as part:
            part.write_text(json.dumps(asdict(exclusion)), encoding="utf-8")


def read_exclusion(path: str | Path) -> Exclusion | None:
    """The exclusion that stands in place of a file, or in a folder; None if the file is what its name says."""
    path = Path(path)
    path = path / FILE_NAME if path.is_dir() else path
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        if file.read(len(FIRST_BYTES)) != FIRST_BYTES.encode():
            return None
    return Exclusion(**read_json(path))


def first_exclusion(paths: Iterable[str | Path]) -> Exclusion | None:
    """The first exclusion among files."""
    return next((found for found in map(read_exclusion, paths) if found is not None), None)


def not_excluded(paths: Iterable[str | Path]) -> list[str | Path]:
    """The files that are what their names say."""
    return [path for path in paths if read_exclusion(path) is None]


def list_exclusions(
    estimator_of: Mapping[str, str], connectomes: Mapping[str, str], recordings: Mapping[str, str]
) -> dict:
    """Subjects whose connectome and recording could be read, `included`, and why the others are `excluded`.

    Parameters
    ----------
    estimator_of
        Name of the estimator of each subject, which has the connectome.
    connectomes, recordings
        Paths of connectome.h5 by name of the estimator, and of x_o.h5 by subject.

    Raises
    ------
    ValueError
        If nobody is left.
    """
    found = {name: first_exclusion([connectomes[estimator_of[name]], recordings[name]]) for name in recordings}
    excluded = {name: asdict(exclusion) for name, exclusion in found.items() if exclusion}
    if len(excluded) == len(found):
        name, first = next(iter(excluded.items()))
        others = f"; {len(excluded) - 1} more are left out" if len(excluded) > 1 else ""
        raise ValueError(f"nobody is left: {name} is left out: {first['reason']}{others}")
    return {"included": [name for name in found if name not in excluded], "excluded": excluded}
