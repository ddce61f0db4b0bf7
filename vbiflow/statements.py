"""A Python file as a list of top-level statements: what each defines, and which names it uses."""

from __future__ import annotations

import ast
import hashlib
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Name = tuple[str, ...]
"""A dotted name in its parts: ("np", "fft")."""
Import = tuple[str, str]
"""A module, and the name that is taken from it; an empty name for the module itself."""

QUIET = {
    "cache", "compiled", "contextmanager", "dataclass", "feature", "function", "intrinsic", "media", "njit", "styled",
}  # fmt: skip
"""Decorators that change nothing but the function or class below them."""


@dataclass(frozen=True, eq=False)
class Statement:
    """A top-level statement, and the names in it that are looked up outside of it."""

    node: ast.stmt | ast.expr | ast.alias
    outer: frozenset[str] = frozenset()
    package: str = ""

    @cached_property
    def text(self) -> str:
        """Hash of the syntax; comments, docstrings and layout do not count."""
        for node in ast.walk(self.node):
            for block in ("body", "orelse", "finalbody"):
                if isinstance(part := getattr(node, block, None), list):
                    part[:] = [one for one in part if not is_text(one)]
        return hashlib.sha256(ast.dump(self.node).encode()).hexdigest()[:16]

    @cached_property
    def binds(self) -> tuple[str, ...]:
        """Names that the statement defines in its module."""
        if isinstance(self.node, ast.alias):
            return (local_name(self.node),)
        if isinstance(self.node, ast.FunctionDef | ast.ClassDef):
            return (self.node.name,)
        found = {
            node.id for node in ast.walk(self.node) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(self.node):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            if isinstance(node, ast.alias):
                found.add(local_name(node))
        return tuple(sorted(found))

    @cached_property
    def uses(self) -> frozenset[Name]:
        """Dotted names that the statement looks up in its module; those in annotations, which nobody evaluates, not."""
        known = {*self.outer, *self.imports}
        return frozenset(name for name in dotted_names(self.node) if name[0] in known)

    @cached_property
    def imports(self) -> Mapping[str, Import]:
        """What the imports inside the statement mean, by local name."""
        inside = (node for node in ast.walk(self.node) if isinstance(node, ast.Import | ast.ImportFrom))
        return {local: meaning for node in inside for local, meaning in import_meanings(node, self.package)}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Python files that are named in the statement."""
        texts = (node.value for node in ast.walk(self.node) if isinstance(node, ast.Constant))
        return tuple(
            text for text in texts if isinstance(text, str) and text.endswith(".py") and text[:-3].isidentifier()
        )

    @cached_property
    def entries(self) -> Mapping[str, Statement]:
        """Values of a table that is written out, by key; those of tables unpacked into it together as ``**``."""
        table = getattr(self.node, "value", None)
        if not isinstance(table, ast.Dict):
            return {}
        own: dict[str, Statement] = {}
        unpacked: list[ast.expr] = []
        for key, value in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant):
                own[key.value] = Statement(value, self.outer, self.package)
            else:
                unpacked.append(value)
        return own | ({"**": Statement(ast.Tuple(unpacked), self.outer, self.package)} if unpacked else {})

    @cached_property
    def label(self) -> str:
        """The name by which a registry knows what is defined: ``@feature("fc")``, ``Model(name="hopf", ...)``."""
        for decorator in getattr(self.node, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and decorator.args and isinstance(decorator.args[0], ast.Constant):
                return str(decorator.args[0].value)
        value = getattr(self.node, "value", None)
        for keyword in value.keywords if isinstance(value, ast.Call) else ():
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
        return ""

    @property
    def acts(self) -> bool:
        """Whether loading the module does more here than to bind names."""
        node = self.node
        if isinstance(node, ast.alias | ast.AnnAssign):
            return False
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            return any(decorator_name(decorator) not in QUIET for decorator in node.decorator_list)
        return not (
            isinstance(node, ast.Assign) and all(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)
        )


@dataclass(frozen=True, eq=False)
class Module:
    """A file's statements, which of them bind a name, what its imports mean, and which modules it may load."""

    statements: tuple[Statement, ...]
    bound: Mapping[str, tuple[int, ...]]
    imports: Mapping[str, Import]
    loads: frozenset[str]


def read_module(path: Path, package: str, own: str) -> Module:
    """The file `path` that lies in a package; only imports from the package `own` are followed."""
    return parse_module(path.read_text(encoding="utf-8"), package, own)


def parse_module(source: str, package: str, own: str) -> Module:
    """A module from its text."""
    imports: dict[str, Import] = {}
    found: list[Statement] = []
    tree, table = ast.parse(source), symtable.symtable(source, package, "exec")
    top = frozenset(symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced())
    scopes = [(scope.get_lineno(), frozenset(outer_names(scope))) for scope in table.get_children()]
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            meanings = dict(import_meanings(node, package))
            imports |= meanings if any(base.partition(".")[0] == own for base, _ in meanings.values()) else {}
            foreign = [alias for alias in node.names if local_name(alias) not in imports]
            module = getattr(node, "module", "") or ""
            found += [Statement(ast.alias(f"{module}:{alias.name}", local_name(alias))) for alias in foreign]
        elif not is_text(node) and not is_guard(node):
            first = min((d.lineno for d in getattr(node, "decorator_list", ())), default=node.lineno)
            inner = [names for line, names in scopes if first <= line <= node.end_lineno]
            found.append(Statement(node, top.union(*inner), package))
    bound: dict[str, tuple[int, ...]] = {}
    for number, statement in enumerate(found):
        for name in statement.binds:
            bound[name] = (*bound.get(name, ()), number)
    inside = (meaning for statement in found for meaning in statement.imports.values())
    loads = {part for base, name in (*imports.values(), *inside) for part in (base, f"{base}.{name}")}
    return Module(tuple(found), bound, imports, frozenset(name for name in loads if name.partition(".")[0] == own))


def outer_names(scope: symtable.SymbolTable) -> Iterator[str]:
    """Names that a function or class, and what is defined in it, looks up in the module."""
    whole = isinstance(scope, symtable.Class)
    yield from (symbol.get_name() for symbol in scope.get_symbols() if whole or symbol.is_global())
    for inner in scope.get_children():
        yield from outer_names(inner)


def dotted_names(node: ast.AST) -> Iterator[Name]:
    """Dotted names in a piece of syntax, without its annotations."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Name | ast.Attribute) and (name := dotted_name(one)):
            yield name
            continue
        for field, value in ast.iter_fields(one):
            if field not in ("annotation", "returns"):
                waiting += [
                    part for part in (value if isinstance(value, list) else [value]) if isinstance(part, ast.AST)
                ]


def dotted_name(node: ast.AST) -> Name:
    """The parts of a dotted name; none if it starts from another expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def import_meanings(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Import]]:
    """Local names of an import statement in a module of `package`, and what they mean."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield local_name(alias), (alias.name if alias.asname else alias.name.partition(".")[0], "")
            continue
        parts = package.split(".")
        base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
        yield local_name(alias), (".".join(filter(None, (base, node.module))), alias.name)


def local_name(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def decorator_name(decorator: ast.expr) -> str:
    """Last part of a decorator's name."""
    name = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return name[-1] if name else ""


def is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_guard(node: ast.AST) -> bool:
    """Whether a statement is for type checkers alone, or for a module that is run as a program."""
    if not isinstance(node, ast.If):
        return False
    return bool({("TYPE_CHECKING",), ("__name__",)} & set(dotted_names(node.test)))
