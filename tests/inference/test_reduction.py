import numpy as np
import pytest
from linear_gaussian import prior

from vbiflow.inference.posterior import Posterior
from vbiflow.inference.reduction import Reduction, Regression, Spectrum
from vbiflow.inference.screening import dependence, parameter_functions, rank_cosines, unexplained
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet

SHAPES = {"line": lambda z: z, "parabola": lambda z: z**2, "wave": lambda z: np.sin(2 * z), "tails": np.exp}


def columns(reduction):
    """Features that enter any network input."""
    return set(np.flatnonzero(np.abs(reduction.components).max(axis=1) > 1e-12))


def needles(n, k, seed):
    """Four informative features among k of noise."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 2))
    known = np.stack([z[:, 0], z[:, 1], z.sum(axis=1), z[:, 0] - z[:, 1]], axis=1)
    return z, np.hstack([known + 0.5 * rng.standard_normal((n, 4)), rng.standard_normal((n, k))])


def test_rank_cosines_are_orthonormal_whatever_the_tails_and_ties():
    rng = np.random.default_rng(0)
    x = np.stack([rng.standard_cauchy(500), rng.integers(0, 4, 500), np.ones(500), rng.random(500) > 0.9], axis=1)
    found = rank_cosines(x)
    for k, rank in enumerate((3, 3, 0, 1)):
        gram = found[:, :, k].T @ found[:, :, k]
        assert gram == pytest.approx(np.diag([1.0] * rank + [0.0] * (3 - rank)), abs=1e-5)
    assert found.mean(axis=0) == pytest.approx(0, abs=1e-6)
    assert np.array_equal(rank_cosines(np.exp(x[:, :1])), found[:, :, :1]), "ranks alone count"


@pytest.mark.parametrize("shape", SHAPES)
def test_features_that_follow_a_parameter_in_any_shape_are_found_and_noise_is_not(shape):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((800, 3))
    x = rng.standard_normal((800, 300))
    x[:, 7] += SHAPES[shape](z[:, 1])
    p = dependence(rank_cosines(x), parameter_functions(z))
    assert p[7] < 1e-6 and (p < 0.05).sum() <= 3


def test_noise_depends_on_nothing_as_often_as_asked():
    rng = np.random.default_rng(2)
    z = rng.standard_normal((400, 1))
    functions = [rank_cosines(z)[:, :1].astype(float)]
    p = [dependence(rank_cosines(rng.standard_normal((400, 1))), functions)[0] for _ in range(400)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.04, abs=0.03)  # the two tests of a pair overlap


def test_what_a_regression_explains_is_no_longer_asked_for():
    rng = np.random.default_rng(3)
    z = rng.standard_normal((1000, 2))
    x = z + 0.1 * rng.standard_normal(z.shape)
    left = unexplained(parameter_functions(z), z[:, :1])
    p = dependence(rank_cosines(x), left)
    assert p[0] > 0.05 > 1e-6 > p[1]


def test_leave_one_out_predictions_are_those_of_regressions_without_the_row():
    rng = np.random.default_rng(4)
    u = rng.standard_normal((40, 6))
    u -= u.mean(axis=0)
    y = u @ rng.standard_normal((6, 2)) + rng.standard_normal((40, 2))
    y -= y.mean(axis=0)
    found = Regression.fit(Spectrum.of(u), y)
    assert found.explained == pytest.approx(1 - ((y - found.predicted) ** 2).mean(axis=0) / y.var(axis=0))
    for row in (0, 17):
        rest = np.delete(np.arange(40), row)
        a, b = u[rest] - u[rest].mean(axis=0), y[rest] - y[rest].mean(axis=0)
        each = [np.linalg.solve(a.T @ a + 40 * lam * np.eye(6), a.T @ b) for lam in np.geomspace(1e-4, 1e3, 22)]
        at = [(u[row] - u[rest].mean(axis=0)) @ w + y[rest].mean(axis=0) for w in each]
        assert np.abs(np.array(at) - found.predicted[row]).min(axis=0) == pytest.approx(0, abs=1e-8)


def test_needles_in_hay_are_kept_and_the_hay_is_not():
    z, x = needles(2000, 400, 5)
    reduction, inputs = Reduction.fit(x, z, len(x))
    assert {0, 1, 2, 3} <= columns(reduction) and reduction.n_outputs < 25
    assert inputs.std(axis=0) == pytest.approx(1, abs=1e-3)
    v = reduction(x)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(z)), v]))
    left = ((z - basis @ (basis.T @ z)) ** 2).mean(axis=0)
    whole = ((z - x[:, :4] @ np.linalg.lstsq(x[:, :4], z, rcond=None)[0]) ** 2).mean(axis=0)
    assert left == pytest.approx(whole, rel=0.03)


def test_a_signal_that_all_features_mix_is_kept():
    rng = np.random.default_rng(6)
    z = rng.standard_normal((800, 2))
    x = z @ rng.standard_normal((2, 600)) + 3 * rng.standard_normal((800, 600))
    reduction, own = Reduction.fit(x, z, len(x))
    fresh = rng.standard_normal((500, 2))
    v = reduction(fresh @ (np.linalg.lstsq(z, x, rcond=None)[0]))
    assert np.abs(np.corrcoef(v[:, 0], fresh[:, 0])[0, 1]) > 0.95 and reduction.n_outputs < 40
    assert len(own) == 800


def test_a_signal_hidden_under_a_shared_noise_is_kept():
    """z is the difference of a feature and of one that alone tells nothing."""
    rng = np.random.default_rng(7)
    z, shared = rng.standard_normal((1500, 1)), 4 * rng.standard_normal(1500)
    x = np.column_stack([shared + z[:, 0], shared, rng.standard_normal((1500, 100))])
    reduction, inputs = Reduction.fit(x, z, len(x))
    assert {0, 1} <= columns(reduction)
    assert max(abs(np.corrcoef(v, z[:, 0])[0, 1]) for v in inputs.T) > 0.95


def test_where_nothing_tells_of_the_parameters_a_few_features_stay():
    rng = np.random.default_rng(8)
    reduction, _ = Reduction.fit(rng.standard_normal((300, 60)), rng.standard_normal((300, 2)), 300)
    assert 1 <= reduction.n_outputs <= 25
    assert Reduction.identity(5)(np.eye(5)).shape == (5, 5)


def test_an_estimator_with_hay_is_as_good_as_one_without_and_is_stored(tmp_path):
    z, x = needles(1400, 300, 9)
    theta, fresh = prior().from_normal(z), slice(1000, None)
    options = {"learning_rate": 2e-3, "max_epochs": 40, "batch_size": 100}

    def gain(kept, **given):
        data = TrainingSet.of(prior(), theta[:1000], x[:1000, :kept], [f"x{k}" for k in range(kept)], seed=1)
        posterior, _ = train(data, options | given, seed=1)
        return posterior, posterior.log_prob(theta[fresh], x[fresh, :kept]).mean()

    (_, known), (posterior, reduced), (_, whole) = gain(4, reduction="none"), gain(304), gain(304, reduction="none")
    assert reduced > known - 0.3 and reduced > whole + 1.0
    posterior.save(tmp_path / "posterior.pt")
    loaded = Posterior.load(tmp_path / "posterior.pt")
    assert np.array_equal(loaded.sample(x[0], 5, seed=1), posterior.sample(x[0], 5, seed=1))


def test_a_component_that_few_simulations_show_narrow_does_not_throw_others_far_out():
    def simulate(n, seed):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((n, 1))
        level = np.sinh(2 * z + 0.1 * rng.standard_normal((n, 1)))
        bend = 1e-3 * np.linspace(-1, 1, 60) * level**2
        return z, np.hstack([level + bend + 1e-2 * rng.standard_normal((n, 60))])

    z, u = simulate(300, 8)
    found, own = Reduction.fit(u, z, len(z))
    others = found(simulate(20_000, 9)[1])
    assert found.components.any(axis=0).sum() > 1 and len(own) == len(z)
    assert np.abs(others).max() < 5 + np.log1p(1000), "compressed"
    far = np.abs(others) > np.abs(own).max() + 5
    assert not far.any(), "no row is thrown where the network never saw one"


def test_inputs_of_the_very_rows_and_of_others_are_compressed_alike():
    rng = np.random.default_rng(10)
    z = rng.standard_normal((400, 1))
    u = z + np.concatenate([rng.standard_normal((399, 5)), np.full((1, 5), 200.0)])
    found, own = Reduction.fit(u, z, len(z))
    assert found.n_outputs == own.shape[1]
    axes = (np.abs(found.components) > 0).sum(axis=0) == 1  # features that enter themselves, with no row left out
    assert axes.any() and found(u)[:, axes] == pytest.approx(own[:, axes], rel=1e-5)
    assert 5 < np.abs(own).max() < 10
