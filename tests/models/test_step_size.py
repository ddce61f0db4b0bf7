"""Steps that are too long for a model's statistics are refused, with the longest that holds."""

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.step_size import TOLERANCES, differences, statistics
from vbiflow.engine import simulate
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
    run(montbrio, 0.2, "heun", accept=["dt"], precision="float64")
    with pytest.raises(ValueError, match="unknown acceptance of the simulation 'step'; choose from dt"):
        run(montbrio, 0.1, "heun", accept=["step"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jansen_rit", "wilson_cowan", "wong_wang_ei"])
def test_statistics_hold_at_the_largest_step(name):
    """Against an eighth of the default, by more than two seeds differ."""
    finest = statistics(name, "heun", MODELS[name].defaults["dt"] / 8, 1, 2000)
    floor = differences(finest, statistics(name, "heun", MODELS[name].defaults["dt"] / 8, 2, 2000))
    found = differences(finest, statistics(name, "heun", MODELS[name].largest_dt["heun"], 3, 2000))
    assert all(found[key] <= TOLERANCES[key] + 2 * floor[key] for key in found), found
