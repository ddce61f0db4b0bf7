"""The largest step at which a model's statistics hold: each is halved until nothing changes.

python -m tests.benchmarks.step_size [MODEL ...]

A noisy network of 20 regions, coupled by half to twice the default, simulated with steps of 8 to 1/4 of the
default, beside 1/8 of it by Heun with another seed: mean and standard deviation of each signal, correlation between
regions, power in bands and share of valid simulations. `largest` is the longest step from which on all of them hold
within TOLERANCES and what two seeds differ by; models/*.py state it.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import Any

import numpy as np

from vbiflow.engine import simulate
from vbiflow.io import write_json
from vbiflow.models import MODELS

TIMES = (8, 4, 2, 1, 0.5, 0.25)
"""Steps, as multiples of the default; the finest is 1/8."""
FINEST, SAMPLES, N = 0.125, 4000, 64
TOLERANCES = {"mean": 0.05, "sd": 0.05, "fc": 0.03, "power": 0.15, "valid": 0.01}
"""Mean in standard deviations over all of the finest step; sd and shares of power as logarithms; fc and the share of
valid absolute."""
NOISE = {"kuramoto": 0.05, "epileptor_2d": 0.05}
"""Where the default is none."""
PERIODS = {"jansen_rit": 4.0}
"""Of sampling [ms], where eight default steps are no multiple of the longest."""
START = {name: {"x": 0.0, "y": 0.0} for name in ("hopf", "stuart_landau")}
"""Initial states, where those of the default take long to be forgotten."""
SMALLEST = 1e-30
RNG = np.random.default_rng(3)
WEIGHTS = RNG.random((20, 20)) ** 3 * (1 - np.eye(20))
WEIGHTS /= WEIGHTS.sum(1).max()


def statistics(name: str, integrator: str, dt: float, seed: int, samples: int = SAMPLES) -> dict[str, np.ndarray]:
    """Statistics of a model's signals at a step, one row a signal."""
    model = MODELS[name]
    period, transient = PERIODS.get(name, TIMES[0] * model.defaults["dt"]), samples / 4
    parameters: dict[str, Any] = {}
    if "G" in model.parameters:
        parameters["G"] = np.linspace(0.5, 2, N)[:, None] * model.parameters["G"].value
    parameters |= {gain: np.linspace(0.1, 1, N)[:, None] for gain in model.gains.values() if gain != "G"}
    if not model.noisy:  # its course is what counts
        samples, transient = 200, 0.0
    if name in NOISE:
        parameters["sigma"] = NOISE[name]
    signals = {signal: {"period": period, "average": False} for signal in model.signals if signal != "bold_input"}
    made = simulate(
        model, WEIGHTS, parameters, signals=signals, dt=dt, integrator=integrator, seed=seed, n_simulations=N,
        duration=samples * period, transient=transient * period, device="cpu", accept=("dt",), initial=START.get(name),
    )  # fmt: skip
    rows: dict[str, list[Any]] = {key: [] for key in (*TOLERANCES, "pooled")}
    for values in made.ts.values():
        ts = values[made.valid].astype(float) if made.valid.any() else np.zeros_like(values, float)
        centred = ts - ts.mean(2, keepdims=True)
        scale = centred.std(2) + SMALLEST
        z = centred / scale[..., None]
        off = ~np.eye(len(WEIGHTS), dtype=bool)
        spectrum = (np.abs(np.fft.rfft(z, axis=2)) ** 2).mean((0, 1))[1:] / samples**2
        edges = np.unique(np.geomspace(1, len(spectrum), 9).astype(int))
        bands = np.array([spectrum[a:b].sum() for a, b in pairwise(edges)])
        rows["mean"].append(ts.mean())
        rows["sd"].append(np.log(scale.mean()))
        rows["pooled"].append(ts.std() + SMALLEST)
        rows["fc"].append((z @ z.swapaxes(1, 2) / samples)[:, off].mean())
        rows["power"].append(np.log(bands / (bands.sum() + 1e-300) + 1e-3))
        rows["valid"].append(made.valid.mean())
    return {key: np.array(found) for key, found in rows.items()}


def differences(finest: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest differences of statistics from those of the finest step."""
    unit = {"mean": finest["pooled"]}
    each = {key: np.abs(finest[key] - other[key]) / unit.get(key, 1.0) for key in TOLERANCES}
    return {key: float(np.nan_to_num(values, nan=np.inf).max()) for key, values in each.items()}


def largest(name: str, integrator: str, samples: int = SAMPLES) -> tuple[float, dict[str, Any]]:
    """The longest step from which on all statistics hold [ms], zero if none does, and every step's differences."""
    dt = MODELS[name].defaults["dt"]
    finest = statistics(name, "heun", FINEST * dt, 1, samples)
    floor = differences(finest, statistics(name, "heun", FINEST * dt, 2, samples))
    rows, holds = {"seeds": floor}, {}
    for times in TIMES:
        try:
            rows[f"{times * dt:g}"] = found = differences(finest, statistics(name, integrator, times * dt, 3, samples))
        except ValueError:
            holds[times] = False
            continue
        holds[times] = all(found[key] <= TOLERANCES[key] + 2 * floor[key] for key in found)
    good = [times for times in TIMES if all(holds[finer] for finer in TIMES if finer <= times)]
    return (good[0] * dt if good else 0.0), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    found: dict[str, Any] = {}
    for name in parser.parse_args().models:
        for integrator in ("heun", "euler"):
            step, rows = largest(name, integrator)
            found[f"{name}, {integrator}"] = {"largest_dt_ms": step, "differences": rows}
            print(f"{name:18s} {integrator:6s} largest {step:g} ms", flush=True)
            for dt, row in rows.items():
                print(f"    {dt:>8s}  " + "  ".join(f"{key} {value:.3g}" for key, value in row.items()), flush=True)
    write_json("results/benchmarks/step_size.json", found)


if __name__ == "__main__":
    main()
