"""Discrepancy: of the given size, on the named features alone, addressed by seed, stream and simulation."""

import numpy as np
import pytest

from vbiflow.features.discrepancy import add_discrepancy, discrepancy_note
from vbiflow.features.files import feature_quantities
from vbiflow.io import Quantity, write
from vbiflow.marginals import DISCREPANCY

NAMES = ["fc.mean", "fc.eigenvalue[1]", "fcd.mean", "fc_networks[a-b]"]
N = 400


@pytest.fixture
def simulations(tmp_path):
    """A file of simulations, half of which have a discrepancy of 0.1, half none."""
    path = tmp_path / "simulations.h5"
    write(path, {DISCREPANCY: Quantity(np.repeat([0.1, 0.0], N // 2), "1", ("simulation",))}, {})
    return path


def features(rows=slice(0, N)):
    index = np.arange(N)[rows]
    x = np.tile([0.3, 5.0, 0.2, 0.4], (len(index), 1))
    return feature_quantities(x, NAMES, ["1"] * 4, index, np.ones(len(index), bool), [""] * len(index))


def test_size_and_features_are_those_declared(simulations):
    before = features()
    added = add_discrepancy(before, simulations, ["fc", "fc_networks"], 1)["x"].values - before["x"].values
    assert not added[:, 2].any() and not added[N // 2 :].any()
    z = added[: N // 2, [0, 1, 3]] / 0.1
    assert abs(z.mean()) < 0.15 and abs(z.std() - 1) < 0.1
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() < 0.25
    assert add_discrepancy(before, simulations, [], 1)["x"].values is before["x"].values


def test_numbers_follow_from_seed_stream_and_index(simulations, tmp_path):
    whole = add_discrepancy(features(), simulations, ["fc"], 1)["x"].values
    write(tmp_path / "part.h5", {DISCREPANCY: Quantity(np.full(40, 0.1), "1", ("simulation",))}, {})
    part = add_discrepancy(features(slice(60, 100)), tmp_path / "part.h5", ["fc"], 1)["x"].values
    np.testing.assert_array_equal(part, whole[60:100])
    for other in ({"seed": 2}, {"seed": 1, "stream": 1}):
        assert (add_discrepancy(features(), simulations, ["fc"], **other)["x"].values[:200, 0] != whole[:200, 0]).all()


def test_unknown_feature_is_one_line(simulations):
    with pytest.raises(ValueError, match="discrepancy: no value of psd; choose from fc, fcd, fc_networks"):
        add_discrepancy(features(), simulations, ["psd"], 1)


def test_the_report_says_how_wrong_the_model_is():
    theta = np.column_stack([np.zeros(101), np.linspace(0, 0.1, 101)])
    (note,) = discrepancy_note(["G", DISCREPANCY], theta, ["fc"])
    assert note.startswith("the model misses a value of fc by 0.05 ") and "(90 %: 0.005 to 0.095)" in note
    assert discrepancy_note(["G"], theta[:, :1], ["fc"]) == []
