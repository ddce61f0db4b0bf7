"""Everything that only a machine with a GPU can tell, in one run of a few minutes: `make gpu-check`.

python -m tests.benchmarks.gpu_check --seconds 450 --out results/benchmarks

1. agreement: every model's kernel against the readable reference in float64, without delays, with them, with a speed
   for every simulation, in both precisions.
2. time: what a simulated second costs, against the number of simulations, on 84 and 400 nodes, with delays, with BOLD,
   and FC and FCD that never leave the device; beside all cores of the machine.
3. anchor: cubnm's 100 nodes with BOLD, FC and FCD, 0.171 ms a simulated second on an A100.
4. shapes: simulations a thread, and threads a block.

gpu_check.json is written after every result, so that a run that is cut short keeps what it has; gpu_check.svg last. Of
the machine it needs CuPy, numba, numba-cuda, NumPy, SciPy, h5py, PyYAML, and matplotlib for the figure. `--tiny` tries
the script in numba's simulator (NUMBA_ENABLE_CUDASIM=1).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import multiprocessing
import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tests.engine.agreement import TOLERANCES, differences
from vbiflow.engine import gpu, gpu_layout, simulate
from vbiflow.features import fc, fcd
from vbiflow.io import write_json
from vbiflow.models import MODELS

SIZES = (32, 128, 512, 2048, 8192, 32768)
TARGET, MOST = 0.8, 6.0
"""Seconds that a measurement shall take, and may."""
SHORT, LEAST = 2, 8
"""Samples of the shorter of two durations, and by which the longer is at least longer."""
SHARE = 0.45
"""Of the budget, for agreement and compilation."""
CASES: dict[str, dict[str, Any]] = {
    "montbrio, BOLD": {"model": "montbrio", "tr": 20.0},
    "montbrio, BOLD, float64": {"model": "montbrio", "tr": 20.0, "precision": "float64"},
    "wong_wang, BOLD": {"model": "wong_wang", "tr": 720.0},
    "wong_wang_ei, BOLD": {"model": "wong_wang_ei", "tr": 720.0},
    "jansen_rit, EEG": {"model": "jansen_rit", "period": 5.0},
    "stuart_landau, delays": {"model": "stuart_landau", "period": 5.0, "speed": "shared"},
    "stuart_landau, own delays": {"model": "stuart_landau", "period": 5.0, "speed": "own"},
}
ANCHORS: dict[str, dict[str, Any]] = {
    "cubnm, Euler, dt 0.1": {"model": "wong_wang_ei", "tr": 720.0, "dt": 0.1, "integrator": "euler", "bold_step": 1.0},
    "cubnm, Heun, dt 1": {"model": "wong_wang_ei", "tr": 720.0, "dt": 1.0},
}
STAGES = ("anchors", "times", "shapes")
SHAPES = [*itertools.product((1, 2, 4, 8), (64, 128, 256, 512))]
"""Simulations a thread, threads a block."""


def options(case: dict[str, Any], n_nodes: int, n: int, samples: int) -> dict[str, Any]:
    """Arguments of `simulate` for so many samples of a case."""
    rng = np.random.default_rng(0)
    weights = rng.random((n_nodes, n_nodes)) ** 3 * (1 - np.eye(n_nodes))
    model = MODELS[case["model"]]
    every = case.get("tr") or case["period"]
    found: dict[str, Any] = {
        "model": case["model"],
        "weights": weights / weights.sum(1).max(),
        "parameters": {"G": np.linspace(0.1, 0.5, n)[:, None] * model.parameters["G"].value},
        "accept": ["dt"],
        "dt": case.get("dt", model.defaults["dt"]),
        "integrator": case.get("integrator", model.defaults["integrator"]),
        "precision": case.get("precision", "float32"),
        **{"n_simulations": n, "duration": samples * every, "seed": 1},
    }
    if "tr" in case:
        found["bold"] = {"tr": every} | ({"step": case["bold_step"]} if "bold_step" in case else {})
    else:
        found["signals"] = {next(iter(model.signals)): {"period": every}}
    if "speed" in case:
        found["tract_lengths"] = rng.uniform(10, 200, weights.shape)
        found["speed"] = 5.0 if case["speed"] == "shared" else np.linspace(4, 8, n)[:, None]
    return found


def measure(case: dict[str, Any], device: str, n_nodes: int, n: int, samples: int) -> dict[str, float]:
    """Seconds of the simulation, and of FC and FCD where there is BOLD, for `samples` samples."""
    given = options(case, n_nodes, n, samples)
    threads = {"threads": len(os.sched_getaffinity(0))} if device == "cpu" else {"on_device": True}
    launch, kernel = gpu.launch_kernel, [0.0]

    def timed(*arguments: Any) -> None:
        wait()
        start = time.perf_counter()
        launch(*arguments)
        kernel[0] += time.perf_counter() - start

    start = time.perf_counter()
    with patch.object(gpu, "launch_kernel", timed):
        made = simulate(**given, device=device, **threads)
    found = {"simulation": time.perf_counter() - start, "simulated_s": given["duration"] / 1e3, "kernel": kernel[0]}
    found["valid"] = float(made.valid.mean())
    if "tr" in case and samples > SHORT:
        found |= summarised(made.ts["bold"], made.fs["bold"])
    return found


def summarised(bold: Any, fs: float) -> dict[str, float]:
    """Seconds that FC and FCD of all simulations take where their BOLD lies, some simulations at a time."""
    n, n_nodes, n_times = bold.shape
    window, rows = max(4, n_times // 4), max(1, 2 * 10**9 // (n_nodes * max(n_nodes, n_times) * 8 * 4))
    found = {}
    works: dict[str, Callable[[Any], Any]] = {
        "fc": lambda part: fc(part).mean(axis=(1, 2)),
        "fcd": lambda part: fcd(part, fs, window / fs, max(1, window // 5) / fs).var(axis=(1, 2)),
    }
    for name, work in works.items():
        work(bold[:1])
        wait()
        start = time.perf_counter()
        for begin in range(0, n, rows):
            work(bold[begin : begin + rows])
        wait()
        found[name] = time.perf_counter() - start
    return found


def wait() -> None:
    """Until the device has done all that it was asked for."""
    if not gpu.SIMULATED and not gpu.why_no_gpu():
        import cupy

        cupy.cuda.Device().synchronize()


@contextmanager
def shaped(shape: tuple[int, int] | None) -> Iterator[None]:
    """Kernels of so many simulations a thread and threads a block, or the engine's own choice."""
    if shape is None:
        yield
        return
    with patch.object(gpu_layout, "LANES", shape[:1]), patch.object(gpu_layout, "THREADS", shape[1]):
        yield


def compiled(case: dict[str, Any], n_nodes: int) -> dict[str, Any]:
    """The case's kernel, compiled and cached: registers and local memory of a thread."""
    seen: list[Any] = []
    launch = gpu.launch_kernel

    def watched(plan: Any, kernel: Any, *rest: Any) -> None:
        seen.append(kernel)
        launch(plan, kernel, *rest)

    with patch.object(gpu, "launch_kernel", watched):
        measure(case, "cuda", n_nodes, 32, SHORT)
    if gpu.SIMULATED:
        return {}
    read = {"registers": seen[-1].get_regs_per_thread, "local_bytes": seen[-1].get_local_mem_per_thread}
    return {name: [*values().values()][-1] for name, values in read.items()}


def prepare(task: tuple[str, tuple[Any, ...]]) -> tuple[str, tuple[Any, ...], Any, float]:
    """One piece of the first stage, in a process of its own: agreement of a model, or a kernel compiled and cached."""
    warnings.simplefilter("ignore")
    kind, what = task
    start = time.perf_counter()
    try:
        if kind == "agreement":
            found: Any = [*differences(what[0], "cuda", **SIZE)]
        elif kind == "cpu":
            found = measure(case_of(what[0]), "cpu", what[1], 32, SHORT)
        else:
            with shaped(what[2]):
                found = compiled(case_of(what[0]), what[1])
    except Exception:
        found = {"error": traceback.format_exc()[-3000:]}
    return kind, what, found, time.perf_counter() - start


def case_of(name: str) -> dict[str, Any]:
    """A case by name."""
    return (CASES | ANCHORS)[name]


SIZE: dict[str, int] = {}
"""Size of the network in the agreement, where it is not its own."""


@dataclass
class Check:
    """What has been found, written after every result; `left` is what remains of the budget [s]."""

    out: Path
    seconds: float
    nodes: tuple[int, ...] = (84, 400)
    sizes: tuple[int, ...] = SIZES
    anchor_nodes: int = 100
    tiny: bool = False
    stages: tuple[str, ...] = STAGES
    cases: tuple[str, ...] = ()
    start: float = field(default_factory=time.monotonic)
    found: dict[str, Any] = field(default_factory=dict)
    loaded: set[tuple[Any, ...]] = field(default_factory=set)

    @property
    def left(self) -> float:
        return self.seconds - (time.monotonic() - self.start)

    def add(self, stage: str, row: dict[str, Any], text: str) -> None:
        """Keep a result, and say it."""
        self.found.setdefault(stage, []).append(row)
        print(f"[{time.monotonic() - self.start:5.0f} s] {text}", flush=True)
        self.write()

    def write(self) -> None:
        write_json(self.out / "gpu_check.json", self.found)

    def skip(self, what: str) -> bool:
        """Whether the budget is spent; what is left out then is listed."""
        if self.left > MOST:
            return False
        self.found.setdefault("left_out", []).append(what)
        self.write()
        return True

    def machine(self) -> None:
        """What runs what."""
        names = ("vbiflow", "cupy-cuda13x", "numba", "numba-cuda", "numpy", "scipy", "cuda-bindings")
        versions = {name: importlib.metadata.version(name) for name in names if installed(name)}
        self.found["machine"] = {"cores": len(os.sched_getaffinity(0)), "versions": versions}
        if not gpu.SIMULATED:
            import cupy

            properties = cupy.cuda.runtime.getDeviceProperties(0)
            self.found["machine"] |= {
                "device": properties["name"].decode(),
                "multiprocessors": properties["multiProcessorCount"],
                "memory_gb": properties["totalGlobalMem"] / 1e9,
                "driver": cupy.cuda.runtime.driverGetVersion(),
            }
        print(self.found["machine"], flush=True)
        self.write()

    def prepare(self) -> None:
        """Agreement of all models, and every kernel compiled, many processes at a time."""
        tasks: list[tuple[str, tuple[Any, ...]]] = [("agreement", (name,)) for name in MODELS]
        if "times" in self.stages:
            tasks += [
                (device, (name, n, None)) for n in self.nodes for name in self.timed for device in ("cuda", "cpu")
            ]
        if "anchors" in self.stages:
            tasks += [("cuda", (name, self.anchor_nodes, None)) for name in ANCHORS]
        if "shapes" in self.stages:
            tasks += [("cuda", (name, n, shape)) for name, n, shape in self.shaped]
        limit = self.start + SHARE * self.seconds
        workers = 1 if gpu.SIMULATED else max(1, min(12, len(os.sched_getaffinity(0)) - 1))
        with multiprocessing.get_context("spawn").Pool(workers, begin, (self.tiny,)) as pool:
            rows = pool.imap_unordered(prepare, tasks)
            for done in range(len(tasks)):
                try:
                    kind, what, found, seconds = rows.next(max(1.0, limit - time.monotonic()))
                except multiprocessing.TimeoutError:
                    self.found.setdefault("left_out", []).append(f"{len(tasks) - done} of {len(tasks)} preparations")
                    break
                self.prepared(kind, what, found, seconds)

    def prepared(self, kind: str, what: tuple[Any, ...], found: Any, seconds: float) -> None:
        """Keep what one process found."""
        if isinstance(found, dict) and "error" in found:
            last = found["error"].strip().splitlines()[-1][:200]
            self.add("errors", {"kind": kind, "what": what, **found}, f"{kind} {what}: FAILED: {last}")
        elif kind == "agreement":
            rows = [
                {"case": case, "precision": p, "difference": d, "agrees": d < TOLERANCES[p]} for case, p, d in found
            ]
            text = ", ".join(f"{row['case']} {row['precision']} {row['difference']:.1e}" for row in rows)
            good = "agrees" if all(row["agrees"] for row in rows) else "DIFFERS"
            self.add(kind, {"model": what[0], "rows": rows, "seconds": seconds}, f"{what[0]} {good}: {text}")
        elif kind == "cuda":
            row = {"case": what[0], "n_nodes": what[1], "shape": what[2], **found, "seconds": seconds}
            self.add("kernels", row, f"compiled in {seconds:.1f} s: {what} {found}")

    @property
    def timed(self) -> list[str]:
        """Names of the cases that are timed."""
        return [name for name in CASES if not self.cases or name in self.cases]

    @property
    def shaped(self) -> list[tuple[str, int, tuple[int, int]]]:
        """Cases whose shapes are compared, with their nodes, and every shape that fits and is none of the others."""
        first, anchor, wide = "montbrio, BOLD", "cubnm, Heun, dt 1", "wong_wang, BOLD"
        found: dict[tuple[str, int, int, int], tuple[int, int]] = {}
        for name, n_nodes in ((first, self.nodes[0]), (anchor, self.anchor_nodes), (wide, self.nodes[-1])):
            for shape in SHAPES:
                groups = max(1, shape[1] // n_nodes)
                if 4 * n_nodes * shape[0] * groups * 4 <= gpu_layout.SHARED_BYTES and groups * n_nodes <= 1024:
                    found.setdefault((name, n_nodes, shape[0], groups), shape)
        return [(name, n_nodes, shape) for (name, n_nodes, *_), shape in found.items()]

    def cost(self, name: str, device: str, n_nodes: int, n: int, per_sample: float = 0.0) -> dict[str, Any]:
        """Costs of a case; `per_sample`: seconds that a sample should take.

        On a GPU the kernel's own time; on a CPU the difference of two durations. `simulation` is the whole call, with
        what it prepares and brings back.
        """
        case = case_of(name)
        kernel = (name, device, n_nodes, gpu_layout.LANES, gpu_layout.THREADS)
        if kernel not in self.loaded:
            measure(case, device, n_nodes, 32, SHORT)
            self.loaded.add(kernel)
        short = measure(case, device, n_nodes, n, SHORT)
        per_sample = per_sample or short["simulation"] / SHORT
        samples = SHORT + int(min(max(TARGET / per_sample, LEAST), 10 if self.tiny else 400))
        long = measure(case, device, n_nodes, n, samples)
        if device == "cuda":
            ms = 1e3 * long["kernel"] / (n * long["simulated_s"])
        else:
            ms = 1e3 * (long["simulation"] - short["simulation"]) / (n * (long["simulated_s"] - short["simulated_s"]))
        row = {"case": name, "device": device, "n_nodes": n_nodes, "n_simulations": n, "samples": samples}
        steps = 1e3 / options(case, n_nodes, 1, 8)["dt"]
        row |= {"ms_per_simulated_s": ms, "ns_per_step": 1e6 * ms / steps, "valid": long["valid"], **long}
        total = n * long["simulated_s"]
        row |= {f"{key}_ms_per_simulated_s": 1e3 * long[key] / total for key in ("fc", "fcd") if key in long}
        return row

    def times(self) -> None:
        """Cost against the number of simulations, beside all cores of the CPU."""
        cores = len(os.sched_getaffinity(0))
        for n_nodes, name in itertools.product(self.nodes, self.timed):
            if self.skip(f"times of {name}, {n_nodes} nodes"):
                continue
            cpu = self.attempt("times", name, "cpu", n_nodes, 32 * cores if len(self.sizes) > 2 else 2)
            last: dict[str, Any] | None = None
            for n in self.sizes:
                expected = (last["simulation"] / last["samples"] * n / last["n_simulations"]) if last else 0.0
                if self.skip(f"{name}, {n_nodes} nodes, {n}") or (SHORT + LEAST) * expected > MOST:
                    break
                last = self.attempt("times", name, "cuda", n_nodes, n, cpu)
                if last is None:
                    break

    def attempt(
        self, stage: str, name: str, device: str, n_nodes: int, n: int, cpu: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any] | None:
        """One measurement; an error is a result."""
        try:
            row = self.cost(name, device, n_nodes, n) | more
        except Exception:
            error = traceback.format_exc()[-3000:]
            row = {"case": name, "device": device, "n_nodes": n_nodes, "n": n, **more, "error": error}
            self.add("errors", row, f"{name} {device} {n_nodes} {n}: FAILED: {error.strip().splitlines()[-1][:200]}")
            return None
        if cpu:
            row["times_all_cores"] = cpu["ms_per_simulated_s"] / row["ms_per_simulated_s"]
        self.add(stage, row, line(row))
        return row

    def anchors(self) -> None:
        """cubnm's network: what FC and FCD add."""
        for name in ANCHORS:
            for n in self.sizes[-3:]:
                if not self.skip(f"{name}, {n}"):
                    self.attempt("anchors", name, "cuda", self.anchor_nodes, n)

    def shapes(self) -> None:
        """Simulations a thread and threads a block."""
        n = self.sizes[-2]
        for name, n_nodes, shape in self.shaped:
            if self.skip(f"shape {shape} of {name}"):
                continue
            with shaped(shape):
                self.attempt("shapes", name, "cuda", n_nodes, n // (1 if n_nodes < 200 else 4) or 1, shape=shape)


def installed(name: str) -> bool:
    """Whether a distribution is there."""
    return any(True for _ in importlib.metadata.distributions(name=name))


def begin(tiny: bool) -> None:
    """In every process: a few nodes, steps and shapes where the script is only tried."""
    if tiny:
        SIZE.update(n_nodes=5, n_simulations=2, n_steps=20)
        SHAPES[:] = SHAPES[:2]
        for case in (CASES | ANCHORS).values():
            dt = case.get("dt", MODELS[case["model"]].defaults["dt"])
            case |= {key: 4 * dt for key in ("tr", "period", "bold_step") if key in case}


def line(row: dict[str, Any]) -> str:
    """A result as a line of a table."""
    parts = [f"{row['case']:28s} {row['device']:4s} {row['n_nodes']:4d} nodes {row['n_simulations']:6d}"]
    parts += [f"{row['ms_per_simulated_s']:9.5f} ms/s {row['ns_per_step']:9.2f} ns/step"]
    parts += [f"{key} {row[f'{key}_ms_per_simulated_s']:.5f}" for key in ("fc", "fcd") if key in row]
    parts += [f"{row['times_all_cores']:6.1f} x all cores"] if "times_all_cores" in row else []
    parts += [f"shape {row['shape']}"] if row.get("shape") else []
    return "  ".join(parts)


def draw(check: Check) -> None:
    """Cost against the number of simulations, a panel a size of network; the CPU's cost as a dashed line."""
    from matplotlib.figure import Figure

    figure = Figure((4.2 * len(check.nodes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(check.nodes), sharey=True, squeeze=False)[0]
    for panel, n_nodes in zip(panels, check.nodes, strict=True):
        for k, name in enumerate(CASES):
            rows = [r for r in check.found.get("times", []) if (r["case"], r["n_nodes"]) == (name, n_nodes)]
            gpu_rows = [r for r in rows if r["device"] == "cuda"]
            x, y = ([r[key] for r in gpu_rows] for key in ("n_simulations", "ms_per_simulated_s"))
            panel.loglog(x, y, "o-", ms=3, lw=1.2, color=f"C{k}", label=name)
            for row in (r for r in rows if r["device"] == "cpu"):
                panel.axhline(row["ms_per_simulated_s"], color=f"C{k}", lw=0.8, ls="--")
        panel.set(title=f"{n_nodes} nodes", xlabel="simulations")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("ms a simulated second (dashed: all CPU cores)")
    panels[-1].legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(check.out / "gpu_check.svg")
    figure.savefig(check.out / "gpu_check.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=450.0, help="time that the whole run may take")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks"), help="folder of what is written")
    parser.add_argument("--stages", nargs="*", choices=STAGES, default=STAGES, help="what is timed")
    parser.add_argument("--cases", nargs="*", choices=CASES, default=(), help="whose times against their number; all")
    parser.add_argument("--tiny", action="store_true", help="a few nodes and steps, to try the script in the simulator")
    given = parser.parse_args()
    if gpu.why_no_gpu():
        raise SystemExit(f"no GPU to check: {gpu.why_no_gpu()}")
    warnings.simplefilter("ignore")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # of the processes to come, of which there are as many as cores
    begin(given.tiny)
    check = Check(given.out, given.seconds, tiny=given.tiny, stages=tuple(given.stages), cases=tuple(given.cases))
    if given.tiny:
        check.nodes, check.sizes, check.anchor_nodes = (4, 5), (2, 4, 8), 6
    check.machine()
    check.prepare()
    for stage in check.stages:
        getattr(check, stage)()
    draw(check)
    tested = {row["model"]: all(r["agrees"] for r in row["rows"]) for row in check.found.get("agreement", [])}
    bad = [f"{name} ({'differs' if name in tested else 'not tested'})" for name in MODELS if not tested.get(name)]
    print(*(line(row) for stage in ("times", "anchors", "shapes") for row in check.found.get(stage, [])), sep="\n")
    print(f"models that are not the reference: {', '.join(bad) or 'none'}")
    print(f"errors: {len(check.found.get('errors', []))}")
    print("left out:", *check.found.get("left_out", ["nothing"]), sep="\n  ")


if __name__ == "__main__":
    main()
