"""Files of BIDS derivatives: what their names and the JSON beside them say, and which of them a query asks for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vbiflow.arrays.text import read_lines

DESCRIPTION = "dataset_description.json"


@dataclass(frozen=True)
class BidsFile:
    """A file, what its name says (sub, ses, task, ..., suffix, extension), and the folder that was scanned for it."""

    path: Path
    entities: Mapping[str, str]
    folder: Path = Path()


def parse_name(path: Path) -> BidsFile | None:
    """Entities of a file name; None for one that does not follow BIDS."""
    from ancpbids.utils import parse_bids_name  # here, as the rules read studies that need no BIDS

    found = parse_bids_name(path.name)
    if found is None or "sub" not in found["entities"]:
        return None
    return BidsFile(path, {**found["entities"], "suffix": found["suffix"], "extension": found["extension"]})


def scan(folders: Sequence[str | Path]) -> list[BidsFile]:
    """All files below folders whose names follow BIDS, sorted; the folder of each is its entity datatype.

    Raises
    ------
    ValueError
        If a folder is missing or holds no such file.
    """
    from ancpbids import load_dataset
    from ancpbids.model_base import Artifact

    files: list[BidsFile] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise ValueError(f"{folder}: no such folder")
        try:
            dataset = load_dataset(str(folder))
        except AttributeError:  # broken JSON is None to ancpbids
            raise ValueError(f"{folder}: {DESCRIPTION} cannot be read; it has to be a JSON object") from None
        paths = {Path(file.get_absolute_path()) for file in dataset.query() if isinstance(file, Artifact)}
        found = [
            replace(parsed, entities={"datatype": path.parent.name, **parsed.entities}, folder=folder)
            for path in sorted(paths)
            if (parsed := parse_name(path)) is not None
        ]
        if not found:
            raise ValueError(f"{folder}: no file named as BIDS does, sub-01_..._bold.nii.gz")
        files += found
    return files


def matches_query(file: BidsFile, query: Mapping[str, Any]) -> bool:
    """Whether a file has all entities of a query; run: 1 fits run-01."""
    wanted = {name: value if isinstance(value, list | tuple) else (value,) for name, value in query.items()}
    return all(
        plain_entity(file.entities.get(name, "")) in map(plain_entity, values)
        for name, values in wanted.items()
        if name != "key"
    )


def plain_entity(value: Any) -> str:
    """An entity's value as text, numbers without leading zeros."""
    return str(value).lstrip("0") or "0" if str(value).isdigit() else str(value)


def choose_file(person: str, column: str, files: Sequence[BidsFile]) -> BidsFile:
    """The one file of a person for a column; of two, the entities that tell them apart are named."""
    if len(files) == 1:
        return files[0]
    names = sorted({name for file in files for name in file.entities})
    differ = [name for name in names if len({file.entities.get(name) for file in files}) > 1]
    if not differ:
        raise ValueError(f"{person}: {files[0].path} and {files[1].path} for {column}; name one of their folders")
    values = ", ".join(sorted({f"{name}-{file.entities.get(name, 'none')}" for name in differ for file in files}))
    example = f"files: {{{column}: {{{differ[0]}: {files[0].entities.get(differ[0], 'none')}}}}}"
    raise ValueError(f"{person}: {len(files)} files for {column}; choose one by {values}, as in {example}")


def table_entry(file: BidsFile, query: Mapping[str, Any]) -> str:
    """Entry of the cohort table for a file."""
    return f"{file.path}::{query['key']}" if "key" in query else str(file.path)


def read_metadata(file: BidsFile) -> dict[str, tuple[Any, Path]]:
    """Entries of the JSON files that describe a file, each with the JSON that says so.

    These lie beside it or in a folder above, up to the one that was scanned, and have its suffix and no entity that it
    has not. The nearer one counts, of one folder the one with more entities: BIDS's inheritance principle.

    Raises
    ------
    ValueError
        If one of them is no JSON, or has a key twice.
    """
    from ancpbids.utils import parse_bids_name

    suffix, found = file.entities["suffix"], {}
    root = absolute(file.folder)  # which may be named with .., that its files' paths no longer have
    above = [folder for folder in file.path.parents if absolute(folder).is_relative_to(root)]
    for folder in reversed(above):
        fitting = []
        for path in folder.glob(f"*{suffix}.json"):
            name = {"entities": {}, "suffix": suffix} if path.stem == suffix else parse_bids_name(path.name)
            if name and name["suffix"] == suffix and name["entities"].items() <= file.entities.items():
                fitting.append((len(name["entities"]), path))
        for _, path in sorted(fitting):
            found |= {key: (entry, path) for key, entry in read_description(path).items()}
    return found


def absolute(path: Path) -> Path:
    """A path without .., as it is written: links stay."""
    return Path(os.path.abspath(path))


def read_description(path: Path) -> dict[str, Any]:
    """What a JSON file of BIDS says.

    Raises
    ------
    ValueError
        If it is no JSON, or has a key twice.
    """
    try:
        content = json.loads("\n".join(read_lines(path)), object_pairs_hook=refuse_twice)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not whole JSON ({error}); correct it") from None
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]!r} stands twice; delete one") from None
    return content if isinstance(content, dict) else {}


def refuse_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of pairs; a key that stands twice is a KeyError."""
    found: dict[str, Any] = {}
    for key, entry in pairs:
        if key in found:
            raise KeyError(key)
        found[key] = entry
    return found


def stated_tr(file: BidsFile) -> str:
    """TR [s] that the JSON beside a recording or above it states, as text; empty if none does."""
    content = read_metadata(file)
    for key in ("RepetitionTime", "SamplingFrequency"):
        entry, described = content.get(key, (None, file.path))
        if entry not in (None, "", "n/a"):
            try:
                number = positive_number(entry)
                return f"{number if key == 'RepetitionTime' else 1 / number:g}"
            except (TypeError, ValueError):
                advice = "write one number, or give columns: {tr: 2}"
                raise ValueError(f"{described}: {key} is {entry!r}, no number of {key_unit(key)}; {advice}") from None
    return ""


def positive_number(entry: Any) -> float:
    """A number above zero, also one that is written as text."""
    number = float("nan" if isinstance(entry, bool) else entry)
    if not 0 < number < float("inf"):
        raise ValueError(f"{entry!r} is no positive number")
    return number


def key_unit(key: str) -> str:
    """Unit of an entry of BIDS's JSON."""
    return "Hz" if key == "SamplingFrequency" else "seconds"
