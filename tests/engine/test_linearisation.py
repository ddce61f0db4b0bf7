"""Linear equations around a fixed point: derivatives, theory, long simulations, delays, limit cycles."""

import numpy as np
import pytest
import scipy
import torch

from vbiflow.engine import linearise, simulate
from vbiflow.engine.fixed_point import partial_derivatives
from vbiflow.engine.linearisation import diagonal_gains, is_diagonal
from vbiflow.features.spectral_estimation import welch
from vbiflow.models import MODELS

W = np.array([[0, 1, 2, 0], [3, 0, 1, 0], [0, 2, 0, 1], [1, 0, 0, 0]]) / 4
LENGTHS = np.array([[0, 20, 35, 0], [40, 0, 25, 0], [0, 30, 0, 20], [45, 0, 0, 0.0]])


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_are_those_of_automatic_differentiation(name):
    model, rng = MODELS[name], np.random.default_rng(1)
    y = tuple(rng.uniform(low, max(high, low + 0.1), 5) for low, high in (s.initial for s in model.states.values()))
    c = tuple(rng.uniform(-0.2, 0.2, 5) for _ in model.sends)
    p = model.p(*(np.float64(parameter.value) for parameter in model.parameters.values()))
    q = model.p(*(torch.tensor(parameter.value, dtype=torch.float64) for parameter in model.parameters.values()))
    functions = {
        "dfun": (lambda p, *yc: model.dfun(model.y(*yc[: len(y)]), model.c(*yc[len(y) :]), p), (*y, *c)),
        "send": (lambda p, *y: model.send(model.y(*y), p), y),
    }
    functions |= {
        key: (lambda p, *y, signal=signal: (signal(model.y(*y), p),), y) for key, signal in model.signals.items()
    }
    for key, (function, at) in functions.items():
        ours = partial_derivatives(lambda *values, function=function: function(p, *values), at)
        tensors = [torch.tensor(value, requires_grad=True) for value in at]
        for row, result in enumerate(function(q, *tensors)):
            theirs = torch.autograd.grad(result.sum(), tensors, allow_unused=True, retain_graph=True)
            for column, gradient in enumerate(theirs):
                expected = 0 if gradient is None else gradient.numpy()
                np.testing.assert_allclose(ours[:, row, column], expected, rtol=1e-10, atol=1e-14, err_msg=key)


def test_linear_network_has_its_known_covariance_and_spectrum():
    tau, G, sigma = 15.0, 0.03, np.array([0.1, 0.2, 0.1, 0.3])
    linear = linearise("linear", W, {"tau": tau, "G": G, "sigma": sigma, "I": 0.01})
    A = G * W - np.eye(4) / tau
    np.testing.assert_allclose(linear.jacobian, A, atol=1e-15)
    np.testing.assert_allclose(linear.y["x"], -np.linalg.solve(A, np.full(4, 0.01)), rtol=1e-9)
    expected = scipy.linalg.solve_continuous_lyapunov(A, -np.diag(sigma**2))
    np.testing.assert_allclose(linear.covariance("x"), expected, rtol=1e-9)
    assert np.diag(linear.correlation("x")) == pytest.approx(1)
    f = np.array([0.5, 10.0, 60.0])
    transfer = np.linalg.inv(2e-3j * np.pi * f[:, None, None] * np.eye(4) - A) * sigma
    two_sided = 1e-3 * transfer @ transfer.conj().swapaxes(1, 2)
    np.testing.assert_allclose(linear.cross_spectra("x", f), 2 * two_sided, rtol=1e-9)
    np.testing.assert_allclose(linear.spectra("x", f), np.einsum("fii->if", 2 * two_sided.real), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters", "signal", "halves"),
    [
        ("hopf", {"a": -1.0, "tau": 100.0, "omega": 0.06, "G": 0.5, "sigma": 1e-3}, "x", True),
        ("wilson_cowan", {"g_e": 0.4, "g_i": 0.9, "sigma": 1e-3}, "E", False),
        ("montbrio", {"G": 0.3, "sigma": 1e-4}, "r", True),
    ],
)
def test_spectra_are_those_of_the_whole_jacobian_whether_or_not_what_is_sent_falls_apart(
    name, parameters, signal, halves
):
    linear, f = linearise(name, W, parameters), np.array([0.5, 10.0, 60.0])
    omega, size = 2e-3 * np.pi * f[:, None, None], len(linear.jacobian)
    whole = np.linalg.inv(1j * omega * np.eye(size) - linear.jacobian) * linear.noise.reshape(-1)
    seen = np.einsum("is,fism->fim", linear.outputs[signal], whole.reshape(3, 4, -1, size))
    expected = 2e-3 * seen @ seen.conj().swapaxes(1, 2)
    np.testing.assert_allclose(linear.spectra(signal, f), np.einsum("fii->if", expected.real), rtol=1e-9)
    np.testing.assert_allclose(linear.cross_spectra(signal, f), expected, rtol=1e-9, atol=1e-12 * abs(expected).max())
    gain, basis = diagonal_gains(linear.driving @ linear.response(omega[:, 0, 0]) @ linear.driven)
    assert is_diagonal(gain) == halves and basis.shape[0] == len(linear.active)


def test_without_coupling_every_node_has_the_spectrum_of_its_own():
    alone = linearise("linear", W, {"G": 0.0, "tau": np.array([5.0, 10.0, 20.0, 40.0]), "sigma": 0.1})
    f = np.array([0.5, 10.0, 60.0])
    own = 2e-3 * 0.1**2 / (alone.local[:, 0] ** 2 + (2e-3 * np.pi * f) ** 2)
    np.testing.assert_allclose(alone.spectra("x", f), own, rtol=1e-12)


CASES = {  # parameters, signal, dt and period [ms], highest (below what sampling folds back) and lowest frequency [Hz]
    "wong_wang_ei": ({"G": 0.8, "sigma": 5e-4}, "S_E", 1.0, 4.0, 20.0, 0.2),
    "jansen_rit": ({"mu": 0.1, "G": 1.5, "sigma": 1e-4}, "eeg", 1.0, 4.0, 60.0, 1.0),
    "hopf": ({"a": -1.0, "tau": 100.0, "omega": 0.06, "G": 0.5, "sigma": 1e-3}, "x", 1.0, 4.0, 30.0, 1.0),
    "montbrio": ({"G": 0.3, "sigma": 1e-4}, "r", 0.05, 2.0, 60.0, 1.0),
}


@pytest.mark.parametrize("name", CASES)
def test_spectra_and_correlations_are_those_of_long_simulations(name):
    given, signal, dt, period, most, low = CASES[name]
    linear = linearise(name, W, given)
    assert linear.valid, linear.reason
    run = {"n_simulations": 32, "duration": 8_000.0, "transient": 1_000.0, "dt": dt, "integrator": "heun", "seed": 2}
    run |= {"initial": linear.y, "precision": "float64", "signals": {signal: {"period": period, "average": False}}}
    ts = simulate(name, W, given, device="cpu", **run).ts[signal]
    f, density = welch(ts, 1e3 / period, 500)
    used = (f >= low) & (f <= most)
    simulated, expected = density.mean(0)[:, used], linear.spectra(signal, f[used])
    blocks = np.arange(0, used.sum() - 5, 6)  # six neighbouring frequencies have a standard error of 3 %
    simulated, expected = (np.add.reduceat(values, blocks, axis=1) for values in (simulated, expected))
    np.testing.assert_allclose(simulated, expected, rtol=0.2)
    np.testing.assert_allclose(simulated.sum(1) / expected.sum(1), 1, atol=0.06)
    covariance = np.mean([np.cov(one) for one in ts], 0)
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(covariance / np.outer(sd, sd), linear.correlation(signal), atol=0.07)


def test_delays_turn_the_phases_as_in_a_simulation():
    given, speed = {"a": -1.0, "tau": 100.0, "omega": 0.06, "G": 2.0, "sigma": 1e-3}, 2.0
    linear = linearise("hopf", W, given, tract_lengths=LENGTHS, speed=speed)
    run = {"n_simulations": 32, "duration": 8_000.0, "transient": 1_000.0, "dt": 0.5, "integrator": "heun", "seed": 2}
    run |= {"tract_lengths": LENGTHS, "speed": speed, "signals": {"x": {"period": 4.0, "average": False}}}
    ts = simulate("hopf", W, given, precision="float64", device="cpu", **run).ts["x"]
    f, density = welch(ts, 250.0, 500)
    used = (f >= 2) & (f <= 40)
    mean = density.mean(0)[:, used].mean(1)
    np.testing.assert_allclose(mean / linear.spectra("x", f[used]).mean(1), 1, atol=0.06)
    assert abs(linear.correlation("x") - linearise("hopf", W, given).correlation("x")).max() > 0.15
    expected = np.mean([np.corrcoef(one) for one in ts], 0)
    np.testing.assert_allclose(linear.correlation("x"), expected, atol=0.07)


def test_delays_of_zero_change_nothing():
    given = {"a": -1.0, "tau": 100.0, "omega": 0.06, "G": 0.8, "sigma": 1e-3}
    none = linearise("hopf", W, given)
    zero = linearise("hopf", W, given, tract_lengths=np.zeros((4, 4)), speed=5.0)
    np.testing.assert_allclose(zero.spectra("x", [5, 10]), none.spectra("x", [5, 10]), rtol=1e-10)
    np.testing.assert_allclose(
        zero.covariance("x"), none.covariance("x"), rtol=1e-3, atol=1e-3 * none.covariance("x").max()
    )


@pytest.mark.parametrize(("delay", "stable"), [(2.0, True), (30.0, False)])
def test_a_delayed_negative_feedback_oscillates_where_theory_says(delay, stable):
    """x' = -x / tau - g x(t - d) with g tau = 2 is stable up to d = acos(-1/2) / sqrt(g^2 - 1/tau^2) = 12.1 ms."""
    linear = linearise("linear", [[1.0]], {"tau": 10.0, "G": -0.2}, tract_lengths=[[delay]], speed=1.0)
    assert linear.valid is stable
    assert stable or "unstable with these delays" in linear.reason


def test_a_limit_cycle_has_no_linear_spectrum_and_says_so():
    linear = linearise("jansen_rit", W, {"mu": 0.24, "G": 0.2})
    assert not linear.valid and linear.growth > 0
    with pytest.raises(ValueError, match="the network runs on a limit cycle, or to another state; there are no linear"):
        linear.spectra("eeg", [10.0])


def test_bad_input_is_told_in_one_line():
    with pytest.raises(ValueError, match="delays need both tract_lengths and speed"):
        linearise("linear", W, {}, speed=5.0)
    with pytest.raises(ValueError, match="unknown signal 'bold'; choose from x, bold_input"):
        linearise("linear", W, {}).spectra("bold", [1.0])
    with pytest.raises(ValueError, match="no noise reaches x in 4 nodes; raise sigma"):
        linearise("linear", W, {"sigma": 0.0}).correlation("x")
