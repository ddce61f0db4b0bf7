import numpy as np
import pytest

from vbiflow.features import compute
from vbiflow.features.states import avalanche_row, exponent, hidden_states, polar_clusters, visit_statistics


def of(series, spec, fs=1.0):
    out = compute(series, [spec], fs=fs)
    return dict(zip(out.names, out.x[0], strict=True))


def test_visits_by_hand():
    share, duration, rate = visit_statistics(np.array([0, 1, 1, 1, 0, 1]), 3, fs=2.0)
    np.testing.assert_allclose(share, [4 / 6, 2 / 6, 0])
    np.testing.assert_allclose(duration, [1.0, 0.5, 0])
    np.testing.assert_allclose(rate, [2 / 3, 2 / 3, 0])


def switching(seed=0, n=3000):
    rng = np.random.default_rng(seed)
    path = np.repeat([0, 1, 2], [50, 30, 20])[np.arange(n) % 100]
    means = rng.standard_normal((3, 6)) * 3
    return path, (means[path] + rng.standard_normal((n, 6)) * 0.5).T


def test_hidden_states_recover_a_known_path():
    from vbiflow.features.batch import standardise

    path, series = switching()
    found, _ = hidden_states(standardise(series), 3, 4, 0)
    agree = [np.bincount(path[found == state]).max() for state in range(3)]
    assert sum(agree) / path.size > 0.98
    out = of(series, {"hmm": {"n_states": 3, "components": 4}}, fs=10.0)
    assert [out[f"hmm.occupancy[{k}]"] for k in (1, 2, 3)] == pytest.approx([0.5, 0.3, 0.2], abs=0.01)
    assert [out[f"hmm.dwell[{k}]"] for k in (1, 2, 3)] == pytest.approx([5, 3, 2], rel=0.05)
    assert out["hmm.switching"] == pytest.approx(0.3, rel=0.05)


def test_hmm_needs_as_many_nodes_as_components():
    with pytest.raises(ValueError, match="feature hmm: 5 components asked for but there are 3 nodes; lower components"):
        of(np.random.default_rng(0).standard_normal((3, 200)), "hmm")


def test_microstates_recover_maps_whatever_their_sign():
    rng = np.random.default_rng(0)
    maps = np.linalg.qr(rng.standard_normal((8, 8)))[0][:3]
    path = np.repeat([0, 1, 2], [500, 300, 200])
    signal = maps[path] * rng.choice([-1, 1], (1000, 1)) + 0.05 * rng.standard_normal((1000, 8))
    found = polar_clusters(signal, 3)
    np.testing.assert_allclose(abs(found @ maps.T).max(axis=1), 1, atol=1e-2)


def test_microstate_statistics_of_oscillating_maps():
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((2, 8))
    maps -= maps.mean(axis=1, keepdims=True)
    t = np.arange(4000) / 200.0
    path = (np.arange(4000) // 100) % 4 == 0
    series = (maps[path.astype(int)] * np.sin(2 * np.pi * 10 * t)[:, None]).T + 0.01 * rng.standard_normal((8, 4000))
    out = of(series, {"microstates": {"n_states": 2}}, fs=200.0)
    assert out["microstates.coverage[1]"] == pytest.approx(0.75, abs=0.05)
    assert out["microstates.explained"] > 0.98


def test_avalanches_by_hand():
    rate, size, duration, branching = avalanche_row(np.array([0, 2, 1, 0, 0, 3, 0, 1]), fs=4.0)
    assert rate == pytest.approx(3 * 4 / 8)
    assert size == pytest.approx(1 + 3 / np.log([6, 6, 2]).sum())
    assert duration == pytest.approx(1 + 3 / np.log([4, 2, 2]).sum())
    assert branching == pytest.approx((0.5 + 0 + 0) / 3)
    assert avalanche_row(np.zeros(10), fs=4.0) == [0, 0, 0, 0]


def test_exponent_of_a_power_law():
    rng = np.random.default_rng(0)
    values = np.floor((5.5) * (1 - rng.random(100_000)) ** (-1 / 1.5) + 0.5)
    assert 1 + values.size / np.log(values / 5.5).sum() == pytest.approx(2.5, abs=0.05)
    assert exponent(np.ones(10)) == pytest.approx(1 + 1 / np.log(2))
