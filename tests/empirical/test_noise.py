"""Measurement noise of each region: read off a recording, and put into simulations alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy

from vbiflow.connectome import Connectome
from vbiflow.empirical.noise import noise_ratios, with_recorded_noise
from vbiflow.engine.draws import simulate_draws
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT
from vbiflow.study import load_study

FS = 1 / 0.72
RATIOS = np.array([0.0, 0.3, 1.0, 2.0])


def slow_series(n_times: int, seed: int = 0) -> np.ndarray:
    """Series (4, n_times) of unit variance with nothing above 0.2 Hz."""
    noise = np.random.default_rng(seed).standard_normal((4, n_times))
    slow = scipy.signal.sosfiltfilt(scipy.signal.butter(6, 0.1, fs=FS, output="sos"), noise)
    return slow / slow.std(axis=1, keepdims=True)


def test_planted_ratios_come_back() -> None:
    ts = 5 * (slow_series(4000) + RATIOS[:, None] * np.random.default_rng(1).standard_normal((4, 4000)))
    np.testing.assert_allclose(noise_ratios(ts, FS), RATIOS, rtol=0.1, atol=0.01)
    white = noise_ratios(np.random.default_rng(2).standard_normal((1, 1000)), FS)
    assert white[0] == pytest.approx(np.sqrt(0.95 / 0.05)), "all of it is noise"
    with pytest.raises(ValueError, match=r"above 0.3 Hz, the recording ends at 0.25 Hz; leave observation.noise.per"):
        noise_ratios(ts, 0.5)
    with pytest.raises(ValueError, match="a region is constant"):
        noise_ratios(np.ones((1, 100)), FS)


def test_simulations_have_the_noise_of_the_recording() -> None:
    """What is read off a simulation with the noise of a recording is what was read off the recording."""
    ts = slow_series(2000) + RATIOS[:, None] * np.random.default_rng(1).standard_normal((4, 2000))
    n, empty = 4, ("",) * 4
    plain = Connectome(
        np.ones((n, n)) - np.eye(n), np.full((n, n), np.nan), tuple("ABCD"), np.full((n, 3), np.nan), empty, empty
    )
    connectome = with_recorded_noise(plain, ts, FS)
    assert "simulations have as much" in connectome.findings[-1].text
    prior = Prior.from_config({"G": {"uniform": [0, 1e-5]}}, connectome.labels, connectome.maps)
    simulation = {"duration": 1.44e6, "dt": 72, "accept": ["dt"]}
    simulated = simulate_draws(
        "linear", connectome, prior, prior.sample(0, 0, 1), {"tau": 2000.0}, simulation,
        {"bold": {"parameters": {"efficacy": 1e-9}, "tr": 720}, "noise": {"relative": True, "per": "region"}}, seed=1,
    )  # fmt: skip
    np.testing.assert_allclose(noise_ratios(simulated.ts["bold"][0], FS), RATIOS, rtol=0.15, atol=0.05)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("per: subject", "per: average", r"comes from a person's own recording; set connectome.per: subject"),
        (
            "seed: 20261127",
            "seed: 1\npreparation: {bandpass: [0.01, 0.1]}",
            r"above 0.3 Hz, which preparation",
        ),
        ("per: region}", "per: node}", r"noise.*per: region|observation.noise: found"),
        ("{relative: true, per: region}", "{per: region}", r"counts in standard deviations .* write relative: true"),
        (
            "    myelin:",
            "    recorded_noise:",
            r"recorded_noise is the map that noise per region makes",
        ),
    ],
)
def test_mistake_is_one_line(old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    path = tmp_path / "config" / "studies" / "hcp_linear.yaml"
    path.write_text(path.read_text().replace("noise: {relative: true}", "noise: {relative: true, per: region}"))
    assert load_study("hcp_linear", tmp_path / "config").noise_per_region
    assert not load_study("hcp_wong_wang", tmp_path / "config").noise_per_region
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as caught:
        load_study("hcp_linear", tmp_path / "config")
    assert "\n" not in str(caught.value)
