"""A table of spectra beside simulations from the posterior: their form is compared, on the table's frequencies."""

import numpy as np
import pytest
from scipy.signal import lfilter

from vbiflow import io
from vbiflow.diagnostics.grade import grade_scores
from vbiflow.diagnostics.spectral_predictive import (
    at_frequencies,
    explained_note,
    explained_variance,
    spectral_predictive,
)
from vbiflow.engine import linearise
from vbiflow.features.scores import TABLE_SCORE

W = np.array([[0, 1, 2, 0], [3, 0, 1, 0], [0, 2, 0, 1], [1, 0, 0, 0]]) / 4
TAU = np.array([5.0, 10.0, 20.0, 40.0])
FREQUENCIES = np.arange(1.0, 41.0)
SPECS = [{"psd": {"range": [2, 30], "per": "node"}}]


def table(tau=TAU):
    """Spectra of theory, one node a thousand times stronger, as a table of another unit may have it."""
    found = linearise("linear", W, {"G": 0.0, "tau": tau}).spectra("x", FREQUENCIES)
    return found * np.array([[1e3], [1.0], [1.0], [1.0]])


@pytest.fixture(scope="module")
def simulations(tmp_path_factory):
    """Twelve simulations of the truth, the last four of which stand for repeats of the MAP; one is invalid."""
    path, decay = tmp_path_factory.mktemp("predictive") / "simulations.h5", np.exp(-1 / TAU)
    noise = np.random.default_rng(3).standard_normal((12, 4, 32_000))
    ts = np.stack([lfilter([1], [1, -decay[k]], noise[:, k]) for k in range(4)], axis=1)[..., 2000::4]
    series = io.Quantity(ts, "1", ("simulation", "node", "time"), {"fs": 250.0})
    io.write(path, {"x": series, "valid": np.arange(12) != 2}, {})
    return path


def compared(simulations, power, **options):
    return spectral_predictive(simulations, power, FREQUENCIES, SPECS, 8, "x", **options)


def test_the_truth_reaches_the_noise_ceiling_whatever_the_units_of_its_nodes(simulations):
    shown, scores = compared(simulations, table(), others=[(table(tau=TAU[::-1]), FREQUENCIES)])
    grade = grade_scores(scores)[TABLE_SCORE]
    assert len(scores[TABLE_SCORE]) == 7 and len(scores[f"floor_{TABLE_SCORE}"]) == 6
    assert grade["grade"] == "noise_ceiling", grade
    assert set(grade["ladder"]) == {"above_chance", "other_person", "noise_ceiling"}
    np.testing.assert_array_equal(shown["frequencies"].values, np.arange(2.0, 31.0))
    np.testing.assert_allclose(shown["relative_psd_observed"].values.mean(axis=1), 1)


def test_another_form_of_the_spectra_is_graded_low(simulations):
    wrong = table()[::-1]
    assert grade_scores(compared(simulations, wrong)[1])[TABLE_SCORE]["grade"] == "chance"
    alike = compared(simulations, wrong, others=[(wrong * 1.01, FREQUENCIES), (wrong[:, :9], FREQUENCIES[:9])])[1]
    assert len(alike[f"other_{TABLE_SCORE}"]) == 1
    assert np.median(alike[TABLE_SCORE]) > 4 * np.median(alike[f"floor_{TABLE_SCORE}"])


def test_analytic_spectra_are_taken_as_they_are(tmp_path):
    frequencies = np.arange(0.5, 60.0, 0.5)
    density = linearise("linear", W, {"G": 0.0, "tau": TAU}).spectra("x", frequencies)
    stack = io.Quantity(np.tile(density, (4, 1, 1)), "1^2/Hz", ("simulation", "node", "frequency"),
                        {"frequencies": frequencies})  # fmt: skip
    io.write(tmp_path / "spectra.h5", {"x": stack, "valid": np.ones(4, bool)}, {})
    _, scores = spectral_predictive(tmp_path / "spectra.h5", table(), FREQUENCIES, SPECS, 2, "x")
    np.testing.assert_allclose(scores[TABLE_SCORE], 0, atol=1e-12)


def test_frequencies_that_simulations_lack_are_said(simulations):
    with pytest.raises(ValueError, match=r"simulations have a density from 1 to 125 Hz, where the table has 0 freq"):
        spectral_predictive(simulations, table()[:, :2], np.array([500.0, 501.0]), [], 8, "x")


def test_densities_between_frequencies_follow_a_power_law():
    own = np.geomspace(1, 100, 200)
    found = at_frequencies(own, own[None] ** -2.0, np.array([3.3, 47.0]))
    np.testing.assert_allclose(found[0], np.array([3.3, 47.0]) ** -2.0, rtol=1e-3)


def test_explained_variance_is_one_of_the_truth_and_not_of_another_form(simulations):
    shown, _ = compared(simulations, table())
    assert (shown["r_squared"].values > 0.97).all()
    (note,) = explained_note(shown)
    assert "R2 = 0.9" in note or "R2 = 1.00" in note
    assert (compared(simulations, table()[:, ::-1])[0]["r_squared"].values < 0).all() and explained_note({}) == []
    levels = np.array([1.0, 2.0, 4.0])
    assert explained_variance(np.tile(levels, (3, 2, 1)), np.array([levels, levels**0.5])) == pytest.approx(
        (13 / 18, 0.5)
    )
