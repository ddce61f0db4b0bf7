"""Where a file comes from: study, seed, versions, data and their licences, and a hash of the code that makes it."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Iterator
from functools import cache
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


def digest(content: Any) -> str:
    """Twelve hexadecimal digits that change when the plain data `content` does."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:12]


def code_hash(script: str, without: Iterable[str] = (), beside: Iterable[str] = ()) -> str:
    """Content hash of a script and of every vbiflow module that it imports, directly or not.

    Snakemake sees no imports: as a rule's param this hash remakes what changed code made. Comments, docstrings and
    layout do not count. Modules whose path starts with one of `without` are left out; files `beside` the script, which
    it loads by name, count with what they import.
    """
    skip = tuple(without)
    paths = set().union(*(closure(ROOT / file) for file in (script, *beside)))
    return digest([fingerprint(path) for path in sorted(paths) if not relative(path).startswith(skip or "/")])


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def closure(start: Path) -> set[Path]:
    """`start` and the vbiflow modules that can be reached from it by import statements."""
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += modules(path)
    return seen


@cache
def modules(path: Path) -> tuple[Path, ...]:
    """Files of the vbiflow modules that one file imports."""
    names = [name for node in statements(parsed(path)) for name in imported(node, path)]
    return tuple(file for name in names for file in files_of(name))


def files_of(name: str) -> list[Path]:
    """Files that importing a dotted name loads, its packages' included."""
    parts = name.split(".")
    bases = [ROOT.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    return [file for base in bases for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]


def imported(node: ast.AST, path: Path) -> Iterator[str]:
    """Dotted vbiflow names that an import statement may load."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "vbiflow")
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = path.relative_to(ROOT).parts[: -node.level]
            base = ".".join([*package, base] if base else package)
        if base.split(".")[0] == "vbiflow":
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:]
    return tree


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """The tree, its statements and those inside them; a tenth of what ast.walk visits."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for block in ("body", "orelse", "handlers", "finalbody", "cases"):
            waiting += getattr(node, block, ())


@cache
def fingerprint(path: Path) -> str:
    """Hash of a file's syntax tree."""
    return f"{relative(path)} {digest(ast.dump(parsed(path)))}"
