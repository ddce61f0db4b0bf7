"""Features of files: one shard, all gathered, one recording."""

import numpy as np
import pytest

from vbiflow import io
from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import SUMMARIES
from vbiflow.features import Nodes, compute, compute_file, compute_observed, gather_shards
from vbiflow.features.files import add_connectome_summaries, feature_quantities

NODES = Nodes(["A_L", "A_R", "B_L", "B_R"])


@pytest.fixture
def shards(tmp_path):
    """Three files of simulations; number 4 is invalid, number 5 has a constant node."""
    ts = np.random.default_rng(0).normal(size=(8, 4, 200)).astype(np.float32)
    ts[5, 2] = 1
    paths = []
    for number, (start, stop) in enumerate([(0, 3), (3, 6), (6, 8)]):
        index = np.arange(start, stop)
        quantities = {
            "bold": io.Quantity(ts[start:stop], "mV", ("simulation", "node", "time"), {"fs": 2.0}),
            "index": index,
            "valid": index != 4,
            "reason": ["out of range" if k == 4 else "" for k in index],
        }
        paths.append(tmp_path / f"shard-{number:04d}.h5")
        io.write(paths[-1], quantities, {})
    return ts, paths


@pytest.fixture
def tables(shards, tmp_path):
    paths = [tmp_path / "features" / path.name for path in shards[1]]
    for source, target in zip(shards[1], paths, strict=True):
        io.write(target, compute_file(source, ["fc"], NODES), {})
    return paths


def test_gathered_equals_computed_at_once(shards, tables, tmp_path):
    gather_shards(tables, tmp_path / "features.h5", 8, {"study": "s", "versions": {"numpy": "2"}})
    found = io.read(tmp_path / "features.h5")
    whole = compute(shards[0], ["fc"], fs=2.0, nodes=NODES)
    np.testing.assert_array_equal(found["x"], whole.x)
    assert found["names"] == whole.names and found["index"].tolist() == list(range(8))
    assert found["valid"].tolist() == [True] * 4 + [False, False, True, True]
    assert found["reason"][4] == "out of range" and found["reason"][5].startswith("constant in B_L")
    assert io.read_attributes(tmp_path / "features.h5") == {"study": "s", "versions": {"numpy": "2"}}


@pytest.mark.parametrize("why", ["", "out of range"])
def test_gathered_bytes_do_not_depend_on_the_shards(tmp_path, monkeypatch, why):
    x, index = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32), np.arange(30)
    reason, gathered = [why if k % 7 == 0 else "" for k in index], set()
    for size in (30, 13, 5):
        folder, paths = tmp_path / f"{size}", []
        folder.mkdir()
        monkeypatch.chdir(folder)
        for start in range(0, 30, size):
            part, paths = slice(start, start + size), [*paths, f"shard-{start:02d}.h5"]
            valid = np.array([not text for text in reason[part]])
            io.write(
                paths[-1], feature_quantities(x[part], ["a", "b", "c"], ["1"] * 3, index[part], valid, reason[part]), {}
            )
        gather_shards(paths, "features.h5", 30, {"seed": 3})
        assert io.read("features.h5", "reason")["reason"] == reason
        gathered.add((folder / "features.h5").read_bytes())
    assert len(gathered) == 1


def test_gathering_refuses_what_does_not_fit(tables, tmp_path):
    target = tmp_path / "features.h5"
    with pytest.raises(ValueError, match=r"shard-0002\.h5: does not hold simulations 3 to 4"):
        gather_shards([tables[0], tables[2]], target, 8, {})
    with pytest.raises(ValueError, match="the shards hold 6 simulations, the study asks for 8"):
        gather_shards(tables[:2], target, 8, {})
    content = io.read(tables[1])
    content |= {"names": content["names"][::-1], "x": io.Quantity(content["x"], "1")}
    io.write(tables[1], content, {})
    with pytest.raises(ValueError, match=r"shard-0001\.h5: its features are not those of"):
        gather_shards(tables, target, 8, {})
    assert not target.exists() and not list(tmp_path.glob(".*.part"))


def test_recording_takes_the_path_of_simulations(shards):
    ts = shards[0][0]
    quantities = compute_observed(ts, 2.0, ["fc"], NODES, signal="bold", unit="mV")
    np.testing.assert_array_equal(quantities["x"].values, compute(ts, ["fc"], fs=2.0, nodes=NODES).x[0])
    with pytest.raises(ValueError, match="features of the recording: constant in B_L"):
        compute_observed(shards[0][5], 2.0, ["fc"], NODES, signal="bold", unit="mV")


def test_summaries_of_the_connectome_join_the_features(shards, tmp_path):
    conditioning = np.random.default_rng(1).random((3, len(SUMMARIES)))
    content = io.read(shards[1][0])
    measured = {
        "bold": io.Quantity(content["bold"], "mV", attributes={"fs": 2.0}),
        "conditioning": io.Quantity(conditioning, "1"),
    }
    io.write(tmp_path / "conditioning.h5", content | measured, {})
    found, plain = compute_file(tmp_path / "conditioning.h5", ["fc"], NODES), compute_file(shards[1][0], ["fc"], NODES)
    np.testing.assert_array_equal(found["x"].values, np.hstack([plain["x"].values, conditioning]))
    assert list(found["names"].values)[-len(SUMMARIES) :] == [f"connectome.{name}" for name in SUMMARIES]
    person = Connectome(np.ones((4, 4)), np.ones((4, 4)), NODES.labels, np.zeros((4, 3)), ("L", "R") * 2, ("",) * 4)
    recording = add_connectome_summaries(
        compute_observed(shards[0][0], 2.0, ["fc"], NODES, signal="bold", unit="mV"), person
    )
    assert list(recording["names"].values) == list(found["names"].values)
    assert recording["x"].values[-len(SUMMARIES)] == pytest.approx(4)
