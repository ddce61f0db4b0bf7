"""Where files come from."""

import subprocess

from vbiflow import provenance


def test_digest_ignores_the_order_of_keys():
    assert (
        provenance.settings_digest({"a": 1, "b": [2]})
        == provenance.settings_digest({"b": [2], "a": 1})
        != provenance.settings_digest({"a": 1})
    )


def test_versions_name_what_is_loaded():
    found = provenance.versions()
    assert found["vbiflow"] and found["python"].startswith("3.")


def test_the_commit_is_that_of_the_clone_and_says_what_was_changed_since(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.source_commit() == ""
    (tmp_path / "Snakefile").write_text("rule all:\n")
    who = ["-c", "user.name=lab", "-c", "user.email=lab@example.org"]
    for command in (["init"], ["add", "."], [*who, "commit", "--message", "all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    commit = provenance.source_commit()
    assert len(commit) == 40
    (tmp_path / "Snakefile").write_text("rule other:\n")
    assert provenance.source_commit() == f"{commit}, with changes"
    (tmp_path / ".commit").write_text("of a hosted repository\n")
    assert provenance.source_commit() == "of a hosted repository"
