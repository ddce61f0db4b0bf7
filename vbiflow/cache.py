"""The user's cache: compiled kernels, and what else is costly and follows from content alone."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vbiflow.io import write_text


def cache_folder(name: str) -> Path:
    """A folder of the cache that can be written: in $VBIFLOW_CACHE, else in the user's cache, else the one folder of
    the user's own among temporary files.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    base = os.environ.get("VBIFLOW_CACHE") or home / "vbiflow"
    try:
        folder = Path(base) / name
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return temporary_folder()


def temporary_folder() -> Path:
    """A folder of a name that anybody can foresee, whose files are executed: it must be the user's and nobody else's.

    Raises
    ------
    ValueError
        If it belongs to somebody else, is a link, or others can write into it.
    """
    user = os.getuid() if hasattr(os, "getuid") else None
    folder = Path(tempfile.gettempdir()) / f"vbiflow-{'user' if user is None else user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if user is not None and (not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022):
        raise ValueError(
            f"{folder}: not a folder of user {user} alone (owner {found.st_uid}, {stat.filemode(found.st_mode)}), so "
            "compiled kernels are not trusted to it; set VBIFLOW_CACHE to a folder of your own"
        )
    folder.chmod(0o700)
    return folder


def cached_text(name: str, key: str, compute: Callable[[], str]) -> str:
    """The text that follows from `key`: from the folder `name` of the cache, or computed and kept there.

    It is computed again where the file is damaged: its first line is the SHA-256 of the others. It is computed each
    time where no folder can be written.
    """
    try:
        path = cache_folder(name) / f"{text_digest(key)}.txt"
    except (OSError, ValueError):
        return compute()
    with suppress(OSError, ValueError):
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        if digest == text_digest(text):
            return text
    text = compute()
    with suppress(OSError, ValueError):
        write_text(path, f"{text_digest(text)}\n{text}")
    return text


def text_digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
