"""Discrepancy: of the given size, on the named features alone, addressed by seed, stream and simulation."""

import numpy as np
import pytest

from vbiflow.features.discrepancy import add_discrepancy, discrepancy_note, read_discrepancy, spike_and_slab
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


def test_a_spike_and_a_slab_are_equally_likely_and_leave_other_features_alone(simulations):
    """Quantiles of half a normal of 0.004 and half a Cauchy of scale 0.1, cut at 2; the normal one as ever."""
    before = features()
    plain = add_discrepancy(before, simulations, ["fc", "fc_networks"], 1)["x"].values
    mixed = add_discrepancy(before, simulations, [{"fc": "spike_and_slab"}, "fc_networks"], 1)["x"].values
    np.testing.assert_array_equal(mixed[:, 2:], plain[:, 2:])
    z = np.random.default_rng(0).standard_normal(200_000)
    values = spike_and_slab(z)
    quarters = np.quantile(np.abs(values[z > 0]), [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quarters, np.tan(np.pi / 2 * np.array([0.25, 0.5, 0.75])), rtol=0.02)
    assert np.abs(values).max() == 20 and values[z < 0].std() == pytest.approx(0.04, rel=0.02)
    assert np.abs(values[z < 0].mean()) < 1e-3 and np.abs(np.median(values[z > 0])) < 0.02
    added = (mixed - before["x"].values)[: N // 2, :2] / 0.1
    assert 0.35 < (np.abs(added) < 0.12).mean() < 0.65 and not (mixed - before["x"].values)[N // 2 :].any()
    assert (np.abs(added) > 3).mean() > 0.05, "normal numbers hardly reach this far"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([{"fc": "student"}], "discrepancy.fc: unknown shape 'student'; choose from normal, spike_and_slab"),
        (["fc", {"fc": "normal"}], "discrepancy: fc stands twice; leave one out"),
    ],
)
def test_mistaken_shape_is_one_line(entries, message):
    with pytest.raises(ValueError, match=message):
        read_discrepancy(entries)


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
    (note,) = discrepancy_note(["G", DISCREPANCY], theta, [{"fc": "spike_and_slab"}])
    assert note.startswith("where it misses a value of fc, the model does so by 0.05 ")
    (note,) = discrepancy_note(["G"], theta[:, :1], ["fc", "fc_networks"], 0.05)
    assert note == "all this for a model that may miss a value of fc, fc_networks by 0.05, as the study declares"
