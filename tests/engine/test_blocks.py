"""A shard made block by block: the same bytes however it was split, ended and gone on with."""

import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from vbiflow import termination
from vbiflow.engine import blocks
from vbiflow.engine.blocks import make_in_blocks
from vbiflow.io import Quantity, read

N, PROVENANCE = 23, {"study": "s", "seed": 3, "sources": [{"name": "a"}]}


def made(begin, end, compressed=False):
    """Simulations begin to end, whose values are their numbers."""
    index = np.arange(begin, end)
    series = (index[:, None, None] + np.linspace(0, 1, 12).reshape(3, 4)).astype(np.float32)
    notes = {"fs": 1.5, "frequencies": np.array([0.5, 1.25])}
    return {
        "x": Quantity(series, "mV", ("simulation", "node", "time"), notes, compressed),
        "index": Quantity(index, "1", ("simulation",)),
        "valid": Quantity(index % 3 > 0, "1", ("simulation",)),
        "reason": Quantity.text([f"ü{k}" if k % 3 == 0 else "" for k in index], "simulation"),
        "conditioning": Quantity(index[:, None] * [1.0, 2.0], ("mm", "1"), ("simulation", "summary"), {"names": ["a"]}),
    }


def written(path, first=4, fails_after=None, key="k", compressed=False, calls=None):
    """The bytes of the file; an interrupt after some simulations."""

    def make(begin, end, progress):
        if fails_after is not None and begin >= fails_after:
            raise KeyboardInterrupt
        if calls is not None:
            calls.append((begin, end))
        progress(end - begin, end - begin)
        return made(begin, end, compressed)

    make_in_blocks(path, make, N, PROVENANCE, key=key, first=first)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def saved_each_time(monkeypatch):
    monkeypatch.setattr(blocks, "SAVED_EVERY", 0.0)
    monkeypatch.setattr(blocks, "BLOCK_SECONDS", 0.0)


@pytest.mark.parametrize("compressed", [False, True])
def test_the_bytes_do_not_depend_on_the_blocks_nor_on_where_the_work_was_ended(tmp_path, monkeypatch, compressed):
    path = tmp_path / "shard.h5"
    whole = written(path, first=N, compressed=compressed)
    assert read(path)["reason"] == made(0, N)["reason"].values
    np.testing.assert_array_equal(read(path, "x")["x"], made(0, N)["x"].values)
    with h5py.File(path) as file:
        assert file["x"].attrs["fs"] == 1.5 and file["x"].attrs["unit"] == "mV"
        assert list(file["x"].attrs["frequencies"]) == [0.5, 1.25]
    for fails_after in (4, 8, 20):
        path.unlink()
        with pytest.raises(KeyboardInterrupt):
            written(path, fails_after=fails_after, compressed=compressed)
        calls = []
        assert written(path, first=5, compressed=compressed, calls=calls) == whole
        assert calls[0][0] == fails_after, "what was saved is not made again"
        assert [entry.name for entry in tmp_path.iterdir()] == ["shard.h5"]
    monkeypatch.setattr(blocks, "SAVED_EVERY", 1e9)  # all in memory
    path.unlink()
    assert written(path, first=3, compressed=compressed) == whole


@pytest.mark.parametrize("fault", ["a bit flipped", "cut", "another key", "renamed", "lost"])
def test_damaged_and_foreign_blocks_are_dropped_with_a_line(tmp_path, capsys, fault):
    path = tmp_path / "shard.h5"
    whole = written(path)
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        written(path, fails_after=12)
    first, second, _ = sorted((tmp_path / "shard.h5.unfinished").iterdir())
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 4
    match fault:
        case "a bit flipped":
            second.write_bytes(content)
        case "cut":
            second.write_bytes(content[:300])
        case "renamed":
            first.rename(first.with_name("k-000000000-000000008.h5"))
        case "lost":
            first.unlink()
    assert written(path, key="other" if fault == "another key" else "k") == whole
    assert "simulated anew" in capsys.readouterr().out


def test_memory_is_that_of_what_is_not_saved_yet(tmp_path, monkeypatch):
    held = []
    monkeypatch.setattr(blocks, "write_blocks", lambda path, parts, _: held.append(parts))
    make_in_blocks(tmp_path / "shard.h5", lambda begin, end, _: made(begin, end), N, {}, key="k", first=4)
    assert all(sum(not hasattr(part, "name") for part in parts) == 1 for parts in held)


ENDED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_blocks import made
from vbiflow.engine.blocks import make_in_blocks
from vbiflow.termination import handle_termination

handle_termination()
def make(begin, end, progress):
    print(begin, flush=True)
    time.sleep(0.3)
    return made(begin, end)
make_in_blocks(Path({path!r}), make, 23, {{}}, key="k", first=4)
"""


def test_sigterm_saves_what_is_finished_and_ends(tmp_path):
    path = tmp_path / "shard.h5"
    script = ENDED.format(tests=str(__file__).rpartition("/")[0], path=str(path))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "0\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == termination.STATUS and not path.exists()
    saved = sorted((tmp_path / "shard.h5.unfinished").iterdir())
    assert [entry.name for entry in saved] == ["k-000000000-000000004.h5"]
    np.testing.assert_array_equal(read(saved[0], "index")["index"], np.arange(4))


def test_memory_is_bounded_by_bytes_where_simulations_are_quick(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "SAVED_EVERY", 1e9)
    monkeypatch.setattr(blocks, "BLOCK_SECONDS", 1e9)
    whole, calls = written(tmp_path / "whole.h5", first=N), []
    row = blocks.bytes_of(made(0, 1))
    monkeypatch.setattr(blocks, "MOST_BYTES", 16 * row)
    saves = []
    add = blocks.SavedBlocks.add
    monkeypatch.setattr(
        blocks.SavedBlocks, "add", lambda saved, held, done: saves.append(done) or add(saved, held, done)
    )
    assert written(tmp_path / "bounded.h5", first=2, calls=calls).replace(b"bounded", b"whole")[:2000] == whole[:2000]
    assert max(stop - begin for begin, stop in calls) <= 8 and saves, "half of what may be held is one block"
