"""The predictive check sees what features see: sensors, their noise, and the band that the preparation lets pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vbiflow import io
from vbiflow.diagnostics.posterior_predictive import posterior_predictive
from vbiflow.features import fc
from vbiflow.observation.sensors import Sensors, reference_matrix

FS = 100.0
GAIN = np.array([[1.0, 0, 1], [0, 1, 1], [1, -1, 0], [0.5, 0.5, 0]])


def test_simulations_are_compared_on_the_sensors_within_the_band(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ts = rng.standard_normal((8, 3, 1000))
    parts = {"eeg": io.Quantity(ts, "mV", attributes={"fs": FS}), "index": np.arange(8), "valid": np.ones(8, bool)}
    io.write(tmp_path / "s.h5", parts | {"reason": [""] * 8}, {})
    sensors = Sensors(GAIN, reference_matrix(list("abcd"), "average")[0], 0.1, seed=2, stream=1)
    recording = sensors(rng.standard_normal((1, 3, 1000)), [9])[0]
    names = ["fc_correlation", "psd_distance"]
    found, scores = posterior_predictive(
        tmp_path / "s.h5", recording, FS, [], 5, names, "eeg", {"bandpass": [5, 30]}, sensors
    )
    assert found["ts"].values.shape == (4, 1000) and found["psd"].values.shape[0] == 4
    frequencies = found["frequencies"].values
    assert frequencies[0] == 5 and frequencies[-1] == 30 and found["psd"].values.shape[1] == frequencies.size
    plain, _ = posterior_predictive(tmp_path / "s.h5", recording, FS, [], 5, names, "eeg", {}, sensors)
    np.testing.assert_allclose(plain["fc"].values, fc(sensors(ts[:5], range(5))).mean(axis=0), rtol=1e-5)
    assert plain["frequencies"].values[-1] == FS / 2 and np.median(scores["fc_correlation"]) > 0.9
