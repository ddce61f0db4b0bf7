"""Seals: a change of any byte of a result file is seen before anything parses it, and so is a file of another place."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
import zipfile
from io import BytesIO

import h5py
import numpy as np
import pytest
import torch

from vbiflow import io
from vbiflow.seal import Seal, made_with, seal_path, verify, verify_input


def hdf5(path):
    io.write(path, {"x": io.Quantity(np.arange(300.0), "nA"), "names": ["p", "q"]}, {"seed": 3, "study": "s"})


def posterior(path):
    with io.sealed(path, 3) as part:
        torch.save({"a": torch.arange(5)}, content := BytesIO())
        part.write_bytes(content.getvalue())


def drawing(path):
    with io.sealed(path) as part:
        part.write_text("<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>\n")


def plain(path):
    io.write_json(path, {"verdict": "trusted", "n": 1.5, "nested": {"a": [1, 2]}})


def table(path):
    io.write_text(path, "participant_id\tG\na\t1\n", seals=True)


MADE = {"x.h5": hdf5, "x.pt": posterior, "x.svg": drawing, "x.json": plain, "x.tsv": table}


@pytest.fixture(params=MADE)
def path(request, tmp_path):
    path = tmp_path / "a--b" / request.param
    MADE[request.param](path)
    return path


def test_a_sealed_file_is_still_what_it_was_and_says_what_it_was_made_as(path):
    assert verify(path) == Seal(str(path), 3 if path.suffix in (".h5", ".pt") else -1)
    if path.suffix == ".h5":
        assert io.read(path, "names") == {"names": ["p", "q"]}
        with h5py.File(path) as file:
            assert file["x"].attrs["unit"] == "nA"
    elif path.suffix == ".pt":
        assert torch.equal(torch.load(path, weights_only=True)["a"], torch.arange(5))
        assert zipfile.ZipFile(path).testzip() is None
    elif path.suffix == ".svg":
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    elif path.suffix == ".json":
        assert json.loads(path.read_text())["n"] == 1.5
        assert io.read_json(path) == {"verdict": "trusted", "n": 1.5, "nested": {"a": [1, 2]}}
    else:
        assert path.read_text() == "participant_id\tG\na\t1\n"


def test_a_flip_of_any_bit_is_seen(path):
    whole = path.read_bytes()
    places = np.unique(np.r_[np.linspace(0, len(whole) - 1, 60).astype(int), np.arange(len(whole) - 200, len(whole))])
    for place in places[places >= 0]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"{path.name}: (damaged|unreadable).*; delete it and run again$"):
            verify(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_truncated_lengthened_zeroed_and_swapped_files_are_refused(path, share):
    whole = path.read_bytes()
    place = int(share * (len(whole) - 1))
    zeroed = whole[:place] + bytes(min(20, len(whole) - place)) + whole[place + 20 :]
    for damaged in {whole[:place], whole + b"\n", zeroed, whole[::-1]} - {whole}:
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="delete it and run again"):
            verify(path)


def test_a_file_of_another_place_or_seed_is_foreign(path, tmp_path):
    verify_input(path, 3)
    if path.suffix in (".h5", ".pt"):
        with pytest.raises(ValueError, match=r"made with seed 3, the study has 4; delete it and run again"):
            verify_input(path, 4)
    other = tmp_path / "other" / path.name
    other.parent.mkdir()
    shutil.copy(path, other)
    if seal_path(path).exists():
        shutil.copy(seal_path(path), seal_path(other))
    with pytest.raises(ValueError, match=rf"other/{path.name}: foreign: it was made as .*a--b/{path.name}; delete it"):
        verify_input(other)


@pytest.mark.parametrize("name", MADE)
def test_a_file_made_with_other_settings_is_refused_and_tells_its_own(tmp_path, name):
    settings = {"prior": "0a1b", "simulation.duration": "2c3d"}
    path = tmp_path / name
    with made_with(settings):
        MADE[name](path)
    assert verify_input(path, settings={**settings, "features": "ffff"}) == settings
    assert verify_input(path) == settings
    with pytest.raises(ValueError, match=r"made with another simulation.duration than the study has now; delete it"):
        verify_input(path, settings={"prior": "0a1b", "simulation.duration": "eeee"})
    MADE[name](path)
    assert verify_input(path, settings=settings) == {}


@pytest.mark.parametrize("there", ["an empty file", "an empty folder", "a folder", "a loop of links", "no seal"])
def test_what_is_no_file_of_ours_is_refused_in_one_line(path, there):
    content, beside = path.read_bytes(), seal_path(path)
    path.unlink()
    match there:
        case "an empty file":
            path.write_bytes(b"")
        case "an empty folder":
            path.mkdir()
        case "a folder":
            path.mkdir()
            (path / path.name).write_bytes(content)
        case "a loop of links":
            path.symlink_to(path.name)
        case "no seal":
            path.write_bytes(content if beside.exists() else content[: content.rindex(b"vbiflow-seal")])
            beside.unlink(missing_ok=True)
    with pytest.raises(ValueError, match=rf"^\S+{path.name}: .*(delete it|delete the folder \S+) and run again$"):
        verify_input(path)


def test_folders_are_checked_file_by_file(tmp_path):
    for name in ("a.svg", "b.svg"):
        drawing(tmp_path / name)
    verify_input(tmp_path)
    text = (tmp_path / "b.svg").read_text()
    (tmp_path / "b.svg").write_text(text.replace("<g/>", "<script>alert(1)</script>"))
    with pytest.raises(ValueError, match=r"b.svg: damaged: its bytes .*; delete the folder \S+ and run again$"):
        verify_input(tmp_path)


def test_same_content_under_the_same_name_has_the_same_bytes(path):
    before = path.read_bytes()
    MADE[path.name](path)
    assert path.read_bytes() == before


def test_without_a_seal_a_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file["x"] = np.ones(3)
    with pytest.raises(
        ValueError, match=r"old.h5: damaged, or not written by this vbiflow: .*; delete it and run again"
    ):
        io.read(tmp_path / "old.h5")
