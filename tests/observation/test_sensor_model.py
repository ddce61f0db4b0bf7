"""Sensors: worked numbers of references, projections as sums, noise that follows from seed and index alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vbiflow.observation.sensors import Sensors, reference_matrix

NAMES = ("Cz", "M1", "M2")


def test_references_by_hand() -> None:
    heard = np.array([[6.0], [1], [2]])
    for value, wanted, left in (
        ("none", [6, 1, 2], NAMES),
        ("average", [3, -2, -1], NAMES),
        ("M1", [5, 1], ("Cz", "M2")),
        (["M1", "M2"], [4.5, -0.5, 0.5], NAMES),
    ):
        matrix, names = reference_matrix(NAMES, value)
        np.testing.assert_allclose(matrix @ heard, np.array(wanted, float)[:, None])
        assert names == left
    with pytest.raises(ValueError, match=r"sensors.reference: no sensor 'Oz'; write average, none, or sensors, of Cz"):
        reference_matrix(NAMES, "Oz")


def test_average_reference_is_idempotent_and_blind_to_what_all_sensors_share() -> None:
    matrix, _ = reference_matrix([f"E{k}" for k in range(9)], "average")
    np.testing.assert_allclose(matrix @ matrix, matrix, atol=1e-15)
    np.testing.assert_allclose(matrix @ np.ones(9), 0, atol=1e-15)


def sensors(noise: float = 0.0, stream: int = 0) -> Sensors:
    gain = np.array([[1.0, 0], [0, 2], [1, 1]])
    return Sensors(gain, reference_matrix(NAMES, "average")[0], noise, seed=3, stream=stream)


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


def test_every_round_has_noise_of_its_own_at_the_sensors_too() -> None:
    rules = (Path(__file__).parents[2] / "rules" / "inference.smk").read_text()
    for name in ("simulate", "features"):
        rule = rules.split(f"use rule {name} as {name}_round")[1].split("use rule")[0]
        assert "stream=lambda wildcards: round_stream(int(wildcards.round))" in rule


def test_own_noise_and_gain_follow_the_index() -> None:
    ts = np.random.default_rng(0).standard_normal((3, 2, 50))
    own = {"noise": {7: 0.0, 8: 0.1, 9: 0.2}, "gain": {7: 2.0, 8: 1.0, 9: 0.0}}
    plain, heard = sensors(), replace(sensors(), sensor_parameters=own)
    np.testing.assert_allclose(heard(ts[:1], [7]), 2 * plain(ts[:1], [7]))
    np.testing.assert_allclose(heard(ts[1:2], [8]), sensors(0.1)(ts[1:2], [8]))
    np.testing.assert_allclose(heard(ts, [7, 8, 9])[2], sensors(0.2)(0 * ts[:1], [9])[0])
    np.testing.assert_array_equal(heard(ts, [7, 8, 9])[1:], heard(ts[1:], np.array([8, 9])))
