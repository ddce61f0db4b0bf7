"""Compile GPU kernels of the models named, without a GPU, and print what their PTX holds; see test_gpu.py."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
from numba import cuda
from numba.cuda import dispatcher

from vbiflow.engine import gpu, gpu_layout, gpu_source
from vbiflow.engine.cpu import load_kernel
from vbiflow.engine.plan import make_plan
from vbiflow.engine.source import kernel_name, sampled_series
from vbiflow.models import MODELS

N_NODES, TARGETS = 84, ((8, 0), (9, 0))
gpu.array_module = lambda: np


def plan(name, delayed):
    """Heun's scheme, noise, coupling by every gain, BOLD and averages, in single precision."""
    model = MODELS[name]
    loud = dict.fromkeys(model.gains.values(), 0.1) | ({"sigma": 0.1} if "sigma" in model.parameters else {})
    dt = model.defaults["dt"]
    bold = {"tr": 20 * dt} if "bold_input" in model.signals else None
    late = {"tract_lengths": np.full((N_NODES, N_NODES), 30), "speed": 3 / dt} if delayed else {}
    return make_plan(
        name,
        np.ones((N_NODES, N_NODES)),
        loud,
        **{"n_simulations": 8, "duration": 40 * dt, "dt": dt, "transient": 0, "integrator": "heun", "bold": bold},
        **{"seed": 1, "start": 0, "stream": 0, "signals": {next(iter(model.signals)): {"period": 4 * dt}}},
        **{"initial": None, "precision": "float32", **late},
    )


def compiled(plan, target):
    """PTX of the plan's kernel, and how many functions of the model became part of it."""
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=target)
    text = gpu_source.kernel_source(plan, gpu_layout.choose_lanes(plan), False)
    kernel = load_kernel(kernel_name(plan.model.name, text), text).kernel.py_func
    values = gpu.kernel_arguments(plan, 0, plan.n_simulations, gpu.shape_of(plan, plan.n_simulations))
    values |= {
        "first": 0,
        "last": 1,
        "begins": (0,) * len(sampled_series(plan)),
        "ends": (0,) * len(sampled_series(plan)),
    }
    values |= {f"out_{k}": np.zeros(1, plan.dtype) for k in range(len(sampled_series(plan)))}
    types = tuple(numba.typeof(values[name]) for name in gpu_layout.argument_names(plan))
    ptx, _ = cuda.compile_ptx(kernel, types, cc=target, launch_bounds=plan.n_nodes)
    return ptx, len(re.findall(r"^def m_", text, re.MULTILINE))


def registers(ptx, target):
    """Registers of a thread by NVIDIA's assembler, if there is one that knows this PTX."""
    if not shutil.which("ptxas"):
        return 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.ptx").write_text(ptx)
        command = ["ptxas", f"-arch=sm_{target[0]}{target[1]}", "-v", "kernel.ptx", "-o", "kernel.cubin"]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "Unsupported .version" in said.stderr:
        return 0  # an assembler older than the compiler
    assert said.returncode == 0, said.stderr
    return int(re.search(r"Used (\d+) registers", said.stderr)[1])


def facts(name):
    """What the PTX of a model's kernels holds, for both targets without delays, and for one with them."""
    targets = (*TARGETS, TARGETS[0])
    made = [
        compiled(plan(name, delayed), target) for delayed, target in zip((False, False, True), targets, strict=True)
    ]
    texts = [ptx for ptx, _ in made]
    return {
        "targets": [re.search(r"\.target (\w+)", ptx)[1] for ptx in texts],
        "functions": made[0][1],
        "double": sum(ptx.count(".f64") for ptx in texts),
        "approximate": sum(len(re.findall(r"(div|sqrt)\.(approx|full)", ptx)) for ptx in texts),
        "barriers": min(ptx.count("bar.sync") for ptx in texts),
        "broadcasts": min(len(re.findall(r"ld\.shared\.v[24]", ptx)) for ptx in texts[:2]),
        "local": max(ptx.count(".local") for ptx in texts),
        "registers": max(map(registers, texts, targets)),
    }


print(json.dumps({name: facts(name) for name in sys.argv[1:]}))
