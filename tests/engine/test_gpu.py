"""The GPU kernel: in numba's simulator against the reference, compiled without a GPU, and on one where there is one.

The simulator and the compiler run in processes of their own, since numba chooses between them when it is imported.
"""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vbiflow.engine import gpu, simulate
from vbiflow.models import MODELS

FOLDER = Path(__file__).parent
COMPILER = all(map(find_spec, ("numba_cuda", "nvidia"))) and sys.platform == "linux"
needs_compiler = pytest.mark.skipif(not COMPILER, reason="numba-cuda or NVIDIA's compiler library is not installed")
needs_device = pytest.mark.skipif(bool(gpu.missing()), reason=gpu.missing())


def run(program, *arguments, cache, **variables):
    """What a program beside this file prints, as JSON."""
    environment = os.environ | {"VBIFLOW_CACHE": str(cache), "PYTHONPATH": str(FOLDER.parents[1])} | variables
    command = [sys.executable, "-W", "ignore", FOLDER / f"{program}.py", *arguments]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return run("simulated_gpu", cache=tmp_path_factory.mktemp("kernels"), NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.parametrize("name", MODELS)
def test_simulated_kernel_is_the_reference(simulated, name):
    cases = simulated["models"][name]
    assert len(cases) == 4
    for case, difference in cases.items():
        assert difference < (1e-10 if "float64" in case else 1e-4), case


@pytest.mark.parametrize("case", ["shapes", "stimulated"])
def test_parameters_of_every_shape_transient_stimulus_and_filter_agree(simulated, case):
    assert simulated[case]["float64"] < 1e-10 and simulated[case]["float32"] < 1e-4


def test_same_bytes_for_any_split_over_calls_launches_blocks_and_groups(simulated):
    assert simulated["split"] == {"calls": True, "steps": True, "waves": True, "groups": True, "noise": 7}


def test_a_diverging_simulation_is_flagged_alone(simulated):
    assert simulated["valid"] == [True, False, True] and simulated["reason"][1]


def test_too_many_nodes_and_auto(simulated):
    assert re.fullmatch("1025 nodes of linear in float32 are more than the GPU kernel holds .*", simulated["large"])
    assert simulated["auto"] == "cpu"


@pytest.mark.skipif(not gpu.missing(), reason="there is a GPU")
def test_one_line_where_there_is_no_gpu():
    with pytest.raises(ValueError, match=r"device 'cuda': .*, or use device 'cpu'") as error:
        simulate("linear", [[0]], {}, n_simulations=1, duration=5, dt=1, seed=1, signals=["x"], device="cuda")
    assert "\n" not in str(error.value)


ALONE = {"damped_oscillator"}
"""Models whose equations hear nobody: the compiler leaves out what they would hear."""


def check_compiled(kernels):
    for name, kernel in kernels.items():
        assert set(kernel["targets"]) == {"sm_80", "sm_90"}, name
        assert kernel["functions"] >= 2, name
        assert kernel["double"] == 0, f"{name} in single precision holds double precision"
        assert kernel["approximate"] == 0, f"{name} divides or takes roots by fast mathematics"
        assert kernel["barriers"] >= 2 and (kernel["broadcasts"] >= 1) == (name not in ALONE), name
        assert kernel["local"] == 0, f"{name} keeps its state in memory"
        assert kernel["registers"] <= 255, name


@needs_compiler
def test_kernels_compile_without_a_gpu(tmp_path):
    check_compiled(run("compiled_gpu", "montbrio", cache=tmp_path))


@needs_compiler
@pytest.mark.slow
def test_kernels_of_all_models_compile_without_a_gpu(tmp_path):
    check_compiled(run("compiled_gpu", *MODELS, cache=tmp_path))


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize("name", MODELS)
def test_gpu_is_the_cpu(name):
    weights, lengths = np.random.default_rng(1).random((2, 84, 84))
    weights /= weights.sum(1, keepdims=True)
    dt = MODELS[name].defaults["dt"]
    options = {"n_simulations": 70, "duration": 200 * dt, "dt": dt, "seed": 1}
    options |= {"signals": {next(iter(MODELS[name].signals)): {"period": 4 * dt}}}
    if "bold_input" in MODELS[name].signals:
        options |= {"bold": {"tr": 20 * dt, "parameters": {"efficacy": 0.1 / dt**2}}}
    speed = np.linspace(0.05, 0.1, 70)[:, None] / dt
    for delays in (
        {},
        {"tract_lengths": 1 + lengths, "speed": 0.1 / dt},
        {"tract_lengths": 1 + lengths, "speed": speed},
    ):
        for precision, tolerance in (("float64", 1e-10), ("float32", 1e-4)):
            ours, theirs = (
                simulate(name, weights, {}, precision=precision, device=device, **delays, **options)
                for device in ("cuda", "cpu")
            )
            assert ours.reason == theirs.reason
            for signal, values in theirs.ts.items():
                assert np.abs(ours.ts[signal] - values).max() < tolerance * np.abs(values).max(), (signal, precision)
