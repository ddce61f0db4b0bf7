"""Where a file comes from: versions of what made it, and a digest of settings."""

from __future__ import annotations

import hashlib
import json
import platform
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


def settings_digest(content: Any) -> str:
    """Twelve hexadecimal digits that change when the plain data `content` does, wherever the workflow lies."""
    text = json.dumps(content, sort_keys=True, default=str).replace(f"{ROOT}/", "")
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
