"""The shape that residuals of one family share, and what it is worth to a fresh simulation."""

import numpy as np
import pytest
import torch
from scipy import stats

from vbiflow.inference.residual_shape import ResidualShape, from_normal, to_normal

N_PARAMETERS = 24
FAMILY = np.r_[0.0, np.ones(N_PARAMETERS - 1)]


def simulated(seed, n=1000):
    """Residuals skewed where m is large and with heavy tails where it is small; those of the first have heavy tails."""
    rng = np.random.default_rng(seed)
    m = rng.standard_normal((n, N_PARAMETERS))
    log_sd = 0.3 * rng.standard_normal(m.shape)
    skewed = (rng.gamma(3, size=m.shape) - 3) / 3**0.5
    heavy = rng.standard_t(4, size=m.shape) / 2**0.5
    r = np.where(m > 0, skewed, heavy)
    r[:, 0] = heavy[:, 0]
    return r.astype(np.float32), np.concatenate([m, log_sd], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def found():
    return ResidualShape.fit(*simulated(1), FAMILY)[0]


def standardised(found, r, moments):
    mean, log_sd = torch.from_numpy(moments).tensor_split(2, dim=1)
    e, volume = found.standardise(torch.from_numpy(r), mean, log_sd)
    return e.numpy(), volume.numpy()


def test_fresh_residuals_become_normal_wherever_they_are(found):
    r, moments = simulated(2)
    e, _ = standardised(found, r, moments)
    large = moments[:, 1:N_PARAMETERS] > 0
    for part in (large, ~large):
        before, after = r[:, 1:][part], e[:, 1:][part]
        assert stats.kstest(before, "norm").statistic > 0.03
        assert stats.kstest(after, "norm").statistic < 0.02
        assert np.mean(np.abs(after) < stats.norm.ppf(0.75)) == pytest.approx(0.5, abs=0.015)
        assert np.mean(np.abs(after) < stats.norm.ppf(0.95)) == pytest.approx(0.9, abs=0.015)


def test_a_parameter_outside_the_family_has_a_shape_of_its_own(found):
    r, moments = simulated(3, n=4000)
    e, _ = standardised(found, r, moments)
    assert stats.kstest(r[:, 0], "norm").statistic > 0.04 and stats.kstest(e[:, 0], "norm").statistic < 0.03
    moments[:, 1:] += 1
    assert np.array_equal(standardised(found, r, moments)[0][:, 0], e[:, 0])


def test_fresh_residuals_are_told_as_well_as_the_truth_would(found):
    r, moments = simulated(4)
    e, volume = standardised(found, r, moments)
    own = stats.norm.logpdf(e).sum(axis=1) + volume
    heavy = stats.t.logpdf(r * 2**0.5, 4) + np.log(2) / 2
    skewed = stats.gamma.logpdf(r * 3**0.5 + 3, 3) + np.log(3) / 2
    truth = np.where((moments[:, :N_PARAMETERS] > 0) & (FAMILY > 0), skewed, heavy).sum(axis=1)
    gained = (own - stats.norm.logpdf(r).sum(axis=1)).mean()
    possible = (truth - stats.norm.logpdf(r).sum(axis=1)).mean()
    assert gained > 0 and gained / possible > 0.8


def test_every_parameter_has_unit_variance(found):
    """Within a standard error, though its residuals are all larger than those of the rest."""
    r, moments = simulated(6)
    r[:, 5] *= 1.3
    shape, own = ResidualShape.fit(r, moments, FAMILY)
    e, _ = standardised(shape, r, moments)
    assert own.numpy() == pytest.approx(e, abs=1e-4)
    assert e.std(axis=0) == pytest.approx(1, abs=1.05 * (2 * len(e)) ** -0.5)
    assert e.mean(axis=0) == pytest.approx(0, abs=1.05 * len(e) ** -0.5)
    beside = e[:, FAMILY == 0]
    assert beside.std(axis=0) == pytest.approx(1, abs=1e-3) and beside.mean(axis=0) == pytest.approx(0, abs=1e-3)


def test_normal_residuals_stay_as_they_are():
    rng = np.random.default_rng(5)
    r, fresh = rng.standard_normal((2, 1000, N_PARAMETERS)).astype(np.float32)
    moments = rng.standard_normal((1000, 2 * N_PARAMETERS)).astype(np.float32)
    e, volume = standardised(ResidualShape.fit(r, moments, FAMILY)[0], fresh, moments)
    lost = (stats.norm.logpdf(fresh) - stats.norm.logpdf(e)).sum(axis=1) - volume
    assert lost.mean() == pytest.approx(0, abs=0.15)


def test_both_ways_agree_at_any_size():
    shape = torch.tensor([0.2, -0.3, 0.5, 0.2]).double()[:, None]
    r = torch.linspace(-30, 30, 61).double()
    e, volume = to_normal(r, shape)
    assert torch.allclose(from_normal(e, shape), r, atol=1e-8)
    slopes = torch.diag(torch.autograd.functional.jacobian(lambda r: to_normal(r, shape)[0], r))
    assert torch.allclose(slopes.log(), volume, atol=1e-8)


def test_the_same_simulations_give_the_same_shape_on_any_state_of_torch(found):
    torch.rand(3)
    again, _ = ResidualShape.fit(*simulated(1), FAMILY)
    assert all(np.array_equal(array, again.state()[name]) for name, array in found.state().items())
