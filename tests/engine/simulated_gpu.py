"""Run GPU kernels in numba's simulator and print how far they are from the reference; see test_gpu.py."""

import json
from itertools import pairwise
from unittest.mock import patch

import numpy as np

from vbiflow.engine import gpu, gpu_layout, reference, simulate
from vbiflow.engine.plan import make_plan
from vbiflow.engine.simulate import choose_device
from vbiflow.models import MODELS

RNG = np.random.default_rng(1)
W = RNG.random((5, 5))
W /= W.sum(1, keepdims=True)
LENGTHS = RNG.uniform(4, 12, (5, 5))
LENGTHS[0, 1] = 0
"""1 to 4 steps at 3 to 4 mm a step: past and present of a few steps are overwritten within eight of them."""
SIZES = {"jansen_rit": 1e-3, "stuart_landau": 0.1}
"""Of what drives BOLD, where it is far from one: BOLD shall be well above the resolution of single precision."""
OPTIONS = {
    "start": 3,
    "stream": 2,
    "initial": None,
    "transient": 0.0,
    "seed": 2**40 + 5,
    "bold": None,
    "n_simulations": 2,
    "accept": ["dt"],
}


def plan(name, precision, n_steps=8, parameters=None, integrator="heun", **options):
    model = MODELS[name]
    dt = model.defaults["dt"]
    if "bold_input" in model.signals:
        options = {
            "bold": {"tr": 4 * dt, "parameters": {"efficacy": 4 / dt**2 / SIZES.get(name, 1), "tau": 100 * dt}}
        } | options
    signals = options.pop("signals", {next(iter(model.signals)): {"period": 2 * dt}})
    options = OPTIONS | {"duration": n_steps * dt, "dt": dt, "integrator": integrator} | options
    given = {"G": np.array([[0.7], [1.3]]) * model.parameters["G"].value} if "G" in model.parameters else {}
    given |= {"sigma": 2 * model.parameters["sigma"].value + 1e-4} if "sigma" in model.parameters else {}
    return make_plan(name, W, given | (parameters or {}), signals=signals, precision=precision, **options)


def difference(plan):
    """Largest difference between kernel and reference, relative to the signal's size."""
    (fast, out_of_range), (slow, expected) = gpu.run(plan), reference.run(plan)
    assert fast.keys() == slow.keys() and (out_of_range == expected).all()
    return max(float(np.abs(fast[name] - slow[name]).max() / np.abs(slow[name]).max()) for name in slow)


def cases(name):
    """Differences of a model, by integrator, delays and precision."""
    dt = MODELS[name].defaults["dt"]
    late = {"tract_lengths": LENGTHS, "speed": 3 / dt}
    own = {"tract_lengths": LENGTHS, "speed": np.array([[3.0], [4.0]]) / dt, "integrator": "euler"}
    variants = {
        "heun, float64": plan(name, "float64"),
        "heun, float32": plan(name, "float32"),
        "heun, delays, float32": plan(name, "float32", **late),
        "euler, own delays, float64": plan(name, "float64", **own),
    }
    return {case: difference(plan) for case, plan in variants.items()}


def shapes(precision):
    """Difference with parameters of every shape, after a transient, by Euler."""
    parameters = {"w": [0.4, 0.6, 0.8, 0.5, 0.7], "I": RNG.uniform(0.25, 0.35, (2, 5)), "sigma": [[0.001], [0.01]]}
    bold = {"tr": 40, "parameters": {"efficacy": 1e-3}}
    return difference(plan("wong_wang", precision, parameters=parameters, integrator="euler", transient=80, bold=bold))


def stimulated(precision):
    """Difference with stimuli of one and of every simulation, a signal that is filtered and one that is not."""
    signals = {"v": {"period": 0.3, "filter": True}, "r": {"period": 0.2}}
    stimulus = {
        "one": {"parameter": "I", "nodes": [0, 2], "amplitude": 0.5, "pulse": {"duration": 1}},
        "each": {"parameter": "I", "amplitude": [[0.1], [0.4]], "sine": {"frequency": 200}},
        "node": {"parameter": "J", "nodes": [1], "ramp": {"duration": 2, "onset": -1}},
    }
    return difference(plan("montbrio", precision, n_steps=12, signals=signals, stimulus=stimulus, transient=4.0))


RUN = {"duration": 60, "dt": 5, "seed": 3, "signals": {"S": {"period": 15}}, "bold": {"tr": 20}, "device": "cuda"}
G = np.linspace(0.5, 4, 7)[:, None]


def bytes_of(*cuts):
    """Bytes of seven simulations, split into calls."""
    parts = [
        simulate("wong_wang", W, {"G": G[a:b]}, n_simulations=b - a, start=a, **RUN).ts
        for a, b in pairwise((0, *cuts, 7))
    ]
    return [np.concatenate([part[name] for part in parts]).tobytes() for name in ("S", "bold")]


def semi_implicit():
    """Differences by the semi-implicit scheme, of a model with a bound and of one with six states."""
    return {
        name: difference(plan(name, "float64", integrator="semi_implicit", n_steps=4))
        for name in ("montbrio", "jansen_rit")
    }


def splits():
    """Whether the bytes are the same for other calls, launches, blocks and groups; and how many simulations differ."""
    whole = bytes_of()
    with patch.object(gpu, "FIRST_STEPS", 5):
        steps = bytes_of() == whole
    with patch.object(gpu, "MEMORY", 1), patch.object(gpu_layout, "THREADS", 10):
        waves = bytes_of() == whole
    with patch.object(gpu_layout, "THREADS", 5):
        groups = bytes_of() == whole
    same = simulate("wong_wang", W, {}, n_simulations=7, **RUN).ts["S"][:, 0, -1]
    return {"calls": bytes_of(1, 5) == whole, "steps": steps, "waves": waves, "groups": groups, "noise": len(set(same))}


def stays():
    """Whether series that stay on the device are the others."""
    pair = [simulate("wong_wang", W, {}, n_simulations=7, on_device=there, **RUN) for there in (False, True)]
    same = all(values.tobytes() == pair[1].ts[name].tobytes() for name, values in pair[0].ts.items())
    return same and pair[0].reason == pair[1].reason


def large():
    """What is said of a network that is too large."""
    try:
        simulate(
            "linear",
            np.zeros((1025, 1025)),
            {},
            n_simulations=1,
            duration=2,
            dt=1,
            seed=1,
            signals=["x"],
            device="cuda",
        )
    except ValueError as error:
        return str(error)


growth = {"G": np.array([[0.01], [5.0], [0.02]])}
diverged = simulate(
    "linear", W, growth, n_simulations=3, duration=150, dt=1, seed=1, signals={"x": {"period": 10}}, device="cuda"
)
print(
    json.dumps(
        {
            "models": {name: cases(name) for name in MODELS},
            "shapes": {precision: shapes(precision) for precision in ("float64", "float32")},
            "stimulated": {precision: stimulated(precision) for precision in ("float64", "float32")},
            "split": splits(),
            "semi_implicit": semi_implicit(),
            "stays": stays(),
            "valid": diverged.valid.tolist(),
            "reason": diverged.reason,
            "large": large(),
            "auto": choose_device("auto"),
        }
    )
)
