import numpy as np
import pytest
from scipy.signal import detrend

from vbiflow.features import compute
from vbiflow.features.phase import bandpass
from vbiflow.features.preparation import prepare, read_preparation


def test_detrending_agrees_with_scipy(ts):
    np.testing.assert_allclose(prepare(ts, 2.0, {"detrend": True}), detrend(ts.astype(float)), atol=1e-9)


def test_global_signal_is_gone_from_every_node(ts):
    rest = prepare(ts, 2.0, {"global_signal": True})
    signal = ts.astype(float).mean(axis=1, keepdims=True)
    np.testing.assert_allclose((rest * (signal - signal.mean(-1, keepdims=True))).sum(-1), 0, atol=1e-8)


def test_standardised_series_have_zero_mean_and_unit_variance(ts):
    rest = prepare(ts, 2.0, {"standardise": True})
    np.testing.assert_allclose(rest.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(rest.var(-1), 1)


def test_a_preparation_is_done_once_whatever_features_follow_and_leaves_its_input(ts):
    before = ts.copy()
    steps = {"bandpass": [0.01, 0.1], "detrend": True}
    together = compute(ts, ["variance", "skewness", "fc"], fs=2.0, prepare=steps)
    alone = compute(ts, ["fc"], fs=2.0, prepare=steps)
    by_hand = compute(bandpass(detrend(ts.astype(float)), 2.0, (0.01, 0.1)), ["variance"], fs=2.0)
    assert together.x[:, 2:].tobytes() == np.ascontiguousarray(alone.x).tobytes()
    np.testing.assert_allclose(together.x[:, :1], by_hand.x, rtol=1e-9)
    assert ts.tobytes() == before.tobytes()


def test_flags_are_about_the_series_as_they_came(ts):
    damaged = ts.copy()
    damaged[0, 2, 5] = np.inf
    damaged[1, 4] = 3.0
    out = compute(damaged, ["variance", "fc"], fs=2.0, prepare={"standardise": True, "detrend": True})
    assert out.reason[:2] == ["not finite in 2", "constant in 4"]
    assert out.valid.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"bandpas": [1, 2]},
            "unknown preparation 'bandpas'; choose from detrend, bandpass, global_signal,",
        ),
        ({"bandpass": [2, 1]}, r"preparation bandpass: \[2, 1\] is not \[low, high\] in Hz"),
        ({"detrend": "yes"}, "preparation detrend: 'yes' is not a boolean"),
    ],
)
def test_steps_that_there_are_not(given, message):
    with pytest.raises(ValueError, match=message):
        read_preparation(given)
