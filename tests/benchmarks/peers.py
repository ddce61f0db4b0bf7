"""Processor time of a simulation-step beside tvb-library, tvboptim, tvbk and neurolib, whichever are installed.

python -m tests.benchmarks.peers

Same network, steps and Heun's scheme (neurolib: Euler) with noise, without and with conduction delays, in float32 where
a package can (tvb-library and neurolib cannot). Each package simulates as many at a time as suits it, on one core. All
take turns, round after round, in one run; the shortest round of each counts.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
from threadpoolctl import threadpool_limits

from tests.benchmarks.engine import N_NODES, RNG, WEIGHTS, ours
from vbiflow.engine.cpu import LANES
from vbiflow.io import write_json

ROUNDS, DT, SPEED, G = 3, 0.1, 5.0, 0.5
LENGTHS = RNG.uniform(5, 200, (N_NODES, N_NODES))
Call = Callable[[], float]


def timed(run: Callable[[], Any], n_steps: int, n_simulations: int = 1) -> Call:
    """A call of `run` that returns microseconds of processor time a simulation-step."""

    def call() -> float:
        start = time.process_time()
        run()
        return (time.process_time() - start) * 1e6 / n_steps / n_simulations

    return call


def vbiflow() -> dict[str, Call]:
    """This package."""
    delays = {"tract_lengths": LENGTHS, "speed": SPEED}
    each = delays | {"speed": np.linspace(3, 8, LANES)[:, None]}
    return {
        "montbrio": ours("montbrio", {"G": G}),
        "wong_wang_ei": ours("wong_wang_ei", {"G": G}),
        "montbrio, delays": ours("montbrio", {"G": G}, **delays),
        "montbrio, delays, each its speed": ours("montbrio", {"G": G}, **each),
        "wong_wang_ei, delays": ours("wong_wang_ei", {"G": G}, **delays | {"speed": SPEED / 10}),
    }


def tvb_library() -> dict[str, Call]:
    """One simulation at a time, NumPy and numba, float64."""
    from tvb.simulator import lab

    logging.getLogger("tvb").setLevel(logging.ERROR)

    def case(model: Any, coupling: float, delays: bool, n_steps: int = 200) -> Call:
        connectome = lab.connectivity.Connectivity(
            weights=WEIGHTS,
            tract_lengths=LENGTHS * delays,
            speed=np.array([SPEED]),
            region_labels=np.arange(N_NODES).astype(str),
            centres=np.zeros((N_NODES, 3)),
        )
        simulator = lab.simulator.Simulator(
            model=model,
            connectivity=connectome,
            coupling=lab.coupling.Linear(a=np.array([coupling])),
            integrator=lab.integrators.HeunStochastic(dt=DT, noise=lab.noise.Additive(nsig=np.array([1e-5]))),
            monitors=(lab.monitors.TemporalAverage(period=7.2),),
        ).configure()
        return timed(lambda: simulator.run(simulation_length=n_steps * DT), n_steps)

    return {
        "montbrio": case(lab.models.MontbrioPazoRoxin(tau=np.array([10.0])), 10 * G, False),
        "montbrio, delays": case(lab.models.MontbrioPazoRoxin(tau=np.array([10.0])), 10 * G, True),
        "wong_wang_ei": case(lab.models.ReducedWongWangExcInh(), G, False),
    }


def tvboptim(batch: int = 16, n_steps: int = 1000) -> dict[str, Call]:
    """A batch by jax.vmap, every simulation with its own noise."""
    import jax
    import jax.numpy as jnp
    from tvboptim.experimental.network_dynamics import DenseDelayGraph, DenseGraph, Network, coupling, prepare
    from tvboptim.experimental.network_dynamics.dynamics import tvb
    from tvboptim.experimental.network_dynamics.noise import AdditiveNoise
    from tvboptim.experimental.network_dynamics.solvers import Heun

    def case(model: Any, state: str, delays: bool) -> Call:
        weights = jnp.asarray(WEIGHTS)
        if delays:
            graph = DenseDelayGraph(weights, jnp.asarray(LENGTHS / SPEED))
            inputs = {"delayed": coupling.DelayedLinearCoupling(incoming_states=state, G=G)}
        else:
            graph, inputs = DenseGraph(weights), {"instant": coupling.LinearCoupling(incoming_states=state, G=G)}
        noise = AdditiveNoise(sigma=0.005, key=jax.random.key(0))
        solve, settings = prepare(Network(model, inputs, graph, noise=noise), Heun(), t0=0.0, t1=n_steps * DT, dt=DT)

        def one(key: Any) -> Any:
            own = jax.tree_util.tree_map(lambda x: x, settings)
            own.noise.key = key
            return solve(own).ys[::72]

        run, keys = jax.jit(jax.vmap(one)), jax.random.split(jax.random.key(1), batch)
        return timed(lambda: run(keys).block_until_ready(), n_steps, batch)

    return {
        "montbrio": case(tvb.MontbrioPazoRoxin(tau=10.0, Delta=0.7, J=14.5, eta=-4.6), "r", False),
        "montbrio, delays": case(tvb.MontbrioPazoRoxin(tau=10.0, Delta=0.7, J=14.5, eta=-4.6), "r", True),
        "wong_wang_ei": case(tvb.WongWangExcInh(), "S_e", False),
    }


def tvbk(n_batches: int = 2, n_steps: int = 1000) -> dict[str, Call]:
    """Batches of eight lanes; its Montbrio is Heun with noise."""
    import tvbk

    def case(delays: bool) -> Call:
        horizon = 512
        edges = np.nonzero(WEIGHTS)
        conn = tvbk.Conn(N_NODES, len(edges[0]))
        conn.weights[:], conn.indices[:] = WEIGHTS[edges], edges[1]
        conn.indptr[:] = np.searchsorted(edges[0], np.arange(N_NODES + 1))
        conn.idelays[:] = np.rint(LENGTHS[edges] / SPEED / DT) * delays + 1
        past = tvbk.Cx8s(N_NODES, horizon, n_batches)
        past.buf[:] = 0.1
        state = np.zeros((n_batches, 2, N_NODES, 8), np.float32)
        state[:, 0], state[:, 1] = 0.1, -2.0
        out, scratch = np.zeros_like(state), np.zeros((n_batches, 2, 8), np.float32)
        parameters = np.zeros((n_batches, N_NODES, 6, 8), np.float32)
        parameters[:] = np.array([1.0, 0.0, 0.7, 14.5, -4.6, G])[:, None]
        seed = np.random.default_rng(1).integers(1, 2**63, (n_batches, 8, 4)).astype(np.uint64)

        def run() -> None:
            tvbk.step_mpr(past, conn, state, out, scratch, parameters, 0, n_steps, 0.01, seed)

        run()
        if not np.isfinite(state).all():
            raise ValueError("tvbk diverges; its time would mean nothing")
        return timed(run, n_steps, 8 * n_batches)

    return {"montbrio": case(False), "montbrio, delays": case(True)}


def neurolib(n_steps: int = 2000) -> dict[str, Call]:
    """One simulation at a time, numba, float64, Euler with Ornstein-Uhlenbeck noise."""
    from neurolib.models.ww import WWModel

    def case(delays: bool) -> Call:
        model = WWModel(Cmat=WEIGHTS, Dmat=LENGTHS * delays)
        model.params.update({"duration": n_steps * DT, "dt": DT, "signalV": SPEED, "sigma_ou": 0.01})
        return timed(model.run, n_steps)

    return {"wong_wang_ei": case(False), "wong_wang_ei, delays": case(True)}


PACKAGES = {"vbiflow": vbiflow, "tvb-library": tvb_library, "tvboptim": tvboptim, "tvbk": tvbk, "neurolib": neurolib}


def cases() -> dict[str, dict[str, Call]]:
    """What is timed, by package; packages that are not installed are left out."""
    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = package()
        except ImportError as error:
            print(f"{name} is not installed ({error.name})")
    return found


def main() -> None:
    with threadpool_limits(1):
        calls = {(package, case): call for package, part in cases().items() for case, call in part.items()}
        for call in calls.values():
            call()
        times = [[call() for call in calls.values()] for _ in range(ROUNDS)]
    best = dict(zip(calls, map(min, zip(*times, strict=True)), strict=True))
    content: dict[str, dict[str, float]] = {}
    for (package, case), us in sorted(best.items(), key=lambda item: (item[0][1], item[1])):
        content.setdefault(case, {})[package] = us
        own = best.get(("vbiflow", case))
        print(f"{case:34s} {package:12s} {us:9.3f} us" + (f" {us / own:8.1f} x" if own else ""))
    write_json("results/benchmarks/peers.json", {"n_nodes": N_NODES, "us_per_simulation_step": content})


if __name__ == "__main__":
    main()
