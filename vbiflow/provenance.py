"""Where a file comes from: versions of what made it, and a digest of settings."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import vbiflow

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "scipy", "numba", "h5py", "mne", "nibabel", "sbi", "torch", "matplotlib", "cupy")


def versions() -> dict[str, str]:
    """Versions of vbiflow, Python and of those packages of ours that this process has loaded."""
    found = {"vbiflow": vbiflow.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        if package in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:  # cupy is distributed as cupy-cuda13x
                found[package] = getattr(sys.modules[package], "__version__", "unknown")
    return found


def root_from_here() -> Path:
    """The workflow's root, relative where the working directory holds it, so that both can be moved together."""
    here = Path.cwd()
    return ROOT.relative_to(here) if ROOT.is_relative_to(here) else ROOT


def source_commit() -> str:
    """Commit of the workflow's files and whether some were changed since; nothing where they are no clone's."""
    made_of = ROOT / ".commit"
    if made_of.is_file():  # a copy from a hosted repository (rules/study.smk)
        return made_of.read_text(encoding="utf-8").strip()
    if not (ROOT / ".git").exists():
        return ""
    try:
        commit, changes = map(git, ("rev-parse HEAD", "status --porcelain --untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):  # no git, or a folder of somebody else's
        return ""
    return f"{commit}, with changes" if changes else commit


def git(command: str) -> str:
    """What git answers of the workflow's clone."""
    asked = ["git", "--no-optional-locks", *command.split()]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def settings_digest(content: Any) -> str:
    """Twelve hexadecimal digits that change when the plain data `content` does, wherever the workflow lies."""
    text = json.dumps(content, sort_keys=True, default=str)
    text = text.replace(f"{ROOT}/", "").replace(f'"{root_from_here()}/', '"')
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
