"""Content hashes: what a script reaches counts, layout and comments don't."""

import pytest

from vbiflow import provenance


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    package = tmp_path / "vbiflow"
    for folder in (package, package / "models", tmp_path / "scripts"):
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    (tmp_path / "scripts" / "run.py").write_text("from vbiflow.one import f\n")
    (package / "one.py").write_text('"""Doc."""\nfrom vbiflow import two\n\n\ndef f():\n    """Doc."""\n    return 1\n')
    (package / "two.py").write_text("from .models import model\n")
    (package / "models" / "__init__.py").write_text("from . import other\n")
    (package / "models" / "model.py").write_text("A = 1\n")
    (package / "models" / "other.py").write_text("B = 1\n")
    (package / "apart.py").write_text("C = 1\n")
    return package


def fresh(without=()):
    for function in (provenance.modules, provenance.parsed, provenance.fingerprint):
        function.cache_clear()
    return provenance.code_hash("scripts/run.py", without)


@pytest.mark.parametrize(("file", "counts"), [("one", True), ("two", True), ("models/model", True), ("apart", False)])
def test_only_what_is_imported_counts(tree, file, counts):
    before = fresh()
    with open(tree / f"{file}.py", "a") as module:
        module.write("\nD = 1\n")
    assert (fresh() != before) is counts


def test_comments_docstrings_and_layout_do_not_count(tree):
    before = fresh()
    (tree / "one.py").write_text(
        '"""Other."""\n# why\nfrom vbiflow import two\ndef f():\n    """Other."""\n    return (1)\n'
    )
    assert fresh() == before


def test_what_is_left_out_does_not_count(tree):
    before = fresh(["vbiflow/models/other.py"])
    (tree / "models" / "other.py").write_text("B = 2\n")
    assert fresh(["vbiflow/models/other.py"]) == before


def test_digest_ignores_the_order_of_keys():
    assert provenance.digest({"a": 1, "b": [2]}) == provenance.digest({"b": [2], "a": 1}) != provenance.digest({"a": 1})


def test_versions_name_what_is_loaded():
    found = provenance.versions()
    assert found["vbiflow"] and found["python"].startswith("3.")


def test_a_file_that_the_script_loads_by_name_counts_with_what_it_imports(tree):
    own = tree.parent / "config" / "features" / "swing.py"
    own.parent.mkdir(parents=True)
    own.write_text("from vbiflow import apart\n\nA = 1\n")

    def hashed():
        for function in (provenance.modules, provenance.parsed, provenance.fingerprint):
            function.cache_clear()
        return provenance.code_hash("scripts/run.py", beside=["config/features/swing.py"])

    before = hashed()
    assert before != fresh()
    own.write_text("# a comment\n" + own.read_text())
    assert hashed() == before
    own.write_text(own.read_text().replace("A = 1", "A = 2"))
    changed = hashed()
    assert changed != before
    (tree / "apart.py").write_text("C = 2\n")
    assert hashed() != changed
