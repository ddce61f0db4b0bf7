"""Decimation with an anti-alias filter: what passes, what is attenuated, that no phase shifts, kernel = reference."""

import numpy as np
import pytest
from scipy import signal

from vbiflow.engine import antialias, cpu, reference, simulate
from vbiflow.engine.plan import make_plan

W = np.random.default_rng(1).random((6, 6))


@pytest.mark.parametrize("every", [2, 3, 10, 100])
def test_filter_keeps_its_word(every):
    frequency, gain = signal.freqz(antialias.taps(every), worN=2**16, fs=float(every))
    gain = np.abs(gain)
    assert np.abs(gain[frequency <= antialias.PASS] - 1).max() < 2e-3
    assert gain[frequency >= antialias.STOP].max() < 10 ** (-antialias.ATTENUATION / 20)
    assert antialias.taps(every).sum() == pytest.approx(1, abs=1e-9)


def recorded(frequency, device, **options):
    """A perfect integrator driven by a cosine: sin(omega t) / omega, sampled every 5 ms, 200 Hz."""
    omega = 2e-3 * np.pi * frequency
    stimulus = {
        "s": {
            "parameter": "I",
            "amplitude": omega,
            "sine": {"frequency": frequency, "phase": np.pi / 2, "onset": -1000},
        }
    }
    run = {"n_simulations": 1, "duration": 1000, "transient": 500, "dt": 0.5, "seed": 1, "precision": "float64"}
    run |= {"initial": {"x": 0}, "device": device, "stimulus": stimulus, "signals": {"x": {"period": 5} | options}}
    out = simulate("linear", [[0]], {"sigma": 0, "G": 0, "tau": 1e12}, **run)
    assert out.fs["x"] == 200
    return out.ts["x"][0, 0], np.sin(omega * (5 * np.arange(1, 201) + 500))


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_sine_below_passes_in_phase_and_above_vanishes(device):
    low, exact = recorded(60, device, filter=True)
    assert low == pytest.approx(exact, abs=6e-3)
    for frequency in (101, 130, 199, 260):
        high, _ = recorded(frequency, device, filter=True)
        plain, _ = recorded(frequency, device, average=False)
        assert np.ptp(plain) > 1.5 > 2.01 * 10 ** (-antialias.ATTENUATION / 20) > np.ptp(high), frequency


def test_average_lets_alias_through_what_the_filter_stops():
    average, filtered = (np.ptp(recorded(260, "reference", **{o: True})[0]) for o in ("average", "filter"))
    assert average > 50 * filtered


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_kernel_is_the_reference(precision, tolerance):
    signals = {"v": {"period": 1.0, "filter": True}, "r": {"period": 0.6, "average": False}}
    run = {
        "duration": 30.0,
        "dt": 0.2,
        "transient": 15.0,
        "integrator": "heun",
        "seed": 5,
        "start": 3,
        "stream": 0,
        "accept": ["dt"],
    }
    run |= {"n_simulations": 5, "bold": None, "initial": None, "signals": signals, "precision": precision}
    made = make_plan("montbrio", W, {}, **run)
    assert made.n_steps == 225 + 13 * 5
    (fast, _), (slow, _) = cpu.run(made, lanes=16), reference.run(made)
    for name in slow:
        assert fast[name].shape == slow[name].shape
        assert np.abs(fast[name] - slow[name]).max() < tolerance * np.abs(slow[name]).max()


def test_the_filter_looks_ahead_without_changing_other_recordings():
    run = {
        "n_simulations": 3,
        "duration": 60,
        "dt": 1,
        "transient": 80,
        "seed": 5,
        "device": "reference",
        "accept": ["dt"],
    }
    x, filtered = {"period": 2}, {"period": 5, "filter": True}
    alone = simulate("wilson_cowan", W, {}, signals={"E": x}, **run)
    both = simulate("wilson_cowan", W, {}, signals={"E": x, "I": filtered}, **run)
    assert both.ts["I"].shape == (3, 6, 12) and both.ts["E"].tobytes() == alone.ts["E"].tobytes()
    assert both.valid.all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"period": 10, "filter": True},
            "transient 10 ms is shorter than what the filter of signal x looks back, 130 ms",
        ),
        ({"period": 10, "filter": True, "average": True}, "signal x has both average and filter"),
        (
            {"period": 10, "filtered": True},
            "unknown option of signal x 'filtered'; choose from period, average, filter",
        ),
    ],
)
def test_message(options, message):
    with pytest.raises(ValueError, match=message):
        simulate("linear", W, {}, n_simulations=1, duration=100, transient=10, dt=1, seed=1, signals={"x": options})
