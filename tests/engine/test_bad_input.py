"""Every mistake gets one line that says what was given and what is allowed, before work starts."""

import numpy as np
import pytest

from vbiflow.engine import simulate
from vbiflow.engine.specialise import specialise

W = np.ones((3, 3)) - np.eye(3)
GOOD = {
    "model": "wong_wang",
    "weights": W,
    "parameters": {},
    "n_simulations": 2,
    "duration": 1440,
    "dt": 10,
    "seed": 1,
    "bold": {"tr": 720},
}
BAD = [
    ({"model": "wongwang"}, "unknown model 'wongwang'; choose from wong_wang, "),
    ({"parameters": {"g": 1}}, "unknown parameter of wong_wang 'g'; choose from a, b, d"),
    ({"parameters": {"G": "high"}}, "parameter G is 'high'; give numbers"),
    (
        {"parameters": {"G": np.ones(2)}},
        r"parameter G has shape \(2,\); give a scalar, \(3,\) per node, \(2, 1\) per sim",
    ),
    ({"parameters": {"G": np.ones((3, 1))}}, r"parameter G has shape \(3, 1\)"),
    ({"parameters": {"G": [1, np.nan, 1]}}, "parameter G holds 1 values that are not finite"),
    ({"parameters": {"sigma": -0.1}}, "sigma holds -0.1; noise is a standard deviation, 0 or more"),
    ({"weights": np.ones((3, 2))}, r"weights have shape \(3, 2\); give a square matrix"),
    ({"weights": -W}, "weights hold 6 negative values"),
    ({"weights": W * np.nan}, "weights hold 9 values that are not finite"),
    ({"n_simulations": 0}, "n_simulations is 0; give an integer from 1"),
    ({"n_simulations": 2.0}, "n_simulations is 2.0; give an integer"),
    ({"duration": -1}, "duration is -1; it must be above 0"),
    ({"duration": 0}, "duration is 0; it must be above 0"),
    ({"duration": 700}, "duration is shorter than one sample of BOLD"),
    ({"duration": 1445}, "duration 1445 ms is not a multiple of dt 10 ms"),
    ({"transient": -10}, "transient is -10; it must be at least 0"),
    ({"dt": 0}, "dt is 0; it must be above 0"),
    ({"dt": float("nan")}, "dt is nan; give a finite number"),
    ({"dt": 144}, "dt 144 ms is longer than the shortest time constant of wong_wang, 100 ms"),
    ({"parameters": {"tau_s": -500}}, "parameter tau_s is -500 ms; a time constant must be above 0"),
    ({"integrator": "rk4"}, "unknown integrator 'rk4'; choose from euler, heun"),
    ({"seed": -1}, "seed is -1; give an integer from 0"),
    ({"seed": 1.5}, "seed is 1.5; give an integer"),
    ({"start": -1}, "start is -1"),
    ({"stream": 2**16}, "stream is 65536"),
    ({"bold": None}, "nothing is recorded; give bold or signals, of S, bold_input"),
    ({"bold": {"tr": 725}}, "TR 725 ms is not a multiple of dt 10 ms; use for instance dt 9.93"),
    ({"bold": {}}, "TR is None; give a finite number"),
    ({"bold": {"tr": 720, "te": 1}}, "unknown option of bold 'te'; choose from parameters, tr, step"),
    (
        {"bold": {"tr": 720, "parameters": "spm"}},
        "unknown BOLD parameters 'spm'; choose from stephan2007, paper, kong2021",
    ),
    ({"bold": {"tr": 720, "parameters": {"k4": 1}}}, "unknown parameter of balloon 'k4'"),
    ({"bold": {"tr": 720, "step": 100}}, "BOLD step 100 ms does not divide TR and transient"),
    ({"signals": ["eeg"]}, "unknown signal of wong_wang 'eeg'; choose from S, bold_input"),
    ({"signals": {"S": {"every": 3}}}, "unknown option of signal S 'every'; choose from period, average"),
    ({"signals": {"S": {"period": 15}}}, "period of signal S 15 ms is not a multiple of dt 10 ms"),
    ({"initial": {"x": 0}}, "unknown state of wong_wang 'x'; choose from S"),
    ({"initial": {"S": np.nan}}, "initial state S holds 1 values that are not finite"),
    ({"parameters": {"w": ["a", "b", "c"]}}, "parameter w is .*; give numbers"),
    ({"n_simulations": -3}, "n_simulations is -3; give an integer from 1"),
    ({"duration": 1e15}, "number of steps is .*; give an integer from 1 to 4294967295"),
    ({"signals": {"S": {"period": -10}}}, "period of signal S is -10; it must be above 0"),
    ({"bold": {"tr": -720}}, "TR is -720; it must be above 0"),
    ({"bold": {"tr": 720, "parameters": 3}}, "unknown BOLD parameters 3; choose from stephan2007"),
    ({"initial": {"S": [0, 1]}}, r"initial state S has shape \(2,\)"),
    ({"precision": "half"}, "unknown precision 'half'; choose from float32, float64"),
    ({"device": "tpu"}, "unknown device 'tpu'; choose from auto, cpu"),
    ({"threads": 0}, "threads is 0; give an integer from 1"),
    ({"model": "damped_oscillator", "dt": 0.2}, "unknown signal of damped_oscillator 'bold_input'"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_message(change, message):
    arguments = GOOD | change
    with pytest.raises(ValueError, match=message) as error:
        simulate(**arguments)
    assert "\n" not in str(error.value)


def power(y, p):
    return y.S**0.5


def method(y, p):
    return y.S.clip(0)


def unknown(y, p):
    return nowhere(y.S)  # noqa: F821


@pytest.mark.parametrize(
    ("function", "what"), [(power, "a power other than"), (method, "an attribute other than"), (unknown, "'nowhere'")]
)
def test_equations_that_a_kernel_cannot_hold(function, what):
    with pytest.raises(ValueError, match=what):
        specialise((function,), "m", (("y", ("S",)), ("p", ("a",))))


@pytest.mark.parametrize("option", ["average", "filter"])
def test_an_angle_is_sampled_never_averaged(option):
    settings = {"n_simulations": 2, "duration": 20, "dt": 0.1, "transient": 20, "seed": 1, "device": "cpu"}
    weights = np.ones((3, 3)) / 3
    with pytest.raises(ValueError, match=f"theta of kuramoto is an angle, of which {option} makes no sense") as error:
        simulate("kuramoto", weights, {}, signals={"theta": {"period": 1, option: True}}, **settings)
    assert "\n" not in str(error.value)
    every = simulate("kuramoto", weights, {}, signals={"theta": {"period": 0.1}}, **settings).ts["theta"]
    tenth = simulate("kuramoto", weights, {}, signals={"theta": {"period": 1}}, **settings).ts["theta"]
    np.testing.assert_array_equal(tenth, every[..., 9::10])
