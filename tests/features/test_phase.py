import numpy as np
import pytest
from scipy.signal import hilbert

from vbiflow.features import compute
from vbiflow.features.phase import analytic, bandpass, plv

FS = 200.0
T = np.arange(int(40 * FS)) / FS


def of(series, spec, fs=FS):
    out = compute(np.atleast_2d(series), [spec], fs=fs)
    return dict(zip(out.names, out.x[0], strict=True))


@pytest.mark.parametrize("n", [400, 401])
def test_analytic_signal_agrees_with_scipy(n):
    y = np.random.default_rng(0).standard_normal((2, 3, n))
    np.testing.assert_allclose(analytic(y, FS, None), hilbert(y - y.mean(-1, keepdims=True)), atol=1e-12)


def test_bandpass_keeps_what_is_inside_in_phase_and_removes_what_is_outside():
    inside, outside = np.sin(2 * np.pi * 10 * T), np.sin(2 * np.pi * 30 * T) + 4.0
    found = bandpass((inside + outside)[None], FS, (8, 12))[0]
    np.testing.assert_allclose(found[1000:-1000], inside[1000:-1000], atol=0.01)


def test_envelope_of_a_modulated_tone_is_its_modulation():
    modulation = 2.0 + np.cos(2 * np.pi * 0.5 * T)
    out = of(modulation * np.sin(2 * np.pi * 20 * T), "envelope")
    assert out["envelope.mean.mean"] == pytest.approx(2, rel=1e-3)
    assert out["envelope.sd.mean"] == pytest.approx(0.5**0.5, rel=1e-2)
    assert out["envelope.max.mean"] == pytest.approx(3, rel=1e-2)
    assert out["envelope.min.mean"] == pytest.approx(1, rel=1e-2)
    assert out["envelope.median.mean"] == pytest.approx(2, rel=1e-2)


def test_envelope_gives_each_node_its_statistics_once(ts, nodes):
    out = compute(ts, [{"envelope": {"per": "node"}}], fs=2.0, nodes=nodes)
    assert len(out.names) == 5 * 10
    assert len(np.unique(out.x[0])) == 50


def test_instantaneous_frequency_of_a_tone():
    out = of(np.sin(2 * np.pi * 12.5 * T), "instantaneous_frequency")
    assert out["instantaneous_frequency.mean.mean"] == pytest.approx(12.5, rel=1e-3)
    assert out["instantaneous_frequency.sd.mean"] == pytest.approx(0, abs=0.1)


def test_order_parameter_of_equal_opposite_and_drifting_phases():
    tone = np.sin(2 * np.pi * 10 * T)
    assert of(np.stack([tone, 3 * tone]), "kuramoto")["kuramoto.mean"] == pytest.approx(1)
    assert of(np.stack([tone, -tone]), "kuramoto")["kuramoto.mean"] == pytest.approx(0, abs=1e-9)
    drifting = of(np.stack([tone, np.sin(2 * np.pi * 11 * T)]), "kuramoto")
    assert drifting["kuramoto.mean"] == pytest.approx(2 / np.pi, rel=1e-2)
    assert drifting["kuramoto.sd"] == pytest.approx((0.5 - 4 / np.pi**2) ** 0.5, rel=1e-2)


def test_phase_locking_of_shifted_tones_is_one_and_of_noise_falls_with_the_length():
    locked = np.stack([np.sin(2 * np.pi * 10 * T), np.sin(2 * np.pi * 10 * T + 1.0)])
    assert of(locked, "phase_locking")["phase_locking.mean"] == pytest.approx(1, abs=1e-6)
    assert of(np.random.default_rng(0).standard_normal((6, T.size)), "phase_locking")["phase_locking.mean"] < 0.03


def test_phase_locking_by_its_definition(ts):
    phase = np.angle(hilbert(ts[0] - ts[0].mean(-1, keepdims=True, dtype=float)))
    expected = abs(np.exp(1j * (phase[:, None] - phase[None])).mean(-1))
    np.testing.assert_allclose(plv(ts[:1], 2.0, None)[0], expected, atol=1e-9)


def test_envelope_correlation_sees_common_amplitude_and_orthogonalising_removes_leakage():
    rng = np.random.default_rng(0)
    carriers = bandpass(rng.standard_normal((3, T.size)), FS, (8, 12))
    common = np.exp(bandpass(rng.standard_normal((1, T.size)), FS, (0, 0.5)) * 8)
    plain = {"bands": {"alpha": [8, 12]}, "statistics": "mean"}
    name = "envelope_correlation[alpha].mean"
    assert of(carriers[:2], {"envelope_correlation": plain})[name] < 0.3
    assert of(carriers[:2] * common, {"envelope_correlation": plain})[name] > 0.6
    leaked = np.stack([carriers[0], carriers[0] + 0.5 * carriers[1]])
    assert of(leaked, {"envelope_correlation": plain})[name] > 0.7
    assert of(leaked, {"envelope_correlation": {**plain, "orthogonalise": True}})[name] < 0.3


def test_orthogonalised_envelopes_keep_the_sign_of_their_correlation():
    t = np.arange(6000) / 200
    swell = 0.8 * np.sin(2 * np.pi * 0.3 * t)
    pair = np.stack([(1 + swell) * np.sin(2 * np.pi * 10 * t), (1 - swell) * np.sin(2 * np.pi * 10.7 * t)])[None]
    request = {"envelope_correlation": {"bands": {"alpha": [8, 12]}, "statistics": "mean", "orthogonalise": True}}
    assert of(pair, request)["envelope_correlation.[alpha].mean".replace(".[", "[")] < -0.5


def test_imaginary_coherence_does_not_depend_on_the_order_of_the_nodes():
    rng, t = np.random.default_rng(1), np.arange(6000) / 200
    series = np.stack([np.sin(2 * np.pi * 10 * t + 0.7 * k) + 0.3 * rng.standard_normal(len(t)) for k in range(3)])
    request = {"spectral_connectivity": {"methods": ["imcoh"], "statistics": "mean"}}
    one, other = (
        of(nodes[None], request)["spectral_connectivity.imcoh[alpha].mean"] for nodes in (series, series[::-1])
    )
    assert one == pytest.approx(other) and one > 0.1


def test_spectral_connectivity_sees_lagged_coupling_in_its_band_only():
    rng = np.random.default_rng(1)
    shared = bandpass(rng.standard_normal((1, T.size)), FS, (8, 12))[0] * 3
    own = rng.standard_normal((2, T.size)) * 0.3
    series = own + np.stack([shared, np.roll(shared, 4)])
    out = of(series, {"spectral_connectivity": {"methods": ["coh", "wpli", "pli"], "statistics": "mean"}})
    assert out["spectral_connectivity.coh[alpha].mean"] > 0.8
    assert out["spectral_connectivity.wpli[alpha].mean"] > 0.9
    assert out["spectral_connectivity.coh[beta].mean"] < 0.5
    zero_lag = own + np.stack([shared, shared])
    out = of(zero_lag, {"spectral_connectivity": {"methods": ["coh", "wpli"], "statistics": "mean"}})
    assert out["spectral_connectivity.coh[alpha].mean"] > 0.8
    assert out["spectral_connectivity.wpli[alpha].mean"] < 0.7


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"envelope": {"band": [8, 300]}}, "band 8-300 Hz does not lie within 0 and fs / 2 = 100 Hz"),
        ({"kuramoto": {"bands": {"fast": [90, 200]}}}, "band fast of 90-200 Hz reaches beyond fs / 2 = 100 Hz"),
        ({"spectral_connectivity": {"segment": 30}}, "holds 1 segments of 6000, 2 are needed"),
    ],
)
def test_bands_that_do_not_fit(spec, message):
    with pytest.raises(ValueError, match=message):
        of(np.random.default_rng(0).standard_normal((3, T.size)), spec)


def test_a_recording_too_short_to_filter():
    with pytest.raises(ValueError, match="recording of 20 samples is too short to filter, more than 27 are needed"):
        of(np.random.default_rng(0).standard_normal((3, 20)), {"envelope": {"band": [8, 12]}})
