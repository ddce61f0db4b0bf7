"""Smooth random deviations of spectra: their size, smoothness and levels, in spectra and in series, and refusals."""

import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.engine import simulate_draws
from vbiflow.engine.draws import check_draws
from vbiflow.engine.spectral_discrepancy import deviations, spectral_discrepancy_note
from vbiflow.features.spectral_estimation import welch
from vbiflow.prior import Prior

NETWORKS = ("front", "front", "back", "back")
LABELS = ("A", "B", "C", "D")
CONNECTOME = Connectome(np.zeros((4, 4)), np.ones((4, 4)), LABELS, np.zeros((4, 3)), ("",) * 4, NETWORKS)
PRIOR = Prior.from_config({"discrepancy_region": {"uniform": [0, 5]}}, LABELS)
GRID = {"step": 1.0, "highest": 45.0}


def draws(theta, spectral, parameters=None, connectome=CONNECTOME, **options):
    observation = {"signals": {"x": {"period": 4.0, "average": False}}} | ({"spectrum": GRID} if spectral else {})
    simulation = {"duration": 400e3, "dt": 1.0, "transient": 500.0}
    options = {"seed": 5, "start": 0, "stream": 0, "device": "cpu"} | options
    parameters = {"tau": 5.0} | (parameters or {})
    return simulate_draws("linear", connectome, PRIOR, theta, parameters, simulation, observation, **options)


def drawn(sizes, n=400):
    frequencies, length = np.arange(0.0, 46.0, 0.5), {"discrepancy_length": 2.3}
    rngs = [np.random.default_rng(k) for k in range(n)]
    return np.array([deviations(frequencies, length | sizes, NETWORKS, rng) for rng in rngs])


def test_deviations_have_their_size_and_correlation_at_every_frequency():
    d = drawn({"discrepancy_region": 1.5})
    np.testing.assert_allclose(d.std((0, 1)), 1.5, rtol=0.15)
    for lag in (2, 5, 10):
        found = (d[..., lag:] * d[..., :-lag]).mean() / (d**2).mean()
        assert found == pytest.approx(np.exp(-((0.5 * lag) ** 2) / (2 * 2.3**2)), abs=0.04)
    assert np.abs((d[:, 0] * d[:, 1]).mean()) < 0.2


@pytest.mark.parametrize(("name", "alike"), [("shared", (1, 1)), ("network", (1, 0)), ("region", (0, 0))])
def test_deviations_are_shared_by_all_by_a_network_or_by_nobody(name, alike):
    d = drawn({f"discrepancy_{name}": 1.0}, n=200)
    for other, same in zip((1, 2), alike, strict=True):
        assert np.corrcoef(d[:, 0].ravel(), d[:, other].ravel())[0, 1] == pytest.approx(same, abs=0.15)


@pytest.mark.parametrize("spectral", [True, False])
def test_spectra_and_series_deviate_by_the_same_decibels_and_keep_the_rest(spectral):
    with_it, without = (draws(np.full((2, 1), size), spectral).ts["x"] for size in (4.0, 0.0))
    if not spectral:
        np.testing.assert_allclose(with_it.mean(-1), without.mean(-1), atol=1e-4)
        with_it, without = (welch(ts.astype(float), 250.0, 250)[1][..., 1:46] for ts in (with_it, without))
    found = 10 * np.log10(with_it / without)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([5, 0x73706469, 0, 1])))
    sizes = {"discrepancy_region": 4.0, "discrepancy_length": 2.3}
    expected = deviations(np.arange(1.0, 46.0), sizes, NETWORKS, rng) if spectral else None
    assert found.std() == pytest.approx(4.0, rel=0.2)
    if spectral:
        np.testing.assert_allclose(found[1], expected, atol=1e-3)


def test_the_same_bytes_for_any_shards():
    theta = np.full((3, 1), 2.0)
    parts = [draws(theta[:1], True), draws(theta[1:], True, start=1)]
    assert draws(theta, True).ts["x"].tobytes() == np.concatenate([part.ts["x"] for part in parts]).tobytes()
    assert draws(theta, True, stream=1).ts["x"].tobytes() != draws(theta, True).ts["x"].tobytes()


def test_what_does_not_fit_is_said_in_one_line():
    alone = Connectome(np.zeros((4, 4)), np.ones((4, 4)), LABELS, np.zeros((4, 3)), ("",) * 4, ("",) * 4)
    with pytest.raises(ValueError, match="discrepancy_network: no region has a network; add the column network"):
        draws(np.ones((1, 1)), True, {"discrepancy_network": 1.0}, alone)
    settings = {"duration": 100.0, "dt": 1.0}, {"signals": {"x": {"period": 1.0}}}
    for prior, message in (
        ({"discrepancy_shared": {"uniform": [-1, 1]}}, "discrepancy_shared reaches down to -1 dB; it is at least 0"),
        ({"discrepancy_length": {"uniform": [1, 3]}}, "discrepancy_length is that of a discrepancy; give one of"),
        ({"discrepancy_region": {"uniform": [0, 1], "per": "node"}}, "it is one number for the whole network"),
    ):
        with pytest.raises(ValueError, match=message):
            check_draws("linear", prior, (), {}, *settings, seed=1)


def test_a_note_says_how_wrong_the_model_is():
    theta = np.column_stack([np.full(100, 1.0), np.linspace(0, 2, 100)])
    (note,) = spectral_discrepancy_note(["G", "discrepancy_region"], theta)
    assert note.startswith("the model misses spectra by 1 dB (0.1 to 1.9) in a region (median, 90 %)")
    assert spectral_discrepancy_note(["G"], theta) == []
