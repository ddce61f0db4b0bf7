"""Damaged records of Snakemake and dates in the future are set right as a run begins, circles of links refused."""

import json
import os
import time

import pytest

from vbiflow.working_folder import date_now, mend_records, refuse_loops


def below(folder):
    return [*folder.rglob("*")]


def test_records_that_are_not_whole_are_dropped(tmp_path):
    record = json.dumps({"rule": "train", "code": "ä" * 20}, ensure_ascii=False).encode()
    flipped = bytes([*record[:25], record[25] ^ 0x80, *record[26:]])
    files = {"good": record, "cut": record[:-5], "flipped": flipped, "other": b"7"}
    (tmp_path / "deep").mkdir()
    for name, content in files.items():
        (tmp_path / "deep" / name).write_bytes(content)
    assert mend_records(tmp_path, tmp_path / "nowhere") == 3
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"good"}


def test_a_file_that_is_marked_incomplete_stays_so_though_the_mark_is_damaged(tmp_path):
    """Snakemake writes marks in place, so that a kill may cut one; without it half a folder would count as whole."""
    marks = tmp_path / "incomplete"
    (marks / "deep").mkdir(parents=True)
    for name, content in {"good": b'{"external_jobid": "7"}', "cut": b'{"extern', "empty": b""}.items():
        (marks / "deep" / name).write_bytes(content)
    assert mend_records(tmp_path / "metadata", marks) == 2 and mend_records(tmp_path / "metadata", marks) == 0
    found = {path.name: json.loads(path.read_text()) for path in (marks / "deep").iterdir()}
    assert found == {"good": {"external_jobid": "7"}, "cut": {}, "empty": {}}


def test_dates_of_the_future_become_one_date_and_others_stay(tmp_path):
    made, of, old = (tmp_path / name for name in ("made", "of", "old"))
    now = time.time()
    for path, date in ((of, now + 5e6), (made, now + 6e6), (old, now - 5e6)):
        path.write_text("")
        os.utime(path, (date, date))
    assert date_now(below(tmp_path)) == 2
    assert made.stat().st_mtime == of.stat().st_mtime <= time.time() + 1
    assert old.stat().st_mtime < now - 4e6 and date_now(below(tmp_path)) == 0


def test_a_link_to_itself_is_named(tmp_path):
    (tmp_path / "good").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    refuse_loops(below(tmp_path))
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(ValueError, match=r"circle: a link that leads to itself; delete it and run again"):
        refuse_loops(below(tmp_path))
    (tmp_path / "circle").unlink()
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "fc.svg").symlink_to(tmp_path / "figures" / "fc.svg")
    with pytest.raises(ValueError, match=r"delete the folder .*figures and run again"):
        refuse_loops(below(tmp_path))
