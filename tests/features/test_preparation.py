import numpy as np
import pytest
import yaml
from nilearn.signal import clean
from scipy.signal import detrend

from vbiflow.features import compute
from vbiflow.features.phase import bandpass
from vbiflow.features.preparation import STEPS, prepare, read_preparation
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
            "unknown preparation 'bandpas'; choose from detrend, bandpass, global_signal,",
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


def test_no_window_crosses_the_border_of_an_epoch():
    """Epochs that differ in level alone have no power within; end to end their borders are jumps."""
    ts = np.repeat(np.random.default_rng(0).standard_normal((1, 2, 30)), 50, axis=-1)
    for method in ("welch", "multitaper"):
        specs = [{"spectrum": {"segment": 0.4, "method": method, "bandwidth": 8.0, "range": [5, 45], "step": 5}}]
        whole, apart = (compute(ts, specs, fs=100.0, prepare=steps).x for steps in ({}, {"epochs": 0.5}))
        assert (apart < whole - 20).all()  # log10


def test_spectrum_of_epochs_is_the_mean_of_their_spectra():
    ts = np.random.default_rng(1).standard_normal((1, 3, 4 * 64 + 10)).cumsum(axis=-1)
    specs = [{"psd": {"segment": 0.32, "per": "node", "bands": {"b": [10, 30]}, "statistics": ["power"]}}]
    found = compute(ts, specs, fs=100.0, prepare={"epochs": 0.64}).x[0]
    each = [compute(ts[..., k * 64 : (k + 1) * 64], specs, fs=100.0).x[0] for k in range(4)]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-12)


def test_what_epochs_do_not_allow():
    ts = np.random.default_rng(1).standard_normal((1, 3, 200))
    for specs, epochs, message in (
        (["hmm"], 0.5, "feature hmm runs across the borders of epochs; from epochs come mean, median, .*psd"),
        ([{"psd": {"segment": 1.0}}], 0.5, r"segment of 1 s \(100 samples\) is longer than the epochs of 0.5 s"),
        (["fc"], 0.015, r"preparation epochs: 0.015 s are 1.5 samples at 100 Hz; it takes a whole number of them"),
        (
            ["fc"],
            0.02,
            r"preparation epochs: 0.02 s are 2 samples at 100 Hz; it takes a whole number of them, at least",
        ),
        (["fc"], "short", r"preparation epochs: 'short' is not a number"),
    ):
        with pytest.raises(ValueError, match=message):
            compute(ts, specs, fs=100.0, prepare={"epochs": epochs})


def test_each_epoch_loses_its_own_straight_line():
    rng = np.random.default_rng(2)
    lines = rng.standard_normal((1, 2, 6, 1)) + rng.standard_normal((1, 2, 6, 1)) * np.arange(50)
    waves = np.sin(2 * np.pi * 10 * np.arange(300) / 100) * np.array([1.0, 2.0])[None, :, None]
    steps = read_preparation({"detrend": True, "epochs": 0.5}, 100.0)
    plain = prepare(waves, 100.0, steps)
    np.testing.assert_allclose(prepare(waves + lines.reshape(1, 2, 300), 100.0, steps), plain, atol=1e-12)
    np.testing.assert_allclose(plain[..., :50], prepare(waves[..., :50], 100.0, {"detrend": True}), atol=1e-12)
