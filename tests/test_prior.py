"""The prior: sharding, transforms, densities, bad entries."""

import numpy as np
import pytest
from scipy import stats

from vbiflow import io
from vbiflow.marginals import FAMILIES
from vbiflow.prior import Prior

ENTRIES = {
    "uniform": [1, 10],
    "loguniform": [0.01, 10],
    "normal": [2, 3],
    "lognormal": [0, 0.5],
    "truncated_normal": [0, 1, -0.5, 2],
    "beta": [2, 3, -1, 4],
}


@pytest.fixture
def prior():
    return Prior.from_config({"G": {"uniform": [1, 10]}, "eta": {"normal": [-4, 0.5], "per": "node"}}, ["a", "b", "c"])


def test_every_family_has_an_entry_here():
    assert ENTRIES.keys() == FAMILIES.keys()


def test_the_logarithm_of_a_parameter_follows_maps_and_survives_a_file():
    entry = {"map": {"constant": {"uniform": [-1, 1]}, "m": {"uniform": [0, 2]}}, "link": "log", "within": [0.1, 9]}
    prior = Prior.from_config({"tau": entry}, "abc", {"m": [-1.0, 0.0, 2.0]}, {"tau": "ms"})
    assert prior.units == ("1", "1")  # the unit is that of the parameter, not of its logarithm
    theta = np.array([[np.log(2), np.log(2)], [1.0, 2.0]])
    again = Prior.from_plain(prior.to_config(), prior.names)
    for one in (prior, again):
        np.testing.assert_allclose(one.parameters(theta)["tau"][0], [1, 2, 8])
    assert again.reasons(theta) == ["", "tau is outside [0.1, 9] in 1 nodes"]


def test_coefficients_that_are_numbers_are_fixed_and_survive_a_file():
    entry = {"map": {"constant": np.log(2), "m": {"uniform": [0, 2]}, "n": 1}, "link": "log"}
    prior = Prior.from_config({"tau": entry}, "ab", {"m": [0.0, 1.0], "n": [0.0, np.log(3)]})
    for one in (prior, Prior.from_plain(prior.to_config(), ["tau.m"])):
        assert one.names == ("tau.m",)
        np.testing.assert_allclose(one.parameters(np.array([[np.log(5)]]))["tau"], [[2, 30]])
    with pytest.raises(ValueError, match="prior of tau: all its coefficients are numbers; move it to parameters"):
        Prior.from_config({"tau": {"map": {"constant": 1.0, "m": 2}}}, "ab", {"m": [0.0, 1.0]})
    with pytest.raises(ValueError, match="no map 'o'"):
        Prior.from_config({"tau": {"map": {"m": {"uniform": [0, 2]}, "o": 1}}}, "ab", {"m": [0.0, 1.0]})


@pytest.mark.parametrize("family", FAMILIES)
def test_transform_and_density_of_every_family(family):
    prior = Prior.from_config({"p": {family: ENTRIES[family]}})
    theta = prior.sample(1, 0, 4000)
    z = prior.to_normal(theta)
    assert stats.kstest(z[:, 0], "norm").pvalue > 1e-3
    np.testing.assert_allclose(prior.from_normal(z), theta, rtol=1e-9)
    low, high = prior.ppf(np.array([[1e-6], [1 - 1e-6]]))[:, 0]
    grid = np.linspace(low, high, 200_001)
    assert np.trapezoid(np.exp(prior.log_prob(grid[:, None])), grid) == pytest.approx(1, abs=1e-4)
    assert prior.std[0] == pytest.approx(theta.std(), rel=0.1)


def test_support_is_never_left():
    prior = Prior.from_config({"p": {"uniform": [1, 10]}})
    theta = prior.from_normal(np.array([[-40.0], [40.0]]))
    assert theta.min() >= 1 and theta.max() <= 10
    assert np.isfinite(prior.to_normal(np.array([[1.0], [10.0]]))).all()
    assert prior.log_prob(np.array([[0.9]]))[0] == -np.inf


def test_rows_depend_on_seed_and_index_alone(prior):
    whole = prior.sample(7, 0, 100)
    np.testing.assert_array_equal(np.vstack([prior.sample(7, 0, 37), prior.sample(7, 37, 100)]), whole)
    assert len(np.unique(whole)) == whole.size
    assert not np.isin(prior.sample(8, 0, 100), whole).any()


def test_names_and_parameters(prior):
    assert prior.names == ("G", "eta[a]", "eta[b]", "eta[c]")
    split = prior.parameters(prior.sample(0, 0, 5))
    assert split["G"].shape == (5, 1) and split["eta"].shape == (5, 3)
    np.testing.assert_array_equal(np.hstack([split["G"], split["eta"]]), prior.sample(0, 0, 5))


def test_plain_data_round_trip(prior):
    again = Prior.from_plain(prior.to_config())
    assert again.names == prior.names
    np.testing.assert_array_equal(again.sample(3, 0, 4), prior.sample(3, 0, 4))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"loguniform": [0, 1]}, "low of loguniform must be above 0, found 0"),
        ({"map": {"constant": {"uniform": [0, 1]}}, "link": "logit"}, "link is 'logit'; choose from identity, log"),
        ({"unifrom": [0, 1]}, "unknown family 'unifrom'.*uniform, normal"),
        ({"uniform": [1, 0]}, "low 1 must be below high 0"),
        ({"uniform": [0]}, r"uniform takes \[low, high\], found \[0\]"),
        ({"normal": [0, -1]}, "sd must be positive"),
        ({"uniform": [0, float("nan")]}, "not finite"),
        ({"uniform": [0, 1], "per": "nod"}, "per: 'nod' is unknown; choose from node"),
        (3, "found 3"),
    ],
)
def test_bad_entries_get_one_line(entry, message):
    with pytest.raises(ValueError, match=message) as error:
        Prior.from_config({"G": entry})
    assert "\n" not in str(error.value) and "G" in str(error.value)


def test_wrong_width_is_refused(prior):
    with pytest.raises(ValueError, match="4 parameters G, eta"):
        prior.log_prob(np.zeros((2, 3)))


def test_order_of_parameters_survives_a_file(tmp_path):
    prior = Prior.from_config({name: {"uniform": [0, 1]} for name in ("G", "w", "I", "a")})
    io.write(tmp_path / "prior.h5", {"names": list(prior.names)}, {"prior": prior.to_config()})
    stored = io.read_attributes(tmp_path / "prior.h5")["prior"]
    assert Prior.from_plain(stored, io.read(tmp_path / "prior.h5", "names")["names"]).names == ("G", "w", "I", "a")
    with pytest.raises(ValueError, match="parameters G, w, I, a are not the columns w, G, I, a of theta"):
        Prior.from_plain(stored, ["w", "G", "I", "a"])


def test_the_truth_of_a_simulated_recording_is_placed_by_region(prior):
    theta = prior.theta({"G": 3, "eta": {"value": -4, "at": {"b": -3.5}}})
    assert theta.tolist() == [[3, -4, -3.5, -4]]
    assert prior.theta({"G": 3, "eta": [-4, -4.5, -3]}).tolist() == [[3, -4, -4.5, -3]]


def test_a_truth_by_rule_fits_any_connectome(prior):
    weights = np.array([[0, 1, 0], [1, 0, 5], [0, 2, 0]])  # 2, 9 and 7 in and out
    raised = {"value": -4, "strongest": {"regions": 2, "value": -3.5}, "weakest": {"regions": 1, "value": -4.5}}
    assert prior.theta({"G": 3, "eta": raised}, weights).tolist() == [[3, -4.5, -3.5, -3.5]]
    assert prior.theta({"G": 3, "eta": raised | {"at": {"b": -3}}}, weights).tolist() == [[3, -4.5, -3, -3.5]]
    drawn = [prior.theta({"G": 3, "eta": {"uniform": [-5, -4], "seed": seed}})[0, 1:] for seed in (1, 1, 2)]
    assert drawn[0].tolist() == drawn[1].tolist() != drawn[2].tolist()
    assert len(set(drawn[0])) == 3 and (np.abs(drawn[0] + 4.5) < 0.5).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"G": 3}, "no value of eta; give one of each inferred parameter"),
        ({"G": 3, "eta": -4, "w": 1}, "w is not inferred; choose from G, eta"),
        ({"G": 0.5, "eta": -4}, "G is 0.5, which its prior cannot give; widen the prior"),
        ({"G": 3, "eta": {"value": -4, "at": {"d": 1}}}, "eta: no region 'd'; choose from a, b, c"),
        ({"G": 3, "eta": [1, 2]}, r"2 values for 3 nodes; give one, or one a node, or for any connectome \{uniform"),
        ({"G": 3, "eta": {"value": -4, "weakest": {"regions": 2, "value": -3}}}, "eta: weakest: 2 regions of 0 with"),
        ({"G": 3, "eta": {"uniform": [-4, -5], "seed": 1}}, "eta: uniform: low -4 is above high -5"),
        ({"G": {"uniform": [0.5, 3], "seed": 1}, "eta": -4}, "G is 0.5, which its prior cannot give"),
        ({"G": [1, 2], "eta": -4}, "G: 2 values, it is one number for the whole network"),
        ({"G": {"value": 3, "strongest": {"regions": 1, "value": 2}}, "eta": -4}, "G: found .* it is one number for"),
        (
            {"G": 3, "eta": {"value": -4} | {key: {"regions": 2, "value": -3.5} for key in ("strongest", "weakest")}},
            "eta: strongest and weakest regions are more than all 3; name fewer",
        ),
        ({"G": 3, "eta": {"mean": 2}}, r"eta: found \{'mean': 2\}; write \{value: number, at"),
    ],
)
def test_a_wrong_truth_is_one_line(prior, values, message):
    with pytest.raises(ValueError, match=message):
        prior.theta(values)


@pytest.mark.parametrize("rule", [{"strongest": {"regions": 1, "value": 9}}, {"at": {"b": 9}}, {"at": {}, "value": 9}])
def test_no_region_has_a_truth_that_the_prior_cannot_give(rule):
    prior = Prior.from_config({"eta": {"uniform": [-6, -3], "per": "node"}}, labels=("a", "b"))
    with pytest.raises(ValueError, match="eta is 9, which its prior cannot give"):
        prior.theta({"eta": {"value": -4} | rule}, np.ones((2, 2)))


MAPS = {"myelin": np.array([1.0, 1.5, 2.0]), "gradient": np.array([-1.0, 0.0, 4.0])}
REGRESSION = {
    "G": {"uniform": [1, 10]},
    "w": {
        "map": {
            "constant": {"uniform": [0.3, 0.7]},
            "myelin": {"uniform": [-0.3, 0]},
            "gradient": {"normal": [0, 0.05]},
        },
        "within": [0, 0.5],
    },
    "sigma": {"map": {"gradient": {"uniform": [0.001, 0.002]}}},
}


def test_regression_on_maps():
    prior = Prior.from_config(REGRESSION, "abc", MAPS)
    assert prior.names == ("G", "w.constant", "w.myelin", "w.gradient", "sigma.gradient")
    theta = prior.sample(3, 0, 50)
    w = theta[:, [1]] + theta[:, [2]] * MAPS["myelin"] + theta[:, [3]] * MAPS["gradient"]
    values, reasons = prior.parameters(theta), prior.reasons(theta)
    np.testing.assert_allclose(values["w"], np.clip(w, 0, 0.5))
    np.testing.assert_allclose(values["sigma"], theta[:, [4]] * [0, 0, 4])
    outside = ((w < 0) | (w > 0.5)).sum(1)
    assert 0 < np.count_nonzero(outside) < 50
    assert [
        text.startswith(f"w is outside [0, 0.5] in {n} nodes") for text, n in zip(reasons, outside, strict=True) if n
    ]
    assert all(
        text.startswith("sigma is outside [0, inf] in 1 nodes")
        for text, n in zip(reasons, outside, strict=True)
        if not n
    )


def test_regression_survives_a_file(tmp_path):
    prior = Prior.from_config(REGRESSION, "abc", MAPS)
    io.write(tmp_path / "prior.h5", {}, {"prior": prior.to_config()})
    again = Prior.from_plain(io.read_attributes(tmp_path / "prior.h5")["prior"], prior.names)
    theta = prior.sample(3, 0, 20)
    np.testing.assert_array_equal(again.parameters(theta)["w"], prior.parameters(theta)["w"])
    assert again.reasons(theta) == prior.reasons(theta)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"map": {"myeline": {"uniform": [0, 1]}}},
            "prior of w: no map 'myeline'; .* connectome.maps, which has myelin, g",
        ),
        ({"map": ["myelin"]}, "prior of w: found .*; write it as w: {map: {constant: {uniform: "),
        ({"map": {}}, "prior of w: found"),
        ({"map": {"myelin": {"uniform": [1, 0]}}}, "prior of w.myelin: low 1 must be below high 0"),
        ({"map": {"myelin": {"uniform": [0, 1], "per": "node"}}}, "prior of w.myelin: per: 'node' is unknown"),
        (
            {"map": {"myelin": {"uniform": [0, 1]}}, "within": [1, 0]},
            r"prior of w: within is \[1, 0\]; give \[low, high\]",
        ),
        ({"map": {"myelin": {"uniform": [0, 1]}}, "inside": [0, 1]}, "prior of w: found"),
    ],
)
def test_bad_regressions_get_one_line(entry, message):
    with pytest.raises(ValueError, match=message) as error:
        Prior.from_config({"w": entry}, "abc", MAPS)
    assert "\n" not in str(error.value)


def test_units_go_with_the_columns_and_come_back(tmp_path):
    config = {
        "I": {"uniform": [0, 1], "per": "node"},
        "w": {"map": {"m": {"uniform": [0, 1]}}},
        "G": {"uniform": [1, 2]},
    }
    prior = Prior.from_config(config, ["a", "b"], {"m": np.ones(2)}, {"I": "nA", "w": "mV", "tau": "ms"})
    assert dict(zip(prior.names, prior.units, strict=True)) == {"I[a]": "nA", "I[b]": "nA", "w.m": "mV", "G": "1"}
    assert Prior.from_plain(prior.to_config()).units == prior.units
