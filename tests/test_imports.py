"""The library imports one way: no module reaches itself again, by imports at the top or within functions."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import networkx
import pytest

import vbiflow

ROOT = Path(__file__).parents[1]
IMPORT = re.compile(r"^from vbiflow[\w.]* import (?:\([^)]*\)|[^(\n]+)", re.MULTILINE)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph():
    """An edge from each module of vbiflow to each that it names in an import, wherever that stands."""
    files = {module_name(path): path for path in (ROOT / "vbiflow").rglob("*.py")}
    graph = networkx.DiGraph()
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                graph.add_edges_from((name, alias.name) for alias in node.names if alias.name in files)
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "vbiflow":
                members = (f"{node.module}.{alias.name}" for alias in node.names)
                graph.add_edges_from((name, member if member in files else node.module) for member in members)
    return graph


def test_no_module_imports_itself_by_way_of_others():
    circles = [sorted(part) for part in networkx.strongly_connected_components(import_graph()) if len(part) > 1]
    assert not circles


def test_nothing_imports_the_figures():
    graph = import_graph()
    importers = {one for one, other in graph.edges if other.startswith("vbiflow.figures")}
    assert all(name.startswith("vbiflow.figures") for name in importers)


@cache
def names_of(module):
    """What can be imported from a module of vbiflow: what it binds at its top, and its parts if it is a package."""
    stem = ROOT.joinpath(*module.split("."))
    path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
    names = {part.stem for part in stem.glob("*")} | set(vbiflow.__all__ if module == "vbiflow" else ())
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        else:
            names |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    return names


def is_module(name):
    stem = ROOT.joinpath(*name.split("."))
    return stem.is_dir() or stem.with_suffix(".py").is_file()


def unknown_names(text):
    """Names that a text imports from vbiflow, or looks up in one of its modules, and that are not there."""
    tree, modules = ast.parse(text), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "vbiflow":
            yield from (
                f"{node.module}.{alias.name}" for alias in node.names if alias.name not in names_of(node.module)
            )
            modules |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and not node.attr.startswith("__"):
            module = modules.get(node.value.id, "")
            if module and is_module(module) and node.attr not in names_of(module):
                yield f"{module}.{node.attr}"


@pytest.mark.parametrize("folder", ["vbiflow", "scripts", "rules", "tests"])
def test_every_name_that_is_imported_exists(folder):
    """Also in rules and scripts, which no test imports, and in functions, which look names up when they are called."""
    for path in (path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".smk")):
        text = path.read_text()
        unknown = [*unknown_names("\n".join(IMPORT.findall(text)) if path.suffix == ".smk" else text)]
        assert not unknown, f"{path.relative_to(ROOT)} names what is not there: {unknown}"


def test_a_name_that_is_not_there_is_found():
    assert [*unknown_names("from vbiflow import io, no\nfrom vbiflow.io import read, raed\nio.read, io.wriet")] == [
        "vbiflow.no", "vbiflow.io.raed", "vbiflow.io.wriet"
    ]  # fmt: skip


def test_jobs_without_a_network_do_not_wait_for_torch():
    """torch and sbi take two seconds to load, several times as long as these jobs work."""
    scripts = [(ROOT / "scripts" / name).read_text() for name in ("features_report.py", "posterior_predictive.py")]
    imports = [line for text in scripts for line in text.splitlines() if line.startswith(("from ", "import "))]
    command = "\n".join([*imports, "import sys", "print(*[one for one in ('torch', 'sbi') if one in sys.modules])"])
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, cwd=ROOT)
    assert len(imports) > 10 and not done.stdout.split()
