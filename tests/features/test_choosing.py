import numpy as np
import pytest

from vbiflow.features.choosing import clusters, drop, groups, information, place, regression, report


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(0)
    theta = rng.uniform(-1, 1, (600, 2))
    noise = rng.standard_normal((600, 3))
    x = np.stack(
        [
            theta[:, 0] + 0.1 * noise[:, 0],
            2 * theta[:, 0] + 0.2 * noise[:, 0] + 1,
            theta[:, 1] ** 2,
            noise[:, 1],
            np.full(600, 3.0),
            np.where(np.arange(600) % 2, noise[:, 2], np.nan),
        ],
        axis=1,
    )
    return x, ["a.one", "a.two", "b[x]", "noise", "flat", "gaps"], theta, ["G", "w"]


def test_groups_are_the_features_that_names_begin_with():
    found = groups(["fc.mean", "fc.sd", "variance[A_L]", "fcd.mean"])
    assert {name: columns.tolist() for name, columns in found.items()} == {"fc": [0, 1], "variance": [2], "fcd": [3]}


def test_what_never_varies_or_is_not_finite_is_dropped_with_its_reason(study):
    x, names, *_ = study
    keep, reasons = drop(x, names)
    assert keep.tolist() == [True] * 4 + [False] * 2
    assert reasons == {"flat": "the same in all simulations", "gaps": "not finite in 50.0% of simulations"}
    failed = np.vstack([x, np.full((600, 6), np.nan)])
    assert drop(failed, names)[0].tolist() == keep.tolist()
    assert not drop(np.full((5, 2), np.nan), ["a", "b"])[0].any()


def test_features_that_follow_each_other_cluster(study):
    x, names, *_ = study
    assert clusters(x[:, :4], names[:4]) == [["a.one", "a.two"]]
    assert clusters(np.stack([x[:, 0], -(x[:, 0] ** 3)], axis=1), ["up", "down"]) == [["up", "down"]]
    assert clusters(x[:, :1], names[:1]) == []


def test_information_of_single_features_whatever_the_shape(study):
    x, _, theta, _ = study
    found = information(x[:, :4], theta)
    assert found[0, 0] > 0.9
    assert found[0, 1] < 0.1
    assert found[2, 1] < 0.1
    assert information(theta[:, 1:], theta[:, 1:] ** 2)[0, 0] > 0.95
    assert found[3].max() < 0.05


def test_regression_on_simulations_left_out(study):
    x, _, theta, _ = study
    explained = regression(x[:, :4], theta)
    assert explained[0] > 0.95
    assert explained[1] < 0.3


def test_place_of_a_recording_among_simulations():
    x = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0], [4.0, 1.0]])
    np.testing.assert_allclose(place(x, np.array([2.5, 1.0])), [0.5, 0.5])
    np.testing.assert_allclose(place(x, np.array([0.5, 7.0])), [0, 1])


def test_report_is_plain_and_names_what_is_outside(study):
    x, names, theta, parameters = study
    recording = np.array([0.0, 99.0, 0.5, 0.0, 3.0, 0.0])
    found = report(x, names, theta, parameters, {"sub-1": recording})
    assert found["n_simulations"] == 600
    assert set(found["dropped"]) == {"flat", "gaps"}
    assert found["redundant"] == [["a.one", "a.two"]]
    assert found["informs"]["a.one"]["G"] > 0.9
    assert found["explained"]["G"] > 0.95
    assert found["outside"] == {"sub-1": {"a.two": 1.0}}


def test_reports_need_rows_that_match_and_enough_of_them(study):
    x, names, theta, parameters = study
    with pytest.raises(ValueError, match="600 rows of features but 10 of parameters"):
        report(x, names, theta[:10], parameters)
    with pytest.raises(ValueError, match="10 simulations with 4 usable features are too few"):
        report(x[:10], names, theta[:10], parameters)
