"""Notes in place of files: who is left out, who goes on, and when nobody does."""

from pathlib import Path

import pytest

from vbiflow.exclusion import Exclusion, first_exclusion, list_exclusions, read_exclusion, write_exclusion
from vbiflow.io import write_text

NOTE = Exclusion("bob", "observe", "bob.mat: no such file")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, dict[str, str]]:
    """Connectome and features of two people, whole."""
    paths = {kind: {name: str(tmp_path / f"{name}-{kind}.h5") for name in ("alice", "bob")} for kind in ("sc", "x_o")}
    for path in (path for group in paths.values() for path in group.values()):
        write_text(path, "\x89HDF")
    return paths


def test_note_is_read_back_and_nothing_else_is_a_note(files: dict, tmp_path: Path) -> None:
    path = files["x_o"]["bob"]
    assert read_exclusion(path) is None and read_exclusion(tmp_path / "none.h5") is None
    write_exclusion(NOTE, [path, tmp_path / "figure.svg", tmp_path / "figures"])
    assert read_exclusion(path) == first_exclusion([files["sc"]["bob"], path]) == NOTE
    assert (tmp_path / "figures").is_dir() and read_exclusion(tmp_path / "figures") == NOTE
    write_text(path, '{"exclude')
    assert read_exclusion(path) is None


def test_those_without_an_exclusion_are_included(files: dict) -> None:
    own = {"alice": "alice", "bob": "bob"}
    assert list_exclusions(own, files["sc"], files["x_o"]) == {"included": ["alice", "bob"], "excluded": {}}
    write_exclusion(NOTE, [files["x_o"]["bob"]])
    found = list_exclusions(own, files["sc"], files["x_o"])
    assert found["included"] == ["alice"] and found["excluded"]["bob"]["reason"] == NOTE.reason


def test_a_shared_connectome_that_is_broken_leaves_nobody(files: dict) -> None:
    write_exclusion(Exclusion("alice", "connectome", "sc.csv: no such file"), [files["sc"]["alice"]])
    with pytest.raises(
        ValueError, match=r"nobody is left: alice is left out: sc.csv: no such file; 1 more are left out"
    ):
        list_exclusions({"alice": "alice", "bob": "alice"}, files["sc"], files["x_o"])
