"""Parameters that follow from others: feedback inhibition, and coupling as a share of the critical one."""

import numpy as np
import pytest

from vbiflow.connectome import Connectome
from vbiflow.engine import simulate, simulate_draws
from vbiflow.engine.derived import resolve_derived
from vbiflow.engine.draws import check_draws
from vbiflow.engine.linearisation import linearise
from vbiflow.models import MODELS
from vbiflow.models.model import remember_last
from vbiflow.models.wong_wang_ei import point_at_rate
from vbiflow.prior import Prior

N = 12
RNG = np.random.default_rng(3)
W = RNG.random((N, N)) ** 3
np.fill_diagonal(W, 0)
W /= np.abs(np.linalg.eigvals(W)).max()
MAP = np.linspace(0, 1, N)
EI = {"rate_E": 3.0, "sigma": 0.0005}
RUN = {"n_simulations": 3, "duration": 20_000.0, "transient": 2_000.0, "dt": 5.0, "seed": 1}


def test_an_isolated_node_has_the_published_inhibition():
    alone = resolve_derived("wong_wang_ei", [[0.0]], {"rate_E": 3.0626}, 1)
    assert alone.parameters["J_I"] == pytest.approx(1.002, abs=1e-3)
    assert alone.initial["S_E"] == pytest.approx(0.1641, abs=5e-5)


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_every_region_fires_at_its_rate(device):
    given = EI | {"G": [[0.3], [0.7], [1.0]], "w_EE": 1.2 + 0.4 * MAP, "w_EI": 0.8 + 0.4 * MAP[::-1]}
    run = RUN | ({"n_simulations": 1, "duration": 2_000.0, "transient": 200.0} if device == "reference" else {})
    given["G"] = given["G"][: run["n_simulations"]]
    out = simulate("wong_wang_ei", W, given, signals={"rate_E": {"period": 20.0}}, device=device, **run)
    assert out.valid.all()
    rates = out.ts["rate_E"].mean(-1)
    assert rates.min() > 2.7 and rates.max() < 3.3


def test_a_point_is_computed_once_for_all_couplings_and_anew_for_another_rate_or_parameter():
    model, calls = MODELS["wong_wang_ei"], []

    @remember_last
    def counted(p, rate_E):
        calls.append(rate_E)
        return point_at_rate.__wrapped__(p, rate_E)

    p = model.p(**{name: np.full(N, parameter.value) for name, parameter in model.parameters.items()})
    rates = [3.0 + MAP, 3.0 + MAP, 3.5 + MAP]
    first, again, other = (counted(p, rate) for rate in rates)
    assert again is first and len(calls) == 2
    assert np.array_equal(other, point_at_rate.__wrapped__(p, rates[2])) and not np.array_equal(other, first)
    counted(p._replace(w_EI=p.w_EI + 0.1 * MAP), rates[2])
    counted(p._replace(w_EI=1.0), rates[2])
    assert len(calls) == 4


def test_without_noise_the_network_stays_at_the_fixed_point():
    run = RUN | {"duration": 500.0, "transient": 0.0, "precision": "float64"}
    out = simulate("wong_wang_ei", W, EI | {"sigma": 0.0, "G": 1.2, "rate_E": 4.0}, signals=["rate_E"], **run)
    assert out.ts["rate_E"] == pytest.approx(4.0, rel=1e-6)


def test_draws_that_no_inhibition_can_bring_to_the_rate_are_invalid_and_say_so():
    out = simulate(
        "wong_wang_ei", W, EI | {"rate_E": [[3.0], [30.0], [3.0]], "G": 0.1, "w_EE": 0.1}, signals=["S_E"], **RUN
    )
    assert out.valid.tolist() == [True, False, True]
    assert out.reason[1] == "J_I is not positive in 12 nodes: without inhibition they fire below 30 Hz"


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (
            "wong_wang_ei",
            {"rate_E": 3.0, "J_I": 1.0},
            "rate_E and J_I are both given; J_I follows from rate_E, keep one",
        ),
        ("wong_wang_ei", {"rate_E": -3.0}, "parameter rate_E is -3; it must be above 0"),
        ("wong_wang", {"rate_E": 3.0}, "unknown parameter of wong_wang 'rate_E'"),
        ("wong_wang", {"share_of_critical": 0.9, "G": 1.0}, "share_of_critical and G are both given"),
        ("wong_wang", {"share_of_critical": np.ones(N)}, "parameter share_of_critical has shape"),
    ],
)
def test_what_cannot_be_derived_is_told_in_one_line(model, given, message):
    with pytest.raises(ValueError, match=message):
        simulate(model, W, given, signals=[next(iter(MODELS[model].signals))], **RUN)


def test_steps_that_let_feedback_inhibition_run_away_are_refused():
    with pytest.raises(ValueError, match="dt 10 ms is too long for rate_E of wong_wang_ei; use at most 5 ms"):
        simulate("wong_wang_ei", W, EI, signals=["S_E"], **RUN | {"dt": 10.0})


CRITICAL = {
    "linear": {"tau": 20.0},
    "wong_wang": {"w": 0.9, "I": 0.3},
    "wong_wang ": {"w": 0.6, "I": 0.3},
    "wong_wang_ei": {"rate_E": 3.0, "w_EE": 1.2 + 0.4 * MAP},
    "wilson_cowan": {"P": 0.5},
}


@pytest.mark.parametrize("name", CRITICAL)
def test_stability_ends_at_the_critical_coupling(name):
    model, given = MODELS[name.strip()], CRITICAL[name]
    growth = []
    for share in (0.5, 0.98, 1.0 - 1e-4):
        found = resolve_derived(model, W, given | {"share_of_critical": share}, 1)
        assert found.reason == [""]
        own = {key: np.ravel(value) for key, value in found.parameters.items()}
        linear = linearise(model, W, own, initial={key: value[0] for key, value in found.initial.items()})
        assert linear.valid
        growth.append(linear.growth)
    assert growth[0] < growth[1] < growth[2] < 0
    assert abs(growth[2]) < 0.1 * abs(growth[0])
    beyond = resolve_derived(model, W, given | {"share_of_critical": 1.02}, 1)
    if "rate_E" in given or name == "linear":
        own = {key: np.ravel(value) for key, value in beyond.parameters.items()}
        assert linearise(model, W, own, initial={k: v[0] for k, v in beyond.initial.items()}).growth > 0
    else:
        ahead = [value[0] for value in beyond.initial.values()]
        near = [value[0] for value in found.initial.values()]
        assert beyond.reason[0] or max(np.abs(a - b).max() for a, b in zip(ahead, near, strict=True)) > 1e-3


def test_feedback_inhibition_beyond_the_critical_coupling_is_invalid_and_says_so():
    inside, beyond = (
        resolve_derived("wong_wang_ei", W, EI | {"share_of_critical": share}, 1) for share in (0.98, 1.02)
    )
    assert inside.reason == [""] and "keeps rate_E is unstable" in beyond.reason[0]
    by_G = [resolve_derived("wong_wang_ei", W, EI | {"G": found.parameters["G"]}, 1) for found in (inside, beyond)]
    assert [found.reason[0] for found in by_G] == ["", beyond.reason[0]]


def test_a_share_of_the_critical_coupling_is_refused_with_delays():
    late = {"tract_lengths": 10 * np.ones((N, N)), "speed": 5.0}
    with pytest.raises(ValueError, match=r"share_of_critical is that of a network without delays.*leave speed out"):
        simulate("linear", W, {"share_of_critical": 0.5}, signals=["x"], **RUN | late)


def test_the_critical_coupling_of_the_linear_network_is_known():
    found = resolve_derived("linear", W, {"share_of_critical": [[0.5], [0.9]], "tau": [[10.0], [20.0]]}, 2)
    assert found.parameters["G"][:, 0] == pytest.approx([0.5 / 10, 0.9 / 20], rel=1e-5)


@pytest.mark.parametrize("weights", [W, (W + W.T) / 2], ids=["directed", "symmetric"])
def test_the_critical_coupling_of_linear_networks_is_that_of_their_eigenvalues(weights):
    """Time constants of each region, in 200 draws: a step of the secant may land on the coupling itself."""
    rng = np.random.default_rng(4)
    tau = np.exp(rng.normal(4, 1, (200, 1)) + rng.normal(0, 0.5, (200, N)) * (np.arange(200) % 2)[:, None])
    share = rng.uniform(0.3, 1, (200, 1))
    found = resolve_derived("linear", weights, {"share_of_critical": share, "tau": tau}, 200)
    radius = np.linalg.eigvals(tau[:, :, None] * weights).real.max(axis=1)
    np.testing.assert_allclose(found.parameters["G"][:, 0] * radius, share[:, 0], rtol=2e-6)


def test_a_network_without_critical_coupling_is_invalid_and_says_so():
    given = {"share_of_critical": 0.9, "a": [[-0.02], [0.5]]}
    out = simulate("hopf", W, given, signals=["x"], **RUN | {"n_simulations": 2, "dt": 10.0})
    assert not out.valid.any()
    assert out.reason[0].startswith("no critical coupling: the fixed point is stable up to G")
    assert out.reason[1] == "no critical coupling: without coupling the fixed point is unstable"


def test_a_study_infers_the_share_and_maps_whatever_the_shards():
    prior = Prior.from_config(
        {
            "share_of_critical": {"uniform": [0.5, 0.95]},
            "w_EE": {"map": {"constant": {"uniform": [1.2, 1.5]}, "myelin": {"uniform": [-0.2, 0.2]}}},
            "w_EI": {"map": {"constant": {"uniform": [0.8, 1.2]}, "myelin": {"uniform": [-0.2, 0.2]}}},
            "sigma": {"map": {"constant": {"uniform": [0.0005, 0.001]}, "myelin": {"uniform": [0.0, 0.0005]}}},
        },
        maps={"myelin": MAP},
    )
    labels = tuple(f"r{k}" for k in range(N))
    none = np.zeros((N, N)), labels, np.zeros((N, 3)), ("L",) * N, ("",) * N
    connectome = Connectome(W, *none, maps={"myelin": MAP})
    theta = prior.sample(1, 0, 4)
    simulation = {"duration": 2_000.0, "transient": 100.0, "dt": 5.0}
    rest = (prior, theta, {"rate_E": 3.0}, simulation, {"signals": {"rate_E": {"period": 20.0}}})
    whole = simulate_draws("wong_wang_ei", connectome, *rest, seed=1)
    assert whole.valid.all() and abs(whole.ts["rate_E"].mean() - 3) < 0.3
    part = simulate_draws("wong_wang_ei", connectome, prior, theta[2:], *rest[2:], seed=1, start=2)
    assert part.ts["rate_E"].tobytes() == whole.ts["rate_E"][2:].tobytes()


@pytest.mark.parametrize(
    ("prior", "parameters", "message"),
    [
        ({"share_of_critical": {"uniform": [0.0, 1.0]}}, {}, "share_of_critical reaches down to 0; it must be above 0"),
        (
            {"share_of_critical": {"uniform": [0.1, 3.0]}},
            {},
            "share_of_critical reaches up to 3; beyond 1 .*end at 1, or",
        ),
        ({}, {"share_of_critical": 1.2}, "share_of_critical reaches up to 1.2; beyond 1 the fixed point .* or give G"),
        ({"share_of_critical": {"uniform": [0.5, 1.0], "per": "node"}}, {}, "it is one number for the whole network"),
        ({"share_of_critical": {"uniform": [0.5, 1.0]}}, {"G": 2.0}, "share_of_critical and G are both given"),
        ({"G": {"uniform": [0.5, 1.0]}}, {"rate_E": 3.0, "J_I": 1.0}, "rate_E and J_I are both given"),
    ],
)
def test_a_study_is_told_before_it_runs(prior, parameters, message):
    simulation, observation = (
        {"duration": 100.0, "transient": 0.0, "dt": 1.0, "integrator": "heun"},
        {"signals": ["S_E"]},
    )
    simulation["precision"] = "float32"
    with pytest.raises(ValueError, match=message):
        check_draws("wong_wang_ei", prior, (), parameters, simulation, observation, seed=1)
    check_draws("wong_wang_ei", {"share_of_critical": {"uniform": [0.5, 1]}}, (), EI, simulation, observation, seed=1)
