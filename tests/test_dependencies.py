"""Content hashes: what a script uses counts, wherever it is defined; its neighbours, layout and comments do not."""

import ast

import pytest

from vbiflow import dependencies
from vbiflow.connectome.normalise import NORMALISATIONS
from vbiflow.connectome.read import READERS
from vbiflow.dependencies import Closure, find_module
from vbiflow.empirical.observe import KINDS
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.engine.simulate import ENGINES
from vbiflow.estimator_options import EMBEDDING_OPTIONS, ESTIMATOR_OPTIONS
from vbiflow.features import FEATURES, SETS
from vbiflow.features.scores import SCORES
from vbiflow.inference.embeddings import EMBEDDINGS
from vbiflow.inference.estimators import ESTIMATORS
from vbiflow.models import MODELS
from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.registries import members_of
from vbiflow.study import load_study

FILES = {
    "scripts/run.py": "from vbiflow.face import f, TABLE\n\nprint(f(), TABLE)\n",
    "vbiflow/__init__.py": "",
    "vbiflow/face/__init__.py": "from .one import f\nfrom .table import TABLE\nfrom .other import g\n",
    "vbiflow/face/one.py": '''"""Doc."""
import numpy as np
from vbiflow import text, two
from vbiflow.types import T


def f() -> T:
    """Doc."""
    from vbiflow.late import h

    return h(two.used, np.pi, text)


def neighbour():
    return 1
''',
    "vbiflow/face/other.py": "def g():\n    return 1\n",
    "vbiflow/face/table.py": 'from vbiflow import members\n\nTABLE = {m.MEMBER.name: m.MEMBER for m in (members,)}\n'
    'WRITTEN = {"a": 1, "b": 2}\n',
    "vbiflow/members.py": 'MEMBER = dict(name="a")\nOTHER = dict(name="b")\n',
    "vbiflow/two.py": "used = 1\nunused = 2\n",
    "vbiflow/late.py": "def h(*values):\n    return values\n",
    "vbiflow/text.py": 'anything = 1\nKERNEL = "kernel.py"\n',
    "vbiflow/kernel.py": "A = 1\n",
    "vbiflow/types.py": "T = int\n",
    "vbiflow/apart.py": "C = 1\n",
}  # fmt: skip


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(dependencies, "ROOT", tmp_path)
    yield tmp_path
    forget()


def forget():
    """As a new process, which reads all files again."""
    names = ("compute_hash", "sources_digest", "statement_targets", "acting_statements", "find_module")
    for function in (*names, "is_module", "file_of", "path_of"):
        getattr(dependencies, function).cache_clear()


def fresh(**given):
    forget()
    return dependencies.code_hash("scripts/run.py", **given)


def edited(tree, file, old, new):
    """Whether an edit changes the hash."""
    before = fresh()
    path = tree / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return fresh() != before


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("scripts/run.py", "print(", "print(1, ", True),
        ("vbiflow/face/one.py", "return h", "return 1, h", True),
        ("vbiflow/face/one.py", "import numpy as np", "import torch as np", True),
        ("vbiflow/face/one.py", "return 1", "return 2", False),
        ("vbiflow/face/other.py", "return 1", "return 2", False),
        ("vbiflow/face/__init__.py", "import g\n", "import g\nfrom .more import k\n", False),
        ("vbiflow/two.py", "used = 1\nun", "used = 3\nun", True),
        ("vbiflow/two.py", "unused = 2", "unused = 3", False),
        ("vbiflow/late.py", "return values", "return values[:1]", True),
        ("vbiflow/text.py", "anything = 1", "anything = 2", True),
        ("vbiflow/kernel.py", "A = 1", "A = 2", True),
        ("vbiflow/types.py", "T = int", "T = float", False),
        ("vbiflow/apart.py", "C = 1", "C = 2", False),
        ("vbiflow/face/table.py", '"b": 2', '"b": 3', False),
        ("vbiflow/face/other.py", "def g", "print()\n\n\ndef g", True),
        ("vbiflow/face/other.py", "def g", "@unknown\ndef g", True),
        ("vbiflow/apart.py", "C = 1", "print(1)", False),
    ],
)
def test_what_is_used_counts_and_nothing_else(tree, file, old, new, counts):
    assert edited(tree, file, old, new) is counts


def test_a_name_that_comes_from_elsewhere_counts(tree):
    (tree / "vbiflow" / "face" / "again.py").write_text("def f():\n    return 1\n")
    assert edited(tree, "vbiflow/face/__init__.py", "from .one", "from .again")


def test_comments_docstrings_and_layout_do_not_count(tree):
    assert not edited(tree, "vbiflow/face/one.py", '    """Doc."""\n', '    """Other."""\n    # why\n\n')
    assert not edited(
        tree, "vbiflow/face/one.py", "h(two.used, np.pi, text)", "h(\n        two.used, (np.pi), text\n    )"
    )


def test_of_a_registry_only_the_members_in_use_count(tree):
    members = {"vbiflow.face.table.TABLE": ["a"]}
    before = fresh(members=members)
    member = tree / "vbiflow" / "members.py"
    member.write_text(member.read_text().replace('name="b"', 'name="b", more=1'))
    assert fresh(members=members) == before
    member.write_text(member.read_text().replace('name="a"', 'name="a", more=1'))
    assert fresh(members=members) != before


def test_of_a_table_that_is_written_out_only_the_entries_in_use_count(tree):
    (tree / "scripts" / "run.py").write_text("from vbiflow.face.table import WRITTEN\n\nprint(WRITTEN)\n")
    members = {"vbiflow.face.table.WRITTEN": ["a"]}
    before = fresh(members=members)
    table = tree / "vbiflow" / "face" / "table.py"
    table.write_text(table.read_text().replace('"b": 2', '"b": 3, "c": 4'))
    assert fresh(members=members) == before != fresh()
    table.write_text(table.read_text().replace('"a": 1', '"a": 5'))
    assert fresh(members=members) != before


def test_a_file_that_the_script_loads_by_name_counts_with_what_it_uses(tree):
    own = tree / "config" / "features" / "swing.py"
    own.parent.mkdir(parents=True)
    own.write_text("from vbiflow.apart import C\n\nA = C\n")
    given = {"beside": ["config/features/swing.py"]}
    before = fresh(**given)
    assert before != fresh()
    own.write_text("# a comment\n" + own.read_text())
    assert fresh(**given) == before
    (tree / "vbiflow" / "apart.py").write_text("C = 2\n")
    assert fresh(**given) != before


REGISTRIES = {
    "vbiflow.models.MODELS": MODELS,
    "vbiflow.observation.OBSERVATION_MODELS": OBSERVATION_MODELS,
    "vbiflow.connectome.read.READERS": READERS,
    "vbiflow.engine.integrators.INTEGRATORS": INTEGRATORS,
    "vbiflow.engine.simulate.ENGINES": ENGINES,
    "vbiflow.connectome.normalise.NORMALISATIONS": NORMALISATIONS,
    "vbiflow.empirical.observe.KINDS": KINDS,
    "vbiflow.features.registry.FEATURES": FEATURES,
    "vbiflow.features.registry.SETS": SETS,
    "vbiflow.features.scores.SCORES": SCORES,
    "vbiflow.inference.estimators.ESTIMATORS": ESTIMATORS,
    "vbiflow.estimator_options.ESTIMATOR_OPTIONS": ESTIMATOR_OPTIONS,
    "vbiflow.inference.embeddings.EMBEDDINGS": EMBEDDINGS,
    "vbiflow.estimator_options.EMBEDDING_OPTIONS": EMBEDDING_OPTIONS,
}


@pytest.mark.parametrize("name", REGISTRIES)
def test_every_member_of_a_registry_is_found(name):
    """Else all members would count, or none."""
    base, _, registry = name.rpartition(".")
    numbers = find_module(base).bound[registry]
    assert len(numbers) == 1
    for member in REGISTRIES[name]:
        entries = find_module(base).statements[numbers[0]].entries
        assert {member, "**"} & entries.keys() or len(dependencies.registry_member((base, numbers[0]), member)) == 1, (
            member
        )


def test_a_study_names_the_members_that_it_uses():
    found = members_of(load_study("tiny"), {".mat"}, {"bold"}, {"maf"}, "cpu")
    assert found.keys() == REGISTRIES.keys()
    for name, members in found.items():
        assert members <= REGISTRIES[name].keys()
    beside = members_of(load_study("tiny@evidence"), {".mat"}, {"bold"}, ["nsf"])
    assert beside["vbiflow.inference.estimators.ESTIMATORS"] == {"nsf"}, "whatever else the study names"


def test_a_run_on_a_cpu_and_one_on_a_gpu_use_their_own_engine():
    def definitions(device):
        members = members_of(load_study("tiny"), {".mat"}, {"bold"}, {"maf"}, device)
        nodes = Closure(["scripts/simulate.py"], members).nodes
        used = [(dependencies.path_of(name), find_module(name).statements[number]) for name, number in nodes]
        return {(path, *one.binds) for path, one in used if not isinstance(one.node, ast.alias)}

    cpu, gpu = definitions("cpu"), definitions("cuda")
    asked = {("vbiflow/engine/gpu.py", "SIMULATED"), ("vbiflow/engine/gpu.py", "why_no_gpu")}  # whether there is a GPU
    assert {entry for entry in cpu if entry[0].startswith("vbiflow/engine/gpu")} == asked
    assert ("vbiflow/engine/cpu.py", "run") in cpu - gpu and ("vbiflow/engine/gpu.py", "run") in gpu - cpu
    assert any(entry[0] == "vbiflow/engine/gpu_functions.py" for entry in gpu), "its text is part of the kernel"
