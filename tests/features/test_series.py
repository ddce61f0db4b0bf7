"""Features of the values of a series and of their course in time."""

import numpy as np
import pytest
from scipy import stats

from vbiflow.features import FEATURES, compute

EIGHT = np.array([[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], [0.0, 1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0]])


def of(series, name, fs=1.0, **options):
    return compute(np.atleast_2d(series), [{name: {"per": "node", **options}}], fs=fs).x[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean", [5, 0]),
        ("median", [4.5, 0]),
        ("variance", [4, 0.5]),
        ("sd", [2, 0.5**0.5]),
        ("minimum", [2, -1]),
        ("maximum", [9, 1]),
        ("rms", [29**0.5, 0.5**0.5]),
        ("interquartile_range", [1.5, 0.5]),
        ("mean_absolute_deviation", [1.5, 0.5]),
        ("median_absolute_deviation", [0.5, 0.5]),
        ("skewness", [42 / 64, 0]),
        ("kurtosis", [356 / 8 / 16 - 3, -1]),
        ("burstiness", [-3 / 7, 1]),
        ("energy", [232 / 2, 4 / 2]),
        ("power", [29, 0.5]),
        ("area", [34.5 / 2, 0.5 / 2]),
        ("line_length", [1 * 2, 1 * 2]),
    ],
)
def test_worked_by_hand_on_eight_samples_at_two_hertz(name, expected):
    np.testing.assert_allclose(of(EIGHT, name, fs=2.0), expected, atol=1e-12)


def test_moments_and_quantiles_agree_with_scipy_and_numpy(ts):
    series = ts[0].astype(float)
    moments = of(ts[0], "moments", orders=[2, 3, 4, 5, 6]).reshape(5, 10)
    np.testing.assert_allclose(moments, [stats.moment(series, order, axis=1) for order in (2, 3, 4, 5, 6)], rtol=1e-9)
    levels = [0.05, 0.5, 0.95]
    np.testing.assert_allclose(
        of(ts[0], "quantiles", levels=levels).reshape(3, 10), np.quantile(series, levels, axis=1), rtol=1e-12
    )
    np.testing.assert_allclose(of(ts[0], "skewness"), stats.skew(series, axis=1), rtol=1e-9)
    np.testing.assert_allclose(of(ts[0], "kurtosis"), stats.kurtosis(series, axis=1), rtol=1e-9)


def test_large_values_in_single_precision_do_not_overflow():
    series = (1e7 * np.random.default_rng(0).standard_normal((1, 500))).astype("float32")
    sixth = of(series, "moments", orders=[6])
    np.testing.assert_allclose(sixth, stats.moment(series[0].astype(float), 6), rtol=1e-9)
    assert np.isfinite(of(series * 1e13, "energy")).all()


def test_burstiness_of_exponential_values_is_zero():
    assert of(np.random.default_rng(0).exponential(3.0, 200_000), "burstiness")[0] == pytest.approx(0, abs=0.01)


def test_sine_crosses_zero_twice_a_period_at_any_sampling_rate():
    for fs in (100.0, 250.0):
        t = np.arange(int(20 * fs)) / fs
        assert of(np.sin(2 * np.pi * 3 * t + 0.3), "zero_crossings", fs)[0] == pytest.approx(6, rel=0.01)


def test_temporal_centroid_of_a_pulse_is_its_time():
    pulse = np.zeros(50)
    pulse[30] = 2.0
    assert of(pulse, "temporal_centroid", fs=10.0)[0] == pytest.approx(3.0)


def test_area_over_an_interval():
    ramp = np.arange(101) / 10.0
    assert of(ramp, "area", fs=10.0, interval=[2.0, 4.0])[0] == pytest.approx((16 - 4) / 2)
    with pytest.raises(ValueError, match=r"ends after the recording of 10\.1 s"):
        of(ramp, "area", fs=10.0, interval=[2.0, 40.0])
    with pytest.raises(ValueError, match=r"is not \[low, high\]"):
        of(ramp, "area", fs=10.0, interval=[4.0, 2.0])


def test_hjorth_mobility_of_a_sine_is_its_angular_frequency():
    t = np.arange(20_000) / 1000.0
    mobility, complexity = of(np.sin(2 * np.pi * 5 * t), "hjorth", fs=1000.0)
    assert mobility == pytest.approx(2 * np.pi * 5, rel=1e-3)
    assert complexity == pytest.approx(1, rel=1e-3)


def autoregression(phi, n, seed):
    rng = np.random.default_rng(seed)
    y = np.zeros(n)
    for k, noise in enumerate(rng.standard_normal(n - 1), start=1):
        y[k] = phi * y[k - 1] + noise
    return y


def test_autocorrelation_of_an_autoregression_is_phi_to_the_lag():
    y = autoregression(0.8, 100_000, 0)
    assert of(y, "autocorrelation", fs=4.0)[0] == pytest.approx(0.8, abs=0.01)
    np.testing.assert_allclose(of(y, "autocorrelation", fs=4.0, lags=[0.25, 0.75]), [0.8, 0.8**3], atol=0.02)
    assert of(y, "autocorrelation_time", fs=4.0)[0] == pytest.approx(-1 / np.log(0.8) / 4, rel=0.03)


def test_autocorrelation_agrees_with_its_sum():
    y = np.random.default_rng(1).standard_normal(50)
    centred = y - y.mean()
    expected = (centred[3:] * centred[:-3]).sum() / (centred**2).sum()
    assert of(y, "autocorrelation", lags=[3])[0] == pytest.approx(expected)
    with pytest.raises(ValueError, match="lag of 50 samples reaches beyond the 50 samples"):
        of(y, "autocorrelation", lags=[50])


def test_onset_is_the_time_of_the_first_sample_above_the_threshold():
    series = np.zeros((3, 100))
    series[0, 40:] = 1.0
    series[1, 70:72] = 0.9
    series[2, 50] = 0.1
    out = compute(series, ["onset"], fs=10.0)
    np.testing.assert_allclose(out.x[0], [4, 7, 10, 2 / 3])
    assert out.names[-1] == "onset.share"
    np.testing.assert_allclose(of(series, "onset", fs=10.0, threshold=0.95, absolute=True)[:2], [4, 10])


INVARIANT = (
    "variance",
    "sd",
    "rms",
    "power",
    "kurtosis",
    "zero_crossings",
    "autocorrelation_time",
    "interquartile_range",
)


@pytest.mark.parametrize("name", INVARIANT)
def test_the_same_process_recorded_four_times_longer_gives_the_same_value(name):
    y = autoregression(0.9, 80_000, 5)
    short, long = of(y[:20_000], name, fs=10.0)[0], of(y, name, fs=10.0)[0]
    assert short == pytest.approx(long, rel=0.1, abs=0.1)


@pytest.mark.parametrize("name", ("variance", "rms", "power", "energy", "area", "zero_crossings", "temporal_centroid"))
def test_sampling_a_smooth_signal_twice_as_fast_gives_the_same_value(name):
    fine = np.arange(8001) / 200.0
    signal = np.sin(2 * np.pi * 1.3 * fine) + 0.5 * np.cos(2 * np.pi * 4.1 * fine + 1) + 0.2
    assert of(signal, name, fs=200.0)[0] == pytest.approx(of(signal[::2], name, fs=100.0)[0], rel=0.02)


def test_onset_counted_from_the_first_node_and_above_a_baseline_by_hand():
    """Two nodes at levels of their own that rise after 4 and 7 of 10 samples, a third that does not."""
    series = np.array([[5.0] * 4 + [9.0] * 6, [-3.0] * 7 + [1.0] * 3, [0.0] * 10])
    options = {"fs": 10.0, "per": ["node"], "threshold": 0.5}
    np.testing.assert_allclose(of(series, "onset", **options)[:3], [0, 1, 1])
    np.testing.assert_allclose(of(series, "onset", baseline=0.3, **options), [0.4, 0.7, 1, 2 / 3])
    np.testing.assert_allclose(of(series, "onset", baseline=0.3, first=True, **options), [0, 0.3, 1, 2 / 3])


def test_all_nodes_have_values_of_their_own(ts, nodes):
    specs = [{name: {"per": "node"}} for name in FEATURES if "per" in FEATURES[name].options]
    out = compute(ts, specs, fs=100.0, nodes=nodes)
    first = [k for k, name in enumerate(out.names) if name.endswith("[V1_R]")]
    other = [out.names.index(out.names[k].replace("[V1_R]", "[A1_L]")) for k in first]
    assert (out.x[:, first] != out.x[:, other]).any(axis=0).all()


def test_compiled_loops_agree_with_array_operations(ts):
    """The loops of the CPU do what the operations for any other array module do."""
    from scipy.stats import median_abs_deviation, moment

    from vbiflow.features.batch import standardise
    from vbiflow.features.distribution import central_moments, median_distance
    from vbiflow.features.temporal import LAGS_TRIED, autocorrelation_function, decay

    for series in (ts, ts[..., :-1], 1e3 + ts):
        y, found = series.astype(float), central_moments(series, 6)
        np.testing.assert_allclose(found[..., 0], y.mean(axis=-1), rtol=1e-12)
        np.testing.assert_allclose(found[..., 1], abs(y - y.mean(axis=-1, keepdims=True)).mean(axis=-1), rtol=1e-10)
        for order in range(2, 7):
            np.testing.assert_allclose(found[..., order], moment(y, order, axis=-1), rtol=1e-8, atol=1e-12)
        ranked = np.sort(series, axis=-1)
        middle = np.median(y, axis=-1)
        np.testing.assert_allclose(median_distance(ranked, middle), median_abs_deviation(y, axis=-1), rtol=1e-10)
    slow = np.cumsum(ts, axis=-1)
    for series in (ts, slow):
        z = standardise(series)
        rho = autocorrelation_function(z)
        first = (rho < np.exp(-1)).argmax(axis=-1)
        np.testing.assert_array_equal(np.ceil(decay(z)), first)
    assert (decay(standardise(slow)) > LAGS_TRIED).any()


def test_median_distance_of_ties_and_of_few_values():
    from vbiflow.features.distribution import median_distance

    for values in ([1.0, 1.0, 1.0, 5.0], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 2.0, 2.0, 9.0], [-3.0, 1.0, 4.0, 8.0]):
        ranked = np.sort(np.array([values]))
        middle = np.median(ranked, axis=-1)
        assert median_distance(ranked, middle)[0] == np.median(abs(ranked - middle))
