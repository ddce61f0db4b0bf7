"""The predictive check sees what features see: sensors, their noise, and the band that the preparation lets pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vbiflow import io
from vbiflow.diagnostics.grade import grade_scores
from vbiflow.diagnostics.posterior_predictive import posterior_predictive
from vbiflow.diagnostics.transfer import mix_posteriors, transfer_scores
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
    drawn = fc(sensors(ts[:5], range(5)))
    shown = np.argmin(scores["psd_distance"])
    np.testing.assert_allclose(plain["fc"].values, drawn[shown], rtol=1e-5)
    upper = np.triu_indices(4, 1)
    np.testing.assert_allclose(plain["fc_values"].values, np.sort(drawn[:, *upper], axis=None), rtol=1e-5)
    assert plain["frequencies"].values[-1] == FS / 2 and np.median(scores["fc_correlation"]) > 0.9


def connected_series(n: int, mixing: np.ndarray, seed: int) -> np.ndarray:
    """Series (n, 6, 400) whose covariance follows from `mixing`."""
    return mixing @ np.random.default_rng(seed).standard_normal((n, 6, 400))


def saved_series(path: Path, ts: np.ndarray, valid: np.ndarray | None = None) -> Path:
    """A file of simulations (n, n_nodes, n_times)."""
    n = len(ts)
    parts = {"bold": io.Quantity(ts, "1", attributes={"fs": 1.0}), "index": np.arange(n), "reason": [""] * n}
    io.write(path, parts | {"valid": np.ones(n, bool) if valid is None else valid}, {})
    return path


def test_a_half_that_was_held_out_is_told_beside_the_grade(tmp_path: Path) -> None:
    """The first half is made by one network, the second by another: what fits the first does not fit the second."""
    rng = np.random.default_rng(1)
    first, second = (np.eye(6) + rng.uniform(0, 1, (6, 6)) for _ in range(2))
    path = saved_series(tmp_path / "s.h5", connected_series(12, first, 2))
    recorded, other = connected_series(1, first, 3)[0], connected_series(1, second, 4)[0]
    _, scores = posterior_predictive(path, recorded, 1.0, [], 8, ["fc_correlation"], held_out=other)
    assert np.median(scores["fc_correlation"]) > 0.9 > 0.7 > np.median(scores["held_out_fc_correlation"])
    upper = np.triu_indices(6, 1)
    between = np.corrcoef(fc(recorded)[upper], fc(other)[upper])[0, 1]
    np.testing.assert_allclose(scores["half_fc_correlation"], [between], rtol=1e-9)
    found = grade_scores(scores)["fc_correlation"]
    assert found["held_out"] == np.median(scores["held_out_fc_correlation"])
    assert f"with the half that was held out {found['held_out']:.2f}" in found["words"]
    assert "held_out" not in grade_scores({"fc_correlation": scores["fc_correlation"]})["fc_correlation"]


def test_parameters_of_other_people_are_taken_in_turn_and_judged_on_the_person(tmp_path: Path) -> None:
    mixed = mix_posteriors([np.arange(10.0)[:, None] + 100 * k for k in range(3)], 7)
    assert mixed[:, 0].tolist() == [0, 100, 200, 1, 101, 201, 2]
    with pytest.raises(ValueError, match="nobody else has a posterior"):
        mix_posteriors([])
    mixing = np.eye(6) + np.random.default_rng(1).uniform(0, 1, (6, 6))
    ts, valid = connected_series(5, mixing, 2), np.array([True, False, True, True, True])
    found = transfer_scores(saved_series(tmp_path / "s.h5", ts, valid), ts[2], 1.0, [], ["fc_correlation"])
    assert found["fc_correlation"].shape == (4,) and found["fc_correlation"].argmax() == 1
    assert found["fc_correlation"][1] == pytest.approx(1)
    none = saved_series(tmp_path / "none.h5", ts, np.zeros(5, bool))
    with pytest.raises(ValueError, match="no simulation of other people's parameters is valid"):
        transfer_scores(none, ts[2], 1.0, [], ["fc_correlation"])
