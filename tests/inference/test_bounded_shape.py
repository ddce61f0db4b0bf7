"""Sinh-arcsinh distributions that end where the prior does: densities whose samples stay inside."""

import pytest
import torch

from vbiflow.inference.bounded_shape import ends, from_normal, in_prior, lengthen, log_prob, shorten, to_normal


@pytest.fixture
def shapes():
    """Centre, log size, skew and log d of 200 distributions, narrow and wide, in the middle and at the ends."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([1.5, 1.5, 0.5, 0.4])[:, None]
    middle = torch.tensor([0.0, -1.0, 0.0, 0.0])[:, None]
    return middle + spread * torch.randn(4, 200, generator=generator, dtype=torch.float64)


def test_they_are_densities_between_the_ends(shapes):
    z = torch.linspace(-8, 8, 40_001, dtype=torch.float64)[:, None]
    total = torch.trapezoid(log_prob(z, shapes.unsqueeze(1)).exp(), z[:, 0], dim=0)
    assert total.numpy() == pytest.approx(1, abs=1e-3)


def test_e_of_z_is_undone_and_its_slope_is_the_volume(shapes):
    e = torch.linspace(-3, 3, 200, dtype=torch.float64)
    z = from_normal(e, shapes).requires_grad_()
    again, volume = to_normal(z, shapes)
    assert again.tolist() == pytest.approx(e.tolist(), abs=1e-6)
    (slope,) = torch.autograd.grad(again.sum(), z)
    assert slope.log().tolist() == pytest.approx(volume.tolist(), abs=1e-6)


def test_where_nothing_is_told_it_is_the_prior():
    wide = torch.tensor([0.0, 10.0, 0.0, 0.0], dtype=torch.float64).unsqueeze(1).expand(4, 61)
    z = torch.linspace(-3, 3, 61, dtype=torch.float64)
    assert to_normal(z, wide)[0].tolist() == pytest.approx(z.tolist(), abs=1e-3)


def test_no_sample_is_beyond_the_prior_and_none_is_lost(shapes):
    e = torch.linspace(-6, 6, 200)
    for k in range(shapes.shape[1]):
        z = from_normal(e, shapes[:, k : k + 1].float().expand(4, 200))
        assert torch.isfinite(z).all()
        assert z.abs().max() < 8
        assert (z.diff() >= 0).all()


def test_weights_can_be_learnt_from_it_wherever_z_is(shapes):
    z = torch.linspace(-5, 5, 200, dtype=torch.float64)
    shapes.requires_grad_()
    log_prob(z, shapes).sum().backward()
    assert torch.isfinite(shapes.grad).all()


@pytest.mark.parametrize("skew", [-2.5, 0.0, 2.5])
def test_no_truth_is_impossible(skew):
    """Of thousands of truths one lay 37 deviations off and more, and its density took that of all others with it."""
    shape = torch.tensor([1.6, -2.3, skew, 0.2], dtype=torch.float64).unsqueeze(1).expand(4, 61)
    z = torch.linspace(-3, 3, 61, dtype=torch.float64)
    assert log_prob(z, shape).min() > -80
    e, _ = to_normal(z, shape)
    again = from_normal(e, shape)
    assert torch.isfinite(again).all()
    assert again[e.abs() < 7].tolist() == pytest.approx(z[e.abs() < 7].tolist(), abs=1e-4)


def test_whatever_is_far_out_keeps_its_digits():
    """A difference of two large numbers made 0 of 1e18, the middle, so that half of a posterior was never drawn."""
    t = torch.logspace(0.5, 300, 100, dtype=torch.float64)
    t = torch.cat([-t.flip(0), t])
    assert (shorten(t).diff() > 0).all() and shorten(t)[-1] == pytest.approx(4 + 300 * 2.302585, abs=1e-3)
    inner = t[t.abs() < 1e12]
    assert lengthen(shorten(inner)).tolist() == pytest.approx(inner.tolist(), rel=1e-9)
    narrow = torch.tensor([3.52, -1.83, -0.67, 1.48], dtype=torch.float64).unsqueeze(1)
    below, above = ends(in_prior(narrow))
    assert below < -4 < 4 < above
    assert log_prob(torch.tensor([-3.0], dtype=torch.float64), narrow) < -100
