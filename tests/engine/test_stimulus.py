"""External stimuli: step response of the linear model, chosen nodes, kernel and reference alike."""

import numpy as np
import pytest

from vbiflow.engine import cpu, reference, simulate
from vbiflow.engine.plan import make_plan
from vbiflow.engine.source import module_texts
from vbiflow.engine.stimulus import COURSES
from vbiflow.models import MODELS

W = np.random.default_rng(1).random((6, 6))
W /= W.sum(1, keepdims=True)
OPTIONS = {
    "step": {"onset": 20},
    "pulse": {"onset": 5, "duration": 30},
    "train": {"onset": -5, "duration": 2, "period": 10, "count": 4},
    "ramp": {"duration": 50},
    "sine": {"frequency": 40, "onset": 3},
    "gaussian": {"centre": 30, "sd": 4},
    "samples": {"values": [0, 1, -1, 2], "period": 7},
}
RUN = {"n_simulations": 1, "duration": 60, "dt": 1, "seed": 1, "precision": "float64", "signals": ["x"]}
QUIET = {"sigma": 0, "G": 0, "tau": 10}


def respond(course, device="reference", **options):
    stimulus = {"s": {"parameter": "I", "nodes": [1], "amplitude": 0.3, **course}}
    run = RUN | {"initial": {"x": 0}, "device": device, "stimulus": stimulus} | options
    return simulate("linear", np.zeros((3, 3)), QUIET, **run).ts["x"][0]


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_step_response_of_the_linear_model(device):
    error = []
    for dt in (2.0, 1.0, 0.5):
        x = respond({"step": {"onset": 20}}, device, dt=dt)
        t = dt * np.arange(1, x.shape[1] + 1)
        error.append(np.abs(x[1] - 3 * -np.expm1(-np.clip(t - 20, 0, None) / 10) * (t > 20))[t != 20].max())
        assert not x[[0, 2]].any()
    assert np.log2(np.array(error[:-1]) / error[1:]) == pytest.approx([2, 2], abs=0.3)
    assert error[-1] < 1e-3


def test_response_to_a_sine_has_the_gain_and_phase_of_a_low_pass():
    x = respond({"sine": {"frequency": 20, "onset": -500}}, transient=500, dt=0.5, duration=100)[1]
    omega, t = 2 * np.pi * 0.02, 0.5 * np.arange(1, 201)
    exact = (0.3 / (0.1 + 1j * omega) * np.exp(1j * omega * (t + 500))).imag
    assert x == pytest.approx(exact, abs=2e-3 * np.abs(exact).max())


def test_pulses_move_a_perfect_integrator_by_their_area():
    for course, area in ((OPTIONS["pulse"], 30), (OPTIONS["train"], 8)):
        name = "pulse" if course is OPTIONS["pulse"] else "train"
        stimulus = {"s": {"parameter": "I", name: course}}
        run = RUN | {"transient": 10, "initial": {"x": 0}, "device": "reference", "stimulus": stimulus}
        x = simulate("linear", [[0]], QUIET | {"tau": 1e12}, **run).ts["x"]
        assert x[0, 0, -1] == pytest.approx(area, rel=1e-9)


def test_samples_are_joined_by_lines():
    t = np.array([-1.0, 0, 3.5, 7, 14, 21, 22])
    assert COURSES["samples"](t, **OPTIONS["samples"]) == pytest.approx([0, 0, 0.5, 1, -1, 2, 0])


def test_every_course_has_options_here():
    assert OPTIONS.keys() == COURSES.keys()
    for name, course in COURSES.items():
        assert np.isfinite(course(np.arange(-10.0, 60), **OPTIONS[name])).all()


def plan(precision, integrator="heun", stimulus=None):
    run = {
        "duration": 30.0,
        "dt": 0.5,
        "transient": 10.0,
        "integrator": integrator,
        "seed": 5,
        "start": 3,
        "stream": 0,
        "accept": ["dt"],
    }
    run |= {"n_simulations": 5, "bold": None, "initial": None, "signals": {"r": {"period": 2.0}, "v": {"period": 1.0}}}
    return make_plan("montbrio", W, {"J": np.full(6, 14.5)}, precision=precision, stimulus=stimulus, **run)


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_kernel_is_the_reference(precision, tolerance):
    stimulus = {
        "scalar": {"parameter": "I", "nodes": [0, 5], "amplitude": 0.5, "pulse": {"onset": -4, "duration": 20}},
        "each": {"parameter": "I", "amplitude": np.linspace(0, 0.5, 5)[:, None], "sine": {"frequency": 30}},
        "node": {"parameter": "J", "nodes": [2], "amplitude": np.arange(6.0), "ramp": {"duration": 40}},
    }
    made = plan(precision, stimulus=stimulus)
    (fast, _), (slow, _) = cpu.run(made, lanes=16), reference.run(made)
    still = reference.run(plan(precision))[0]
    for name in slow:
        assert np.abs(fast[name] - slow[name]).max() < tolerance * np.abs(slow[name]).max()
        assert np.abs(slow[name] - still[name]).max() > 0.01 * np.abs(slow[name]).max()


def test_a_kernel_without_stimulus_has_no_trace_of_one():
    *_, text = module_texts(plan("float32"), 32).values()
    assert "course" not in text and "taps" not in text


BAD = [
    ({"s": {"parameter": "I"}}, "stimulus s: give one time course out of step, pulse, train, .*; found none"),
    ({"s": {"parameter": "I", "pulse": {"duration": 1}, "step": {}}}, "found pulse, step"),
    (
        {"s": {"parameter": "I", "puls": {"duration": 1}}},
        "unknown course of stimulus s 'puls'; choose from step, pulse",
    ),
    ({"s": {"parameter": "P", "step": {}}}, "unknown parameter of linear in stimulus s 'P'; choose from tau, I, G"),
    ({"s": {"parameter": "sigma", "step": {}}}, "the noise sigma takes no stimulus"),
    ({"s": {"step": {}}}, "unknown parameter of linear in stimulus s None"),
    (
        {"s": {"parameter": "I", "nodes": [6], "step": {}}},
        r"nodes are \[6\]; give a list of different indices from 0 to 5",
    ),
    ({"s": {"parameter": "I", "nodes": [1, 1], "step": {}}}, r"nodes are \[1, 1\]"),
    ({"s": {"parameter": "I", "nodes": 2, "step": {}}}, "nodes are 2"),
    ({"s": {"parameter": "I", "amplitude": [1, 2], "step": {}}}, r"amplitude of stimulus s has shape \(2,\)"),
    ({"s": {"parameter": "I", "amplitude": np.nan, "step": {}}}, "amplitude of stimulus s holds 1 values"),
    ({"s": {"parameter": "I", "pulse": {"onset": 1}}}, "pulse: missing duration; it takes duration, onset"),
    ({"s": {"parameter": "I", "pulse": 3}}, "pulse: unknown option ''; it takes duration, onset"),
    ({"s": {"parameter": "I", "pulse": {"duration": -1}}}, "pulse: duration is -1; give a number above 0"),
    ({"s": {"parameter": "I", "step": {"onset": "now"}}}, "step: onset is 'now'; give a number"),
    ({"s": {"parameter": "I", "samples": {"values": 3, "period": 1}}}, "samples: values is 3; give numbers"),
    ({"s": {"parameter": "I", "samples": {"values": [1, np.nan], "period": 1}}}, "values is .*; give numbers"),
    ([1], r"stimulus is \[1\]; give each one by name"),
]


@pytest.mark.parametrize(("stimulus", "message"), BAD)
def test_message(stimulus, message):
    with pytest.raises(ValueError, match=message) as error:
        simulate("linear", W, {}, stimulus=stimulus, **RUN)
    assert "\n" not in str(error.value)


def test_stimulus_of_any_model_keeps_the_other_parameters():
    for name, model in MODELS.items():
        target = next(p for p in model.parameters if p != "sigma")
        dt = model.defaults["dt"]
        stimulus = {"s": {"parameter": target, "amplitude": 0.01, "step": {}}}
        signal = next(iter(model.signals))
        run = {"n_simulations": 2, "duration": 10 * dt, "dt": dt, "seed": 1, "signals": [signal], "device": "reference"}
        one, two = (simulate(name, W, {}, stimulus=s, **run).ts[signal] for s in (None, stimulus))
        assert one.shape == two.shape and (one != two).any(), name
