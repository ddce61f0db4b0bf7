"""Seals: every result file ends in a digest of its bytes and in what it was made of, checked before anything parses it.

HDF5 and zip files (.pt) go on being such with bytes behind them, an SVG with a comment, JSON with one more member; what
is none of these has its seal in a hidden file beside it.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, unquote

MARK = b"vbiflow-seal "
SIZE = 32
"""Bytes of the BLAKE2b digest."""
LONGEST = 8192
"""The seal lies within so many bytes of the end of a file."""
CHUNK = 1 << 20
REMEDY = "delete it and run again"
LINE = re.compile(rb"vbiflow-seal made_as=(\S+) seed=(-?\d+) settings=(\S*) blake2b=([0-9a-f]{64})(.*)", re.DOTALL)
FRAMES = {b"\x89HDF": (b"\n", b"\n"), b"PK": (b"\n", b"\n"), b"<": (b"<!-- ", b" -->\n"), b"{": (b"", b'"\n}\n')}
"""What stands before and after the seal in a file that begins so."""


Settings = Mapping[str, str]
"""Digests of the settings that a file depends on, by their names."""
MADE_WITH: ContextVar[Settings] = ContextVar("MADE_WITH", default=MappingProxyType({}))
"""Settings that go into the seals of files written now."""


@dataclass(frozen=True)
class Seal:
    """The path that a file was written as, the seed of its study (-1 where it has none) and the study's settings."""

    made_as: str
    seed: int
    settings: Settings = field(default_factory=dict)


@contextmanager
def made_with(settings: Settings) -> Iterator[None]:
    """Put the digests of `settings` into the seals of files that are written within."""
    token = MADE_WITH.set(dict(settings))
    try:
        yield
    finally:
        MADE_WITH.reset(token)


def seal(part: Path, made_as: str | Path, seed: int = -1) -> None:
    """Put the seal at the end of a file that is whole, under its temporary name `part`, or beside it."""
    place = quote(str(made_as)).replace("--", "-%2D")
    settings = ",".join(f"{name}:{found}" for name, found in sorted(MADE_WITH.get().items()))
    line = MARK + f"made_as={place} seed={seed} settings={settings} blake2b=".encode()
    start = frame_of(part)
    if start is None:
        text = line + content_digest(part, part.stat().st_size, line).encode()
        seal_path(Path(made_as)).write_bytes(text + b"\n")
        return
    opening, closing = FRAMES[start]
    with open(part, "r+b") as file:
        if start == b"{":
            opening = open_member(file)
        file.seek(0, os.SEEK_END)
        if start == b"PK":
            extend_comment(file, len(opening + line + closing) + 2 * SIZE)
        file.seek(0, os.SEEK_END)
        file.write(opening + line)
    found = content_digest(part, part.stat().st_size).encode()
    with open(part, "ab") as file:
        file.write(found + closing)


def frame_of(path: Path) -> bytes | None:
    """The key of FRAMES that a file begins with; None for other files."""
    with open(path, "rb") as file:
        head = file.read(4)
    return next((start for start in FRAMES if head.startswith(start)), None)


def seal_path(path: Path) -> Path:
    """Where the seal of a file lies that cannot hold it."""
    return path.with_name(f".{path.name}.seal")


def open_member(file) -> bytes:
    """Take the closing brace off a JSON object, and return what begins its last member."""
    file.seek(0)
    text = file.read().rstrip()
    empty = text[:-1].rstrip() == b"{"
    kept = text[:-1].rstrip()
    file.truncate(len(kept))
    return (b"" if empty else b",") + b'\n  "seal": "'


def extend_comment(file, length: int) -> None:
    """Tell a zip file that a comment of that length follows its directory."""
    file.seek(-22, os.SEEK_END)
    if file.read(4) != b"PK\x05\x06":
        raise ValueError(f"{file.name}: a zip file with a comment cannot be sealed")
    file.seek(-2, os.SEEK_END)
    file.write(struct.pack("<H", length))


def content_digest(path: Path, stop: int, more: bytes = b"") -> str:
    """BLAKE2b of the first `stop` bytes of a file and of `more`, in hexadecimal digits."""
    found = hashlib.blake2b(digest_size=SIZE)
    with open(path, "rb", buffering=0) as file:
        while stop and (block := file.read(min(CHUNK, stop))):
            found.update(block)
            stop -= len(block)
    found.update(more)
    return found.hexdigest()


def verify(path: str | Path) -> Seal:
    """Check the digest of a result file, once a process unless the file changes.

    Raises
    ------
    ValueError
        If the file is missing, unreadable, damaged, or was written without a seal; the message names the file and the
        fix.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; run the rule that makes it") from None
    except OSError as error:
        raise ValueError(f"{path}: unreadable ({error.strerror}); {REMEDY}") from None
    key = str(path), status.st_ino, status.st_size, status.st_mtime_ns
    if key not in VERIFIED:
        VERIFIED[key] = read_seal(Path(path))
    return VERIFIED[key]


VERIFIED: dict[tuple, Seal] = {}


def read_seal(path: Path) -> Seal:
    """The seal of a file, compared with its bytes."""
    try:
        start, size = frame_of(path), path.stat().st_size
        if start is None:
            tail, origin = (seal_path(path).read_bytes() if seal_path(path).is_file() else b""), 0
        else:
            origin = max(0, size - LONGEST)
            with open(path, "rb") as file:
                file.seek(origin)
                tail = file.read()
        at = tail.rfind(MARK)
        parts = LINE.fullmatch(tail[at:]) if at >= 0 else None
        if parts is None or parts[5] != (b"\n" if start is None else FRAMES[start][1]):
            raise ValueError(
                f"{path}: damaged, or not written by this vbiflow: it does not end in its digest; {REMEDY}"
            )
        if start is None:
            found = content_digest(path, size, tail[: parts.start(4)])
        else:
            found = content_digest(path, origin + at + parts.start(4))
    except OSError as error:
        raise ValueError(f"{path}: unreadable ({error.strerror}); {REMEDY}") from None
    if found != parts[4].decode():
        raise ValueError(f"{path}: damaged: its bytes are not those that were written; {REMEDY}")
    settings = dict(entry.split(":") for entry in parts[3].decode().split(",") if entry)
    return Seal(unquote(parts[1].decode()), int(parts[2]), settings)


def verify_input(path: str | Path, seed: int = -1, settings: Settings = MappingProxyType({})) -> Settings:
    """Check a job's input: whole, made for its place, with the study's seed and the settings that it has now.

    Returns
    -------
    the settings that it was made with

    Raises
    ------
    ValueError
        In one line.
    """
    path = Path(path)
    known: dict[str, str] = {}
    if path.suffix and path.is_dir():  # results that are folders have none
        raise ValueError(f"{path}: a folder, where a file is expected; {REMEDY}")
    for file in files_of(path):
        try:
            found = verify(file)
            if found.made_as != str(file):
                raise ValueError(f"{file}: foreign: it was made as {found.made_as}; {REMEDY}")
            if -1 not in (seed, found.seed) and seed != found.seed:
                raise ValueError(f"{file}: made with seed {found.seed}, the study has {seed}; {REMEDY}")
            other = [name for name, value in found.settings.items() if settings.get(name, value) != value]
            if other:
                raise ValueError(f"{file}: made with another {' and '.join(other)} than the study has now; {REMEDY}")
            known |= found.settings
        except ValueError as error:
            if file == path:
                raise
            # Snakemake makes a folder again only as a whole: without one of its files it would be taken as it is
            raise ValueError(str(error).replace(REMEDY, f"delete the folder {path} and run again")) from None
    return known


def files_of(path: Path) -> Iterator[Path]:
    """The file, or those in a folder that jobs read."""
    yield from sorted(entry for entry in path.iterdir() if not entry.name.startswith(".")) if path.is_dir() else [path]
