"""Random regional effects: their spread, their bounds, their counter, and the prior that infers their spread."""

import numpy as np
import pytest
from scipy import stats

from vbiflow.connectome import Connectome
from vbiflow.engine import simulate_draws
from vbiflow.engine.draws import check_draws
from vbiflow.engine.random_effects import draw_effects
from vbiflow.prior import Prior

N = 40
LABELS = tuple(f"r{k}" for k in range(N))
CONNECTOME = Connectome(np.eye(N)[::-1] * 0.1, np.ones((N, N)), LABELS, np.zeros((N, 3)), ("",) * N, ("",) * N)
ENTRY = {"tau": {"uniform": [8, 12], "random": {"sd": {"uniform": [0, 2]}}, "within": [5, 20]}}


def effects(n=300, mean=10.0, sd=1.5, **options):
    return draw_effects("tau", np.full((n, 1), mean), np.full((n, 1), sd), N, **{"seed": 1} | options)


def test_effects_are_normal_with_their_spread_and_around_a_regression():
    z = (effects() - 10) / 1.5
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3 and np.abs(np.corrcoef(z.T) - np.eye(N)).max() < 0.3
    slope = draw_effects("tau", np.tile(np.arange(N) / 10, (300, 1)), np.full((300, 1), 0.1), N, seed=1)
    np.testing.assert_allclose(slope.mean(0), np.arange(N) / 10, atol=0.03)
    logs = np.log(effects(link="log", sd=0.3))
    np.testing.assert_allclose([logs.mean(), logs.std()], [np.log(10), 0.3], rtol=0.02)


def test_effects_stay_within_their_range_without_gathering_at_its_ends():
    found = effects(within=(9.0, 11.0))
    assert found.min() >= 9 and found.max() <= 11 and len(np.unique(found)) == found.size
    expected = stats.truncnorm(-1 / 1.5, 1 / 1.5, 10, 1.5)
    assert stats.kstest(found.ravel(), expected.cdf).pvalue > 1e-3
    np.testing.assert_array_equal(effects(n=3, sd=0.0), np.full((3, N), 10.0))


def test_effects_follow_from_seed_stream_and_index_alone():
    whole = effects(n=7)
    np.testing.assert_array_equal(whole, np.concatenate([effects(n=3), effects(n=4, start=3)]))
    other = draw_effects("I", np.full((7, 1), 10.0), np.full((7, 1), 1.5), N, seed=1)
    for changed in (effects(n=7, seed=2), effects(n=7, stream=1), other):
        assert np.abs(np.corrcoef(changed.ravel(), whole.ravel())[0, 1]) < 0.2


def test_the_spread_is_one_inferred_parameter_and_comes_back_from_plain_data():
    prior = Prior.from_config(ENTRY, LABELS, units={"tau": "ms"})
    assert prior.names == ("tau", "tau.random.sd") and prior.units == ("ms", "ms")
    again = Prior.from_plain(prior.to_config(), prior.names)
    theta = prior.sample(3, 0, 4)
    for one in (prior, again):
        np.testing.assert_array_equal(one.random_effects(theta)["tau"], theta[:, 1:])
        np.testing.assert_array_equal(one.parameters(theta)["tau"], theta[:, :1])
    regression = {"tau": {"map": {"constant": 2.3}, "link": "log", "random": {"sd": {"loguniform": [0.1, 1]}}}}
    prior = Prior.from_config(regression, LABELS)
    assert prior.names == ("tau.random.sd",) and prior.parameters(np.array([[0.2]]))["tau"] == np.exp(2.3)
    assert Prior.from_plain(prior.to_config()).to_config() == prior.to_config()
    fixed = Prior.from_config({"tau": {"uniform": [8, 12], "random": {"sd": 0.5}}}, LABELS)
    assert (
        fixed.names == ("tau",) and Prior.from_plain(fixed.to_config()).random_effects(theta[:, :1])["tau"].max() == 0.5
    )


def test_a_map_may_be_called_random():
    maps = {"random": np.arange(float(N))}
    entry = {"tau": {"map": {"constant": 9.0, "random": {"uniform": [0, 1]}}, "random": {"sd": {"uniform": [0, 2]}}}}
    prior = Prior.from_config(entry, LABELS, maps)
    assert prior.names == ("tau.random", "tau.random.sd")
    theta = np.array([[0.5, 1.5]])
    np.testing.assert_allclose(prior.parameters(theta)["tau"][0], 9 + 0.5 * np.arange(N))
    np.testing.assert_allclose(Prior.from_plain(prior.to_config()).random_effects(theta)["tau"], 1.5)


def draws(prior, theta, parameters, **options):
    settings = {"duration": 4000.0, "dt": 1.0, "transient": 200.0}, {"signals": {"x": {"period": 4.0}}}
    options = {"seed": 5, "start": 0, "stream": 0, "device": "cpu"} | options
    return simulate_draws("linear", CONNECTOME, prior, theta, parameters, *settings, **options).ts["x"]


def test_simulations_have_regions_that_differ_inferred_or_fixed_for_any_shards():
    prior = Prior.from_config(ENTRY, LABELS)
    theta = np.array([[10.0, 0.0], [10.0, 2.0], [10.0, 2.0]])
    whole = draws(prior, theta, {"G": 0.0})
    spread = whole.var(2).std(1)
    assert (spread[1:] > 1.5 * spread[0]).all()
    parts = [draws(prior, theta[:1], {"G": 0.0}), draws(prior, theta[1:], {"G": 0.0}, start=1)]
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    fixed = {"tau": {"map": {"constant": 10.0}, "random": {"sd": 2.0}}}
    again = draws(Prior.from_config({"G": {"uniform": [0, 1]}}, LABELS), np.zeros((3, 1)), fixed)
    assert whole[1].tobytes() == draws(prior, theta[[1]], {"G": 0.0}, start=1)[0].tobytes()
    assert (again.var(2).std(1) > 1.5 * spread[0]).all()


@pytest.mark.parametrize(
    ("prior", "parameters", "message"),
    [
        ({"tau": {"uniform": [8, 12], "random": 2}}, {}, "random is 2; write tau: .*random: {sd: {uniform: "),
        ({"tau": {"uniform": [8, 12], "random": {"sd": -1}}}, {}, "sd of random reaches down to -1; it is at least 0"),
        ({"tau": {"uniform": [8, 12], "per": "node", "random": {"sd": 1}}}, {}, "beside per"),
        ({"noise": {"uniform": [0, 1]}}, {"tau": {"random": {"sd": 1}}}, "parameters.tau: found .*write it as {map"),
        (
            {"noise": {"uniform": [0, 1]}},
            {"tau": {"map": {"constant": 1}, "random": {"sd": {"uniform": [0, 1]}}}},
            "parameters.tau: sd of random is inferred; move tau to prior",
        ),
        ({"speed": {"uniform": [1, 9], "random": {"sd": 1}}}, {}, "prior of speed: it is one number for the whole"),
    ],
)
def test_bad_entries_are_refused_in_one_line(prior, parameters, message):
    settings = {"duration": 100.0, "dt": 1.0}, {"signals": {"x": {"period": 1.0}}}
    with pytest.raises(ValueError, match=message) as error:
        check_draws("linear", prior, (), parameters, *settings, seed=1)
    assert "\n" not in str(error.value)


def test_measurement_noise_may_follow_a_map_and_differ_by_region():
    maps = {"posterior": np.linspace(0, 1, N)}
    where = Connectome(np.zeros((N, N)), np.ones((N, N)), LABELS, np.zeros((N, 3)), ("",) * N, ("",) * N, maps=maps)
    entry = {"noise": {"map": {"constant": -1.0, "posterior": {"uniform": [-9, 9]}}, "link": "log"}}
    prior, theta = Prior.from_config(entry, LABELS, maps), np.full((40, 1), 2.0)
    level = np.exp(-1 + 2 * maps["posterior"])
    run = {"seed": 5, "start": 0, "stream": 0, "device": "cpu"}
    settings = {"sigma": 1e-6}, {"duration": 4000.0, "dt": 1.0, "transient": 2000.0}
    signals = {"signals": {"x": {"period": 4.0}}}
    series = simulate_draws("linear", where, prior, theta, *settings, signals, **run).ts["x"]
    np.testing.assert_allclose(series.std((0, 2)), level, rtol=0.02)
    spectral = signals | {"spectrum": {"step": 1.0, "highest": 20.0}}
    density = simulate_draws("linear", where, prior, theta, *settings, spectral, **run).ts["x"]
    np.testing.assert_allclose(density.mean((0, 2)), level**2 * 2 / 250, rtol=0.1)
