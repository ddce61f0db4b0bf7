"""Two oscillators a region: the peaks of the spectrum stand where theory has them, as wide as the parameters say."""

import numpy as np
import pytest

from vbiflow.engine import linearise, simulate
from vbiflow.features.spectral_estimation import welch

OWN = {"f_alpha": 0.010, "width_alpha": 0.002, "f_beta": 0.021, "width_beta": 0.004, "sigma": 0.1}
F = np.arange(0.02, 60, 0.02)


def peaks(density):
    """Frequency and full width at half height [Hz] of the highest point."""
    top, half = density.argmax(), density.max() / 2
    return F[top], 0.02 * (density >= half).sum()


def test_the_two_peaks_have_their_frequency_and_width():
    alpha, beta = (
        linearise("two_oscillators", np.zeros((1, 1)), OWN | {"beta": level}).spectra("eeg", F)[0] for level in (0, 1e3)
    )
    assert peaks(alpha) == (pytest.approx(10, abs=0.06), pytest.approx(2, abs=0.06))
    assert peaks(beta) == (pytest.approx(21, abs=0.12), pytest.approx(4, abs=0.12))
    both = linearise("two_oscillators", np.zeros((1, 1)), OWN | {"beta": 0.5}).spectra("eeg", F)[0]
    np.testing.assert_allclose(both, alpha + 0.25 * beta / 1e6, rtol=1e-4)
    variance = OWN["sigma"] ** 2 / (2 * np.pi * OWN["width_alpha"])
    assert alpha.sum() * 0.02 == pytest.approx(variance, rel=0.03)


def test_coupling_narrows_the_peak_of_each_mode_to_nothing_at_the_critical_one():
    weights = np.array([[0.0, 1.0], [1.0, 0.0]])  # eigenvalues 1 and -1
    for G in (0.3, 0.8):
        growth = linearise("two_oscillators", weights, OWN | {"G": G}).growth
        assert growth == pytest.approx(-np.pi * OWN["width_alpha"] * (1 - G))
    assert not linearise("two_oscillators", weights, OWN | {"G": 1.01}).valid
    mode = linearise("two_oscillators", weights, OWN | {"G": 0.5, "beta": 0}).cross_spectra("eeg", F)
    assert peaks(np.abs(mode.sum((1, 2))))[1] == pytest.approx(1, abs=0.06)  # the sum of both nodes: lambda = 1


def test_simulations_have_the_spectrum_of_theory():
    weights = np.array([[0.0, 0.6], [0.2, 0.0]])
    run = {"n_simulations": 4, "duration": 120e3, "transient": 2e3, "seed": 1, "device": "cpu"}
    ts = simulate("two_oscillators", weights, OWN, signals={"eeg": {"period": 2, "average": False}}, **run).ts["eeg"]
    frequencies, density = welch(ts.astype(float), 500.0, 2000)
    kept = (frequencies > 5) & (frequencies < 40)
    theory = linearise("two_oscillators", weights, OWN).spectra("eeg", frequencies[kept])
    ratio = 10 * np.log10(density.mean(0)[:, kept] / theory)
    assert np.abs(ratio).mean() < 0.4 and np.abs(ratio.mean()) < 0.1
