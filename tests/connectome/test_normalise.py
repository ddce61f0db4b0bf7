"""Normalisation: identities of every step, order, and one line for each misuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vbiflow.connectome import NORMALISATIONS, normalise

W = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 4.0], [8.0, 0.0, 0.0]])
VALUES = {
    "power": 0.5,
    "scale": 0.2,
    "clip": 90,
    "threshold": 1.5,
    "density": 0.5,
    "symmetrise": "max",
    "homotopic": 0.5,
}
LABELS = ("A_L", "A_R", "B_L", "B_R", "C_L", "C_R", "D_L")
MATRICES = arrays(float, st.integers(2, 7).map(lambda n: (n, n)), elements=st.floats(0, 1e6)).map(
    lambda w: np.where(np.eye(len(w)) > 0, 0.0, np.maximum(w, 1e-3 * (w > 0)) + np.eye(len(w), k=1))
)


def step(name: str) -> str | dict:
    return {name: VALUES[name]} if name in VALUES else name


@pytest.mark.parametrize("name", NORMALISATIONS)
@settings(max_examples=20, deadline=None)
@given(weights=MATRICES)
def test_every_step_keeps_shape_sign_and_diagonal(name: str, weights: np.ndarray) -> None:
    before = weights.copy()
    out = (
        normalise(
            weights,
            ["mean_strength", step(name)] if name == "spectral_radius" else [step(name)],
            LABELS[: len(weights)],
        )
        if (name != "spectral_radius" or np.abs(np.linalg.eigvals(weights)).max() > 1e-9)
        else weights
    )
    assert out.shape == weights.shape and (out >= 0).all() and not np.diag(out).any()
    np.testing.assert_array_equal(weights, before)


@pytest.mark.parametrize("name", ["max", "spectral_radius", "row_sum", "mean_strength"])
@settings(max_examples=20, deadline=None)
@given(weights=MATRICES, factor=st.floats(0.01, 100))
def test_divisions_forget_the_scale(name: str, weights: np.ndarray, factor: float) -> None:
    weights = weights + weights.T
    np.testing.assert_allclose(normalise(weights * factor, [name]), normalise(weights, [name]), rtol=1e-9, atol=1e-300)


def test_worked_numbers() -> None:
    assert normalise(W, ["max"])[2, 0] == 1
    np.testing.assert_allclose(normalise(W, ["row_sum"]).sum(axis=1), 1)
    assert normalise(W, ["mean_strength"]).sum() == pytest.approx(3)
    assert np.abs(np.linalg.eigvals(normalise(W, ["spectral_radius"]))).max() == pytest.approx(1)
    np.testing.assert_allclose(normalise(W, ["log1p"])[1], np.log([3, 1, 5]))
    np.testing.assert_array_equal(normalise(W, [{"power": 0.5}]), np.sqrt(W))
    np.testing.assert_array_equal(normalise(W, [{"threshold": 2}]), [[0, 0, 0], [2, 0, 4], [8, 0, 0]])
    np.testing.assert_array_equal(normalise(W, [{"density": 1 / 3}]), [[0, 0, 0], [0, 0, 4], [8, 0, 0]])
    np.testing.assert_array_equal(normalise(W, [{"density": 1}]), W)
    np.testing.assert_array_equal(normalise(W, [{"symmetrise": "max"}]), [[0, 2, 8], [2, 0, 4], [8, 4, 0]])
    np.testing.assert_array_equal(normalise(W, ["symmetrise"]), (W + W.T) / 2)
    assert normalise(W, [{"clip": 50}]).max() == 3


def test_homotopic_connections_are_raised_not_lowered() -> None:
    out = normalise(W, [{"homotopic": 0.25}], ("A_L", "A_R", "B_L"))
    np.testing.assert_array_equal(out, [[0, 2, 0], [2, 0, 4], [8, 0, 0]])
    out = normalise(W, [{"homotopic": 1}], ("lh-A", "B", "rh-A"))
    np.testing.assert_array_equal(out, [[0, 1, 8], [2, 0, 4], [8, 0, 0]])


def test_isolated_row_stays_zero() -> None:
    np.testing.assert_array_equal(normalise(np.array([[0.0, 2.0], [0.0, 0.0]]), ["row_sum"]), [[0, 1], [0, 0]])


def test_order_matters() -> None:
    assert normalise(W, ["log1p", "max"]).max() == 1
    assert normalise(W, ["max", "log1p"]).max() == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["maximum"], r"normalise: unknown step 'maximum'; choose from max, spectral_radius, row_sum"),
        ("max", r"normalise: found 'max'; write a list of steps"),
        (["clip"], r"normalise: clip needs a value \(percentile\)"),
        ([{"max": 3}], r"normalise: max takes no value, found 3"),
        ([{"clip": "99"}], r"normalise: clip needs a number \(percentile\), found '99'"),
        ([{"clip": 101}], r"normalise: clip: found 101; allowed above 0 up to 100"),
        ([{"density": 0}], r"normalise: density: found 0; allowed above 0 up to 1"),
        ([{"clip": 99, "max": None}], r"write each step for itself"),
        ([{"homotopic": 0.5}], r"normalise: homotopic: no region has a counterpart"),
        ([{"homotopic": 2}], r"normalise: homotopic: found 2; allowed above 0 up to 1"),
        ([{"symmetrise": "min"}], r"normalise: symmetrise: found 'min'; choose from mean, max, sum"),
    ],
)
def test_misuse_is_one_line(steps: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalise(W, steps)


@pytest.mark.parametrize("name", ["max", "spectral_radius", "mean_strength"])
def test_all_zero_cannot_be_divided(name: str) -> None:
    with pytest.raises(ValueError, match=f"normalise: {name}: all weights are zero"):
        normalise(np.zeros((3, 3)), [name])


@pytest.mark.parametrize("entry", ["log1p", {"power": 0.5}])
def test_logarithm_and_root_need_positive_weights(entry: str | dict) -> None:
    with pytest.raises(ValueError, match="needs weights of at least 0"):
        normalise(W - 1, [entry])
