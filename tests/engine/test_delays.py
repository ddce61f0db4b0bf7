"""Conduction delays: what a node sends arrives length / speed later, in the kernel and in the reference."""

import numpy as np
import pytest

from vbiflow.engine import cpu, delays, reference, simulate
from vbiflow.engine.plan import make_plan
from vbiflow.models import MODELS

RNG = np.random.default_rng(3)
N = 6
W = RNG.random((N, N)) * (RNG.random((N, N)) < 0.8)
LENGTHS = RNG.uniform(6, 300, (N, N))  # 1 to 100 steps of 1 ms at 3 to 6 m/s: within and beyond one span of the kernel
LENGTHS[0, 3] = LENGTHS[2, 2] = 0
LENGTHS[W == 0] = np.nan
SPEEDS = np.array([3, 5, 5, 6, 4.2])[:, None]


def plan(name, precision, speed, integrator="heun", n_steps=150):
    model = MODELS[name]
    dt = model.defaults["dt"]
    return make_plan(
        name,
        W,
        {},
        n_simulations=5,
        duration=n_steps * dt,
        dt=dt,
        transient=0.0,
        integrator=integrator,
        accept=["dt"],
        seed=5,
        start=3,
        stream=0,
        bold=None,
        signals={next(iter(model.signals)): {"period": 5 * dt}},
        initial=None,
        precision=precision,
        tract_lengths=LENGTHS * dt,
        speed=speed,
    )


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize(
    ("name", "integrator"),
    [("linear", "euler"), ("stuart_landau", "heun"), ("montbrio", "heun"), ("kuramoto", "euler")],
)
def test_kernel_is_the_reference(name, integrator, precision, tolerance):
    for speed in (5.0, SPEEDS):
        made = plan(name, precision, speed, integrator)
        (fast, out_of_range), (slow, expected) = cpu.run(made, lanes=16), reference.run(made)
        assert made.delays.steps(np.arange(5)).min() < 16 < made.delays.longest
        assert (out_of_range == expected).all()
        for signal in slow:
            assert np.abs(fast[signal] - slow[signal]).max() < tolerance * np.abs(slow[signal]).max()


PAIR = {"n_simulations": 1, "seed": 1, "precision": "float64", "signals": {"x": {"period": 10.0, "average": False}}}


def method_of_steps(x0, rate, delay, end):
    """x' = rate x(t - delay), constant past x0: sum_k x0 (rate (t - (k - 1) delay))^k / k!, for t >= (k - 1) delay."""
    total, factorial = x0, 1.0
    for k in range(1, int(end / delay) + 2):
        factorial *= k
        total += x0 * (rate * (end - (k - 1) * delay)) ** k / factorial
    return total


@pytest.mark.parametrize(("integrator", "order"), [("euler", 1), ("heun", 2)])
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_pair_against_the_method_of_steps(device, integrator, order):
    weights, lengths = np.array([[0, 1], [1, 0]]), np.full((2, 2), 20.0)
    exact = method_of_steps(0.7, 0.05, 4.0, 30.0)
    error = []
    for dt in (1.0, 0.5, 0.25):
        out = simulate(
            "linear",
            weights,
            {"tau": 1e12, "G": 0.05, "sigma": 0},
            duration=30.0,
            dt=dt,
            integrator=integrator,
            initial={"x": 0.7},
            tract_lengths=lengths,
            speed=5.0,
            device=device,
            **PAIR,
        )
        error.append(np.abs(out.ts["x"][0, :, -1] - exact).max())
    assert np.log2(np.array(error[:-1]) / error[1:]) == pytest.approx([order, order], abs=0.25)
    assert error[-1] < (2e-2 if order == 1 else 2e-4)


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_weights_and_lengths_are_target_by_source(device):
    directed, lengths = np.zeros((3, 3)), np.full((3, 3), np.nan)
    directed[1, 0], directed[2, 1] = 2, 3
    lengths[1, 0], lengths[2, 1] = 30, 75
    run = {"n_simulations": 1, "duration": 30, "dt": 1, "seed": 1, "integrator": "euler", "device": device}
    run |= {"signals": ["x"], "initial": {"x": [1.0, 0.0, 0.0]}, "tract_lengths": lengths, "speed": 5}
    x = simulate("linear", directed, {"G": 1, "tau": 1e9, "sigma": 0, "I": [1.0, 0, 0]}, **run).ts["x"][0]
    t = np.arange(1, 31)
    assert x[0] == pytest.approx(1 + t, rel=1e-5)
    assert x[1] == pytest.approx([sum(2 * (1 + max(s - 6, 0)) for s in range(n)) for n in t], rel=1e-5)
    past = np.concatenate([np.zeros(15), [0], x[1]])
    assert x[2] == pytest.approx([3 * past[:n].sum() for n in t], rel=1e-5)


RUN = {"duration": 150, "dt": 1, "seed": 3, "signals": {"x": {"period": 5}}, "tract_lengths": LENGTHS}


def part(start, stop, speed, **options):
    speed = speed if np.ndim(speed) == 0 else speed[start:stop]
    return simulate(
        "linear", W, {"sigma": 0.01}, n_simulations=stop - start, start=start, speed=speed, **RUN | options
    ).ts["x"]


def test_same_bytes_for_equal_speeds_any_split_and_threads():
    speed = RNG.uniform(3, 6, (40, 1))
    whole = part(0, 40, speed)
    assert np.concatenate([part(0, 1, speed), part(1, 33, speed), part(33, 40, speed)]).tobytes() == whole.tobytes()
    assert part(0, 40, speed, threads=2).tobytes() == whole.tobytes()
    shared = part(0, 40, 4.5)
    assert part(0, 40, np.full((40, 1), 4.5)).tobytes() == shared.tobytes() != whole.tobytes()
    assert np.concatenate([part(0, 7, 4.5), part(7, 40, 4.5)]).tobytes() == shared.tobytes()


def test_lengths_of_zero_are_no_delay():
    run = {"n_simulations": 2, "duration": 20, "dt": 0.1, "seed": 1, "signals": ["x"]}
    without = simulate("stuart_landau", W, {}, **run)
    zero = simulate("stuart_landau", W, {}, tract_lengths=np.zeros((N, N)), speed=5, **run)
    assert zero.ts["x"].tobytes() == without.ts["x"].tobytes()


GOOD = {"n_simulations": 2, "duration": 20, "dt": 1, "seed": 1, "signals": ["x"], "tract_lengths": LENGTHS, "speed": 5}
UNKNOWN = np.where(W > 0, LENGTHS, 1.0)
UNKNOWN[np.nonzero(W)[0][0], np.nonzero(W)[1][0]] = np.nan
BAD = [
    ({"tract_lengths": None}, "speed is given without tract_lengths"),
    ({"speed": None}, "tract_lengths are given without a speed"),
    ({"speed": 0}, "speed is 0; it must be above 0 m/s"),
    ({"speed": [[5], [-2]]}, "speed is -2; it must be above 0"),
    ({"speed": np.nan}, "speed is nan; it must be above 0"),
    ({"speed": "fast"}, r"speed is 'fast'; give numbers \[m/s\]"),
    ({"speed": np.ones((3, 1))}, r"speed has shape \(3, 1\); give a scalar or \(2, 1\) per simulation"),
    ({"tract_lengths": np.ones((2, 2))}, r"tract_lengths have shape \(2, 2\); give \(6, 6\)"),
    ({"tract_lengths": UNKNOWN}, "tract_lengths hold 1 values of connected pairs that are negative or not finite"),
    ({"tract_lengths": -LENGTHS}, "that are negative or not finite, the first -"),
    ({"speed": 1000}, r"dt 1 ms is too long for the shortest delay, 0.0\d+ ms \(\d.* mm at 1000 m/s\)"),
    ({"speed": 1e-6}, r"the longest delay, .* ms \(.* mm at 1e-06 m/s\), needs .* GB of past, more than 2 GB"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_message(change, message):
    with pytest.raises(ValueError, match=message) as error:
        simulate("linear", W, {}, **GOOD | change)
    assert "\n" not in str(error.value)


def test_memory_counts_the_batch_of_the_kernel():
    assert delays.BATCH == cpu.LANES


def test_memory_counts_time_series_batches_and_threads(monkeypatch):
    run = GOOD | {"n_simulations": 70, "signals": {"x": {"period": 10}}}
    held = cpu.batch_bytes(plan("linear", "float32", 5.0), cpu.LANES)
    assert held > 4 * cpu.LANES * N * LENGTHS[W > 0].max() / 5  # 4 bytes a step of the longest delay
    series = 4 * 70 * N * 2
    monkeypatch.setattr(cpu, "machine_memory", lambda: series + 2 * held)
    assert simulate("linear", W, {}, threads=2, device="cpu", **run).valid.any()
    for threads in (3, 8):
        with pytest.raises(ValueError, match=r"of memory, .* for time series and .* for each of 3 batches at a time"):
            simulate("linear", W, {}, threads=threads, device="cpu", **run)
