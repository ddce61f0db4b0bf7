"""Digests of input files: each file is read once, and again whenever it may be another."""

import hashlib
import os
import time

import pytest

from vbiflow import contents
from vbiflow.contents import Contents

LONG_AGO = 1_000_000_000_000_000_000


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file that counts as left alone, so that its digest is kept at once."""
    monkeypatch.setattr(contents, "SETTLED", -10.0)
    path = tmp_path / "weights.csv"
    path.write_text("1,2\n")
    return path


@pytest.fixture
def kept(tmp_path):
    (tmp_path / ".snakemake").mkdir()
    return Contents(tmp_path / ".snakemake" / "contents.json")


def reads(kept, path):
    """Whether the digest of a file is taken from its bytes, and whether it is that of its bytes."""
    before = kept.size
    assert kept.digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    return kept.size > before


def test_a_file_is_read_once_also_by_later_runs(file, kept):
    assert reads(kept, file) and not reads(kept, file)
    kept.save()
    assert not reads(Contents(kept.path), file)
    kept.path.write_text("{half")
    assert reads(Contents(kept.path), file)


def test_a_byte_changed_under_the_old_date_and_an_older_file_in_its_place_are_seen(file, kept, tmp_path):
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    first = kept.digest(file)
    file.write_text("1,3\n")
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    assert reads(kept, file) and kept.digest(file) != first
    other = tmp_path / "other.csv"
    other.write_text("1,2\n")
    os.utime(other, ns=(LONG_AGO // 2, LONG_AGO // 2))
    other.replace(file)
    assert reads(kept, file) and kept.digest(file) == first


def test_a_touched_file_has_the_digest_that_it_had(file, kept):
    first = kept.digest(file)
    os.utime(file)
    assert reads(kept, file) and kept.digest(file) == first


def test_a_file_written_just_now_is_not_remembered(file, kept, monkeypatch):
    """A second write within the clock's tick would leave no trace; so would one while the clock was ahead."""
    monkeypatch.setattr(contents, "SETTLED", 2.0)
    assert reads(kept, file) and reads(kept, file)
    now = time.time()
    monkeypatch.setattr(contents.time, "time", lambda: now - 3600)
    assert reads(kept, file) and reads(kept, file)
    monkeypatch.setattr(contents.time, "time", lambda: now + 60)
    assert reads(kept, file) and not reads(kept, file)


def test_folders_and_headers_stand_for_all_their_files(kept, tmp_path):
    folder = tmp_path / "run.ds"
    folder.mkdir()
    (folder / "a.meg4").write_text("1")
    header, data = tmp_path / "p1.vhdr", tmp_path / "p1.eeg"
    header.write_text("h")
    data.write_text("1")
    first = [kept.digest(folder), kept.digest(header)]
    (folder / "a.meg4").write_text("2")
    data.write_text("2")
    second = [kept.digest(folder), kept.digest(header)]
    assert first[0] != second[0] and first[1] != second[1]
    (folder / "a.meg4").rename(folder / "b.meg4")
    assert kept.digest(folder) != second[0]


def test_missing_and_unreadable_files_have_no_digest(file, kept, tmp_path):
    assert kept.digest(tmp_path / "gone.csv") == "missing"
    file.unlink()
    file.symlink_to(file)
    assert kept.digest(file) == "unreadable"
