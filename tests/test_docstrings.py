"""Every public function, class and method of the library says what it is; those with many arguments say each."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANY = 7


def public(body, prefix=""):
    """Public functions, classes and methods of a module's or a class's body, by name."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def arguments(function):
    """Names of a function's arguments, but self and cls."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return [one.arg for one in named if one.arg not in ("self", "cls")]


def explained(docstring):
    """Names that stand before a colon, or alone on a line, in a docstring's section of parameters."""
    _, found, section = docstring.partition("Parameters\n----------\n")
    lines = [line.partition(" : ")[0] for line in section.partition("\n\n")[0].splitlines() if line[:1].strip()]
    return {name.strip() for line in lines for name in line.split(",")} if found else set()


def faults(text):
    """What is not said in a module's docstrings."""
    for name, node in public(ast.parse(text).body):
        docstring = ast.get_docstring(node)
        if not docstring:
            yield f"{name} has no docstring"
        elif isinstance(node, ast.FunctionDef) and len(names := arguments(node)) >= MANY:
            missing = [one for one in names if one not in explained(docstring)]
            if missing:
                yield f"{name} does not explain {', '.join(missing)}"


def test_every_public_name_is_explained():
    files = sorted((ROOT / "vbiflow").rglob("*.py"))
    assert not [f"{file.relative_to(ROOT)}: {fault}" for file in files for fault in faults(file.read_text())]


def test_what_is_not_explained_is_found():
    section = "Parameters\n    ----------\n    a, b, c : numbers\n    d, e, g : others\n"
    many = f'def f(a, b, c, d, e, g, h):\n    """Add.\n\n    {section}    """'
    assert [*faults(f"{many}\n\nclass A:\n    def b(self):\n        pass\n")] == [
        "f does not explain h", "A has no docstring", "A.b has no docstring"
    ]  # fmt: skip
