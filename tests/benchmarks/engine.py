"""Processor time of the engine a simulation-step, one core, beside bare matrix products and vbi 0.4.4 if installed.

python -m tests.benchmarks.engine

All cases take turns, round after round, in one run; the shortest round of each counts. Steps are those of the neurons.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  (the BLAS that numba calls, loaded before its threads are limited)
from numba import njit
from threadpoolctl import threadpool_limits

from vbiflow.engine import simulate
from vbiflow.engine.cpu import LANES
from vbiflow.io import write_json
from vbiflow.models import MODELS

N_NODES, N_STEPS, ROUNDS = 80, 2880, 10
RNG = np.random.default_rng(0)
WEIGHTS = RNG.random((N_NODES, N_NODES)) ** 3 * (1 - np.eye(N_NODES))
WEIGHTS /= WEIGHTS.sum(1).max()
BARS = {
    "wong_wang, BOLD": 0.7,
    "montbrio": 0.6,
    "montbrio, BOLD": 0.7,
    "jansen_rit": 0.9,
    "wilson_cowan": 0.9,
    "wong_wang_ei, BOLD": 1.1,
    "epileptor_2d": 0.5,
}


def across(low: float, high: float) -> np.ndarray:
    """One value a simulation."""
    return np.linspace(low, high, LANES)[:, None]


def ours(
    name: str, parameters: dict[str, Any], bold: dict[str, float] | None = None, **options: Any
) -> Callable[[], float]:
    """A call that simulates one batch, and returns microseconds a simulation-step."""
    dt = MODELS[name].defaults["dt"]
    signals = {} if bold is not None else {next(iter(MODELS[name].signals)): {"period": 72 * dt, "average": False}}
    bold = None if bold is None else {"tr": 72 * dt} | bold
    options = {"n_simulations": LANES, "dt": dt, "duration": N_STEPS * dt, "seed": 1, "integrator": "heun"} | options

    def call() -> float:
        start = time.process_time()
        simulate(name, WEIGHTS, parameters, bold=bold, signals=signals, **options)
        return (time.process_time() - start) * 1e6 / N_STEPS / options["n_simulations"]

    return call


@njit(nogil=True)
def products(weights: np.ndarray, sent: np.ndarray, c: np.ndarray, n: int) -> None:
    for _ in range(n):
        np.dot(weights, sent, c)


def sgemm(width: int = 64) -> Callable[[], float]:
    """Two bare products of the library's BLAS a step, as Heun's scheme needs them."""
    weights, sent = WEIGHTS.astype(np.float32), RNG.random((N_NODES, width)).astype(np.float32)
    c = np.empty_like(sent)

    def call() -> float:
        start = time.process_time()
        products(weights, sent, c, 2 * N_STEPS)
        return (time.process_time() - start) * 1e6 / N_STEPS / width

    return call


def peers() -> dict[str, Callable[[], float]]:
    """vbi's numba models, where vbi is installed."""
    try:
        from vbi.models.numba.mpr import MPR_sde
        from vbi.models.numba.rww import RWW_sde
    except ImportError:
        return {}
    common = {"weights": WEIGHTS.copy(), "G": 0.5, "seed": 1}
    reduced = {"dt": 2.5, "t_end": 2.5 * N_STEPS, "t_cut": 0.0, "tr": 300.0, "RECORD_BOLD": True, "RECORD_S": False}
    mpr = {"dt": 0.01, "t_end": 0.1 * N_STEPS, "t_cut": 0.0, "eta": np.full(N_NODES, -4.6), "RECORD_RV": False}
    models = {
        "vbi RWW, BOLD": RWW_sde(common | reduced),
        "vbi MPR, BOLD": MPR_sde(common | mpr | {"RECORD_BOLD": True, "tr": 10.0}),
        "vbi MPR": MPR_sde(common | mpr | {"RECORD_BOLD": False, "RECORD_RV": True}),
    }

    def timed(model: Any, options: dict[str, float]) -> Callable[[], float]:
        def call() -> float:
            start = time.process_time()
            model.run(dict(options))
            return (time.process_time() - start) * 1e6 / N_STEPS

        return call

    restart = {"t_end": 0.1 * N_STEPS, "t_cut": 0.0}
    return {name: timed(model, restart if "MPR" in name else {}) for name, model in models.items()}


def cases() -> dict[str, Callable[[], float]]:
    """What is timed, by name."""
    theta = {"G": across(0.5, 4), "w": across(0.4, 0.8), "I": across(0.25, 0.35), "sigma": across(0.001, 0.01)}
    eta = {"G": across(0, 1), "eta": RNG.uniform(-6, -3.5, (LANES, N_NODES))}
    each = {"step": MODELS["wong_wang"].defaults["dt"]}
    return {
        "sgemm": sgemm(),
        "wong_wang": ours("wong_wang", theta),
        "wong_wang, BOLD": ours("wong_wang", theta, {}),
        "wong_wang, BOLD at each step": ours("wong_wang", theta, each),
        "wong_wang, BOLD, float64": ours("wong_wang", theta, {}, precision="float64"),
        "wong_wang, BOLD, Euler": ours("wong_wang", theta, {}, integrator="euler"),
        "wong_wang_ei, BOLD": ours("wong_wang_ei", {"G": across(0, 2)}, {}),
        "montbrio": ours("montbrio", eta),
        "montbrio, BOLD": ours("montbrio", eta, {}),
        "jansen_rit": ours("jansen_rit", {"G": across(0, 5), "C": RNG.uniform(100, 500, (LANES, N_NODES))}),
        "wilson_cowan": ours("wilson_cowan", {"g_e": across(0, 1), "P": RNG.uniform(0, 3, (LANES, N_NODES))}),
        "epileptor_2d": ours("epileptor_2d", {"G": across(0, 2), "eta": RNG.uniform(-5, -1, (LANES, N_NODES))}),
        **peers(),
    }


START = """
import numpy, time
begin = time.perf_counter()
from vbiflow.engine import simulate
simulate("wong_wang", numpy.ones((2, 2)), {}, n_simulations=1, duration=100, dt=10, seed=1, signals=["S"])
print(time.perf_counter() - begin)
"""


def start() -> float:
    """Seconds from nothing to the first simulated step in a new process, compiled code cached."""
    return min(float(subprocess.check_output([sys.executable, "-c", START])) for _ in range(3))


def two_threads() -> float:
    """How many times faster two threads are than one, by the clock."""
    seconds = {}
    for threads in (1, 2):
        begin = time.perf_counter()
        ours("wong_wang", {}, {}, n_simulations=8 * LANES, threads=threads)()
        seconds[threads] = time.perf_counter() - begin
    return seconds[1] / seconds[2]


def main() -> None:
    with threadpool_limits(1):
        calls = cases()
        for call in calls.values():
            call()
        best = {name: min(times) for name, times in zip(calls, zip(*rounds(calls), strict=True), strict=True)}
    for name, us in best.items():
        bar = f"   bar {BARS[name]}" if name in BARS else ""
        print(f"{name:32s} {us:8.3f} us   {us / best['sgemm']:6.2f} x sgemm{bar}")
    pairs = {"wong_wang, BOLD": "vbi RWW, BOLD", "montbrio": "vbi MPR", "montbrio, BOLD": "vbi MPR, BOLD"}
    ratios = {name: best[peer] / best[name] for name, peer in pairs.items() if peer in best}
    more = {"start_s": start(), "two_threads": two_threads()}
    print(*(f"{name}: vbi takes {ratio:.1f} times as long" for name, ratio in ratios.items()), sep="\n")
    print(more)
    content = {"n_nodes": N_NODES, "us_per_simulation_step": best, "times_vbi": ratios, "bars": BARS, **more}
    write_json("results/benchmarks/engine.json", content)


def rounds(calls: dict[str, Callable[[], float]]) -> list[list[float]]:
    """Times of every case in every round."""
    return [[call() for call in calls.values()] for _ in range(ROUNDS)]


if __name__ == "__main__":
    main()
