"""Order of convergence and the stationary covariance of the linear network."""

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from vbiflow.engine import simulate
from vbiflow.engine.differentiate import implicit_function
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.models import MODELS

W = np.array([[0, 2, 0], [0, 0, 3], [1, 0, 0]])


def run(model, parameters, dt, integrator="heun", duration=40.0, signal="x", **options):
    period = {"period": duration, "average": False}
    options = {"precision": "float64", "device": "reference", "seed": 1, "n_simulations": 1, "accept": ["dt"]} | options
    out = simulate(
        model, W, parameters, duration=duration, dt=dt, integrator=integrator, signals={signal: period}, **options
    )
    return out.ts[signal][:, :, 0]


ORDERS = [("euler", 1), ("heun", 2), ("semi_implicit", 2)]


@pytest.mark.parametrize(("integrator", "order"), ORDERS)
def test_order_without_noise_against_the_matrix_exponential(integrator, order):
    initial = {"x": [1.0, -2.0, 0.5]}
    exact = expm(40 * (0.02 * W - np.eye(3) / 10)) @ initial["x"]
    error = [
        np.abs(run("linear", {"sigma": 0, "G": 0.02}, dt, integrator, initial=initial)[0] - exact).max()
        for dt in (2.0, 1.0, 0.5)
    ]
    assert np.log2(np.array(error[:-1]) / error[1:]) == pytest.approx([order, order], abs=0.2)


@pytest.mark.parametrize(("integrator", "order"), ORDERS)
@pytest.mark.parametrize(
    ("model", "signal", "base"), [("montbrio", "v", 0.4), ("wong_wang", "S", 10.0), ("wilson_cowan", "E", 1.0)]
)
def test_order_without_noise_of_nonlinear_models(model, signal, base, integrator, order):
    def at(factor, scheme=integrator):
        return run(model, {"sigma": 0}, base * factor, scheme, duration=8 * base, signal=signal)

    exact = at(1 / 64, "heun")
    error = [np.abs(at(factor) - exact).max() for factor in (1 / 2, 1 / 4, 1 / 8)]
    assert np.log2(np.array(error[:-1]) / error[1:]) == pytest.approx([order, order], abs=0.35)


def path(model, weights, parameters, dt, noise, integrator, y0):
    """End of a path driven by given increments (n_steps, n_states, n_simulations, n_nodes), by the library's scheme."""
    model = MODELS[model]
    p = model.p(**{name: np.float64(parameters.get(name, spec.value)) for name, spec in model.parameters.items()})

    def derivatives(y, _):
        y = model.y(*y)
        return model.dfun(y, model.c(*(sent @ weights.T for sent in model.send(y, p))), p)

    def implicit(h, e, y, _):
        c = (sent @ weights.T for sent in model.send(model.y(*y), p))
        return implicit_function(model)(h, *e, *y, *c, *p)

    more = {"implicit": implicit} if integrator == "semi_implicit" else {}
    for z in noise:
        y0 = INTEGRATORS[integrator](derivatives, y0, dt, tuple(z), lambda y: y, **more)
    return np.array(y0)


@pytest.mark.parametrize("integrator", list(INTEGRATORS))
@pytest.mark.parametrize(("model", "base"), [("linear", 2.0), ("montbrio", 0.25), ("wilson_cowan", 1.0)])
def test_strong_order_with_additive_noise(model, base, integrator):
    """All schemes converge with order 1 path by path: the same Brownian motion, its increments summed for longer
    steps, against 64 times finer ones.
    """
    fine, n = base / 64, 64 * 8
    n_states = len(MODELS[model].states)
    increments = 0.02 * np.sqrt(fine) * np.random.default_rng(0).standard_normal((n, n_states, 200, 3))
    y0 = tuple(np.full((200, 3), 0.3) for _ in range(n_states))
    exact = path(model, W / 3, {}, fine, increments, "heun", y0)
    error = []
    for factor in (1, 2, 4):
        summed = increments.reshape(-1, 64 // factor, *increments.shape[1:]).sum(1)
        end = path(model, W / 3, {}, base / factor, summed, integrator, y0)
        error.append(np.sqrt(np.mean((end - exact) ** 2)))
    order = np.log2(np.array(error[:-1]) / error[1:])
    assert (order > 0.8).all() and order.mean() < (1.3 if integrator == "euler" else 2.3)


@pytest.mark.parametrize("integrator", list(INTEGRATORS))
def test_noise_scales_with_the_square_root_of_time(integrator):
    for dt in (0.25, 1.0):
        options = {"n_simulations": 4000, "initial": {"x": 0.0}, "duration": 2.0}
        x = run("linear", {"G": 0, "tau": 1e6, "sigma": 0.3}, dt, integrator, **options)
        assert x.std() == pytest.approx(0.3 * np.sqrt(2), rel=0.03)


def test_covariance_of_the_linear_network_solves_the_lyapunov_equation():
    parameters = {"tau": 10.0, "G": 0.02, "sigma": 0.1}
    out = simulate(
        "linear",
        W,
        parameters,
        n_simulations=512,
        duration=2000,
        transient=200,
        dt=0.5,
        seed=4,
        signals={"x": {"period": 20, "average": False}},
    )
    x = out.ts["x"].swapaxes(0, 1).reshape(3, -1).astype(float)
    A = 0.02 * W - np.eye(3) / 10
    exact = solve_continuous_lyapunov(A, -0.01 * np.eye(3))
    assert np.cov(x) == pytest.approx(exact, abs=0.03 * exact.max())
    assert out.valid.all()
