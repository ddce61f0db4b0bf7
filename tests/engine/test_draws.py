"""Draws of a study on a connectome: speed, noise, maps and stimuli find their places, here and in predictions."""

import re
from pathlib import Path

import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.engine import simulate, simulate_draws
from vbiflow.engine.draws import check_draws, extreme_values
from vbiflow.marginals import FAMILIES, Marginal
from vbiflow.prior import Prior

RNG = np.random.default_rng(2)
N = 5
LABELS = tuple(f"area{k}_L" for k in range(N))
WEIGHTS = RNG.random((N, N)) * (1 - np.eye(N))
MAPS = {"myelin": np.linspace(1, 2, N)}
CONNECTOME = Connectome(WEIGHTS, 20 + 100 * WEIGHTS, LABELS, np.zeros((N, 3)), ("L",) * N, ("",) * N, maps=MAPS)
SIMULATION = {"dt": 0.5, "duration": 100.0, "transient": 20.0, "integrator": "heun", "precision": "float32"}
OBSERVATION = {"signals": {"x": {"period": 2.0}}}
PRIOR = {"G": {"uniform": [0.001, 0.02]}, "speed": {"uniform": [2, 10]}}


def draws(prior, theta, parameters=None, simulation=None, observation=None, model="linear", **options):
    options = {"start": 0, "stream": 0, "seed": 4, "device": "reference"} | options
    parts = parameters or {}, SIMULATION | (simulation or {}), observation or OBSERVATION
    return simulate_draws(model, CONNECTOME, prior, theta, *parts, **options)


def plain(parameters, n, **options):
    run = {**SIMULATION, **OBSERVATION, "n_simulations": n, "seed": 4, "device": "reference"}
    return simulate("linear", WEIGHTS, parameters, **run | options)


def test_an_inferred_speed_delays_by_the_tract_lengths():
    prior = Prior.from_config(PRIOR, LABELS)
    theta = prior.sample(1, 0, 6)
    delayed = plain({"G": theta[:, :1]}, 6, tract_lengths=CONNECTOME.tract_lengths, speed=theta[:, 1:])
    out = draws(prior, theta)
    assert out.ts["x"].tobytes() == delayed.ts["x"].tobytes() and out.valid.all()
    assert out.ts["x"].tobytes() != plain({"G": theta[:, :1]}, 6).ts["x"].tobytes()
    fixed = draws(Prior.from_config({"G": PRIOR["G"]}), theta[:, :1], {"speed": 5.0})
    assert (
        fixed.ts["x"].tobytes()
        == plain({"G": theta[:, :1]}, 6, tract_lengths=CONNECTOME.tract_lengths, speed=5.0).ts["x"].tobytes()
    )


def test_predictions_are_simulated_at_the_speeds_of_their_theta():
    """Posterior samples come in any order and another stream: without noise they repeat what their theta gave."""
    prior, quiet, start = Prior.from_config(PRIOR, LABELS), {"sigma": 0.0}, {"initial": {"x": RNG.normal(size=N)}}
    theta = prior.sample(1, 0, 6)
    first = draws(prior, theta, quiet, start).ts["x"]
    again = draws(prior, theta[[4, 1, 4]], quiet, start, stream=1).ts["x"]
    np.testing.assert_allclose(again, first[[4, 1, 4]], rtol=1e-6, atol=1e-9)
    slower = draws(prior, theta * [1, 0.5], quiet, start).ts["x"]
    assert (np.abs(slower - first).max((1, 2)) > 1e-3 * np.abs(first).max()).all()
    rules = (Path(__file__).parents[2] / "rules" / "simulations.smk").read_text()
    assert "use rule simulate as simulate_predictive" in rules and len(re.findall(r"\*\*SIMULATE", rules)) == 3


def test_shards_join_to_the_same_bytes():
    prior = Prior.from_config(PRIOR | {"noise": {"uniform": [0, 0.5]}}, LABELS)
    whole = draws(prior, prior.sample(1, 0, 6)).ts["x"]
    parts = [draws(prior, prior.sample(1, *rows), start=rows[0]).ts["x"] for rows in ((0, 2), (2, 6))]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_an_inferred_level_of_noise_is_added_once():
    prior = Prior.from_config({"noise": {"uniform": [0.1, 0.5]}})
    theta = prior.sample(1, 0, 8)
    for relative in (False, True):
        observation = OBSERVATION | {"noise": {"relative": relative}}
        out = draws(prior, theta, observation=observation).ts["x"]
        exact = plain({}, 8, noise={"level": theta, "relative": relative}).ts["x"]
        assert out.tobytes() == exact.tobytes() != plain({}, 8).ts["x"].tobytes()


def test_regressions_on_maps_reach_the_nodes_and_flag_what_they_must():
    entry = {"map": {"constant": {"uniform": [0.01, 0.03]}, "myelin": {"uniform": [-0.02, 0]}}}
    prior = Prior.from_config({"sigma": entry}, LABELS, MAPS)
    theta = prior.sample(1, 0, 20)
    sigma = theta[:, :1] + theta[:, 1:] * MAPS["myelin"]
    out, bad = draws(prior, theta), (sigma < 0).any(1)
    assert 0 < bad.sum() < 20 and out.valid.tolist() == (~bad).tolist()
    assert out.reason[int(bad.argmax())].startswith("sigma is outside [0, inf] in")
    assert out.ts["x"].tobytes() == plain({"sigma": sigma.clip(0)}, 20).ts["x"].tobytes()


def test_fixed_regressions_and_stimuli_by_label():
    prior = Prior.from_config({"G": PRIOR["G"]})
    theta = prior.sample(1, 0, 3)
    stimulus = {"parameter": "I", "amplitude": 0.1, "pulse": {"onset": 10, "duration": 20}}
    parameters = {"tau": {"map": {"constant": 10, "myelin": 5}}}
    out = draws(prior, theta, parameters, {"stimulus": {"s": stimulus | {"nodes": ["area3_L", "area1_L"]}}})
    exact = plain({"G": theta, "tau": 10 + 5 * MAPS["myelin"]}, 3, stimulus={"s": stimulus | {"nodes": [3, 1]}})
    assert out.ts["x"].tobytes() == exact.ts["x"].tobytes()
    with pytest.raises(ValueError, match="stimulus s: regions do not match the connectome: it lacks nowhere"):
        draws(prior, theta, {}, {"stimulus": {"s": stimulus | {"nodes": ["nowhere"]}}})


UNIFORM = {"uniform": [0, 1]}
BAD = [
    ({"prior": {"speed": {"uniform": [0, 5]}}}, "speed is 0; it must be above 0 m/s"),
    (
        {"prior": {"speed": {"uniform": [1, 5], "per": "node"}}},
        "prior of speed: it is one number for the whole network",
    ),
    ({"prior": {"gain": {"map": {"constant": UNIFORM}}}}, "prior of gain: it is one number for the whole network"),
    ({"prior": {"noise": {"uniform": [-1, 1]}}}, "noise is -1; it is a standard deviation, at least 0"),
    ({"prior": {"sigma": {"normal": [0.1, 0.1]}}}, r"sigma holds -0\.\d+; noise is a standard deviation, 0 or more"),
    (
        {"prior": {"tau": {"uniform": [0.1, 5]}}},
        "dt 0.5 ms is longer than the shortest time constant of linear, 0.1 ms",
    ),
    ({"prior": {"I": {"map": {"thickness": UNIFORM}}}}, "prior of I: no map 'thickness'; .*which has myelin"),
    ({"parameters": {"speed": -6}}, "speed is -6; it must be above 0 m/s"),
    ({"parameters": {"speed": "fast"}}, "speed is 'fast'; give numbers"),
    ({"parameters": {"I": {"map": {"thickness": 1}}}}, "parameters.I: no map 'thickness'"),
    ({"parameters": {"I": {"map": {"myelin": "much"}}}}, "parameters.I.myelin is 'much'; give a finite number"),
    ({"parameters": {"I": {"maps": {"myelin": 1}}}}, "parameters.I: found .*; write it as {map: "),
    ({"simulation": {"stimulus": {"s": {"parameter": "I", "nodes": [3], "step": {}}}}}, "give the labels of regions"),
    ({"simulation": {"stimulus": {"s": {"parameter": "I", "step": {"on": 3}}}}}, "unknown option 'on'; it takes onset"),
    ({"observation": {"noise": -1}}, "noise is -1"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_message_before_any_connectome_is_known(change, message):
    given = {"prior": {"G": UNIFORM}, "parameters": {}, "simulation": SIMULATION, "observation": OBSERVATION}
    for section, entries in change.items():
        given[section] = {**given[section], **entries} if section != "prior" else entries
    with pytest.raises(ValueError, match=message) as error:
        check_draws("linear", maps=MAPS, seed=1, **given)
    assert "\n" not in str(error.value)


def test_discrepancy_stands_beside_the_series_and_its_size_is_checked():
    prior = Prior.from_config({"G": PRIOR["G"], "discrepancy": {"loguniform": [0.01, 0.2]}})
    theta = prior.sample(1, 0, 6)
    out = draws(prior, theta)
    assert out.ts["x"].tobytes() == plain({"G": theta[:, :1]}, 6).ts["x"].tobytes()
    np.testing.assert_array_equal(out.quantities()["discrepancy"].values, theta[:, 1])
    with pytest.raises(ValueError, match=r"discrepancy reaches down to -1; it is at least 0"):
        check_draws("linear", {"discrepancy": {"uniform": [-1, 2]}}, (), {}, SIMULATION, OBSERVATION, 1)


def test_time_step_is_checked_against_the_time_constant_that_follows_maps():
    entry = {"map": {"constant": {"uniform": [6, 8]}, "myelin": {"uniform": [-1, 1]}}, "link": "log"}
    slow = SIMULATION | {"dt": 40.0, "duration": 4000.0, "transient": 400.0, "accept": ["dt"]}
    heard = {"signals": {"x": {"period": 400.0}}}
    check_draws("linear", {"tau": entry}, MAPS, {}, slow, heard, 1)
    with pytest.raises(ValueError, match=r"dt 40 ms is longer than .* of linear, 20\.0855 ms"):
        entry = entry | {"map": {**entry["map"], "constant": {"uniform": [3, 8]}}}
        check_draws("linear", {"tau": entry}, MAPS, {}, slow, heard, 1)


def test_noise_and_gain_of_sensors_stand_beside_the_series():
    """They act where regions are projected: here they change nothing, whatever the shards."""
    prior = Prior.from_config({"G": PRIOR["G"], "noise": {"uniform": [0, 1e-5]}, "gain": {"lognormal": [0, 1]}})
    theta, heard = prior.sample(1, 0, 6), OBSERVATION | {"sensors": True}
    out = draws(prior, theta, observation=heard)
    assert out.ts["x"].tobytes() == plain({"G": theta[:, :1]}, 6).ts["x"].tobytes()
    np.testing.assert_array_equal(out.observation_parameters["noise"].values, theta[:, 1])
    np.testing.assert_array_equal(out.quantities()["gain"].values, theta[:, 2])
    part = draws(prior, theta[4:], observation=heard, start=4)
    assert (
        part.observation_parameters["noise"].values.tobytes()
        == out.observation_parameters["noise"].values[4:].tobytes()
    )
    fixed = draws(Prior.from_config({"G": PRIOR["G"]}), theta[:, :1], {"gain": 2.0}, observation=heard)
    assert fixed.observation_parameters["gain"].values.tolist() == [2.0] * 6
    with pytest.raises(ValueError, match=r"gain is that of sensors; say observation.sensors, or leave it out"):
        draws(prior, theta)
    with pytest.raises(ValueError, match=r"noise of the sensors is -1; it is at least 0"):
        check_draws("linear", {"noise": {"uniform": [-1, 2]}}, (), {}, SIMULATION, heard, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_extremes_are_bounds_or_far_quantiles(family):
    names, _ = FAMILIES[family]
    given = {"low": -1.0, "high": 2.0, "mean": 0.5, "sd": 0.7, "log_mean": 0.5, "log_sd": 0.7, "a": 2.0, "b": 3.0}
    given["low"] = 0.1 if family == "loguniform" else given["low"]
    marginal = Marginal.from_config("w", {family: [given[name] for name in names]})
    low, high = marginal.distribution.support()
    far = marginal.distribution.ppf([1e-9, 1 - 1e-9])
    expected = low if np.isfinite(low) else far[0], high if np.isfinite(high) else far[1]
    assert extreme_values(marginal) == pytest.approx(expected, rel=1e-6)
