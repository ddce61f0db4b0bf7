"""Faults that earlier simulators had, each of which must fail here: what the other tests of the engine do not cover."""

import re
from pathlib import Path

import numpy as np
import pytest

from vbiflow.engine import cpu, reference, simulate
from vbiflow.engine.philox import normals
from vbiflow.engine.plan import make_plan
from vbiflow.models import MODELS

W = np.random.default_rng(1).random((6, 6))
PLAN = {"dt": 0.1, "transient": 0.0, "integrator": "heun", "seed": 1, "start": 0, "stream": 0, "bold": None}
PLAN |= {"signals": ["bold_input"], "initial": None, "precision": "float32"}
RUN = {"n_simulations": 2, "seed": 1, "device": "reference", "precision": "float64"}


def states(name, parameters, n_steps, **options):
    """Signals of a model at every step, (n_simulations, n_nodes, n_signals * n_steps)."""
    model = MODELS[name]
    dt = options.pop("dt", model.defaults["dt"])
    options = RUN | {"duration": n_steps * dt, "dt": dt, "signals": list(model.signals)} | options
    return np.concatenate([*simulate(name, options.pop("weights", W), parameters, **options).ts.values()], -1)


@pytest.mark.parametrize("integrator", ["euler", "heun"])
def test_predictor_and_corrector_share_their_noise(integrator):
    tau, dt, x0 = 10.0, 1.0, 0.5
    z = 0.1 * np.sqrt(dt) * normals(1, np.arange(2, dtype=np.uint64), 0, 0, 1, 6)[:, 0]
    k = -dt / tau
    exact = x0 * (1 + k) + z if integrator == "euler" else x0 * (1 + k + k**2 / 2) + z * (1 + k / 2)
    quiet = {"G": 0, "tau": tau, "sigma": 0.1}
    x = states("linear", quiet, 1, dt=dt, integrator=integrator, initial={"x": x0})
    assert x[..., 0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.noisy])
def test_noise_of_every_model_grows_with_the_square_root_of_dt(name):
    model, states = MODELS[name], list(MODELS[name].states.values())
    for dt in (1e-3, 4e-3):
        options = PLAN | {"signals": [next(iter(model.signals))], "duration": dt, "dt": dt}
        plan = make_plan(name, W, {"sigma": 0.3}, n_simulations=500, **options)
        drawn = reference.noise_increments(plan, 0, model.p(**plan.parameters), plan.weights)
        for k, state in enumerate(states):
            expected = 0.3 * (state.noise or 0) * np.sqrt(dt)
            assert np.std(drawn[k]) == pytest.approx(expected, rel=0.05), k


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_may_differ_by_node_and_by_simulation(name):
    model, apart = MODELS[name], {"weights": np.zeros((6, 6)), "initial": {}}
    base = states(name, {}, 30, **apart)
    for parameter, spec in model.parameters.items():
        values = np.full((2, 6), spec.value)
        values[1, 4] = 1.3 * spec.value + 0.02
        changed = np.abs(states(name, {parameter: values}, 30, **apart) - base).max(-1) > 0
        changed[1, 4] |= parameter in ("G", "g_e", "g_i", "alpha", "slope")  # nothing comes in, no seizure
        expected = np.zeros((2, 6), bool)
        expected[1, 4] = True
        assert (changed == expected).all(), parameter


@pytest.mark.parametrize("name", MODELS)
def test_initial_states_are_heard(name):
    model = MODELS[name]
    for state, spec in model.states.items():
        values = np.full(6, np.mean(spec.initial) + 0.1)
        same, other = (states(name, {}, 10, initial={state: v}) for v in (values, values + 0.05 * np.eye(6)[3]))
        assert (same[:, 3] != other[:, 3]).any(), state


def test_every_step_is_recorded_and_the_last_is_not_zero():
    for device in ("reference", "cpu"):
        x = states("linear", {"tau": 1e12, "sigma": 0, "G": 0, "I": 1}, 7, dt=1, initial={"x": 0}, device=device)
        assert x[0, 0, :7] == pytest.approx(np.arange(1, 8))


def test_memory_of_delays_does_not_grow_with_duration():
    sizes = []
    for duration in (100.0, 10_000.0):
        delays = {"tract_lengths": np.full((6, 6), 100.0), "speed": 5.0}
        plan = make_plan("linear", W, {}, n_simulations=3, **PLAN | delays | {"duration": duration})
        parts = [*cpu.kernel_arguments(plan, 0, 3, 16), *cpu.delay_arguments(plan, 0, 3, 16)]
        sizes.append(sum(part.nbytes for part in parts if isinstance(part, np.ndarray)))
    assert sizes[0] == sizes[1] < 10e6


def test_no_module_touches_the_global_random_state():
    allowed = ("default_rng", "Generator", "Philox", "SeedSequence")
    for path in Path(cpu.__file__).parents[1].rglob("*.py"):
        used = re.findall(r"\bnp\.random\.(\w+)", path.read_text()) + re.findall(
            r"^import (random)\b", path.read_text(), re.M
        )
        assert set(used) <= set(allowed), path


PAPER = {
    "wilson_cowan": {"c_ee": 16, "c_ei": 12, "c_ie": 15, "c_ii": 3, "tau_e": 8, "tau_i": 8, "a_e": 1.3, "a_i": 2}
    | {"b_e": 4, "b_i": 3.7, "c_e": 1, "c_i": 1, "r_e": 1, "r_i": 1, "k_e": 0.994, "k_i": 0.999, "sigma": 0.005},
    "jansen_rit": {"A": 3.25, "B": 22, "a": 0.1, "b": 0.05, "v_max": 0.005, "v0": 6, "r": 0.56, "C": 135, "G": 1.5},
    "stuart_landau": {"a": -5, "omega": 2 * np.pi * 0.04, "G": 350},
    "epileptor_2d": {"I": 3.1, "tau": 90, "eta": -3.65, "G": 1},
    "montbrio": {"J": 14.5, "Delta": 0.7, "eta": -4.6, "G": 0.56, "I": 0},
    "wong_wang": {"a": 0.27, "b": 0.108, "d": 154, "gamma": 0.641, "tau_s": 100, "J": 0.2609, "w": 0.6, "I": 0.3}
    | {"sigma": 0.005},
}


@pytest.mark.parametrize("name", PAPER)
def test_defaults_are_those_of_the_tables_of_the_paper(name):
    """Tables 1 to 6 of Ziaeemehr et al. 2025, in ms and mm."""
    parameters = MODELS[name].parameters
    assert {key: parameters[key].value for key in PAPER[name]} == pytest.approx(PAPER[name])
