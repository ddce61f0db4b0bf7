"""Steps that are too long for a model's statistics are refused, with the longest that holds."""

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.step_size import TOLERANCES, differences, statistics
from vbiflow.engine import simulate
from vbiflow.engine.integrators import INTEGRATORS
from vbiflow.models import MODELS

LIMITED = [(name, scheme) for name, model in MODELS.items() for scheme in model.largest_dt]
RUN = {"n_simulations": 1, "seed": 1, "device": "cpu"}


def run(model, dt, integrator, parameters=None, **options):
    signals = [next(iter(model.signals))]
    options = RUN | {"duration": 4 * dt, "dt": dt, "integrator": integrator, "signals": signals} | options
    return simulate(model, np.zeros((2, 2)), parameters or {}, **options)


@pytest.mark.parametrize(("name", "integrator"), LIMITED)
def test_a_longer_step_is_refused_with_the_number_unless_accepted(name, integrator):
    model, longest = MODELS[name], MODELS[name].largest_dt[integrator]
    with pytest.raises(ValueError, match=rf"is longer than {longest:g} ms, to which .* {integrator}") as error:
        run(model, 1.1 * longest, integrator)
    assert "\n" not in str(error.value) and "simulation.accept: [dt]" in str(error.value)
    assert run(replace(model, largest_dt={}), 1.1 * longest, integrator).ts.keys()
    assert longest >= model.defaults["dt"] or integrator != model.defaults["integrator"]


def test_what_is_accepted_is_checked():
    montbrio = MODELS["montbrio"]
    run(montbrio, 0.1, "heun", accept=["dt"], precision="float64")
    with pytest.raises(ValueError, match="unknown acceptance of the simulation 'step'; choose from dt"):
        run(montbrio, 0.1, "heun", accept=["step"])


def test_an_integrator_that_was_not_tried_on_a_model_is_refused_unless_accepted():
    with pytest.raises(ValueError, match="semi_implicit was not tried on noisy networks of linear; choose from heun"):
        run(MODELS["linear"], 1.0, "semi_implicit")
    assert run(MODELS["linear"], 1.0, "semi_implicit", accept=["dt"]).ts.keys()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_states_the_largest_step_of_every_integrator(name):
    model = MODELS[name]
    assert {"euler", "heun"} <= model.largest_dt.keys() <= INTEGRATORS.keys()
    assert model.defaults["dt"] <= model.largest_dt[model.defaults["integrator"]]


@pytest.mark.parametrize("name", ["hopf", "stuart_landau"])
@pytest.mark.parametrize("scheme", ["euler", "heun"])
def test_an_oscillator_keeps_its_damping_at_the_largest_step(name, scheme):
    """The amplitude falls as exp(a t / tau), within 5 % of the rate; Euler's adds omega^2 dt / 2."""
    model, p = MODELS[name], {key: parameter.value for key, parameter in MODELS[name].parameters.items()}
    dt, start = model.largest_dt[scheme], 1e-3
    run = {"initial": {"x": start, "y": 0.0}, "signals": ["x", "y"], "duration": 2000 * dt, "precision": "float64"}
    ts = simulate(name, [[0.0]], {"sigma": 0}, dt=dt, integrator=scheme, **RUN | run).ts
    rate = np.log(np.hypot(ts["x"], ts["y"])[0, 0, -1] / start) / (2000 * dt)
    assert rate == pytest.approx(p["a"] / p["tau"], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scheme"), LIMITED)
def test_statistics_hold_at_the_largest_step(name, scheme):
    """Against an eighth of the default by Heun's, by more than two seeds differ."""
    model = MODELS[name]
    finest = statistics(name, "heun", model.defaults["dt"] / 8, 1, 2000)
    floor = differences(finest, statistics(name, "heun", model.defaults["dt"] / 8, 2, 2000))
    found = differences(finest, statistics(name, scheme, model.largest_dt[scheme], 3, 2000))
    assert all(found[key] <= TOLERANCES[key] + 2 * floor[key] for key in found), found


def test_statistics_see_a_spread_that_a_long_step_changes():
    """Euler's scheme widens the linear network: sd by 1 / sqrt(1 - dt / (2 tau)), 41 % at dt = tau, tau = 10 ms."""
    fine, coarse = (statistics("linear", scheme, dt, 1, 200) for scheme, dt in (("heun", 0.5), ("euler", 8.0)))
    assert differences(fine, coarse)["sd"] > 0.2
