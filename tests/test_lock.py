"""The lock of a killed run: taken away if its run and jobs are gone, never while one lives or from another machine."""

import fcntl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from vbiflow import lock
from vbiflow.lock import CLUSTER, LOCKS, RUNS, claim, keep_others_out, lock_alone

HOLD = """
import time
from pathlib import Path
from vbiflow.lock import claim, hold_job
print({}(Path({!r})), flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / LOCKS).mkdir()
    return tmp_path


def started(call, folder):
    """A process that holds its claim until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(call, str(folder))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip().isdigit()
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def left(folder):
    return list((folder / LOCKS).glob("*.lock"))


def locked(folder):
    (folder / LOCKS / "0.input.lock").write_text("results/x.h5\n")
    (folder / LOCKS / "0.output.lock").write_text("results/y.h5\n")


def alone(claimed, folder):
    with keep_others_out(claimed, folder) as answer:
        return answer


RUN = "lambda folder: claim(True, folder)"


def test_the_lock_of_a_killed_run_is_taken_away_and_that_of_a_living_one_stays(folder, capsys):
    first = started(f"({RUN})", folder)
    locked(folder)
    assert claim(True, folder) is not None
    assert len(left(folder)) == 2 and not capsys.readouterr().err, "the run lives"
    kill(first)
    second = started(f"({RUN})", folder)  # as this process holds a claim, too
    assert len(left(folder)) == 2
    kill(second)


def test_once_nobody_lives_it_goes(folder, capsys):
    first = started(f"({RUN})", folder)
    locked(folder)
    kill(first)
    assert claim(True, folder) is not None and not left(folder)
    assert "the lock of a run that was killed is taken away" in capsys.readouterr().err


def test_a_run_beside_another_without_locks_is_not_alone_and_keeps_its_claim(folder):
    """What is set right in a folder is set right by a run that is alone there: files of others come and go."""
    other, own = started(f"({RUN})", folder), claim(True, folder)
    assert not left(folder) and not alone(own, folder)
    kill(other)
    assert alone(own, folder) and alone(None, folder)
    job = started("hold_job", folder)
    assert not alone(own, folder), "a job of a run that was killed"
    kill(job)
    with (folder / RUNS).open() as another:
        assert not lock_alone(another.fileno())


def test_a_run_that_begins_waits_while_another_sets_the_folder_right(folder):
    own = claim(True, folder)
    with keep_others_out(own, folder) as alone, ThreadPoolExecutor(1) as pool:
        later = pool.submit(claim, True, folder)
        with pytest.raises(TimeoutError):
            later.result(timeout=0.3)
        assert alone
        fcntl.flock(own, fcntl.LOCK_SH)  # as the end of the block does; the pool waits for its thread first
        assert later.result(timeout=5) is not None


def test_jobs_of_a_killed_run_are_waited_for(folder, capsys):
    run, job = started(f"({RUN})", folder), started("hold_job", folder)
    locked(folder)
    kill(run)
    claim(True, folder, patience=0.5)
    assert len(left(folder)) == 2 and "still at work" in capsys.readouterr().err
    kill(job)


def test_locks_of_other_machines_of_clusters_and_of_unknown_runs_stay(folder, monkeypatch):
    locked(folder)
    claim(True, folder)
    assert len(left(folder)) == 2, "nobody claimed the folder"
    (folder / RUNS).write_text("another-boot\n")
    claim(True, folder)
    claim(False, folder)
    claim(True, folder)
    assert len(left(folder)) == 2 and (folder / RUNS).read_text().strip() == CLUSTER
    monkeypatch.setattr(lock, "BOOT", folder / "none")
    claim(True, folder)
    assert len(left(folder)) == 2
