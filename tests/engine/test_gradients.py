"""The reference on torch: the NumPy numbers, and gradients that agree with finite differences."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vbiflow.engine import simulate
from vbiflow.models import MODELS

N = 4
W = np.random.default_rng(3).random((N, N)) / N
LENGTHS = 10 * np.random.default_rng(4).random((N, N)) + 2
BRANCHES = {"epileptor": {"x1": [-1.5, -0.5, 0.3, 0.6], "y1": -1, "z": 3.5, "x2": [-1, -0.2, 0, -0.5]}}
"""Initial values on both sides of the cases of x1 and x2."""
RUN = {"seed": 2, "device": "reference", "precision": "float64"}


def tensor(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def features(ts):
    """Mean, variance and mean FC of every simulation, (n_simulations, 3), on NumPy as on torch."""
    centred = ts - ts.mean(2)[..., None]
    variance = (centred**2).mean(2)
    fc = centred @ centred.swapaxes(1, 2) / ts.shape[2] / (variance[:, :, None] * variance[:, None]) ** 0.5
    values = ts.mean((1, 2)), variance.mean(1), (fc.sum((1, 2)) - N) / N / (N - 1)
    return (torch if isinstance(ts, torch.Tensor) else np).stack(values, 1)


def check(run, theta):
    """One simulation a parameter: its features' derivatives by that parameter, against central differences."""
    live = {name: tensor(values) for name, values in theta.items()}
    x = features(run(live))
    assert x.detach().numpy() == pytest.approx(features(run(theta)), rel=1e-9, abs=0)
    gradient = [torch.autograd.grad(x[:, k].sum(), list(live.values()), retain_graph=True) for k in range(3)]
    steps = {
        name: 1e-5 * np.where(np.arange(len(theta))[:, None] == k, abs(values) + (values == 0), 0)
        for k, (name, values) in enumerate(theta.items())
    }
    up, down = (features(run({name: theta[name] + sign * steps[name] for name in theta})) for sign in (1, -1))
    for k, (name, step) in enumerate(steps.items()):
        exact = np.array([gradient[j][k][k, 0].item() for j in range(3)])
        difference = (up[k] - down[k]) / (2 * step[k, 0])
        rounding = 1e-8 * np.abs(up[k]) / abs(step[k, 0] / 1e-5)
        assert (np.abs(exact - difference) <= 2e-5 * np.abs(exact) + rounding).all(), (
            name,
            exact,
            difference,
            rounding,
        )
        assert exact.any(), name


def values(model, rng):
    """Every parameter of a model, one simulation each, near its default; with noise."""
    defaults = {name: parameter.value for name, parameter in model.parameters.items()}
    if "sigma" in defaults:
        defaults["sigma"] = defaults["sigma"] or 0.01
    return {name: value * rng.uniform(0.95, 1.05, (len(defaults), 1)) for name, value in defaults.items()}


@pytest.mark.parametrize("name", MODELS)
def test_gradient_by_every_parameter_agrees_with_finite_differences(name):
    model, dt = MODELS[name], MODELS[name].defaults["dt"]
    signal = next(signal for signal in model.signals if signal != "theta")  # an angle jumps where it wraps
    theta = values(model, np.random.default_rng(1))
    options = RUN | {"n_simulations": len(theta), "duration": 150 * dt, "transient": 50 * dt, "dt": dt}
    options["initial"] = BRANCHES.get(name)
    check(lambda p: simulate(name, W, p, signals={signal: {"period": 5 * dt}}, **options).ts[signal], theta)


def test_gradient_goes_through_bold():
    theta = values(MODELS["wong_wang"], np.random.default_rng(1))
    options = RUN | {"n_simulations": len(theta), "duration": 2000, "transient": 400, "dt": 10}
    bold = {"tr": 200, "parameters": {"efficacy": 1e-5}}
    check(lambda p: simulate("wong_wang", W, p, bold=bold, **options).ts["bold"], theta)


def test_gradient_goes_through_stimulus_filter_and_measurement_noise():
    theta = values(MODELS["linear"], np.random.default_rng(1))
    options = RUN | {"n_simulations": len(theta), "duration": 60, "transient": 40, "dt": 0.5, "noise": 0.01}
    options["stimulus"] = {"kick": {"parameter": "I", "nodes": [1], "pulse": {"duration": 20, "onset": 10}}}
    options["signals"] = {"x": {"period": 1, "filter": True}}
    check(lambda p: simulate("linear", W, p, **options).ts["x"], theta)


@pytest.mark.parametrize("name", ["stuart_landau", "jansen_rit"])
def test_gradient_goes_through_delays_of_every_simulation(name):
    theta = values(MODELS[name], np.random.default_rng(1))
    speed = np.linspace(3, 9, len(theta))[:, None]
    options = RUN | {"n_simulations": len(theta), "duration": 15, "dt": 0.1, "tract_lengths": LENGTHS, "speed": speed}
    signal = next(iter(MODELS[name].signals))
    check(lambda p: simulate(name, W, p, signals={signal: {"period": 0.5}}, **options).ts[signal], theta)


@pytest.mark.parametrize("delays", [{}, {"tract_lengths": LENGTHS, "speed": 5}])
@pytest.mark.parametrize("name", ["linear", "hopf"])
def test_gradient_by_weights_and_initial_values(name, delays):
    G = {"linear": 0.1, "hopf": 100}[name]
    options = RUN | {"n_simulations": 1, "duration": 50, "dt": 0.5, "signals": ["x"]} | delays

    def mean_square(weights, x):
        return (simulate(name, weights, {"G": G}, initial={"x": x}, **options).ts["x"] ** 2).mean()

    start = np.linspace(0.1, 0.4, N)
    live = tensor(W), tensor(start)
    by_weights, by_start = torch.autograd.grad(mean_square(*live), live)
    step = 1e-5 * np.outer(np.arange(N) == 1, np.arange(N) == 2)
    difference = (mean_square(W + step, start) - mean_square(W - step, start)) / 2e-5
    assert by_weights[1, 2].item() == pytest.approx(difference, rel=1e-6)
    difference = (mean_square(W, start + step[1]) - mean_square(W, start - step[1])) / 2e-5
    assert by_start[2].item() == pytest.approx(difference, rel=1e-6)


def test_gradient_by_noise_is_there_where_noise_is_zero():
    sigma = tensor(0.0)
    x = simulate("linear", W, {"sigma": sigma}, n_simulations=1, duration=50, dt=1, signals=["x"], **RUN).ts["x"]
    assert torch.autograd.grad(x.mean(), sigma)[0] != 0


def test_a_point_fit_by_gradient_finds_the_excitable_node():
    """Excitabilities of four nodes from one noisy course of x, by L-BFGS on the noiseless model."""
    true = np.array([-3.0, -1.8, -2.6, -2.2])
    options = RUN | {"n_simulations": 1, "duration": 60, "dt": 0.5, "signals": {"x": {"period": 2}}}
    options["accept"] = ["dt"]  # the same steps on both sides
    seen = torch.as_tensor(simulate("epileptor_2d", W, {"eta": true, "sigma": 0.005}, **options).ts["x"])
    eta = tensor(np.full(N, -2.5))
    fit = torch.optim.LBFGS([eta], max_iter=15, line_search_fn="strong_wolfe")

    def loss():
        fit.zero_grad()
        error = ((simulate("epileptor_2d", W, {"eta": eta, "sigma": 0}, **options).ts["x"] - seen) ** 2).mean()
        error.backward()
        return error

    fit.step(loss)
    assert eta.detach().numpy() == pytest.approx(true, abs=0.05)


def test_time_series_are_of_the_library_that_was_given():
    options = {"n_simulations": 2, "duration": 5, "dt": 1, "seed": 1, "signals": ["x"]}
    single = simulate("linear", W, {"G": torch.tensor(0.125)}, device="reference", **options)
    assert single.ts["x"].dtype == torch.float32 and single.valid.tolist() == [True, True]
    assert isinstance(simulate("linear", W, {"G": torch.tensor(0.125)}, **options).ts["x"], np.ndarray)
    live = simulate("linear", W, {"G": tensor(0.125)}, device="reference", **options)
    assert (live.quantities()["x"].values == single.ts["x"].numpy()).all()


GRADIENT = {"requires_grad": True, "dtype": torch.float64}
BAD = [
    (
        {"parameters": {"G": torch.tensor(0.1, **GRADIENT)}, "device": "cpu"},
        "G requires a gradient, which device 'cpu'",
    ),
    ({"initial": {"x": torch.zeros(N, **GRADIENT)}, "device": "auto"}, "x requires a gradient, which device 'auto'"),
    (
        {"tract_lengths": LENGTHS, "speed": torch.tensor(5.0, **GRADIENT)},
        "speed requires a gradient, but delays are whole",
    ),
    ({"parameters": {"G": torch.zeros(3, **GRADIENT)}}, r"parameter G has shape \(3,\)"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_message(change, message):
    options = {"parameters": {}, "n_simulations": 2, "duration": 5, "dt": 1, "signals": ["x"]} | RUN | change
    with pytest.raises(ValueError, match=message) as error:
        simulate("linear", W, **options)
    assert "\n" not in str(error.value)


def test_the_example_of_the_documentation_runs():
    text = (Path(__file__).parents[2] / "docs" / "engine.md").read_text()
    names = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    assert names["by_G"] != 0 and (names["by_eta"] != 0).all()
