"""The compiled kernel reproduces the readable reference, whatever the split of the work."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vbiflow.engine import cpu, reference, simulate, source
from vbiflow.engine.plan import make_plan
from vbiflow.io import read, read_attributes, write
from vbiflow.models import MODELS

W = np.random.default_rng(1).random((6, 6))
W /= W.sum(1, keepdims=True)
OPTIONS = {"integrator": "heun", "start": 0, "stream": 0, "initial": None, "transient": 0.0, "seed": 5}


def plan(name, precision, bold=None, n_simulations=5, n_steps=300, parameters=None, **options):
    model = MODELS[name]
    dt = options.pop("dt", model.defaults["dt"])
    signals = {next(iter(model.signals)): {"period": 20 * dt}}
    options = OPTIONS | {"n_simulations": n_simulations, "duration": n_steps * dt, "dt": dt} | options
    given = (
        {"G": np.linspace(0.5, 1.5, n_simulations)[:, None] * model.parameters["G"].value}
        if "G" in model.parameters
        else {}
    )
    return make_plan(name, W, given | (parameters or {}), bold=bold, signals=signals, precision=precision, **options)


def difference(plan):
    """Largest difference between kernel and reference, relative to the signal's size."""
    (fast, out_of_range), (slow, expected) = cpu.run(plan, lanes=16), reference.run(plan)
    assert fast.keys() == slow.keys() and (out_of_range == expected).all()
    return max(np.abs(fast[name] - slow[name]).max() / np.abs(slow[name]).max() for name in slow)


@pytest.mark.parametrize("name", MODELS)
def test_kernel_is_the_reference_in_double_precision(name):
    assert difference(plan(name, "float64")) < 1e-10


@pytest.mark.parametrize("name", MODELS)
def test_kernel_is_the_reference_in_single_precision(name):
    assert difference(plan(name, "float32")) < 1e-4


@pytest.mark.parametrize("gains", [{"g_e": 0.5, "g_i": 0.3}, {"g_i": 0.3}])
def test_inputs_with_and_without_gain_are_the_reference(gains):
    parameters = {name: np.linspace(0.5, 1.5, 5)[:, None] * gain for name, gain in gains.items()}
    assert difference(plan("wilson_cowan", "float64", parameters=parameters)) < 1e-10


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_bold_parameters_of_every_shape_and_transient_agree(precision, tolerance):
    rng = np.random.default_rng(2)
    parameters = {
        "w": rng.uniform(0.4, 0.8, 6),
        "I": rng.uniform(0.25, 0.35, (5, 6)),
        "sigma": rng.uniform(0.001, 0.01, (5, 1)),
        "J": rng.uniform(0.25, 0.27, (1, 6)),
    }
    options = {"bold": {"tr": 720}, "transient": 1440, "n_steps": 720, "start": 11, "stream": 2, "integrator": "euler"}
    assert difference(plan("wong_wang", precision, parameters=parameters, **options)) < tolerance


RUN = {
    "n_simulations": 70,
    "duration": 7200,
    "dt": 10,
    "seed": 3,
    "bold": {"tr": 720},
    "signals": {"S": {"period": 70}},
}
THETA = {"G": np.linspace(0.5, 4, 70)[:, None], "sigma": np.linspace(0.001, 0.01, 70)[:, None]}


def part(start, stop, **options):
    """BOLD and averages of some of 70 simulations."""
    theta = {name: values[start:stop] for name, values in THETA.items()}
    ts = simulate("wong_wang", W, theta, **RUN | {"n_simulations": stop - start, "start": start} | options).ts
    return np.concatenate([ts["bold"], ts["S"]], axis=2)


def uniform(G, sigma):
    """The same parameters for every simulation, written so that they need no other kernel."""
    return {"G": np.full((70, 1), G), "sigma": np.full((70, 1), sigma)}


@pytest.fixture(scope="module")
def whole():
    return part(0, 70)


@pytest.mark.parametrize("cuts", [[0, 32, 64, 70], [0, 1, 2, 31, 70], [0, 47, 70]])
def test_same_bytes_for_any_split(whole, cuts):
    pieces = [part(start, stop) for start, stop in pairwise(cuts)]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_same_bytes_for_two_threads_and_for_a_second_run(whole):
    seen = []
    assert part(0, 70, threads=2, progress=lambda done, total: seen.append((done, total))).tobytes() == whole.tobytes()
    assert seen[-1] == (70, 70) and len(seen) == 3
    assert part(0, 70).tobytes() == whole.tobytes()


@pytest.mark.parametrize("n_bytes", [64, 128])
def test_same_bytes_for_any_width_of_the_tiles(whole, monkeypatch, n_bytes):
    monkeypatch.setattr(source, "TILE_BYTES", n_bytes)
    assert part(0, 70).tobytes() == whole.tobytes()


def test_seed_stream_and_index_change_the_noise(whole):
    same = uniform(1.0, 0.005)
    out = simulate("wong_wang", W, same, **RUN).ts["bold"]
    assert len(np.unique(out[:, 0, -1])) == 70
    for change in ({"seed": 4}, {"seed": 0}, {"stream": 1}, {"start": 70}):
        assert not np.isin(simulate("wong_wang", W, same, **RUN | change).ts["bold"][:, 0, -1], out[:, 0, -1]).any()


def test_noise_level_and_vectors_are_heard():
    quiet, loud = (simulate("wong_wang", W, uniform(1.0, sigma), **RUN).ts["bold"] for sigma in (0.001, 0.01))
    assert loud.std(2).mean() > 3 * quiet.std(2).mean()
    run = {
        "n_simulations": 3,
        "duration": 100,
        "dt": 0.05,
        "seed": 1,
        "device": "reference",
        "signals": {"v": {"period": 100}},
    }
    J = np.full(6, 14.5)
    base = simulate("montbrio", np.zeros((6, 6)), {"J": J}, **run).ts["v"]
    J[4] = 20
    change = np.abs(simulate("montbrio", np.zeros((6, 6)), {"J": J}, **run).ts["v"] - base).max((0, 2))
    assert (change > 0).tolist() == [False] * 4 + [True, False]


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_weights_are_target_by_source(device):
    directed = np.zeros((3, 3))
    directed[1, 0], directed[2, 1] = 2, 3
    run = {"n_simulations": 2, "duration": 1, "dt": 1, "seed": 1, "integrator": "euler", "device": device}
    run |= {"signals": ["x"], "initial": {"x": [1.0, 0.0, 10.0]}}
    x = simulate("linear", directed, {"G": 1, "tau": 1e9, "sigma": 0}, **run).ts["x"][0, :, 0]
    assert x == pytest.approx([1, 2, 10], rel=1e-5)


def test_a_diverging_simulation_is_flagged_alone():
    growth = np.array([0.01, 5.0, 0.01, np.float64(0.02)])[:, None]
    run = {"n_simulations": 4, "duration": 200, "dt": 1, "seed": 1, "signals": {"x": {"period": 10}}}
    out = simulate("linear", W, {"G": growth}, **run)
    assert out.valid.tolist() == [True, False, True, True]
    assert out.reason[1] in ("x is not finite", "state out of its valid range") and not out.reason[0]
    alone = simulate("linear", W, {"G": growth[2:3]}, **run | {"n_simulations": 1, "start": 2})
    assert alone.ts["x"].tobytes() == out.ts["x"][2:3].tobytes()


def test_stored_quantities_are_whole(tmp_path):
    run = {"n_simulations": 2, "duration": 20, "dt": 1, "seed": 1, "start": 7, "device": "reference"}
    out = simulate("linear", W, {}, signals={"x": {"period": 5}}, **run)
    write(tmp_path / "shard.h5", out.quantities(), {})
    stored = read(tmp_path / "shard.h5")
    assert (stored["x"] == out.ts["x"]).all() and read_attributes(tmp_path / "shard.h5", "x")["fs"] == 200
    assert stored["index"].tolist() == [7, 8] and stored["valid"].all() and stored["reason"] == ["", ""]


def test_a_constant_simulation_is_flagged():
    run = {"n_simulations": 1, "duration": 2000, "transient": 2000, "dt": 1, "seed": 1, "device": "reference"}
    out = simulate("linear", W, {"sigma": 0, "I": 1}, signals={"x": {"period": 10}}, **run)
    assert not out.valid[0] and "constant in 6 nodes" in out.reason[0]


def test_averages_and_samples_of_a_ramp():
    run = {
        "n_simulations": 1,
        "duration": 12,
        "transient": 3,
        "dt": 1,
        "seed": 1,
        "initial": {"x": 0},
        "integrator": "euler",
    }
    ramp = {"tau": 1e9, "sigma": 0, "G": 0, "I": 1}
    for device in ("cpu", "reference"):
        mean = simulate("linear", [[0]], ramp, signals={"x": {"period": 4}}, device=device, **run)
        last = simulate("linear", [[0]], ramp, signals={"x": {"period": 5, "average": False}}, device=device, **run)
        assert mean.ts["x"][0, 0] == pytest.approx([5.5, 9.5, 13.5], rel=1e-5) and mean.fs["x"] == 250
        assert last.ts["x"][0, 0] == pytest.approx([8, 13], rel=1e-5) and last.fs["x"] == 200


@pytest.mark.parametrize(("tr", "dt"), [(64.5, 0.5), (73.5, 0.5), (0.7, 0.001), (1.4, 0.001)])
def test_every_tr_is_sampled(tr, dt):
    run = {"n_simulations": 1, "duration": 3 * tr, "dt": dt, "seed": 1, "device": "reference", "precision": "float64"}
    out = simulate("wong_wang", [[0]], {"sigma": 0}, bold={"tr": tr, "parameters": {"efficacy": 0.01}}, **run)
    change = np.diff(out.ts["bold"][0, 0])
    assert change.shape == (2,) and (change != 0).all() and out.fs["bold"] == pytest.approx(1e3 / tr)


def test_inputs_and_global_random_state_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    weights, parameters, initial = W.copy(), {"I": np.full(6, 0.3)}, {"S": np.full(6, 0.1)}
    run = RUN | {"n_simulations": 2, "initial": initial, "device": "reference"}
    first = simulate("wong_wang", weights, parameters, **run)
    second = simulate("wong_wang", weights, parameters, **run)
    assert (weights == W).all() and list(parameters) == ["I"] and (parameters["I"] == 0.3).all()
    assert (initial["S"] == 0.1).all() and first.ts["bold"].tobytes() == second.ts["bold"].tobytes()
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert not list(tmp_path.iterdir())


PROCESS = """
import hashlib, numpy as np
from vbiflow.engine import simulate
out = simulate("linear", np.ones((2, 2)), {}, n_simulations=3, duration=50, dt=1, seed=1, signals=["x"])
print(hashlib.sha256(out.ts["x"].tobytes()).hexdigest())
"""


def test_two_processes_may_fill_the_cache_together(tmp_path):
    environment = os.environ | {"VBIFLOW_CACHE": str(tmp_path), "PYTHONPATH": str(Path(cpu.__file__).parents[2])}

    def start():
        return subprocess.Popen([sys.executable, "-c", PROCESS], env=environment, stdout=subprocess.PIPE, text=True)

    together = [process.communicate()[0] for process in [start(), start()]]
    sources = [(path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*_linear_*.py")]
    compiled = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    later = start().communicate()[0]
    assert len({*together, later}) == 1 and len(later) > 60
    assert len(sources) == 1 and compiled
    assert compiled == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}


def features(made):
    """Of every simulation: mean, sd, skewness, lag-1 autocorrelation and amplitude over nodes and time, mean and sd of
    FC, mean of two nodes, (n_simulations, 9).
    """
    x = next(iter(cpu.run(made, lanes=16)[0].values())).astype(np.float64)
    x = np.sin(x) if made.model.states[next(iter(made.model.states))].wrap else x
    z = (x - x.mean(2, keepdims=True)) / (x.std(2, keepdims=True) + 1e-12)
    fc = (z @ z.swapaxes(1, 2) / z.shape[2])[:, *np.triu_indices(x.shape[1], 1)]
    parts = [x.mean((1, 2)), x.std(2).mean(1), (z**3).mean((1, 2)), (z[..., 1:] * z[..., :-1]).mean((1, 2))]
    parts += [np.ptp(x, 2).mean(1), fc.mean(1), fc.std(1), x[:, 0].mean(1), x[:, 5].mean(1)]
    return np.stack(parts, 1)


def apart(one, two):
    """p-values of Kolmogorov-Smirnov tests (the smallest times their number) and of the energy distance (permuted)."""
    single = min(stats.ks_2samp(one[:, k], two[:, k]).pvalue for k in range(one.shape[1])) * one.shape[1]
    both = np.concatenate([one, two])
    ranks = stats.rankdata(both, axis=0) / len(both)
    distance = np.linalg.norm(ranks[:, None] - ranks, axis=2)
    sign, rng = np.repeat([1.0, -1.0], len(one)), np.random.default_rng(0)
    shuffled = np.array([sign, *(rng.permutation(sign) for _ in range(1999))])
    energy = -np.einsum("ki,ij,kj->k", shuffled, distance, shuffled, optimize=True)
    return single, np.mean(energy >= energy[0])


FIRST = {
    "jansen_rit": "mu",
    "stuart_landau": "omega",
    "kuramoto": "omega",
    "epileptor_2d": "eta",
    "damped_oscillator": "a",
}
"""What is changed in models that little noise drives; in the others it is sigma."""


@pytest.mark.parametrize("name", MODELS)
def test_features_of_single_and_double_precision_cannot_be_told_apart(name):
    """Two-sample tests on 240 independent simulations of each precision, of other seeds and initial states.

    Nine features of 2000 steps of six nodes are compared one by one (Kolmogorov-Smirnov, corrected for their number)
    and all together (energy distance of their ranks, 2000 permutations), at a level of 1e-4 and 1e-3: without any
    difference the twelve models fail together once in 75 times that the seeds are changed. Half as much noise, or
    drive, again is told apart.
    """
    model = MODELS[name]

    def draw(precision, seed, factor=1.0):
        rng = np.random.default_rng(seed)
        initial = {
            k: rng.uniform(*s.initial, (240, 6)) + rng.uniform(0, 0.1, (240, 6)) for k, s in model.states.items()
        }
        changed = FIRST.get(name, "sigma")
        options = {"n_simulations": 240, "n_steps": 2000, "seed": seed, "initial": initial}
        return features(
            plan(name, precision, parameters={changed: factor * model.parameters[changed].value}, **options)
        )

    single, double = draw("float32", 1), draw("float64", 2)
    assert np.isfinite(single).all() and np.isfinite(double).all()
    each, joint = apart(single, double)
    assert each > 1e-4 and joint > 1e-3
    each, joint = apart(single, draw("float32", 3, 1.5))
    assert each < 1e-4 and joint < 1e-3
