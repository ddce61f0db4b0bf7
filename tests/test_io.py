"""HDF5 files: whole or not there, the same bytes, one clear line."""

import platform
import subprocess
import sys

import h5py
import numpy as np
import pytest

from vbiflow import io

PROVENANCE = {"study": "s", "seed": 3, "versions": {"numpy": "2"}}


def test_round_trip_with_units_axes_and_provenance(tmp_path):
    path = tmp_path / "folder" / "file.h5"
    quantities = {
        "bold": io.Quantity(np.arange(6.0).reshape(2, 3), "1", ("node", "time"), {"fs": 1.39}),
        "names": io.Quantity.text(["lh-größe", "b"], "node"),
        "maps": io.Quantity.text([], "map"),
        "valid": np.array([True, False]),
    }
    assert quantities["names"].values == ["lh-größe", "b"]
    io.write(path, quantities, PROVENANCE)
    content = io.read(path)
    with io.open_sealed(path) as file:
        assert content["maps"] == [] and h5py.check_string_dtype(file["maps"].dtype)
    np.testing.assert_array_equal(content["bold"], quantities["bold"].values)
    assert content["names"] == ["lh-größe", "b"] and content["valid"].dtype == bool
    assert io.read_attributes(path, "bold") == {"unit": "1", "axes": ["node", "time"], "fs": 1.39}
    assert io.read_attributes(path) == PROVENANCE


def test_same_content_same_bytes(tmp_path):
    written = []
    for _ in "ab":
        x = io.Quantity(np.arange(10.0), ["nA"] * 9 + ["1"])
        io.write(tmp_path / "a.h5", {"x": x, "names": ["p", "q"]}, PROVENANCE)
        written.append((tmp_path / "a.h5").read_bytes())
    assert written[0] == written[1]


def test_measured_numbers_need_a_unit_one_for_all_or_one_a_column(tmp_path):
    with pytest.raises(ValueError, match="x has no unit; write Quantity"):
        io.write(tmp_path / "a.h5", {"x": np.ones(3)}, {})
    with pytest.raises(ValueError, match="x: 2 units for an axis of"):
        io.write(tmp_path / "a.h5", {"x": io.Quantity(np.ones((1, 3)), ["nA", "1"])}, {})
    names = ["G", "eta[a]", "eta[b]", "w.myelin"]
    theta = io.Quantity(np.ones((2, 4)), ["1", "nA", "nA", "1/√ms"], ("simulation", "parameter"))
    io.write(tmp_path / "a.h5", {"theta": theta, "names": names}, {})
    assert io.read_attributes(tmp_path / "a.h5", "theta")["unit"] == ["1", "nA", "nA", "1/√ms"]
    assert io.parameter_units(tmp_path / "a.h5") == {"G": "1", "eta": "nA", "w": "1/√ms"}
    many = io.Quantity(np.ones(20000), ["V", "1"] * 10000)  # attributes of HDF5 hold 64 KiB
    io.write(tmp_path / "b.h5", {"x": many}, {})
    assert io.read_attributes(tmp_path / "b.h5", "x")["unit"] == many.unit


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.h5"
    io.write(path, {"x": io.Quantity(np.ones(3), "1")}, {})
    with pytest.raises(ValueError, match="x has 1 axes, not the 2 named a, b"):
        io.write(path, {"x": io.Quantity(np.zeros(3), "1", ("a", "b"))}, {})
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(io.read(path, "x")["x"], np.ones(3))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_file_is_named(tmp_path, share):
    path = tmp_path / "shard-0001.h5"
    io.write(path, {"x": io.Quantity(np.random.default_rng(0).normal(size=1000), "1")}, {})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"shard-0001\.h5: damaged.*; delete it and run again"):
        io.read(path, "x")


def test_missing_file_and_dataset_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.h5: no such file; run the rule that makes it"):
        io.read(tmp_path / "none.h5")
    io.write(tmp_path / "a.h5", {"x": [1], "y": [1]}, {})
    with pytest.raises(ValueError, match=r"a\.h5: no dataset 'z'; it holds x, y"):
        io.read(tmp_path / "a.h5", "z")


def test_json_has_no_nan_and_is_whole(tmp_path):
    path = tmp_path / "a.json"
    io.write_json(path, {"p": np.float64("nan"), "n": np.int64(3), "list": np.arange(2), "nested": {"t": (True, None)}})
    assert io.read_json(path) == {"p": None, "n": 3, "list": [0, 1], "nested": {"t": [True, None]}}
    path.write_text(path.read_text()[:10])
    with pytest.raises(ValueError, match=r"a\.json: damaged.*; delete it and run again"):
        io.read_json(path)


def test_rows_are_read_in_blocks_in_the_order_asked(tmp_path, monkeypatch):
    x = np.arange(60.0).reshape(20, 3)
    io.write(tmp_path / "x.h5", {"x": io.Quantity(x, "1")}, {})
    monkeypatch.setattr(io, "BLOCK", 6)
    picked = np.array([19, 0, 7, 7, 12])
    assert np.array_equal(io.read_rows(tmp_path / "x.h5", "x", picked), x[picked])
    with pytest.raises(ValueError, match=r"x.h5: no dataset 'theta'; it holds x"):
        io.read_rows(tmp_path / "x.h5", "theta", picked)


def test_what_a_killed_job_left_is_swept_when_its_file_is_made_and_nothing_of_a_living_one(tmp_path):
    path = tmp_path / "shard-0000.h5"
    program = f"import os; from vbiflow import io\nwith io.atomic({str(path)!r}) as part: os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(f".shard-0000.h5.{platform.node()}-") and left.suffix == ".part"
    own, others = (tmp_path / f".{name}.{platform.node()}-1.abc.part" for name in ("shard-0000.h5", "shard-00001h5"))
    elsewhere = tmp_path / ".shard-0000.h5.another-host-7.abc.part"
    for file in (own, others, elsewhere):
        file.touch()
    io.write(path, {"x": [1]}, {})
    assert {file.name for file in tmp_path.iterdir()} == {path.name, own.name, others.name, elsewhere.name}
