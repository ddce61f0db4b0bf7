"""Where files lie: a user's in the working directory or else in the workflow's root; the workflow's own in its root."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from types import ModuleType

from vbiflow.provenance import ROOT, root_from_here


def name_library() -> None:
    """Name this library to the Python of jobs, which would else take one that their environment knows before it."""
    known = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if known[:1] != [str(ROOT)]:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *known])


def user_path(name: str | Path) -> Path:
    """A file or folder of the user's: below the working directory if it is there, else below the workflow's root."""
    return Path(name) if Path(name).exists() else ROOT / name


def user_file(entry: str) -> str:
    """A file of a study or cohort (``file::key``): as written, or in the workflow's root if it is there alone."""
    name, mark, key = str(entry).partition("::")
    if not name or Path(name).exists() or not (ROOT / name).exists():
        return str(entry)
    return f"{workflow_path(name)}{mark}{key}"


def user_modules(folder: str | Path) -> dict[str, Path]:
    """Python files of a folder by stem: the working directory's, and what else the workflow's root has."""
    found = [path for base in (ROOT / folder, Path(folder)) for path in sorted(base.glob("*.py"))]
    return {path.stem: path for path in found if path.name[0] not in "._"}


@cache
def load_user_module(path: Path, what: str) -> ModuleType:
    """A Python file of the user's, run once; `what` is how messages call it ("a feature's").

    Raises
    ------
    ValueError
        If the file fails to run.
    """
    spec = importlib.util.spec_from_file_location(f"vbiflow_user_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}; {what} file must run by itself") from error
    return module


def workflow_path(name: str) -> str:
    """A file that belongs to the workflow, wherever this runs from."""
    return str(root_from_here() / name)


def relative_path(path: Path) -> str:
    """`path` as a user of the repository writes it."""
    whole = path.absolute()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(path)
