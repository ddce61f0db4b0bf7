"""YAML documents as a user means them: by the core schema of YAML 1.2, nothing twice, nothing without bounds.

Unlike YAML 1.1, `no`, `yes`, `on` and `off` are text, and 1e4 is a number. A number such as 010, which some parsers
read as 8 and others as 10, infinity and not-a-number are refused. Keys are text as written: 101309 names a person, too.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

STANDARD = "tag:yaml.org,2002:"
TAB = "a tab; indent by blanks"
LARGEST = 2_000_000
"""Bytes of a file; a study has a few thousand."""
DEEPEST = 40
"""Levels of nesting; a study has seven."""
MOST = 200_000
"""Values of a document once its anchors are written out."""
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NULL = ("", "~", "null", "Null", "NULL")
BOOLEAN = {text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
AMBIGUOUS = re.compile(r"[-+]?0[0-9]+")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def read_document(path: Path, name: str) -> dict[str, Any]:
    """The mapping that a YAML file holds; `name` is how messages call the file.

    Raises
    ------
    ValueError
        In one line, with the line of the file.
    """
    node = compose(read_text(path, name), name)
    check_size(node, name)
    content = construct(node, name)
    if not isinstance(content, dict):
        raise ValueError(f"{name}: found {shorten_value(content)}; write key: value pairs")
    return content


def read_text(path: Path, name: str) -> str:
    """Text of a file in UTF-8, or in UTF-16 with its mark."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{name}: {path.stat().st_size} bytes; a study is a small text file of at most {LARGEST}")
        raw = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: cannot be read: {error.strerror or error}") from None
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"{name}: line {line}: no text in UTF-8; save the file in that encoding") from None


def compose(text: str, name: str) -> yaml.Node | None:
    """The document's tree of nodes; syntax errors and deep nesting are told with their line."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                raise ValueError(f"{name}: line {event.start_mark.line + 1}: nested more than {DEEPEST} levels deep")
        return yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{name}: line {line}: {describe_problem(text, error)}") from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", None)
        line = "" if position is None else f"line {text[:position].count(chr(10)) + 1}: "
        raise ValueError(f"{name}: {line}a character that YAML does not allow; write plain text") from None


def describe_problem(text: str, error: yaml.MarkedYAMLError) -> str:
    """What YAML finds wrong, where that is common in words that say what to do."""
    mark, problem = error.problem_mark, str(error.problem)
    if "another document" in problem:
        return "a line of --- begins a second study; keep one a file"
    if mark and "cannot start any token" in problem:
        line = "".join(text.splitlines()[mark.line : mark.line + 1])
        found = line[mark.column : mark.column + 1]
        return TAB if found == "\t" else f"{found!r} begins a value; put the value into quotes"
    return TAB if "tab character" in problem else problem


def check_size(node: yaml.Node | None, name: str) -> None:
    """Refuse documents that anchors blow up beyond bounds, or that hold themselves."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def size(one: yaml.Node) -> int:
        if isinstance(one, yaml.ScalarNode):
            return 1
        if id(one) in above:
            raise ValueError(f"{name}: line {line_of(one)}: an anchor that holds itself; write the values out")
        if id(one) not in sizes:
            above.add(id(one))
            parts = one.value if isinstance(one, yaml.SequenceNode) else [part for pair in one.value for part in pair]
            sizes[id(one)] = 1 + sum(map(size, parts))
            above.remove(id(one))
        return sizes[id(one)]

    if node is not None and size(node) > MOST:
        raise ValueError(f"{name}: anchors (& and *) make more than {MOST} values; write out what is meant")


def construct(node: yaml.Node | None, name: str) -> Any:
    """Plain data of a node."""
    if node is None:
        return None
    kind = node.tag.removeprefix(STANDARD)
    if kind == node.tag or kind.startswith("python"):
        raise ValueError(f"{name}: line {line_of(node)}: tag {shorten_value(node.tag)}; write plain values")
    if isinstance(node, yaml.ScalarNode):
        return scalar(node, name)
    if isinstance(node, yaml.SequenceNode):
        return [construct(part, name) for part in node.value]
    return mapping(node, name)


def mapping(node: yaml.MappingNode, name: str) -> dict[str, Any]:
    """Pairs of a mapping, those of merge keys (<<) below its own."""
    lines: dict[str, int] = {}
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = line_of(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            raise ValueError(f"{name}: line {line}: a key that is a list or a table; write key: value pairs")
        key, value = check_text(key_node.value, name, line), construct(value_node, name)
        if key == "<<" and not key_node.style:
            for table in value if isinstance(value, list) else [value]:
                if not isinstance(table, dict):
                    raise ValueError(f"{name}: line {line}: << takes a table, found {shorten_value(table)}")
                merged = table | merged
            continue
        if key in lines:
            raise ValueError(f"{name}: key {key!r} stands twice, in lines {lines[key]} and {line}; keep one")
        lines[key], own[key] = line, value
    return merged | own


def scalar(node: yaml.ScalarNode, name: str) -> Any:
    """Null, truth value, number or text of a scalar."""
    text, line = node.value, line_of(node)
    if node.style:  # quoted, or a block of text
        return check_text(text, name, line)
    if text in NULL:
        return None
    if text in BOOLEAN:
        return BOOLEAN[text]
    if AMBIGUOUS.fullmatch(text):
        plain = text.lstrip("+-0") or "0"
        raise ValueError(f"{name}: line {line}: {text} may mean another number; write {plain}, or '{text}' as a name")
    if INTEGER.fullmatch(text) and len(text) <= 20:
        return int(text)
    if NOT_FINITE.fullmatch(text) or (FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        raise ValueError(f"{name}: line {line}: found {text[:40]}; write a finite number")
    return float(text) if FLOAT.fullmatch(text) else check_text(text, name, line)


def check_text(text: str, name: str, line: int) -> str:
    """Refuse text with characters that no file name or label has."""
    if CONTROL.search(text):
        raise ValueError(f"{name}: line {line}: {shorten_value(text)} has a control character; write plain text")
    return text


def line_of(node: yaml.Node) -> int:
    """Line of the file on which a node begins, counted from 1."""
    return node.start_mark.line + 1


def shorten_value(value: Any, most: int = 120) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
