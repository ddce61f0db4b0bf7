"""The library imports one way: no module reaches itself again, by imports at the top or within functions."""

import ast
from pathlib import Path

import networkx

ROOT = Path(__file__).parents[1]


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
