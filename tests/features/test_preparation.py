import numpy as np
import pytest
import yaml
from nilearn.signal import clean
from scipy.signal import detrend

from vbiflow.features import compute
from vbiflow.features.phase import bandpass
from vbiflow.features.preparation import STEPS, noisy, prepare, read_preparation
from vbiflow.provenance import ROOT


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
            "unknown preparation 'bandpas'; choose from noise, detrend, bandpass, global_signal,",
        ),
        ({"bandpass": [2, 1]}, r"preparation bandpass: \[2, 1\] is not \[low, high\] in Hz"),
        ({"detrend": "yes"}, "preparation detrend: 'yes' is not a boolean"),
    ],
)
def test_steps_that_there_are_not(given, message):
    with pytest.raises(ValueError, match=message):
        read_preparation(given)


def test_band_must_lie_below_half_the_sampling_rate():
    with pytest.raises(ValueError, match=r"preparation bandpass: 1 Hz is not below 0.25 Hz, half the sampling rate"):
        read_preparation({"bandpass": [0.1, 1]}, 0.5)


def test_schema_of_studies_names_the_steps():
    schema = yaml.safe_load((ROOT / "config" / "schemas" / "study.schema.yaml").read_text())
    assert list(schema["properties"]["preparation"]["properties"]) == list(STEPS)


def test_confounds_leave_nothing_of_themselves_in_the_band():
    rng = np.random.default_rng(1)
    confounds, series = rng.standard_normal((2, 400)), rng.standard_normal((1, 3, 400))
    for steps in ({}, {"bandpass": (0.05, 0.5)}, {"detrend": True, "bandpass": (0.05, 0.5)}):
        rest = prepare(series + np.array([[3.0], [4.0], [-1.0]]) * confounds.sum(axis=0), 2.0, steps, confounds)
        np.testing.assert_allclose(rest, prepare(series, 2.0, steps, confounds), atol=1e-9)
        assert np.abs(rest[0] @ prepare(confounds[None], 2.0, steps)[0].T).max() < 1e-8
    with pytest.raises(ValueError, match="confounds have 399 samples, the recording 400; give one line a volume"):
        prepare(series, 2.0, {}, confounds[:, 1:])


def test_confounds_agree_with_nilearn():
    rng = np.random.default_rng(3)
    confounds, series = rng.standard_normal((4, 200)).cumsum(axis=1), rng.standard_normal((1, 5, 200))
    options = {"detrend": True, "standardize": None, "standardize_confounds": False}
    theirs = clean(series[0].T, confounds=confounds.T, **options).T
    np.testing.assert_allclose(prepare(series, 1.0, {"detrend": True}, confounds)[0], theirs, atol=1e-9)


def test_repeated_and_constant_confounds_count_once():
    rng = np.random.default_rng(4)
    one, series = rng.standard_normal((1, 300)), rng.standard_normal((1, 3, 300))
    many = np.concatenate([one, 2 * one, np.ones((1, 300))])
    np.testing.assert_allclose(prepare(series, 1.0, {}, many), prepare(series, 1.0, {}, one), atol=1e-9)


def test_measurement_noise_has_its_share_and_follows_from_seed_and_simulation(ts):
    options = {"fs": 2.0, "prepare": {"noise": 2.0}, "seed": 5}
    whole = compute(ts, ["variance"], **options)
    plain = compute(ts, ["variance"], fs=2.0)
    np.testing.assert_allclose(whole.x / plain.x, 5.0, rtol=0.25)  # 1 + 2^2
    part = compute(ts[2:], ["variance"], index=[2, 3], **options)
    assert part.x.tobytes() == whole.x[2:].tobytes()
    assert not np.array_equal(compute(ts, ["variance"], **options | {"seed": 6}).x, whole.x)
    noise = noisy(np.tile(ts[:1], (2, 1, 1)), 1.0, 5, [0, 1]) - ts[:1]
    assert abs(np.corrcoef(noise.reshape(2, -1))[0, 1]) < 0.05
