"""What a script depends on: those statements of vbiflow that can change what it computes, followed from name to name.

A module is a list of top-level statements: functions, classes, assignments. A script depends on a statement if it uses
a name that the statement binds, or if another statement that it depends on does. Names are followed through imports,
wherever these stand, and through packages that only pass them on (``from .module import name`` in an ``__init__.py``)
to the statement behind them. A module that is used as an object counts whole, and so does a Python file beside a module
that is named in it, since its text is read. Names in annotations are not followed: nobody evaluates them.

Of a registry, a table from names to what they stand for, only the members that a study uses count (registries.py).

A statement that acts on more than its own names when its module is loaded (a call, a loop, an unknown decorator) counts
for every script that loads the module.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from vbiflow.cache import cached_text
from vbiflow.statements import Import, Module, Name, Statement, read_module

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "vbiflow"

Node = tuple[str, int]
"""Module, and the number of a statement in it."""


def code_hash(script: str, members: Mapping[str, Iterable[str]] | None = None, beside: Iterable[str] = ()) -> str:
    """Content hash of a script and of all statements that it depends on, for a rule's params.

    Snakemake sees no imports: with this hash changed code remakes what it made, and nothing else. Comments, docstrings
    and layout do not count. `members` are the members in use of registries by their full names; files
    `beside` the script, which it loads by name, count too, or of a file one function (``file.py:function``).
    """
    chosen = tuple(sorted((name, tuple(sorted(set(used)))) for name, used in (members or {}).items()))
    return compute_hash(script, chosen, tuple(beside))


@cache
def compute_hash(script: str, members: tuple[tuple[str, tuple[str, ...]], ...], beside: tuple[str, ...]) -> str:
    """The hash, kept in the user's cache: following the names takes seconds, comparing the files milliseconds."""

    def compute() -> str:
        found = sorted(Closure([script, *beside], dict(members)).fingerprints())
        return hashlib.sha256("\n".join(found).encode()).hexdigest()[:12]

    files = [entry.partition(":") for entry in beside]
    asked = [script, members, [(path_of(file), function) for file, _, function in files], sys.version_info[:2]]
    folders = {file_of(file).parent for file, _, _ in files if not file_of(file).is_relative_to(ROOT / PACKAGE)}
    return cached_text("code", f"{sources_digest(frozenset(folders))} {asked}", compute)


@cache
def sources_digest(folders: frozenset[Path]) -> str:
    """Digest of all Python files that a script can depend on: the package's, the scripts, those in other `folders`."""
    found = hashlib.sha256()
    own = (path for part in (PACKAGE, "scripts") for path in (ROOT / part).rglob("*.py"))
    for path in sorted({*own, *(path for folder in folders for path in folder.glob("*.py"))}):
        found.update(f"{path_of(str(path))} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


class Closure:
    """All that some files depend on: `nodes`, and of registries the `entries` in use."""

    def __init__(self, files: Iterable[str], members: Mapping[str, Iterable[str]]) -> None:
        self.members, self.nodes = members, dict[Node, tuple[Node, ...]]()
        self.entries: dict[tuple[str, str, str], tuple[Node, ...]] = {}
        waiting = [node for file in files for node in root_statements(file)]
        while waiting:
            node = waiting.pop()
            if node not in self.nodes:
                self.nodes[node] = self.targets(node)
                waiting += self.nodes[node]

    def targets(self, node: Node) -> tuple[Node, ...]:
        """What one statement leads to; of a registry, what its members in use lead to."""
        name, number = node
        statement = find_module(name).statements[number]
        registry = next((full for full in (f"{name}.{bound}" for bound in statement.binds) if full in self.members), "")
        if not registry:
            return statement_targets(name, statement)
        found: list[Node] = []
        for member in self.members[registry]:
            entry = statement.entries.get(member, statement.entries.get("**"))
            own = statement_targets(name, entry) if entry else registry_member(node, member)
            self.entries[name, registry, member] = own
            found += own
        return tuple(found)

    def fingerprints(self) -> Iterator[str]:
        """A line a statement or entry of a registry: file, hash of its text, and what the names in it stand for."""
        registries = {(name, registry) for name, registry, _ in self.entries}
        for (name, number), found in self.nodes.items():
            source = find_module(name)
            statement = source.statements[number]
            if any((name, f"{name}.{bound}") in registries for bound in statement.binds):
                continue
            yield f"{path_of(name)} {statement.text} {self.shown(found)}"
        for (name, registry, member), found in self.entries.items():
            statement = find_module(name).statements[find_module(name).bound[registry.rpartition(".")[2]][-1]]
            entry = statement.entries.get(member, statement.entries.get("**"))
            text = entry.text if entry else ""
            yield f"{registry}[{member}] {text} {self.shown(found)}"

    def shown(self, nodes: Iterable[Node]) -> str:
        """Nodes by file and name, which stay when statements are added around them."""
        return " ".join(sorted({f"{path_of(m)}:{','.join(find_module(m).statements[n].binds)}" for m, n in nodes}))


def root_statements(entry: str) -> Iterator[Node]:
    """Statements of a file or of one of its functions, and those that act when the file is loaded."""
    file, _, function = entry.partition(":")
    yield from ((file, number) for number in find_module(file).bound[function]) if function else module_statements(file)
    yield from acting_statements(file)


@cache
def statement_targets(name: str, statement: Statement) -> tuple[Node, ...]:
    """Statements that the names, imports and files in a statement of the module `name` stand for."""
    source = find_module(name)
    found: dict[Node, None] = {}
    local = dict(statement.imports)
    for used in sorted(statement.uses):
        if used[0] in source.bound:
            found |= dict.fromkeys((name, number) for number in source.bound[used[0]])
        meaning = local.get(used[0], source.imports.get(used[0]))
        if meaning:
            found |= dict.fromkeys(follow_import(meaning, used[1:]))
    for file in statement.files:
        beside = str(file_of(name).with_name(file))
        found |= dict.fromkeys(module_statements(beside) if is_module(beside) else ())
    return tuple(found)


def follow_import(meaning: Import, rest: Name) -> Iterable[Node]:
    """The statements behind an import, and behind the attributes `rest` of it."""
    base, name = meaning
    if base.partition(".")[0] != PACKAGE:
        return ()
    if name:
        rest = (name, *rest)
    while rest and is_module(f"{base}.{rest[0]}") and not binds_name(base, rest[0]):
        base, rest = f"{base}.{rest[0]}", rest[1:]
    if not rest or not is_module(base):
        return module_statements(base) if is_module(base) else ()
    source = find_module(base)
    if rest[0] in source.bound:
        return [(base, number) for number in source.bound[rest[0]]]
    if rest[0] in source.imports:
        return follow_import(source.imports[rest[0]], rest[1:])
    return module_statements(base)


def module_statements(name: str) -> list[Node]:
    """All statements of a module, and what it imports only to pass it on."""
    source = find_module(name)
    own = [(name, number) for number in range(len(source.statements))]
    used = {use[0] for statement in source.statements for use in statement.uses}
    passed = [meaning for local, meaning in source.imports.items() if local not in used]
    return own + [node for meaning in passed for node in follow_import(meaning, ())]


def registry_member(registry: Node, member: str) -> tuple[Node, ...]:
    """The statement that defines a member of a registry that is put together from modules."""
    found = statement_targets(registry[0], find_module(registry[0]).statements[registry[1]])
    seen: set[Node] = set()
    waiting = list(found)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        statement = find_module(node[0]).statements[node[1]]
        if statement.label == member:
            return (node,)
        if node[0] == registry[0]:
            waiting += statement_targets(node[0], statement)
    return found


@cache
def acting_statements(name: str) -> tuple[Node, ...]:
    """Statements that act on more than their names in all modules that loading one, at once or later, loads."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += [
                part for loaded in find_module(one).loads for part in loaded_packages(loaded) if part not in seen
            ]
    return tuple(
        (one, number) for one in sorted(seen) for number, part in enumerate(find_module(one).statements) if part.acts
    )


def loaded_packages(name: str) -> list[str]:
    """The modules that importing a dotted name loads."""
    parts = name.split(".")
    bases = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return [base for base in bases if is_module(base)]


def binds_name(name: str, symbol: str) -> bool:
    """Whether a module defines a name, or imports it from elsewhere than its own parts."""
    source = find_module(name)
    return symbol in source.bound or source.imports.get(symbol, (name, symbol)) != (name, symbol)


@cache
def find_module(name: str) -> Module:
    """A module by its dotted name, or a file by its path from the root."""
    path = file_of(name)
    return read_module(path, ".".join(path.relative_to(ROOT).parts[:-1]) if path.is_relative_to(ROOT) else "", PACKAGE)


@cache
def is_module(name: str) -> bool:
    """Whether a dotted name, or a path from the root, is a Python file."""
    path = file_of(name)
    return path is not None and path.is_file()


@cache
def file_of(name: str) -> Path | None:
    """File of a module by its dotted name, or of a script by its path, whole or from the root."""
    if name.endswith(".py"):
        return ROOT / name
    base = ROOT.joinpath(*name.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


@cache
def path_of(name: str) -> str:
    """Path of a module's file from the root, or of a user's from the working directory."""
    path = file_of(name)
    base = next((base for base in (ROOT, Path.cwd()) if path.is_relative_to(base)), path.parent)
    return path.relative_to(base).as_posix()
