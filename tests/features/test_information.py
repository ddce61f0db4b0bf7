import antropy
import numpy as np
import pytest
from pycatch22 import catch22_all
from scipy.linalg import solve_discrete_lyapunov

from vbiflow.features import compute


def of(series, spec, fs=1.0):
    out = compute(np.atleast_2d(series), [spec], fs=fs)
    return dict(zip(out.names, out.x[0], strict=True))


def coupled(r, n=20_000, seed=0):
    a, b = np.random.default_rng(seed).standard_normal((2, n))
    return np.stack([a, r * a + (1 - r**2) ** 0.5 * b])


def test_entropy_of_a_normal_variable_is_its_closed_form_at_each_node():
    series = np.random.default_rng(0).standard_normal((2, 20_000)) * [[1.0], [3.0]]
    out = of(series, {"entropy": {"per": "node"}})
    expected = [0.5 * np.log(2 * np.pi * np.e * sd**2) for sd in (1, 3)]
    assert list(out.values()) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("method", ["gaussian", "neighbours"])
def test_mutual_information_of_normal_variables_is_its_closed_form(method):
    spec = {"mutual_information": {"method": method, "statistics": "mean"}}
    found = of(coupled(0.8, 4000), spec)["mutual_information.mean"]
    assert found == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.05)


def test_nearest_neighbours_see_what_a_correlation_does_not():
    a = np.random.default_rng(0).standard_normal(3000)
    series = np.stack([a, a**2])
    name = "mutual_information.mean"
    assert of(series, {"mutual_information": {"statistics": "mean"}})[name] < 0.01
    assert of(series, {"mutual_information": {"statistics": "mean", "method": "neighbours"}})[name] > 1


def test_transfer_entropy_of_a_driven_pair_is_its_closed_form_and_one_way():
    rng = np.random.default_rng(0)
    cause = rng.standard_normal(200_000)
    effect = np.r_[0.0, cause[:-1]] + rng.standard_normal(200_000)
    out = of(np.stack([cause, effect]), {"transfer_entropy": {"statistics": "mean"}})
    assert out["transfer_entropy.total.mean"] == pytest.approx(0.5 * np.log(2), rel=0.02)
    assert out["transfer_entropy.net.mean"] == pytest.approx(0.5 * np.log(2), rel=0.02)
    assert of(coupled(0.8), {"transfer_entropy": {"statistics": "mean"}})["transfer_entropy.total.mean"] < 1e-3


def test_transfer_entropy_agrees_with_regressions():
    rng = np.random.default_rng(2)
    series = rng.standard_normal((2, 500)).cumsum(axis=1) * 0.1 + rng.standard_normal((2, 500))
    from vbiflow.features.information import transfer

    now, past = series[:, 1:], series[:, :-1]

    def residual(target, *regressors):
        design = np.stack([np.ones(target.size), *regressors], axis=1)
        return target - design @ np.linalg.lstsq(design, target, rcond=None)[0]

    expected = 0.5 * np.log(residual(now[0], past[0]).var() / residual(now[0], past[0], past[1]).var())
    assert transfer(series[None], 1)[0, 0, 1] == pytest.approx(expected)


def test_lag_is_in_seconds():
    rng = np.random.default_rng(0)
    cause = rng.standard_normal(20_000)
    effect = np.roll(cause, 5) + rng.standard_normal(20_000)
    series = np.stack([cause, effect])
    name = "transfer_entropy.net.mean"
    assert of(series, {"transfer_entropy": {"lag": 0.5}}, fs=10.0)[name] > 0.3
    assert of(series, {"transfer_entropy": {"lag": 0.4}}, fs=10.0)[name] < 0.01
    with pytest.raises(ValueError, match=r"feature transfer_entropy: lag of 2000 s .* is longer than the recording"):
        of(series[:, :10_000], {"transfer_entropy": {"lag": 2000}}, fs=10.0)


def test_complexity_agrees_with_antropy(ts):
    y = ts[0, 0].astype(float)
    expected = {
        "lempel_ziv": antropy.lziv_complexity((y > np.median(y)).astype(int), normalize=True),
        "permutation_entropy": antropy.perm_entropy(y, normalize=True),
        "sample_entropy": antropy.sample_entropy(y),
        "fractal_dimension": antropy.higuchi_fd(y),
        "detrended_fluctuation": antropy.detrended_fluctuation(y),
    }
    for name, value in expected.items():
        assert of(y, name)[f"{name}.mean"] == pytest.approx(value), name


def test_complexity_tells_noise_from_a_sine():
    noise, sine = np.random.default_rng(0).standard_normal(2000), np.sin(np.arange(2000) / 20)
    for name in ("lempel_ziv", "permutation_entropy", "sample_entropy", "fractal_dimension"):
        assert of(noise, name)[f"{name}.mean"] > of(sine, name)[f"{name}.mean"]
    assert of(noise, "permutation_entropy")["permutation_entropy.mean"] == pytest.approx(1, abs=0.01)
    assert of(noise, "fractal_dimension")["fractal_dimension.mean"] == pytest.approx(2, abs=0.05)
    assert of(noise, "detrended_fluctuation")["detrended_fluctuation.mean"] == pytest.approx(0.5, abs=0.1)


def test_catch22_agrees_with_its_library_by_name(ts, nodes):
    out = compute(ts[:1], [{"catch22": {"per": "node", "catch24": True}}], fs=2.0, nodes=nodes)
    expected = catch22_all(ts[0, 4].astype(float).tolist(), catch24=True)
    found = dict(zip(out.names, out.x[0], strict=True))
    for name, value in zip(expected["names"], expected["values"], strict=True):
        assert found[f"catch22.{name}[M1_R]"] == pytest.approx(value), name
    assert len(out.names) == 24 * 10


def driven(n, coupling, own=0.5, power=1, seed=0):
    """Cause and effect y(t) = own y(t - 1) + coupling x(t - 1)^power + noise, of autoregressive x."""
    rng = np.random.default_rng(seed)
    noise, series = rng.standard_normal((2, n)), np.zeros((2, n))
    for t in range(1, n):
        series[0, t] = 0.6 * series[0, t - 1] + noise[0, t]
        series[1, t] = own * series[1, t - 1] + coupling * series[0, t - 1] ** power + noise[1, t]
    return series


@pytest.mark.parametrize(("method", "n", "tolerance"), [("gaussian", 20_000, 0.01), ("neighbours", 4000, 0.03)])
def test_transfer_entropy_of_autoregressive_series_is_its_closed_form(method, n, tolerance):
    coefficients = np.array([[0.6, 0.0], [0.4, 0.5]])
    covariance = solve_discrete_lyapunov(coefficients, np.eye(2))
    lagged = coefficients @ covariance
    expected = 0.5 * np.log(covariance[1, 1] - lagged[1, 1] ** 2 / covariance[1, 1])
    out = of(driven(n, 0.4), {"transfer_entropy": {"method": method, "statistics": "mean"}})
    total, net = out["transfer_entropy.total.mean"], out["transfer_entropy.net.mean"]
    assert (total + net) / 2 == pytest.approx(expected, abs=tolerance)
    assert (total - net) / 2 == pytest.approx(0.0, abs=tolerance)


def test_nearest_neighbours_see_a_drive_that_no_correlation_shows():
    series = driven(2000, 0.5, power=2)
    found = {
        method: of(series, {"transfer_entropy": {"method": method, "statistics": "mean"}})["transfer_entropy.net.mean"]
        for method in ("gaussian", "neighbours")
    }
    assert found["gaussian"] < 0.05 < 0.25 < found["neighbours"]


def test_transfer_entropy_by_neighbours_computes_only_the_pairs_asked_for():
    from vbiflow.features import Nodes
    from vbiflow.features.information import neighbour_transfer

    series = np.stack([*driven(300, 0.8), np.ones(300), *driven(300, 0.1, seed=1)])[None]
    nodes = Nodes(["a_L", "a_R", "b_L", "c_L", "c_R"])
    whole = neighbour_transfer(series, 1, 3, nodes, ("all",))
    few = neighbour_transfer(series, 1, 3, nodes, ("homotopic",))
    kept = few != 0
    assert np.argwhere(kept[0]).tolist() == [[0, 1], [1, 0], [3, 4], [4, 3]]
    np.testing.assert_array_equal(few[kept], whole[kept])
    assert not whole[0, 2].any() and not whole[0, :, 2].any()
