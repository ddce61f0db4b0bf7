"""People whose files are no good: a note stands in place of all that would be made of them, and the cohort goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from vbiflow.io import write_text

START = '{"refused": '
NOTE = "left_out.json"
"""Name of the note within an output that is a folder."""


@dataclass(frozen=True)
class Refusal:
    """Who is left out (a subject, or the owner of a connectome), by which rule and why."""

    refused: str
    rule: str
    reason: str


def leave_note(refusal: Refusal, paths: Iterable[str | Path]) -> None:
    """Write the note in place of each file, and into each folder, which is a path without a suffix."""
    for path in map(Path, paths):
        write_text(path if path.suffix else path / NOTE, json.dumps(asdict(refusal)) + "\n")


def read_note(path: str | Path) -> Refusal | None:
    """The note that stands in place of a file, or in a folder; None if the file is what its name says."""
    path = Path(path)
    path = path / NOTE if path.is_dir() else path
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        if file.read(len(START)) != START.encode():
            return None
    return Refusal(**json.loads(path.read_text(encoding="utf-8")))


def first_note(paths: Iterable[str | Path]) -> Refusal | None:
    """The first note among files."""
    return next((note for note in map(read_note, paths) if note is not None), None)


def without_notes(paths: Iterable[str | Path]) -> list[str | Path]:
    """The files that are what their names say."""
    return [path for path in paths if read_note(path) is None]


def admit(connectome_of: Mapping[str, str], connectomes: Mapping[str, str], recordings: Mapping[str, str]) -> dict:
    """Subjects whose connectome and recording could be read, and why the others are left out.

    Parameters
    ----------
    connectome_of
        Name of the connectome of each subject.
    connectomes, recordings
        Paths of connectome.h5 by name of the connectome, and of x_o.h5 by subject.

    Raises
    ------
    ValueError
        If nobody is left.
    """
    notes = {name: first_note([connectomes[connectome_of[name]], recordings[name]]) for name in recordings}
    refused = {name: asdict(note) for name, note in notes.items() if note}
    if len(refused) == len(notes):
        name, note = next(iter(refused.items()))
        others = f"; {len(refused) - 1} more are left out" if len(refused) > 1 else ""
        raise ValueError(f"nobody is left: {name} is left out: {note['reason']}{others}")
    return {"admitted": [name for name in notes if name not in refused], "refused": refused}
