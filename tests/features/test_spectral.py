import numpy as np
import pytest
from mne.time_frequency import psd_array_multitaper, psd_array_welch

from vbiflow.features import Nodes, compute, compute_observed_spectra
from vbiflow.features.batch import regrid
from vbiflow.features.spectra import compute_spectra
from vbiflow.features.spectral_estimation import multitaper, welch

FS = 250.0
T = np.arange(int(60 * FS)) / FS


def of(series, fs=FS, **options):
    out = compute(np.atleast_2d(series), [{"psd": options}], fs=fs)
    return dict(zip(out.names, out.x[0], strict=True))


def noise(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n)


@pytest.mark.parametrize("estimate", [welch, lambda *arguments: multitaper(*arguments, 2.0)])
def test_density_of_a_sine_integrates_to_half_its_squared_amplitude(estimate):
    frequencies, density = estimate(3.0 * np.sin(2 * np.pi * 10 * T)[None], FS, 500)
    assert density.sum() * (frequencies[1] - frequencies[0]) == pytest.approx(4.5, rel=1e-3)


@pytest.mark.parametrize("estimate", [welch, lambda *arguments: multitaper(*arguments, 2.0)])
def test_density_of_white_noise_is_flat_at_twice_the_variance_over_fs(estimate):
    frequencies, density = estimate(2.0 * noise(200_000)[None], FS, 500)
    inner = (frequencies > 5) & (frequencies < 120)
    assert density[0, inner].mean() == pytest.approx(2 * 4 / FS, rel=0.02)
    assert density.sum() * (frequencies[1] - frequencies[0]) == pytest.approx(4, rel=0.02)


def test_density_agrees_with_mne():
    y = noise(5000)[None]
    expected, frequencies = psd_array_welch(
        y, FS, n_fft=500, n_per_seg=500, n_overlap=250, window="hann", verbose="error"
    )
    found = welch(y, FS, 500)
    np.testing.assert_allclose(found[0], frequencies)
    np.testing.assert_allclose(found[1][:, 1:-1], expected[:, 1:-1], rtol=1e-6)
    expected, _ = psd_array_multitaper(y, FS, bandwidth=4.0, normalization="full", verbose="error")
    np.testing.assert_allclose(multitaper(y, FS, 5000, 4.0)[1], expected)


def test_single_precision_keeps_the_density():
    y = noise(20_000)[None] + 5.0
    np.testing.assert_allclose(welch(y.astype("float32"), FS, 500)[1], welch(y, FS, 500)[1], rtol=1e-3, atol=1e-9)


def test_band_powers_add_up_to_the_total_and_relative_ones_to_one():
    bands = {"low": [0, 30], "middle": [30, 60], "high": [60, 125]}
    statistics = ["power", "relative", "total"]
    out = of(noise(T.size), bands=bands, range=[0, 125], statistics=statistics)
    powers = [out[f"psd.power[{name}].mean"] for name in bands]
    assert sum(powers) == pytest.approx(out["psd.total.mean"])
    assert sum(out[f"psd.relative[{name}].mean"] for name in bands) == pytest.approx(1)
    assert powers[0] == pytest.approx(30 / 125, rel=0.05)


@pytest.mark.parametrize("frequency", [5.0, 10.0, 15.0, 20.0, 30.0, 17.3])
def test_centroid_and_peak_of_a_pure_tone_are_its_frequency(frequency):
    out = of(np.sin(2 * np.pi * frequency * T + 0.4), segment=4.0)
    assert out["psd.centroid.mean"] == pytest.approx(frequency, abs=0.02)
    assert out["psd.peak_frequency.mean"] == pytest.approx(frequency, abs=0.05)
    assert out["psd.edge[0.5].mean"] == pytest.approx(frequency, abs=0.25)
    assert out["psd.spread.mean"] < 0.3
    assert out["psd.entropy.mean"] < 0.3


def test_two_tones_by_hand():
    out = of(
        np.sin(2 * np.pi * 10 * T) + np.sin(2 * np.pi * 20 * T),
        bands={"first": [8, 12], "second": [18, 22]},
        segment=10.0,
        statistics=["power", "relative", "centroid", "spread", "skewness", "kurtosis"],
    )
    assert out["psd.power[first].mean"] == pytest.approx(0.5, rel=1e-3)
    assert out["psd.relative[second].mean"] == pytest.approx(0.5, rel=1e-3)
    assert out["psd.centroid.mean"] == pytest.approx(15, rel=1e-3)
    assert out["psd.spread.mean"] == pytest.approx(5, rel=1e-2)
    assert out["psd.skewness.mean"] == pytest.approx(0, abs=1e-2)
    assert out["psd.kurtosis.mean"] == pytest.approx(-2, rel=1e-2)


def test_white_noise_is_spread_evenly_over_the_range():
    out = of(noise(500_000), range=[5, 45], statistics=["centroid", "spread", "edge", "entropy", "flatness"])
    assert out["psd.centroid.mean"] == pytest.approx(25, rel=0.01)
    assert out["psd.spread.mean"] == pytest.approx(40 / 12**0.5, rel=0.01)
    assert out["psd.edge[0.95].mean"] == pytest.approx(5 + 0.95 * 40, rel=0.01)
    assert out["psd.entropy.mean"] == pytest.approx(1, abs=0.01)
    assert out["psd.flatness.mean"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("method", ["welch", "multitaper"])
def test_the_same_process_recorded_longer_or_sampled_faster_gives_the_same_values(method):
    from scipy.signal import resample_poly

    options = {"method": method, "bandwidth": 4.0, "statistics": ["power", "relative", "centroid", "edge", "spread"]}
    long = np.convolve(noise(160_000, 3), np.exp(-np.arange(200) / 20.0))[:160_000]
    reference = of(long, **options)
    for other in (of(long[:40_000], **options), of(resample_poly(long, 2, 1), fs=2 * FS, **options)):
        for name, value in reference.items():
            assert other[name] == pytest.approx(value, rel=0.12), name


def test_averaging_spectra_first_gives_one_value_and_the_same_power():
    series = np.stack([np.sin(2 * np.pi * 10 * T), 2 * np.sin(2 * np.pi * 20 * T)])
    apart, together = of(series), of(series, average=True)
    assert together["psd.power[alpha]"] == pytest.approx(apart["psd.power[alpha].mean"])
    assert together["psd.peak_frequency"] == pytest.approx(20, abs=0.05)
    assert apart["psd.peak_frequency.mean"] == pytest.approx(15, abs=0.05)


def test_names_carry_band_and_region(ts, nodes):
    out = compute(ts, [{"psd": {"per": ["node", "network"]}}], fs=FS, nodes=nodes)
    assert {"psd.power[alpha][V1_L]", "psd.power[alpha][Default]", "psd.edge[0.95][A1_R]"} <= set(out.names)


def test_spectrum_of_white_noise_in_bins():
    out = compute(noise(500_000)[None], [{"spectrum": {"range": [10, 40], "step": 10}}], fs=FS)
    assert out.names == ["spectrum[10-20 Hz].mean", "spectrum[20-30 Hz].mean", "spectrum[30-40 Hz].mean"]
    np.testing.assert_allclose(out.x[0], np.log10(2 / FS), atol=0.02)


def test_aperiodic_exponent_and_offset_of_a_power_law():
    rng = np.random.default_rng(0)
    n = 500_000
    frequencies = np.fft.rfftfreq(n, 1 / FS)
    amplitude = np.r_[0, np.sqrt(100.0 / frequencies[1:] ** 1.5)]
    coefficients = amplitude * (rng.standard_normal(frequencies.size) + 1j * rng.standard_normal(frequencies.size))
    series = np.fft.irfft(coefficients, n) * np.sqrt(n * FS / 4)
    out = compute(series[None], ["aperiodic"], fs=FS)
    assert out.names == ["aperiodic.exponent", "aperiodic.offset"]
    assert out.x[0] == pytest.approx([1.5, 2.0], abs=0.05)


@pytest.mark.parametrize(
    ("options", "fs", "message"),
    [
        ({"bands": {"alpha": [8, 12]}, "range": [1, 4]}, 10.0, r"band alpha of 8-12 Hz reaches beyond fs / 2 = 5 Hz"),
        ({"range": [1, 200]}, 250.0, "band range of 1-200 Hz reaches beyond fs / 2 = 125 Hz; lower it, or check fs"),
        (
            {"bands": {"thin": [8.1, 8.2]}},
            250.0,
            "band thin of 8.1-8.2 Hz holds no frequency at a resolution of 0.5",
        ),
        ({}, 1.0, "segment of 2 s holds 2 samples at fs = 1 Hz, at least 8 are needed"),
        ({"segment": 100}, 250.0, r"segment of 100 s \(25000 samples\) is longer than the recording of 60 s"),
        ({"bands": {"alpha": [12, 8]}}, 250.0, r"feature psd, option bands: \[12, 8\] is not \[low, high\] in Hz"),
        ({"bands": [8, 12]}, 250.0, r"is not a table of bands such as {alpha: \[8, 12\]}"),
        ({"method": "fft"}, 250.0, "unknown value 'fft'; choose from welch, multitaper"),
    ],
)
def test_bands_and_segments_that_do_not_fit(options, fs, message):
    with pytest.raises(ValueError, match=message) as error:
        of(noise(T.size), fs=fs, **options)
    assert "\n" not in str(error.value)


def peaked(frequencies):
    """A density with an alpha peak 3 Hz wide on a floor, as theory has it."""
    return 1 / ((np.asarray(frequencies) - 10) ** 2 + 1.5**2) + 0.05


@pytest.mark.parametrize(("first", "own", "worst"), [(2.0, 1.1, 0.1), (0.0, 0.25, 0.25), (1.0, 1.0, 0.0)])
def test_spectra_of_any_frequencies_are_read_at_those_of_a_segment(first, own, worst):
    table = np.arange(first, 45.1, own)
    found, density = regrid(table, np.array([peaked(table), 3 * peaked(table)]), 1.0)
    np.testing.assert_allclose(found % 1.0, 0, atol=1e-9)
    error = 10 * np.log10(density / [peaked(found), 3 * peaked(found)])
    assert np.abs(error[:, found > 2]).max() <= worst
    if own < 1:  # averages keep the power
        assert density[0].sum() == pytest.approx(own * peaked(table).sum(), rel=0.01)


def test_bands_hold_the_same_bins_of_a_table_and_of_simulations():
    nodes, fs, options = Nodes.plain(1), 200.0, {"segment": 1 / 1.1025, "range": [3, 45], "statistics": ["relative"]}
    options["bands"] = {"theta": [4, 8], "alpha": [8, 13], "beta": [13, 30], "gamma": [30, 45]}
    step = fs / round(options["segment"] * fs)
    grid, table = step * np.arange(1, 42), np.arange(2, 46, 1.1025641)
    specs = [{"psd": options}]
    simulated = compute_spectra(peaked(grid)[None, None], grid, specs, "1^2/Hz", nodes, fs=fs).x[0]
    observed = compute_observed_spectra(peaked(table)[None], table, specs, nodes, fs=fs)["x"].values
    np.testing.assert_allclose(observed, simulated, rtol=0.01)
    by_bins = [peaked(table)[(table >= low) & (table < high)].sum() for low, high in options["bands"].values()]
    assert np.abs(np.array(by_bins) / peaked(table)[table >= 3].sum() / simulated - 1).max() > 0.05


def test_a_table_may_end_before_the_range_where_no_bin_is_lacking():
    frequencies = np.arange(2, 44, 1.1025641)
    assert frequencies[-1] < 44
    specs, bands = [{"psd": {"segment": 0.907, "range": [3, 44], "bands": {"alpha": [8, 13]}}}], {"delta": [1, 4]}
    out = compute_observed_spectra(peaked(frequencies)[None], frequencies, specs, Nodes.plain(1))
    assert np.isfinite(out["x"].values).all()
    for more, message in (
        ({"range": [3, 46]}, "range of 3-46 Hz takes a frequency of 45"),
        ({"bands": bands}, "delta"),
    ):
        wrong = [{"psd": specs[0]["psd"] | more}]
        with pytest.raises(ValueError, match=f"{message}.*the spectra reach from 2.* to 4"):
            compute_observed_spectra(peaked(frequencies)[None], frequencies, wrong, Nodes.plain(1))


def test_relative_spectra_are_decibels_over_the_mean_whatever_the_level_and_contrasts_are_of_networks(nodes, ts):
    options = {"range": [2, 44], "step": 2, "relative": True, "per": ["node", "network", "contrast"]}
    specs = [{"spectrum": options}]
    out = compute(ts, specs, fs=FS, nodes=nodes)
    np.testing.assert_allclose(compute(8 * ts, specs, fs=FS, nodes=nodes).x, out.x, atol=1e-6)
    assert set(out.units) == {"dB"}
    per_node = np.array([["spectrum.relative[" in name and f"[{nodes.labels[0]}]" in name for name in out.names]])
    levels = 10 ** (out.x[:, per_node[0]] / 10)
    np.testing.assert_allclose(levels.mean(1), 1, rtol=1e-6)
    a, b = nodes.network_names[:2]
    values = dict(zip(out.names, out.x[0], strict=True))
    stem = "spectrum.relative[8-10 Hz]"
    assert values[f"{stem}[{a} - {b}]"] == pytest.approx(values[f"{stem}[{a}]"] - values[f"{stem}[{b}]"])
    with pytest.raises(ValueError, match="per: contrast takes two networks or more"):
        compute(ts, [{"psd": {"per": "contrast"}}], fs=FS, nodes=Nodes(nodes.labels, networks=["one"] * len(nodes)))
