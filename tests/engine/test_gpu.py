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

import pytest

from tests.engine.agreement import TOLERANCES, differences, setting
from vbiflow.engine import gpu, simulate
from vbiflow.models import MODELS

FOLDER = Path(__file__).parent
COMPILER = all(map(find_spec, ("numba_cuda", "nvidia"))) and sys.platform == "linux"
needs_compiler = pytest.mark.skipif(not COMPILER, reason="numba-cuda or NVIDIA's compiler library is not installed")
needs_device = pytest.mark.skipif(bool(gpu.why_no_gpu()), reason=gpu.why_no_gpu())


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


@pytest.mark.parametrize("name", ["montbrio", "jansen_rit"])
def test_semi_implicit_scheme_agrees(simulated, name):
    assert simulated["semi_implicit"][name] < 1e-9


def test_series_that_stay_on_the_device_are_the_same(simulated):
    assert simulated["stays"]


@pytest.mark.slow
def test_the_prepared_check_covers_every_model_and_says_what_it_left_out(tmp_path):
    command = [sys.executable, "-m", "tests.benchmarks.gpu_check", "--tiny", "--seconds", "30", "--out", tmp_path]
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "VBIFLOW_CACHE": str(tmp_path)}
    process = subprocess.run(command, env=environment, cwd=FOLDER.parents[1], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads((tmp_path / "gpu_check.json").read_text())
    assert found["agreement"] and all(row["agrees"] for model in found["agreement"] for row in model["rows"])
    assert not found.get("errors") and (tmp_path / "gpu_check.svg").exists()
    assert len(found["left_out"]) > 1 and "left out" in process.stdout


def test_a_diverging_simulation_is_flagged_alone(simulated):
    assert simulated["valid"] == [True, False, True] and simulated["reason"][1]


def test_too_many_nodes_and_auto(simulated):
    assert re.fullmatch("1025 nodes of linear in float32 are more than the GPU kernel holds .*", simulated["large"])
    assert simulated["auto"] == "cpu"


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ((), "cupy and numba_cuda not installed; install vbiflow[gpu]"),
        (("cupy",), "numba_cuda not installed; install vbiflow[gpu]"),
        (("numba_cuda",), "cupy not installed; install vbiflow[gpu]"),
    ],
)
def test_packages_that_are_not_installed_are_named(monkeypatch, found, line):
    monkeypatch.setattr(gpu, "SIMULATED", False)
    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: name if name in found else None)
    gpu.why_no_gpu.cache_clear()
    try:
        with pytest.raises(ValueError, match=f"^device 'cuda': {re.escape(line)}, or use device 'cpu'"):
            simulate("linear", [[0, 1], [1, 0]], {}, n_simulations=1, duration=10, seed=1, device="cuda", signals=["x"])
    finally:
        gpu.why_no_gpu.cache_clear()


@pytest.mark.skipif(not gpu.why_no_gpu(), reason="there is a GPU")
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
def test_gpu_is_the_reference(name):
    for case, precision, difference in differences(name, "cuda"):
        assert difference < TOLERANCES[precision], (case, precision)


@pytest.mark.gpu
@needs_device
def test_series_can_stay_on_the_gpu():
    settings = {**setting("wong_wang", "no delays", 84, 70, 100), "device": "cuda"}
    here, there = simulate("wong_wang", **settings), simulate("wong_wang", on_device=True, **settings)
    assert type(there.ts["bold"]).__module__.startswith("cupy") and here.reason == there.reason
    for name, values in here.ts.items():
        assert there.ts[name].get().tobytes() == values.tobytes()
