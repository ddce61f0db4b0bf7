"""Whatever function of the library a job calls is in the hash of its code."""

import json

from vbiflow.dependencies import Closure, find_module, path_of
from vbiflow.figures.table import wanted_figures
from vbiflow.registries import members_of
from vbiflow.study import load_study


def bearers(path, line):
    """Numbers of the statements of a file that hold a line, and the key of the table entry if it is one."""
    for number, statement in enumerate(find_module(path).statements):
        node = statement.node
        lines = [getattr(part, "lineno", None) for part in (node, *getattr(node, "decorator_list", ()))]
        if None not in lines and min(lines) <= line <= node.end_lineno:
            entries = statement.entries.items()
            keys = [key for key, entry in entries if entry.node.lineno <= line <= entry.node.end_lineno]
            yield number, keys[0] if keys else None


def test_every_function_that_a_job_calls_is_in_its_hash(finished):
    study, traces = load_study("tiny"), sorted(finished.traces.glob("*.json"))
    members = members_of(study, {".mat"}, {"bold"}, {"maf"}, "cpu")
    wanted = [wanted_figures("estimator", study, "101309"), wanted_figures("subject", study, "101309")]
    drawn = [function for figures in wanted for name, figure in figures.items() for function in figure.functions(name)]
    scripts = {path: path.stem.partition("-")[0] for path in traces}
    assert {"simulate", "features", "observe", "train", "calibrate", "sample", "figures"} <= set(scripts.values())
    for path, script in scripts.items():
        closure = Closure([f"scripts/{script}.py", *(drawn if script == "figures" else ())], members)
        counted = {(path_of(name), number) for name, number in closure.nodes}
        used = {(path_of(name), key) for name, _, key in closure.entries}
        partly = {(path_of(name), registry.rpartition(".")[2]) for name, registry, _ in closure.entries}
        called = json.loads(path.read_text())
        assert called
        for file, line in called:
            found = list(bearers(file, line))
            assert found, f"{file}: {line} is in no statement"
            for number, key in found:
                binds = find_module(file).statements[number].binds
                assert (file, number) in counted, f"{script} calls {file}: {line} {binds}, which its hash leaves out"
                assert not ({(file, name) for name in binds} & partly) or key is None or (file, key) in used
