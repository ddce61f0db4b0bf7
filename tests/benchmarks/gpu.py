"""Time of the GPU kernel a simulation-step, by the clock, beside one CPU core; nothing where there is no GPU.

python -m tests.benchmarks.gpu

The first call of a case compiles; the shortest of three more counts, transfers and reading of the results included.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from vbiflow.engine import gpu, simulate
from vbiflow.io import write_json
from vbiflow.models import MODELS

RNG = np.random.default_rng(0)
CASES: dict[str, dict[str, Any]] = {
    "wong_wang, BOLD": {"bold": True},
    "montbrio": {},
    "montbrio, BOLD": {"bold": True},
    "montbrio, BOLD, float64": {"bold": True, "precision": "float64"},
    "jansen_rit": {},
    "wong_wang_ei, BOLD": {"bold": True},
    "stuart_landau, delays": {"speed": 5.0},
    "stuart_landau, own delays": {"speed": np.linspace(4, 8, 4096)[:, None]},
}


def cost(name: str, device: str, n_nodes: int, n_simulations: int, n_steps: int, **options: Any) -> float:
    """Microseconds a simulation-step."""
    model, dt = name.partition(",")[0], MODELS[name.partition(",")[0]].defaults["dt"]
    weights = RNG.random((n_nodes, n_nodes)) ** 3 * (1 - np.eye(n_nodes))
    options = {"n_simulations": n_simulations, "dt": dt, "duration": n_steps * dt, "seed": 1} | options
    if options.pop("bold", False):
        options["bold"] = {"tr": 72 * dt}
    else:
        options["signals"] = {next(iter(MODELS[model].signals)): {"period": 72 * dt, "average": False}}
    if "speed" in options:
        speed = options["speed"]
        options["speed"] = speed if np.ndim(speed) == 0 else speed[:n_simulations]
        options["tract_lengths"] = RNG.uniform(10, 200, weights.shape)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        simulate(model, weights / weights.sum(1).max(), {}, device=device, **options)
        times.append(time.perf_counter() - start)
    return min(times[1:]) * 1e6 / n_steps / n_simulations


def main() -> None:
    if gpu.why_no_gpu():
        print(f"no GPU to measure: {gpu.why_no_gpu()}")
        return
    best = {}
    for n_nodes in (84, 400):
        for name, options in CASES.items():
            core = cost(name, "cpu", n_nodes, 32, 720, **options)
            for n_simulations in (256, 4096):
                us = cost(name, "cuda", n_nodes, n_simulations, 2880, **options)
                best[f"{name}, {n_nodes} nodes, {n_simulations} simulations"] = {"us": us, "times_one_core": core / us}
                print(f"{name:28s} {n_nodes:4d} nodes {n_simulations:5d} simulations {us:9.5f} us {core / us:7.0f} x")
    write_json("results/benchmarks/gpu.json", {"us_per_simulation_step": best})


if __name__ == "__main__":
    main()
