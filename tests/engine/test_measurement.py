"""Measurement noise: its size, its independence, and that it leaves the simulation alone."""

import numpy as np
import pytest
from scipy import stats

from vbiflow.engine import simulate

W = np.random.default_rng(1).random((5, 5))
RUN = {"duration": 402, "dt": 1, "seed": 3, "signals": {"x": {"period": 2}}}


def run(n=40, noise=None, start=0, **options):
    return simulate("linear", W, {}, n_simulations=n, start=start, noise=noise, **RUN | options)


def added(noise, **options):
    return run(noise=noise, **options).ts["x"].astype(float) - run(**options).ts["x"]


def test_noise_is_white_normal_and_independent():
    z = added(0.5) / 0.5
    assert z.shape == (40, 5, 201)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    for axis in range(3):
        front, back = np.moveaxis(z, axis, 0)[:-1].ravel(), np.moveaxis(z, axis, 0)[1:].ravel()
        assert abs(np.corrcoef(front, back)[0, 1]) < 5 / np.sqrt(len(front))
    assert len(np.unique(z.round(5).reshape(40, -1), axis=0)) == 40


def test_level_may_differ_by_simulation_and_be_relative():
    level = np.linspace(0, 2, 40)[:, None]
    assert added(level).std((1, 2)) == pytest.approx(level[:, 0], rel=0.15, abs=1e-6)
    own = np.sqrt(run().ts["x"].var(2).mean(1))
    share = added({"level": 0.7, "relative": True}).std((1, 2)) / own
    assert share == pytest.approx(0.7, rel=0.1)


def test_each_region_may_have_its_own_share_of_its_own_signal():
    own, regions = run().ts["x"].std(2), np.linspace(0, 2, len(W))
    noisy = {"relative": True, "per": "region", "level": regions}
    assert (added(noisy).std(2) / own).mean(0) == pytest.approx(regions, rel=0.1, abs=1e-6)
    level = np.linspace(0, 1, 40)[:, None]
    shares = (added(noisy | {"level": level * regions}).std(2) / own)[:, -1]
    assert shares == pytest.approx(2 * level[:, 0], rel=0.3, abs=1e-6)
    pieces = [run(7, noisy).ts["x"], run(33, noisy, start=7).ts["x"]]
    assert np.concatenate(pieces).tobytes() == run(noise=noisy).ts["x"].tobytes()


def test_same_bytes_for_any_split_device_and_other_signals():
    whole = run(noise=0.3).ts["x"]
    pieces = [run(7, 0.3).ts["x"], run(33, 0.3, start=7).ts["x"]]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()
    both = {"x": {"period": 2}, "bold_input": {"period": 2}}
    more = run(noise=0.3, signals=both, device="reference").ts
    assert more["x"] == pytest.approx(whole, abs=1e-4)
    noise = more["x"] - more["bold_input"]
    assert np.abs(noise).min() > 0


def test_seed_stream_and_index_change_it():
    base = added(0.5)
    for change in ({"seed": 4}, {"stream": 1}, {"start": 40}):
        assert abs(np.corrcoef(added(0.5, **change).ravel(), base.ravel())[0, 1]) < 0.03


def test_noise_does_not_hide_a_constant_simulation():
    out = simulate("linear", W, {"sigma": 0}, n_simulations=1, initial={"x": 0}, noise=0.1, **RUN)
    assert not out.valid[0] and "constant" in out.reason[0] and out.ts["x"].std() > 0.05


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (-0.1, "noise is -0.1; it is a standard deviation, at least 0"),
        ("loud", "level of noise is 'loud'; give numbers"),
        (np.ones(3), r"level of noise has shape \(3,\)"),
        ({"sd": 1}, "unknown option of noise 'sd'; choose from level, relative"),
        ({"level": np.nan}, "level of noise holds 1 values that are not finite"),
        ({"level": 1, "per": "region"}, "noise per region counts in standard deviations .*; write relative: true"),
        ({"level": 1, "relative": True, "per": "node"}, "option per of noise is 'node'; write region"),
        ({"level": 1, "relative": "yes"}, "relative of noise is 'yes'; write true or false"),
    ],
)
def test_message(noise, message):
    with pytest.raises(ValueError, match=message) as error:
        run(noise=noise)
    assert "\n" not in str(error.value)
