"""Sensors: worked numbers of references, projections as sums, noise that follows from seed and index alone."""

from __future__ import annotations

import numpy as np
import pytest

from vbiflow.observation.sensors import Sensors, referencing

NAMES = ("Cz", "M1", "M2")


def test_references_by_hand() -> None:
    heard = np.array([[6.0], [1], [2]])
    for value, wanted, left in (
        ("none", [6, 1, 2], NAMES),
        ("average", [3, -2, -1], NAMES),
        ("M1", [5, 1], ("Cz", "M2")),
        (["M1", "M2"], [4.5, -0.5, 0.5], NAMES),
    ):
        matrix, names = referencing(NAMES, value)
        np.testing.assert_allclose(matrix @ heard, np.array(wanted, float)[:, None])
        assert names == left
    with pytest.raises(ValueError, match=r"sensors.reference: no sensor 'Oz'; write average, none, or sensors, of Cz"):
        referencing(NAMES, "Oz")


def test_average_reference_is_idempotent_and_blind_to_what_all_sensors_share() -> None:
    matrix, _ = referencing([f"E{k}" for k in range(9)], "average")
    np.testing.assert_allclose(matrix @ matrix, matrix, atol=1e-15)
    np.testing.assert_allclose(matrix @ np.ones(9), 0, atol=1e-15)


def sensors(noise: float = 0.0, stream: int = 0) -> Sensors:
    gain = np.array([[1.0, 0], [0, 2], [1, 1]])
    return Sensors(gain, referencing(NAMES, "average")[0], noise, seed=3, stream=stream)


def test_projection_is_a_weighted_sum_for_every_simulation() -> None:
    ts = np.random.default_rng(0).standard_normal((4, 2, 10)).astype("f4")
    heard = sensors()(ts, range(4))
    gain = sensors().gain
    for k in range(4):
        raw = gain @ ts[k].astype(float)
        np.testing.assert_allclose(heard[k], raw - raw.mean(axis=0), atol=1e-12)


def test_noise_follows_from_seed_stream_and_index() -> None:
    ts = np.zeros((5, 2, 4000))
    noisy = sensors(0.5)(ts, range(10, 15))
    np.testing.assert_array_equal(noisy[3:], sensors(0.5)(ts[:2], [13, 14]))
    assert not np.array_equal(noisy[0], sensors(0.5, stream=1)(ts[:1], [10])[0])
    # white noise of sd s at n sensors, less its average, has variance s^2 (1 - 1 / n)
    np.testing.assert_allclose(noisy.var(axis=-1), 0.25 * 2 / 3, rtol=0.1)
    assert abs(np.corrcoef(noisy[0].ravel(), noisy[1].ravel())[0, 1]) < 0.05
