"""Claims of the paper on planted results: each is confirmed, refuted or left undecided by the numbers that it names."""

import numpy as np
import pytest

from vbiflow.claims import CLAIMS, claim_row
from vbiflow.decisions import (
    RAW_MAPS,
    Results,
    better_for_modes,
    classified,
    constants_worst,
    correlated,
    count_modes,
    degraded,
    faster,
    few_suffice,
    likelier,
    more_sensitive,
    only_product,
    raw_coefficients,
    recovered,
    recovered_from,
    robust,
)
from vbiflow.io import Quantity, write, write_json
from vbiflow.prior import Prior
from vbiflow.study import load_study

RNG = np.random.default_rng(0)


@pytest.fixture
def results(tmp_path):
    """Results of a study of some parameters, with further files by keyword."""

    def made(
        names,
        *,
        shrinkage=0.9,
        information=None,
        explained=0.0,
        n_test=300,
        verdict="trusted",
        joint="trusted",
        **files,
    ):
        one = {"shrinkage": shrinkage, "verdict": verdict}
        one["information"] = -0.5 * np.log(1 - shrinkage) if information is None else information  # of a normal one
        judged = {"parameters": dict.fromkeys(names, one), "n_test": n_test, "tarp": {"verdict": joint}}
        write_json(tmp_path / "diagnostics.json", judged)
        write_json(tmp_path / "features_report.json", {"explained": dict.fromkeys(names, explained)})
        paths = {key: str(tmp_path / f"{key}.json") for key in ("diagnostics", "features_report")}
        for key, content in files.items():
            suffix = "json" if key == "baselines" else "h5"
            path = str(tmp_path / f"{key}.{suffix}")
            if suffix == "json":
                write_json(path, content)
            else:
                notes = content.pop("notes", {})
                write(path, {name: quantity(values) for name, values in content.items()}, notes)
            paths[key] = [path] if key in ("samples", "sensitivity") else path
        return Results(paths)

    return made


def quantity(values):
    """Values as a dataset."""
    if isinstance(values[0], str):
        return Quantity.text(values, "parameter")
    return Quantity(np.asarray(values), "1", tuple(f"axis {k}" for k in range(np.ndim(values))))


def uniform(**ranges):
    """The file of a prior."""
    prior = Prior.from_config({name: {"uniform": list(ends)} for name, ends in ranges.items()}, [])
    return {"notes": {"prior": prior.to_config()}, "theta": prior.sample(0, 0, 10)}


@pytest.mark.parametrize(
    ("wanted", "shrinkage", "n_test", "verdict", "answer"),
    [
        (True, 0.9, 300, "trusted", True),
        (True, 0.05, 300, "uninformative", False),
        (False, 0.05, 300, "uninformative", True),
        (False, 0.9, 300, "trusted", False),
        (True, 0.3, 300, "trusted", None),
        (True, 0.9, 150, "trusted", None),
        (True, 0.9, 300, "overconfident", None),
    ],
)
def test_recovery_follows_from_shrinkage_where_calibration_allows(results, wanted, shrinkage, n_test, verdict, answer):
    found = results(["eta[a]", "eta[b]"], shrinkage=shrinkage, n_test=n_test, verdict=verdict)
    assert recovered("eta", wanted)(found)[0] is answer


@pytest.mark.parametrize("wanted", [True, False])
def test_two_modes_that_shrink_nothing_are_no_proof_that_a_parameter_is_not_told(results, wanted):
    found = results(["G"], shrinkage=0.0, information=1.2)
    answer, numbers = recovered("G", wanted)(found)
    assert answer is None and "shrinkage 0.00, 1.20 nat" in numbers
    curve = {
        "n_simulations": [300], "parameters": ["G"], "shrinkage": [[[0.0]]], "information": [[[1.2]]],
        "coverage_90": [[[0.9]]],
    }  # fmt: skip
    assert recovered_from(300, "G", wanted)(results(["G"], learning_curve=curve))[0] is None


@pytest.mark.parametrize("wanted", [True, False])
def test_what_the_estimator_misses_but_a_regression_finds_is_undecided(results, wanted):
    found = results(["G"], shrinkage=0.02, explained=0.7, verdict="uninformative")
    answer, numbers = recovered("G", wanted)(found)
    assert answer is None and "shrinkage 0.02, 0.01 nat, a regression explains 70%" in numbers


def test_a_claim_on_a_parameter_that_is_not_inferred_is_an_error(results):
    with pytest.raises(ValueError, match=r"diagnostics\.json: no parameter w is inferred"):
        recovered("w")(results(["G"]))


@pytest.mark.parametrize(("rho", "answer"), [(0.7, True), (0.2, False)])
def test_a_printed_correlation_is_that_of_the_samples(results, rho, answer):
    theta = RNG.multivariate_normal([5, 5], [[1, rho], [rho, 1]], 4000)
    found = results(
        ["G", "speed"], samples={"theta": theta, "names": ["G", "speed"]}, prior=uniform(G=(0, 10), speed=(0, 10))
    )
    assert correlated("G", "speed", 0.7)(found)[0] is answer


def test_sensitivity_is_read_along_the_axes_not_off_the_order_of_directions(results):
    """Of the directions G + V and G - V neither is a parameter: the axes are steep by what both give them."""
    turn = np.pi / 4 + 0.3
    vectors = [[np.cos(turn), np.sin(turn)], [np.sin(turn), -np.cos(turn)]]
    found = results(
        ["G", "speed"], sensitivity={"eigenvalues": [9.0, 1.0], "eigenvectors": vectors, "names": ["G", "speed"]}
    )
    steep = {"G": 9 * np.cos(turn) ** 2 + np.sin(turn) ** 2, "speed": 9 * np.sin(turn) ** 2 + np.cos(turn) ** 2}
    answer, numbers = more_sensitive("speed", "G")(found)
    assert answer is True and f"speed {steep['speed']:.0f}, G {steep['G']:.0f}" in numbers
    assert more_sensitive("G", "speed")(found)[0] is False


def test_sensitivities_within_a_factor_of_two_decide_nothing(results):
    files = {"eigenvalues": [1.6, 1.0], "eigenvectors": np.eye(2), "names": ["G", "speed"]}
    assert more_sensitive("G", "speed")(results(["G", "speed"], sensitivity=files))[0] is None


@pytest.mark.parametrize(
    ("here", "there", "verdict", "answer"),
    [
        (0.97, 0.99, "trusted", True),
        (0.99, 0.99, "trusted", False),
        (0.99, 0.97, "trusted", False),
        (0.97, 0.99, "biased", None),
    ],
)
def test_two_studies_are_compared_by_posterior_variance(results, tmp_path, here, there, verdict, answer):
    other = results(["C[a]", "C[b]"], shrinkage=there, verdict=verdict)
    assert other.diagnostics["n_test"] == 300  # read before the files of the next one take their place
    one = results(["C[a]", "C[b]"], shrinkage=here)
    assert degraded("C", "jansen_rit")(Results(one.paths, {"jansen_rit": other}))[0] is answer
    assert degraded("C", "jansen_rit")(one)[0] is None


def test_coefficients_on_z_scored_maps_are_those_of_the_papers_observation():
    """The values decoded from the paper's code, in order constant, myelin, gradient, give the study's truth."""
    raw = {"w": (0.38132, -0.11352, 0.042), "I": (0.3074, -0.00406, -0.00592), "sigma": (0.00517, -0.00079, 0.0007)}
    truth = load_study("wong_wang_maps")["truth"]["virtual-1"]
    for name, values in raw.items():
        ours = np.array([[truth[f"{name}.{term}"] for term in ("constant", *RAW_MAPS)]])
        assert raw_coefficients(ours)[0] == pytest.approx(values, rel=0.11), name  # the truth is rounded


@pytest.mark.parametrize(
    ("free", "verdict", "answer"),
    [("constant", "trusted", True), ("myelin", "trusted", False), ("constant", "biased", None)],
)
def test_the_worst_coefficient_is_found_on_the_papers_maps(results, free, verdict, answer):
    ranges = {"constant": 1.0, "myelin": 0.1, "gradient": 0.1}
    entry = {term: {"uniform": [-end, end]} for term, end in ranges.items()}
    maps = {"myelin": np.zeros(2), "gradient": np.zeros(2)}
    prior = Prior.from_config({name: {"map": entry} for name in ("w", "I")}, ["a", "b"], maps)
    names = [f"{name}.{term}" for name in ("w", "I") for term in ranges]
    known = np.array([1.0 if name.endswith(free) else 0.1 for name in names])
    theta = prior.sample(1, 0, 4000) * known
    files = {"samples": {"theta": theta, "names": names}, "prior": {"notes": {"prior": prior.to_config()}, "w": [1.0]}}
    assert constants_worst("w", "I")(results(names, verdict=verdict, **files))[0] is answer


@pytest.mark.parametrize(("error", "inside", "answer"), [(0.31, 0.9, True), (0.6, 0.9, False), (0.31, 0.5, False)])
def test_few_simulations_suffice_where_error_and_coverage_say_so(results, error, inside, answer):
    curve = {
        "n_simulations": [100, 1000], "parameters": ["G"],
        "rmse": [[[error], [0.3]]], "coverage_90": [[[inside], [0.9]]],
    }  # fmt: skip
    assert few_suffice("G", 100)(results(["G"], learning_curve=curve))[0] is answer
    assert few_suffice("G", 100)(results(["G"]))[0] is None


@pytest.mark.parametrize(
    ("shrinkage", "inside", "wanted", "answer"),
    [(0.9, 0.9, True, True), (0.9, 0.9, False, False), (0.02, 0.9, False, True), (0.3, 0.9, True, None),
     (0.9, 0.5, True, None)],
)  # fmt: skip
def test_recovery_from_few_is_read_off_the_learning_curve(results, shrinkage, inside, wanted, answer):
    curve = {
        "n_simulations": [100, 300], "parameters": ["G"],
        "shrinkage": [[[0.5], [shrinkage]]], "coverage_90": [[[0.7], [inside]]],
        "information": [[[0.3], [-0.5 * np.log(1 - shrinkage)]]],
    }  # fmt: skip
    assert recovered_from(300, "G", wanted)(results(["G"], learning_curve=curve))[0] is answer
    assert recovered_from(300, "G")(results(["G"]))[0] is None


@pytest.mark.parametrize(("low", "high", "answer"), [(0.9, 0.1, True), (0.05, 0.0, False), (0.3, 0.1, None)])
def test_robustness_is_shrinkage_below_the_level(results, low, high, answer):
    noise = RNG.uniform(0, 1, 600)
    shrinkage = np.where(noise <= 0.45, low, high)
    calibration = {
        "names": ["G", "noise"], "theta": np.column_stack([noise, noise]),
        "shrinkage": np.column_stack([shrinkage, shrinkage]),
        "information": -0.5 * np.log(1 - np.column_stack([shrinkage, shrinkage])),
    }  # fmt: skip
    found = results(["G", "noise"], n_test=600, calibration=calibration)
    assert robust("G", "noise", 0.45)(found)[0] is answer
    assert robust("G", "noise", 0.2)(found)[0] is None  # of 600 some 120 have so little


def test_estimators_are_compared_by_time_and_log_probability(results):
    methods = {"maf": {"seconds": 10.0, "log_prob": 1.0}, "nsf": {"seconds": 30.0, "log_prob": 1.5}}
    found = results(["P"], baselines={"methods": methods})
    assert faster("nsf", "maf", 2, 4)(found)[0] is True and faster("nsf", "maf", 4, 8)(found)[0] is False
    assert likelier("nsf", "maf")(found)[0] is True and likelier("maf", "nsf")(found)[0] is False
    assert faster("nsf", "maf", 2, 4)(results(["P"]))[0] is None


@pytest.mark.parametrize(
    ("error", "verdict", "answer"), [(0.0, "trusted", True), (0.3, "trusted", False), (0.0, "biased", None)]
)
def test_zones_are_told_where_the_mean_lies_on_the_side_of_the_truth(results, error, verdict, answer):
    truth = RNG.uniform(-5, -1, (300, 2))
    calibration = {"names": ["eta[a]", "eta[b]"], "theta": truth, "mean": truth + error * RNG.standard_normal((300, 2))}
    found = results(["eta[a]", "eta[b]"], verdict=verdict, calibration=calibration)
    decided, numbers = classified("eta", -3.65, -2.4, -1.6)(found)
    assert decided is answer and "of 600 held-out regions" in numbers and "limits -3.025, -2" in numbers
    assert ("100.0% of" in numbers) == (not error)


def test_modes_are_counted_over_the_prior_and_at_its_ends():
    one, other = RNG.normal(0, 1, 2000), RNG.normal(5, 1, 2000)
    assert count_modes(one) == 1 and count_modes(RNG.uniform(0, 1, 4000)) == 1
    assert count_modes(np.where(RNG.uniform(size=2000) < 0.4, one, other)) == 2
    assert count_modes(np.abs(one)) == 1


def test_an_estimator_is_better_for_several_modes_only_where_there_are_some(results):
    methods = {"maf": {"seconds": 10.0, "log_prob": 1.0}, "nsf": {"seconds": 30.0, "log_prob": 1.5}}
    two = np.where(RNG.uniform(size=2000) < 0.5, RNG.normal(0, 1, 2000), RNG.normal(8, 1, 2000))
    for draws, answer, told in ((two, True, "1 of 2"), (RNG.normal(0, 1, 2000), None, "0 of 2")):
        samples = {"theta": np.column_stack([draws, RNG.normal(0, 1, 2000)]), "names": ["P[a]", "P[b]"]}
        found = results(["P[a]", "P[b]"], baselines={"methods": methods}, samples=samples)
        decided, numbers = better_for_modes("nsf", "maf", "P")(found)
        assert decided is answer and f"{told} posteriors of P have several modes" in numbers


def test_a_product_is_told_where_only_its_logarithm_is_sharp(results):
    product, ratio = 1 + 0.05 * RNG.standard_normal(4000), np.exp(RNG.uniform(-2.2, 2.2, 4000))
    banana = np.column_stack([product * ratio, product / ratio])
    for joint, answer in (("trusted", True), ("overconfident", None)):
        samples, prior = {"theta": banana, "names": ["G", "J"]}, uniform(G=(0.1, 10), J=(0.1, 10))
        found = results(["G", "J"], joint=joint, samples=samples, prior=prior)
        assert only_product("G", "J")(found)[0] is answer
    both = results(
        ["G", "J"], samples={"theta": 1 + 0.05 * RNG.standard_normal((4000, 2)), "names": ["G", "J"]},
        prior=uniform(G=(0.1, 10), J=(0.1, 10)),
    )  # fmt: skip
    assert only_product("G", "J")(both)[0] is False


def test_a_row_of_the_table_names_claim_numbers_and_verdict(results):
    claim = next(claim for claim in CLAIMS if claim.study == "epileptor")
    row = claim_row(claim, "6", results(["eta[a]"]))
    assert row["verdict"] == "confirmed" and "shrinkage 0.90" in row["numbers"] and row["held_out"] == 300
