"""The semi-implicit scheme: derivatives of the equations as text, stability, reflection, and the kernel beside the
reference. Its order stands in test_integrators.py, its largest step in tests/models/test_step_size.py.
"""

import numpy as np
import pytest

from tests.engine.agreement import setting
from vbiflow.engine import simulate
from vbiflow.engine.differentiate import Derivatives, implicit_function
from vbiflow.engine.fixed_point import partial_derivatives
from vbiflow.engine.reference import clip_and_wrap
from vbiflow.models import MODELS

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("name", MODELS)
def test_implicit_step_solves_the_system_of_exact_derivatives(name):
    model = MODELS[name]
    y = tuple(RNG.uniform(low, max(high, low + 0.1), 5) for low, high in (s.initial for s in model.states.values()))
    c, p = (
        tuple(RNG.uniform(-0.2, 0.2, 5) for _ in model.sends),
        [np.float64(q.value) for q in model.parameters.values()],
    )
    jacobian = partial_derivatives(lambda *y: model.dfun(model.y(*y), model.c(*c), model.p(*p)), y)
    e, h = RNG.normal(size=(5, len(y))), 2 * model.defaults["dt"]
    expected = np.linalg.solve(np.eye(len(y)) - h * jacobian, e[..., None])[..., 0]
    np.testing.assert_allclose(np.stack(implicit_function(model)(h, *e.T, *y, *c, *p), -1), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("expression", "slope"),
    [
        ("exp(F(2.0) * x) / x", lambda x: (2 * x - 1) * np.exp(2 * x) / x**2),
        ("sqrt(x) - log(x) * a", lambda x: 0.5 / np.sqrt(x) - 3 / x),
        ("tanh(-x) + expm1(x * x)", lambda x: -1 / np.cosh(x) ** 2 + 2 * x * np.exp(x * x)),
        ("sin(x) * cos(a * x)", lambda x: np.cos(x) * np.cos(3 * x) - 3 * np.sin(x) * np.sin(3 * x)),
        ("where(x < a, a / (a + x), a)", lambda x: -3 / (3 + x) ** 2),
        ("a - (x - a) / (F(1.0) - x)", lambda x: -(1 / (1 - x) + (x - 3) / (1 - x) ** 2)),
    ],
)
def test_rules_of_differentiation(expression, slope):
    made = Derivatives(f"def f(x, a):\n    u = {expression}\n    return (u, a)")
    name, space = made.partial("f", "x"), {"F": float, "function": lambda f: f, "where": np.where}
    space |= {f: getattr(np, f) for f in ("exp", "expm1", "log", "tanh", "sin", "cos", "sqrt")}
    exec(made.made[name], space)
    x = np.array([0.3, 0.7])
    assert made.zero[name] == (False, True)
    np.testing.assert_allclose(space[name](x, 3.0)[0], slope(x), rtol=1e-12)


@pytest.mark.parametrize("dt", [1.0, 20.0])
def test_a_linear_node_follows_the_trapezoidal_rule_at_any_step(dt):
    run = {"duration": 5 * dt, "dt": dt, "integrator": "semi_implicit", "signals": {"x": {"period": dt}}, "seed": 1}
    run |= {"n_simulations": 1, "device": "reference", "precision": "float64", "initial": {"x": 1.0}, "accept": ["dt"]}
    z = dt / 20.0
    expected = ((1 - z / 2) / (1 + z / 2)) ** np.arange(1, 6)
    x = simulate("linear", [[0.0]], {"sigma": 0, "tau": 20.0}, **run).ts["x"][0, 0]
    np.testing.assert_allclose(x, expected, rtol=1e-12)


def test_states_are_reflected_at_their_bounds():
    model = MODELS["wong_wang"]
    assert clip_and_wrap(model, (np.array([-0.25, 1.25, 0.5, -3.0]),), reflect=True)[0].tolist() == [
        0.25,
        0.75,
        0.5,
        0.0,
    ]
    assert clip_and_wrap(model, (np.array([-0.25, 1.25, 0.5]),))[0].tolist() == [0, 1, 0.5]
    run = {
        "duration": 400,
        "dt": 0.4,
        "n_simulations": 8,
        "signals": {"r": {"period": 0.4}},
        "seed": 1,
        "device": "cpu",
    }
    r = {
        scheme: simulate("montbrio", np.ones((4, 4)) / 4, {}, integrator=scheme, accept=["dt"], **run).ts["r"]
        for scheme in ("semi_implicit", "heun")
    }
    assert (r["semi_implicit"] > 0).all() and (r["heun"] == 0).any()


@pytest.mark.parametrize("name", ["montbrio", "epileptor", "wong_wang_ei", "kuramoto"])
@pytest.mark.parametrize("case", ["no delays", "own delays"])
def test_kernel_is_the_reference(name, case):
    settings = setting(name, case, 11, 5, 60) | {"integrator": "semi_implicit", "accept": ["dt"]}
    expected = simulate(name, device="reference", precision="float64", **settings)
    for precision, tolerance in (("float64", 1e-9), ("float32", 1e-3)):
        found = simulate(name, device="cpu", precision=precision, **settings)
        for signal, values in expected.ts.items():
            assert np.abs(found.ts[signal] - values).max() <= tolerance * np.abs(values).max(), (signal, precision)


def test_bytes_do_not_depend_on_shards():
    run = {"duration": 40, "dt": 0.4, "seed": 2, "integrator": "semi_implicit", "signals": {"r": {"period": 4}}}
    whole = simulate("montbrio", np.ones((5, 5)), {}, n_simulations=40, device="cpu", **run).ts["r"]
    part = simulate("montbrio", np.ones((5, 5)), {}, n_simulations=7, start=33, device="cpu", **run).ts["r"]
    assert part.tobytes() == whole[33:].tobytes()


def test_a_noisy_strongly_coupled_network_stays_valid_at_long_steps_where_heuns_does_not():
    W = np.random.default_rng(3).random((40, 40)) ** 3 / 2
    run = {"n_simulations": 32, "duration": 4000, "dt": 0.4, "seed": 1, "device": "cpu", "accept": ["dt"]}
    run |= {"signals": {"r": {"period": 4}}}
    valid = {s: simulate("montbrio", W, {}, integrator=s, **run).valid for s in ("heun", "semi_implicit")}
    assert valid["semi_implicit"].all() and not valid["heun"].all()
