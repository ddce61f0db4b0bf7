"""How far an engine is from the readable reference, for every model: with and without delays, in both precisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vbiflow.engine import simulate
from vbiflow.models import MODELS

TOLERANCES = {"float64": 1e-9, "float32": 1e-3}
"""Largest difference after the steps below, as a share of the largest value of a signal."""
INPUTS = {"jansen_rit": 1e-3, "stuart_landau": 0.1}
"""Of what drives BOLD, where it is far from one: BOLD shall be well above the resolution of single precision."""
CASES = ("no delays", "delays", "own delays")


def setting(name: str, case: str, n_nodes: int, n_simulations: int, n_steps: int) -> dict[str, Any]:
    """Arguments of `simulate`: noise, every second parameter its own value, BOLD, and delays of 10 to 20 steps."""
    weights, lengths = np.random.default_rng(1).random((2, n_nodes, n_nodes))
    model, dt = MODELS[name], MODELS[name].defaults["dt"]
    spread = np.linspace(0.9, 1.1, n_simulations)[:, None]
    parameters = {key: spread * parameter.value for key, parameter in [*model.parameters.items()][::2]}
    if "sigma" in model.parameters:
        parameters["sigma"] = model.parameters["sigma"].value + 1e-4
    settings: dict[str, Any] = {
        "weights": weights / weights.sum(1, keepdims=True),
        "parameters": parameters,
        **{"n_simulations": n_simulations, "duration": n_steps * dt, "dt": dt, "seed": 1},
        "signals": {next(iter(model.signals)): {"period": 4 * dt}},
    }
    if "bold_input" in model.signals:
        efficacy = 0.1 / dt**2 / INPUTS.get(name, 1)
        settings["bold"] = {"tr": 20 * dt, "parameters": {"efficacy": efficacy}}
    if case != "no delays":
        settings["tract_lengths"] = 1 + lengths
        settings["speed"] = 0.1 / dt if case == "delays" else np.linspace(0.05, 0.1, n_simulations)[:, None] / dt
    return settings


def differences(
    name: str, device: str, n_nodes: int = 84, n_simulations: int = 37, n_steps: int = 100
) -> Iterator[tuple[str, str, float]]:
    """(case, precision, difference) of a model, infinite where other simulations are invalid."""
    for case in CASES:
        settings = setting(name, case, n_nodes, n_simulations, n_steps)
        expected = simulate(name, device="reference", precision="float64", **settings)
        for precision in TOLERANCES:
            found = simulate(name, device=device, precision=precision, **settings)
            apart = [
                float(np.abs(found.ts[signal] - values).max() / np.abs(values).max())
                for signal, values in expected.ts.items()
            ]
            same = (found.valid == expected.valid).all() and expected.valid.all()
            yield case, precision, max(apart) if same else float("inf")
