"""Known properties of the models, and what every registered model must satisfy."""

import importlib

import numpy as np
import pytest
from scipy.optimize import fsolve

from vbiflow.engine import simulate
from vbiflow.models import MODELS
from vbiflow.models.wong_wang import rate

ALONE = [[0.0]]
RUN = {"n_simulations": 1, "seed": 1, "device": "reference", "precision": "float64"}


def defaults(model, **changes):
    return model.p(**{name: np.float64(parameter.value) for name, parameter in model.parameters.items()} | changes)


def rest(name, guess, c=0.0, **changes):
    """Fixed point of an isolated node."""
    model = MODELS[name]
    p = defaults(model, **changes)
    zero = model.c(*[np.float64(c)] * len(model.sends))
    return fsolve(lambda y: np.array(model.dfun(model.y(*y), zero, p)), guess, xtol=1e-12)


def final(name, duration, dt, parameters, signals, weights=ALONE, **options):
    signals = {signal: {"period": duration, "average": False} for signal in signals}
    options = RUN | {"duration": duration, "dt": dt, "signals": signals} | options
    out = simulate(name, weights, {"sigma": 0} | parameters, **options)
    return [out.ts[signal][0, :, 0] for signal in signals]


@pytest.mark.parametrize("name", MODELS)
def test_model_is_complete(name):
    model = MODELS[name]
    assert model.name == name and "doi:10." in model.reference and model.coupling in ("linear", "difference")
    assert importlib.import_module(f"vbiflow.models.{name}").__doc__.count("=") >= 1
    assert model.defaults["integrator"] in ("euler", "heun")
    assert model.defaults["dt"] <= np.min(model.time_scale(defaults(model)))
    assert all(state.initial[0] <= state.initial[1] for state in model.states.values())
    assert bool(model.noisy) == ("sigma" in model.parameters)
    y = model.y(*(np.full((2, 3), np.mean(state.initial)) for state in model.states.values()))
    c = model.c(*[np.zeros((2, 3))] * len(model.sends))
    assert len(model.send(y, defaults(model))) == len(model.sends)
    assert [np.shape(d) for d in model.dfun(y, c, defaults(model))] == [(2, 3)] * len(model.states)
    assert all(np.shape(signal(y, defaults(model))) == (2, 3) for signal in model.signals.values())
    assert all(parameter.unit and parameter.meaning for parameter in model.parameters.values())


def test_wong_wang_rate_has_its_limit_at_threshold():
    a, b, d = 0.27, 0.108, 154.0
    assert rate(np.float64(0.4), a, b, d) == pytest.approx(1 / d)
    assert rate(np.float32(0.4), np.float32(a), np.float32(b), np.float32(d)) == pytest.approx(1 / d, rel=1e-5)
    near = rate(np.array([0.4 - 1e-9, 0.4 + 1e-9]), a, b, d)
    assert near == pytest.approx([1 / d, 1 / d], rel=1e-6)
    assert rate(np.float64(2.0), a, b, d) == pytest.approx(a * 2 - b) and rate(np.float64(0.0), a, b, d) < 1e-7


def test_wong_wang_settles_at_the_fixed_point_of_its_equation():
    strong = {"w": 1.4, "I": 0.3}
    low, high = (rest("wong_wang", [guess], **strong)[0] for guess in (0.04, 0.75))
    assert low < 0.2 < 0.5 < high
    for start, end in ((0.02, low), (0.95, high)):
        assert final("wong_wang", 20_000, 10, strong, ["S"], initial={"S": start})[0] == pytest.approx(end, rel=1e-6)


def test_wong_wang_stays_in_its_range_where_earlier_code_leaves_it():
    out = simulate(
        "wong_wang",
        ALONE,
        {"sigma": 0.05, "I": 0.05},
        duration=30_000,
        dt=2.5,
        signals=["S"],
        **RUN | {"n_simulations": 4},
    )
    assert out.ts["S"].min() == 0 and out.ts["S"].max() <= 1


def test_wong_wang_ei_rests_at_the_published_point():
    S_E, S_I = rest("wong_wang_ei", [0.16, 0.05])
    current = 0.382 + 1.4 * 0.15 * S_E - S_I
    assert abs(S_E - 0.165) < 1e-3
    assert 1e3 * rate(current, 0.31, 0.125, 160.0) == pytest.approx(3.1, abs=0.05)
    assert final("wong_wang_ei", 3000, 1, {}, ["S_E", "S_I"])[0] == pytest.approx(S_E, rel=1e-4)


def test_montbrio_is_bistable_and_rests_on_its_nullclines():
    ends = [
        final("montbrio", 2000, 0.05, {}, ["r", "v"], initial={"r": r, "v": v}) for r, v in ((0.0, -2.0), (1.2, 0.0))
    ]
    for r, v in ends:
        assert v == pytest.approx(-0.7 / (2 * np.pi * r), rel=1e-5)
        assert v**2 - 4.6 + 14.5 * r - (np.pi * r) ** 2 == pytest.approx(0, abs=1e-4)
    assert ends[0][0] < 0.2 < 0.8 < ends[1][0]


def test_jansen_rit_oscillates_in_the_alpha_band_with_few_millivolts():
    run = RUN | {"duration": 3000, "transient": 1000, "dt": 0.5, "signals": {"eeg": {"period": 2}}}
    eeg = simulate("jansen_rit", ALONE, {"sigma": 0, "mu": 0.2}, **run).ts["eeg"][0, 0]
    power = np.abs(np.fft.rfft(eeg - eeg.mean())) ** 2
    assert 8 < np.fft.rfftfreq(len(eeg), 2e-3)[power.argmax()] < 13
    assert 1 < np.ptp(eeg) < 20


def test_jansen_rit_sums_sigmoids():
    model = MODELS["jansen_rit"]
    y = model.y(*[np.array([[0.0, 0.0]])] * 6)._replace(y1=np.array([[2.0, 12.0]]))
    sent = model.send(y, defaults(model))[0]
    assert sent.sum() == pytest.approx(0.005 / (1 + np.exp(0.56 * 4)) + 0.005 / (1 + np.exp(-0.56 * 6)))


def test_wilson_cowan_rests_where_its_equations_vanish():
    E, J = rest("wilson_cowan", [0.1, 0.1], P=0.5)
    assert final("wilson_cowan", 3000, 0.5, {"P": 0.5}, ["E"], initial={"E": E, "I": J})[0] == pytest.approx(
        E, abs=1e-9
    )
    assert (0.994 - E) / (1 + np.exp(-1.3 * (16 * E - 12 * J + 0.5 - 4))) == pytest.approx(E)


@pytest.mark.parametrize("name", ["stuart_landau", "hopf"])
def test_limit_cycle_has_its_radius_and_frequency(name):
    period = 2 * np.pi / MODELS[name].parameters["omega"].value
    fast = {"a": 4.0, "tau": period}
    x, y = final(name, 4 * period, period / 400, fast, "xy", initial={"x": 2.0, "y": 0.0}, integrator="heun")
    assert x**2 + y**2 == pytest.approx(4, rel=1e-3)
    assert np.arctan2(y, x) == pytest.approx(0, abs=2e-3)
    x, y = final(name, 2 * period, period / 400, fast, "xy", initial={"x": 0.1, "y": 0.0}, integrator="heun")
    assert x**2 + y**2 == pytest.approx(4, rel=1e-3)


def test_kuramoto_pair_locks_at_the_phase_of_theory():
    pair = [[0, 1], [1, 0]]
    omega = np.array([0.25, 0.26])
    run = {"weights": pair, "initial": {"theta": [0.0, 1.0]}}
    theta = final("kuramoto", 4000, 0.5, {"omega": omega, "G": 0.02, "alpha": 0.3}, ["theta"], **run)[0]
    lag = np.angle(np.exp(1j * (theta[1] - theta[0])))
    assert 2 * 0.02 * np.cos(0.3) * np.sin(lag) == pytest.approx(0.01, rel=1e-3)
    assert theta.min() >= 0 and theta.max() < 2 * np.pi


def test_epileptor_2d_rests_below_the_threshold_and_seizes_above():
    healthy, ill = (final("epileptor_2d", 400, 0.1, {"eta": eta}, ["x"])[0][0] for eta in (-3.65, -1.6))
    assert healthy == pytest.approx(rest("epileptor_2d", [-2.3, 5.0])[0], abs=1e-3)
    out = simulate("epileptor_2d", ALONE, {"eta": -1.6}, duration=400, dt=0.1, signals=["x"], **RUN)
    assert out.ts["x"].max() > 0 > healthy and np.isfinite(ill)


def test_epileptor_discharges_when_excitable_and_rests_when_not():
    run = RUN | {"n_simulations": 2, "duration": 1000, "dt": 0.05, "signals": {"x1": {"period": 1}}}
    excitability = {"sigma": 0, "x0": [[-1.6], [-2.4]]}
    ill, healthy = simulate("epileptor", ALONE, excitability, initial={"z": 3.0}, **run).ts["x1"]
    assert ill.max() > 0.5 and healthy[:, 500:].max() < -1


def test_damped_oscillator_spirals_into_its_fixed_point():
    a, b = 0.1, 0.05
    run = RUN | {"duration": 200, "dt": 0.05, "signals": {name: {"period": 200, "average": False} for name in "xy"}}
    out = simulate("damped_oscillator", ALONE, {"a": a, "b": b}, **run)
    assert out.ts["x"][0, 0, 0] == pytest.approx((1 + b) / (1 + a * b), abs=1e-4)
    assert out.ts["y"][0, 0, 0] == pytest.approx((1 - a) / (1 + a * b), abs=1e-4)


def test_difference_coupling_vanishes_when_all_are_equal():
    W = np.random.default_rng(0).random((4, 4))
    for name in ("epileptor_2d", "hopf", "stuart_landau", "epileptor"):
        model = MODELS[name]
        same = {state: np.mean(spec.initial) + 0.1 for state, spec in model.states.items()}
        signal = next(iter(model.signals))
        dt = model.defaults["dt"]
        with_, without = (final(name, 20 * dt, dt, {"G": G}, [signal], weights=W, initial=same)[0] for G in (1.0, 0.0))
        assert with_ == pytest.approx(without, rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].gains])
def test_an_input_without_gain_is_not_heard(name):
    model = MODELS[name]
    y = model.y(*np.random.default_rng(0).uniform(0, 1, len(model.states)))
    for heard, gain in model.gains.items():
        c = model.c(*(1.0 if sent == heard else 0.0 for sent in model.sends))
        none, some = (defaults(model, **{gain: value}) for value in (0.0, 0.5))
        assert model.dfun(y, c, none) == model.dfun(y, model.c(*(0.0 for _ in model.sends)), none)
        assert model.dfun(y, c, some) != model.dfun(y, c, none)
