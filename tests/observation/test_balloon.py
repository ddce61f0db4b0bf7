"""Balloon-Windkessel: rest, steady state, undershoot, linear limit, convergence of its own step."""

import numpy as np
import pytest

from vbiflow.engine.integrators import heun
from vbiflow.observation import balloon

MODEL = balloon.MODEL


def parameters(name="stephan2007"):
    return MODEL.p(**balloon.PARAMETERS[name])


def respond(x, step=20.0, p=None):
    """BOLD [1] at every step to input x (n_steps,)."""
    p = p or parameters()
    y, bold = tuple(np.array(state.initial[0]) for state in MODEL.states.values()), []
    for value in x:
        c = MODEL.c(np.float64(value))
        y = heun(lambda y, _, c=c: MODEL.dfun(MODEL.y(*y), c, p), y, step, (0.0,) * 4, lambda y: y)
        bold.append(MODEL.signals["bold"](MODEL.y(*y), p))
    return np.array(bold), MODEL.y(*y)


@pytest.mark.parametrize("name", balloon.PARAMETERS)
def test_set_names_every_parameter_and_rest_is_rest(name):
    assert set(balloon.PARAMETERS[name]) == set(MODEL.parameters)
    bold, y = respond(np.zeros(100), p=parameters(name))
    assert bold == pytest.approx(0, abs=1e-15) and tuple(y) == pytest.approx((0, 1, 1, 1))


@pytest.mark.parametrize("name", balloon.PARAMETERS)
def test_steady_state_is_the_closed_form(name):
    p, x = parameters(name), 0.3
    bold, y = respond(np.full(6000, x), p=p)
    f = 1 + p.efficacy * x / p.gamma
    v, q = f**p.alpha, f**p.alpha * (1 - (1 - p.E0) ** (1 / f)) / p.E0
    assert tuple(y) == pytest.approx((0, f, v, q), rel=1e-4, abs=1e-9)
    assert bold[-1] == pytest.approx(p.V0 * (p.k1 * (1 - q) + p.k2 * (1 - q / v) + p.k3 * (1 - v)), rel=1e-4)


def test_response_peaks_after_four_to_six_seconds_and_undershoots():
    x = np.zeros(1500)
    x[:25] = 1
    bold, _ = respond(x)
    assert 3 < bold.argmax() * 0.02 < 6
    assert bold.min() < -0.05 * bold.max() and bold.argmin() > bold.argmax()
    assert abs(bold[-1]) < 0.02 * bold.max()


def test_units_are_those_of_the_equations_in_seconds():
    p = balloon.PARAMETERS["stephan2007"]
    s, f, dt = 0.0, 1.0, 1e-4
    for _ in range(20_000):
        s, f = s + dt * (0.5 - 0.65 * s - 0.41 * (f - 1)), f + dt * s
    _, y = respond(np.full(400, 0.5), step=5.0, p=MODEL.p(**p))
    assert (1e3 * y.s, y.f) == pytest.approx((s, f), rel=1e-3)


def test_constants_of_stephan_2007():
    p = balloon.PARAMETERS["stephan2007"]
    assert (p["k1"], p["k2"], p["k3"]) == pytest.approx((4.3 * 40.3 * 0.4 * 0.04, 25 * 0.4 * 0.04, 0))
    assert (1e3 * p["kappa"], 1e6 * p["gamma"], 1e-3 * p["tau"]) == pytest.approx((0.65, 0.41, 0.98))
    assert (p["alpha"], p["E0"], p["V0"]) == (0.32, 0.4, 0.04)


def test_kong_and_paper_constants():
    kong, paper = balloon.PARAMETERS["kong2021"], balloon.PARAMETERS["paper"]
    assert kong["V0"] == pytest.approx(0.02 / 0.34)
    assert (kong["k1"], kong["k2"], kong["k3"]) == pytest.approx((4.10342, 0.581832, 0.53), rel=1e-4)
    assert (paper["k1"], paper["k2"], paper["k3"]) == pytest.approx(
        (4.3 * 40.3 * 0.8 * 0.04, 1.43 * 25 * 0.8 * 0.04, -0.43)
    )


@pytest.mark.parametrize("name", balloon.PARAMETERS)
def test_every_set_gives_the_relative_change_of_the_signal(name):
    """With all deoxyhaemoglobin washed out of the resting volume the signal rises by some percent, not hundreds."""
    p = parameters(name)
    assert 0.005 < MODEL.signals["bold"](MODEL.y(0.0, 1.0, 1.0, 0.0), p) < 0.5


def test_coarse_step_of_the_haemodynamics_changes_little():
    rng, x = np.random.default_rng(0), np.zeros(7200)
    for t in range(1, len(x)):
        x[t] = 0.9 * x[t - 1] + 0.03 + 0.1 * rng.standard_normal()
    fine, coarse = (
        respond(x, step=10.0)[0][71::72],
        respond(x.reshape(-1, 6).mean(1), step=balloon.OBSERVATION.longest_step)[0][11::12],
    )
    assert np.std(fine - coarse) < 3e-3 * fine[20:].std() and (fine != coarse).any()
