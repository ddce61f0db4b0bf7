"""Simulate draws of a study's parameters on its connectome: fixed and inferred values, each put where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np

from vbiflow.connectome import Connectome, match_labels
from vbiflow.engine.checks import check_number
from vbiflow.engine.derived import SHARE, derived_quantities, split_derived
from vbiflow.engine.plan import make_plan
from vbiflow.engine.random_effects import draw_effects
from vbiflow.engine.simulate import Simulations, simulate
from vbiflow.engine.spectra import check_spectrum, linear_spectra
from vbiflow.engine.spectral_discrepancy import SPECTRAL_DISCREPANCY, add_spectral_discrepancy, check_sizes
from vbiflow.io import Quantity
from vbiflow.maps import CONSTANT, LINKS, RECORDED_NOISE, region_values, regression
from vbiflow.marginals import DISCREPANCY, RANDOM, SPREAD, Marginal, read_fixed, read_link, read_prior, read_random
from vbiflow.models import find_model
from vbiflow.observation.sensors import SENSOR_PARAMETERS
from vbiflow.prior import Prior

FAR = NormalDist().inv_cdf(1 - 1e-9)
"""Standard deviations above which a normal distribution has a mass of 1e-9."""
TIME_DOMAIN_SETTINGS = ("dt", "integrator", "transient", "precision", "accept", "device", "threads", "stimulus")
"""Settings of a simulation that linear spectra have no use for."""
NETWORK_PARAMETERS = {"speed": "m/s", "noise": "1", "gain": "1", DISCREPANCY: "1"} | SPECTRAL_DISCREPANCY
"""What a study can fix or infer besides the parameters of its model, with units."""
REGIONAL = ("noise",)
"""Those of them that may differ from region to region, where there are no sensors."""


def simulate_draws(
    model: str,
    connectome: Connectome,
    prior: Prior,
    theta: np.ndarray,
    parameters: Mapping[str, Any],
    simulation: Mapping[str, Any],
    observation: Mapping[str, Any],
    **options: Any,
) -> Simulations:
    """Simulate the rows of theta (n_simulations, n_parameters).

    Parameters
    ----------
    model : name of the model.
    connectome : weights, tract lengths and regional maps of the network.
    prior, theta : which parameters are inferred, and their values (n_simulations, n_parameters).
    parameters : fixed values by name: scalar, one a node, or ``{"map": {"constant": number, map: number}}``, with
        ``"random": {"sd": number}`` beside it for effects that each simulation draws (random_effects.py); `speed`
        [m/s], fixed here or inferred, turns on delays by the connectome's tract lengths.
    simulation, observation : blocks of a study; the nodes of a stimulus are labels. Where the observation has
        `sensors`, noise and gain are theirs: they change no series here, but stand beside them as
        `observation_parameters`, as the discrepancy of features does.
    options : further arguments of `simulate`.

    Raises
    ------
    ValueError
        As `simulate` does, and if a map or label is unknown.
    """
    address = {key: options.get(key, 0) for key in ("seed", "stream", "start")}
    values = {name: fixed_parameter(name, value, connectome) for name, value in parameters.items()} | prior.parameters(
        theta
    )
    values |= regional_values(values, parameters, prior, theta, len(connectome.labels), address)
    deviation = {name: values.pop(name) for name in SPECTRAL_DISCREPANCY if name in values}
    speed, observed, observation_parameters = split_parameters(values, observation)
    observed = place_noise(observed, connectome.maps)
    given = {"n_simulations": len(theta), "speed": speed} | index_stimuli(simulation, connectome.labels)
    given |= {"tract_lengths": None if speed is None else connectome.tract_lengths} | observed | options
    if "spectrum" in observed:
        given = {key: value for key, value in given.items() if key not in TIME_DOMAIN_SETTINGS}
    run = linear_spectra if "spectrum" in observed else simulate
    simulations = run(model, connectome.weights, values, **given)
    if deviation:
        own = {key: address[key] for key in ("seed", "stream")}
        simulations = add_spectral_discrepancy(simulations, deviation, connectome.networks, **own)
    reason = [first or second for first, second in zip(prior.reasons(theta), simulations.reason, strict=True)]
    units = prior.to_config()["units"]
    observation_parameters = {
        name: Quantity(np.broadcast_to(np.ravel(value), len(theta)), units.get(name, "1"), ("simulation",))
        for name, value in observation_parameters.items()
    }
    return replace(
        simulations,
        valid=np.array([not text for text in reason]),
        reason=reason,
        observation_parameters=observation_parameters,
    )


def regional_values(
    values: Mapping[str, Any], parameters: Mapping[str, Any], prior: Prior, theta: np.ndarray, n_nodes: int,
    address: Mapping[str, int],
) -> dict[str, np.ndarray]:  # fmt: skip
    """Values (n_simulations, n_nodes) of the parameters that have random regional effects, fixed or inferred."""
    found = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping) and RANDOM in value:
            found[name] = np.full((len(theta), 1), float(value[RANDOM]["sd"]))
    drawn = {}
    for name, sd in (found | prior.random_effects(theta)).items():
        mean = np.broadcast_to(values[name], (len(theta), np.shape(values[name])[-1]))
        own = {"link": prior.links.get(name, "identity"), "within": prior.range(name)}
        drawn[name] = draw_effects(name, mean, sd, n_nodes, **own, **address)
    return drawn


def split_parameters(
    values: dict[str, Any], observation: Mapping[str, Any]
) -> tuple[Any, dict[str, Any], dict[str, np.ndarray]]:
    """Take what is no parameter of the model out of the values.

    Returns the speed, the observation with the level of noise, and what is applied later: noise and gain where they
    are of `sensors`, the discrepancy of features.
    """
    speed, observed = values.pop("speed", None), dict(observation)
    later = {DISCREPANCY: np.asarray(values.pop(DISCREPANCY), float)} if DISCREPANCY in values else {}
    if later and not (later[DISCREPANCY] >= 0).all():
        raise ValueError(f"{DISCREPANCY} reaches down to {later[DISCREPANCY].min():g}; it is at least 0")
    if observed.pop("sensors", False):
        observation_parameters = {
            name: np.asarray(values.pop(name), float) for name in SENSOR_PARAMETERS if name in values
        }
        for name, level in observation_parameters.items():
            if not (level >= 0).all():
                raise ValueError(f"{name} of the sensors is {level.min():g}; it is at least 0")
        return speed, observed, observation_parameters | later
    if "gain" in values:
        raise ValueError("gain is that of sensors; say observation.sensors, or leave it out")
    if "noise" in values:
        given = observed.get("noise")
        observed["noise"] = {**(given if isinstance(given, Mapping) else {}), "level": values.pop("noise")}
    return speed, observed, later


def place_noise(observed: dict[str, Any], maps: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The observation with its noise, where it is per region, as the level, or 1, times what was recorded there."""
    noise = observed.get("noise")
    if not isinstance(noise, Mapping) or "per" not in noise:
        return observed
    ratios = region_values(RECORDED_NOISE, maps, "observation.noise")
    return observed | {"noise": {**noise, "level": np.asarray(noise.get("level", 1.0), float) * ratios}}


def fixed_parameter(name: str, value: Any, connectome: Connectome) -> Any:
    """A fixed parameter as `simulate` takes it."""
    if not isinstance(value, Mapping):
        return value
    return regression(value["map"], connectome.maps, f"parameters.{name}")


def index_stimuli(simulation: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, Any]:
    """Settings of the engine, with the labels of stimulated regions as indices."""
    stimuli = {
        name: {**entry, "nodes": match_labels(entry["nodes"], labels, f"stimulus {name}", "the connectome").tolist()}
        for name, entry in (simulation.get("stimulus") or {}).items()
        if "nodes" in entry
    }
    return {**simulation, "stimulus": {**(simulation.get("stimulus") or {}), **stimuli}}


def check_draws(
    model: str,
    prior: Mapping[str, Any],
    maps: Iterable[str],
    parameters: Mapping[str, Any],
    simulation: Mapping[str, Any],
    observation: Mapping[str, Any],
    seed: int,
) -> None:
    """Check what `simulate_draws` will get, on two unconnected nodes at the lowest and highest values of the prior.

    Parameters
    ----------
    model : name of the model.
    prior : the study's block `prior`.
    maps : names of the regional maps.
    parameters, simulation, observation : these blocks of the study.
    seed : of the study.

    Raises
    ------
    ValueError
        In one line, before any connectome is known.
    """
    own = find_model(model)
    marginals = read_prior(prior)
    known = {name: np.ones(1) for name in maps}
    values = {name: check_fixed(name, value, known) for name, value in parameters.items()}
    for marginal in marginals:
        regional = marginal.parameter in REGIONAL and not observation.get("sensors")
        single = marginal.parameter in (*NETWORK_PARAMETERS, SHARE) and not regional
        if single and (marginal.coefficient or marginal.per or RANDOM in prior[marginal.parameter]):
            raise ValueError(f"prior of {marginal.parameter}: it is one number for the whole network")
        if marginal.coefficient == SPREAD:
            continue
        if marginal.coefficient:
            region_values(marginal.coefficient, known, f"prior of {marginal.parameter}")
        link = read_link(marginal.parameter, prior[marginal.parameter])
        if marginal.coefficient == CONSTANT and link != "identity":
            values[marginal.parameter] = LINKS[link](np.array(extreme_values(marginal)))[:, None]
        elif marginal.coefficient:
            values.setdefault(marginal.parameter, None)
        else:
            values[marginal.parameter] = np.array(extreme_values(marginal))[:, None]
    for name, entry in prior.items():
        terms, link = read_fixed(name, entry), read_link(name, entry)
        for term in terms:
            region_values(term, known, f"prior of {name}")
        if CONSTANT in terms and link != "identity":
            values[name] = LINKS[link](np.array(terms[CONSTANT]))
    values = {name: value for name, value in values.items() if value is not None or name in derived_quantities(own)}
    deviation = {name: values.pop(name) for name in SPECTRAL_DISCREPANCY if name in values}
    check_sizes(deviation)
    if deviation and not observation.get("signals"):
        raise ValueError(f"{next(iter(deviation))} is that of spectra of signals, and there are none; leave it out")
    speed, observed, _ = split_parameters(values, observation)
    values, derived = split_derived(own, values, simulation.get("dt"), speed is not None)
    for name, value in derived.items():
        if value is not None and np.min(value) <= 0:
            raise ValueError(f"parameter {name} reaches down to {np.min(value):g}; it must be above 0")
    if SHARE in derived and np.max(derived[SHARE]) > 1:
        raise ValueError(
            f"parameter {SHARE} reaches up to {np.max(derived[SHARE]):g}; beyond 1 the fixed point that a simulation "
            f"starts from is unstable or gone: end at 1, or give {own.strength}"
        )
    observed = place_noise(observed, {RECORDED_NOISE: np.ones(2)})
    settings = {"signals": (), "initial": None} | dict(simulation) | observed
    spectrum = settings.pop("spectrum", None)
    if spectrum is not None:
        check_spectrum(own, settings["signals"], spectrum, settings["duration"])
    settings["stimulus"] = {
        name: stimulus_on_first_node(name, entry) for name, entry in (settings.get("stimulus") or {}).items()
    }
    lengths, shared = None if speed is None else np.ones((2, 2)), {"n_simulations": 2, "start": 0, "stream": 0}
    make_plan(model, np.zeros((2, 2)), values, seed=seed, speed=speed, tract_lengths=lengths, **shared, **settings)


def extreme_values(marginal: Marginal) -> tuple[float, float]:
    """Bounds of a parameter, or the values beyond which it has a mass of 1e-9; without SciPy, which takes a second."""
    given = marginal.numbers
    if "low" in given:
        return given["low"], given["high"]
    if marginal.family == "lognormal":
        return 0.0, float(np.exp(given["log_mean"] + FAR * given["log_sd"]))
    return given["mean"] - FAR * given["sd"], given["mean"] + FAR * given["sd"]


def check_fixed(name: str, value: Any, maps: Mapping[str, np.ndarray]) -> float | None:
    """One value of a fixed parameter; None for one that follows regional maps, whose names are checked."""
    if not isinstance(value, Mapping):
        return float(np.ravel(value)[0]) if np.size(value) and np.asarray(value).dtype.kind in "iuf" else value
    terms = value.get("map")
    if not {"map"} <= set(value) <= {"map", RANDOM} or not isinstance(terms, Mapping) or not terms:
        raise ValueError(
            f"parameters.{name}: found {dict(value)!r}; write it as {{map: {{{CONSTANT}: number, <map>: number}}}}"
        )
    if isinstance(read_random(name, value), Marginal):
        raise ValueError(f"parameters.{name}: sd of {RANDOM} is inferred; move {name} to prior")
    for term, coefficient in terms.items():
        region_values(term, maps, f"parameters.{name}")
        check_number(f"parameters.{name}.{term}", coefficient, -np.inf)
    return None


def stimulus_on_first_node(name: str, entry: Any) -> Any:
    """A stimulus on the first of two nodes, whatever its regions are called."""
    if not isinstance(entry, Mapping):
        return entry
    nodes = entry.get("nodes", [""])
    if not isinstance(nodes, list) or not nodes or not all(isinstance(label, str) for label in nodes):
        raise ValueError(f"stimulus {name}: nodes are {nodes!r}; give the labels of regions, or leave it out for all")
    return {**entry, "nodes": [0], "amplitude": np.ravel(entry.get("amplitude", 1.0))[0]}
