"""A network a parameter: what it finds that a regression does not, and that the density stays a density."""

import json

import numpy as np
import pytest
import torch
from scipy import stats

from vbiflow.inference import inputs, residual_shape, training
from vbiflow.inference.marginal_networks import OWN, TRAINING, MarginalNetworks
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.residual_shape import within_family
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT

N_PARAMETERS, N_ROWS, N_FEWER, N_SURVEYED = 24, 48_000, 24_000, 1500
QUICK = {"estimator": {"maf": {"hidden_features": 30, "num_transforms": 2}}, "max_epochs": 15, "dropout": "none"}
QUICK |= {"batch_size": 500, "learning_rate": 2e-3, "test_share": 0.1}
NAMES = [f"G{k}" if k == 0 else f"eta[{k}]" for k in range(N_PARAMETERS)]
SIZE = 0.3


def simulate():
    """Every z shows in two features of its own; a third one says which of the two to believe, and how much."""
    rng = np.random.default_rng(1)
    z, *noise = rng.standard_normal((3, N_ROWS, N_PARAMETERS))
    which = rng.uniform(-1, 1, z.shape)
    shown = [z + SIZE * np.exp(sign * 2 * which) * own for sign, own in zip((1, -1), noise, strict=True)]
    return z, np.concatenate([*shown, which, rng.standard_normal((N_ROWS, 20))], axis=1)


def exact_log_density(z, x):
    """log p(z | x) (n,), of the weighted mean of both features."""
    one, two, which, _ = np.split(x, [N_PARAMETERS, 2 * N_PARAMETERS, 3 * N_PARAMETERS], axis=1)
    first, second = (np.exp(sign * 4 * which) / SIZE**2 for sign in (-1, 1))
    precision = 1 + first + second
    return stats.norm.logpdf(z, (first * one + second * two) / precision, precision**-0.5).sum(axis=1)


@pytest.fixture(scope="module")
def data():
    z, x = simulate()
    prior = Prior.from_config({name: {"normal": [0, 1]} for name in NAMES})
    return TrainingSet.of(prior, z, x, [f"x{k}" for k in range(x.shape[1])], QUICK, seed=1)


@pytest.fixture(autouse=True, scope="module")
def short_fits():
    """The regression learns from few, and all fits are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residual_shape, "STEPS", 200)
        patch.setattr(inputs, "SURVEYED", (N_SURVEYED, 20_000_000))
        patch.setattr(training, "TRAINING", TRAINING | {"batch_size": 250, "max_epochs": 12})
        patch.setattr(training, "STEPS", 600)
        yield


def test_schema_says_from_how_many_simulations_on_they_are_trained():
    """The number that a user reads is the one that decides."""
    schema = json.loads((ROOT / "config/schemas/study.schema.json").read_text())
    said = schema["properties"]["inference"]["properties"]["marginal_networks"]["description"]
    assert f"{inputs.MANY_PARAMETERS} parameters" in said
    assert f"{inputs.APART:,} simulations".replace(",", " ") in said


@pytest.fixture(scope="module")
def trained(data):
    return train(data, QUICK, seed=1)


def without_networks(data, monkeypatch):
    """What training gives where the regression learns from all simulations."""
    monkeypatch.setattr(inputs, "SURVEYED", (N_ROWS, 20_000_000))
    return train(data, QUICK | {"marginal_networks": "none"}, seed=1)


def test_networks_see_the_features_in_which_their_parameter_shows(data):
    theta, x = data.rows(data.learnt[:2000])
    middle = (x[:, :N_PARAMETERS] + x[:, N_PARAMETERS : 2 * N_PARAMETERS]) / 2
    moments = np.concatenate([middle, np.zeros_like(middle)], axis=1)
    columns = MarginalNetworks.of(x, moments, theta, np.ones(N_PARAMETERS), len(x)).columns.numpy()
    assert columns.shape == (N_PARAMETERS, OWN)
    assert all({k, k + N_PARAMETERS, k + 2 * N_PARAMETERS} == set(own[:3]) for k, own in enumerate(columns))


def test_they_tell_most_of_what_there_is_where_regression_and_flow_do_not(data, trained, monkeypatch):
    held_out = data.held_out()
    without, _ = without_networks(data, monkeypatch)
    lost = [exact_log_density(*held_out).mean() - one.log_prob(*held_out).mean() for one in (trained[0], without)]
    assert lost[0] < 0.5 * lost[1], lost
    assert [one.condenser.regression.n_outputs for one in (trained[0], without)] == [6 * N_PARAMETERS, 2 * N_PARAMETERS]


def test_errors_that_a_coupling_makes_are_found_though_they_differ_from_region_to_region(monkeypatch):
    """Features z + w G + noise, with w of every region and simulation among the features; G is hardly told."""
    rng = np.random.default_rng(3)
    z, noise, w = (draw(size=(N_FEWER, N_PARAMETERS)) for draw in (rng.normal, rng.normal, rng.uniform))
    w = 2 * w - 1
    w[:, 0] = 0
    size = np.r_[1.0, np.full(N_PARAMETERS - 1, 0.1)]
    x = z + w * z[:, :1] + size * noise
    prior = Prior.from_config({name: {"normal": [0, 1]} for name in NAMES})
    features = np.concatenate([x, w[:, 1:]], axis=1)
    data = TrainingSet.of(prior, z, features, [f"x{k}" for k in range(features.shape[1])], QUICK, seed=1)
    posterior, _ = train(data, QUICK, seed=1)
    found, own = posterior.condenser.regression, []
    assert found.networks.others == [0]
    for row in data.split.test:  # the exact posterior is normal
        observed = np.eye(N_PARAMETERS)
        observed[:, 0] += w[row]
        precision = np.eye(N_PARAMETERS) + observed.T @ (observed / size[:, None] ** 2)
        mean = np.linalg.solve(precision, observed.T @ (x[row] / size**2))
        own.append(stats.multivariate_normal.logpdf(z[row], mean, np.linalg.inv(precision)))
    theta, held_out = data.held_out()
    without, _ = without_networks(data, monkeypatch)
    lost = [np.mean(own) - one.log_prob(theta, held_out).mean() for one in (posterior, without)]
    assert lost[0] < 0.5 * lost[1], lost
    r, _ = found.standardise(torch.from_numpy(theta).float(), torch.from_numpy(posterior.inputs(held_out)))
    assert np.linalg.eigvalsh(np.corrcoef(r.numpy().T))[-1] < 1.5, "1.22 is chance"


@pytest.mark.parametrize(("n_outside", "known"), [(0, 0), (3, 3), (N_PARAMETERS // 2, 0)])
def test_a_second_family_moves_nothing(n_outside, known):
    """84 more numbers of each of 168 parameters are learnt by heart, and tell less than none."""
    rng = np.random.default_rng(7)
    u, z = rng.standard_normal((2, 300, N_PARAMETERS))
    moments = np.concatenate([u / 2, np.zeros_like(u)], axis=1)
    family = np.r_[np.zeros(n_outside), np.ones(N_PARAMETERS - n_outside)]
    networks = MarginalNetworks.of(u, moments, z, family, 300)
    assert networks.n_numbers == 4 + 2 * known
    numbers = networks(torch.from_numpy(u).float(), torch.from_numpy(moments).float())
    e, volume = networks.standardise(torch.from_numpy(z).float(), numbers)
    assert torch.isfinite(e).all() and torch.isfinite(volume).all()
    np.testing.assert_allclose(networks.undo_standardise(e, numbers).detach().numpy(), z, atol=1e-3)


def test_sums_over_all_features_are_learnt(monkeypatch):
    """Features z + 2 tanh(W y) + noise, and y: as a region that is excited by many others, up to a limit."""
    rng = np.random.default_rng(4)
    z, y, noise = rng.standard_normal((3, N_FEWER, N_PARAMETERS))
    weights = rng.standard_normal((N_PARAMETERS, N_PARAMETERS)) / N_PARAMETERS**0.5
    x = np.concatenate([z + 2 * np.tanh(y @ weights) + 0.1 * noise, y], axis=1)
    prior = Prior.from_config({name: {"normal": [0, 1]} for name in NAMES})
    data = TrainingSet.of(prior, z, x, [f"x{k}" for k in range(x.shape[1])], QUICK, seed=1)
    theta, seen = data.held_out()
    told = [train(data, QUICK, seed=1)[0].log_prob(theta, seen).mean()]
    told.append(without_networks(data, monkeypatch)[0].log_prob(theta, seen).mean())
    known = N_PARAMETERS * np.log(0.1 * 1.01**-0.5)
    lost = [-known - N_PARAMETERS * (1 + np.log(2 * np.pi)) / 2 - one for one in told]
    assert lost[0] < 0.3 * lost[1], lost


def test_intervals_hold_the_truth_where_they_are_narrow_and_where_they_are_wide(data, trained):
    posterior, _ = trained
    theta, x = data.held_out()
    samples = posterior.sample_batch(x, 400, seed=2)
    low, high = np.quantile(samples, [0.05, 0.95], axis=1)
    inside, width = (low < theta) & (theta < high), high - low
    assert inside.mean() == pytest.approx(0.9, abs=0.01)
    assert np.abs(inside.mean(axis=0) - 0.9).max() < 0.035
    ranked = np.take_along_axis(inside, np.argsort(width, axis=1), axis=1)
    thirds = [part.mean() for part in np.array_split(ranked, 3, axis=1)]
    assert thirds == pytest.approx([0.9] * 3, abs=0.025), thirds


def test_networks_of_few_simulations_tell_more_too_and_intervals_hold_the_truth(data, monkeypatch):
    few = TrainingSet.of(data.prior, *data.rows(np.arange(3000)), data.names, QUICK, seed=1)
    theta, x = data.rows(np.arange(N_ROWS - 2000, N_ROWS))
    found, _ = train(few, QUICK, seed=1)
    without, _ = without_networks(few, monkeypatch)
    lost = [exact_log_density(theta, x).mean() - one.log_prob(theta, x).mean() for one in (found, without)]
    assert lost[0] < lost[1] - 4, lost
    low, high = np.quantile(found.sample_batch(x, 400, seed=2), [0.05, 0.95], axis=1)
    inside = ((low < theta) & (theta < high)).mean(axis=0)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    assert np.abs(inside - 0.9).max() < 0.045


def test_mean_errors_of_few_simulations_are_brought_nearer_to_that_of_the_family():
    """By as much as is chance, so that they come nearer to the truth; other parameters keep theirs."""
    rng = np.random.default_rng(5)
    own, n = torch.arange(N_PARAMETERS) > 0, 400
    true = np.r_[0.5, 0.02 * rng.standard_normal(N_PARAMETERS - 1)]
    seen = torch.from_numpy(true + rng.standard_normal((50, N_PARAMETERS)) / n**0.5)
    found = torch.stack([within_family(row, own, 1 / n) for row in seen])
    assert torch.equal(found[:, 0], seen[:, 0])
    errors = [float(((row - torch.from_numpy(true))[:, 1:] ** 2).mean()) for row in (found, seen)]
    assert errors[0] < 0.4 * errors[1], errors
    apart = torch.from_numpy(10 * true)
    assert torch.allclose(within_family(apart, own, 1e-6), apart, atol=1e-3)


def test_standardising_is_undone_and_keeps_the_volume(data, trained):
    regression, (theta, x) = trained[0].condenser.regression, data.held_out()
    moments, z = torch.from_numpy(trained[0].inputs(x[:5])), torch.from_numpy(theta[:5]).float()
    r, volume = regression.standardise(z, moments)
    assert torch.allclose(regression.undo_standardise(r, moments), z, atol=1e-3)
    moments, z = moments[:1].double(), z[:1].double()
    slopes = torch.autograd.functional.jacobian(lambda z: regression.standardise(z, moments)[0], z)[0, :, 0]
    assert volume[0].item() == pytest.approx(float(torch.linalg.slogdet(slopes)[1]), rel=1e-4)


def test_what_is_left_of_each_is_standard_normal(data, trained):
    theta, x = data.held_out()
    r, _ = trained[0].condenser.regression.standardise(
        torch.from_numpy(theta).float(), torch.from_numpy(trained[0].inputs(x))
    )
    p = [stats.kstest(column, "norm").pvalue for column in r.double().numpy().T]
    assert min(p) > 0.01 / N_PARAMETERS


def test_a_posterior_with_networks_is_the_same_from_its_file(data, trained, tmp_path):
    trained[0].save(tmp_path / "posterior.pt")
    loaded, (theta, x) = Posterior.load(tmp_path / "posterior.pt"), data.held_out()
    assert np.array_equal(loaded.log_prob(theta[:50], x[:50]), trained[0].log_prob(theta[:50], x[:50]))
    assert np.array_equal(loaded.sample_batch(x[:2], 10, seed=1), trained[0].sample_batch(x[:2], 10, seed=1))


def test_killed_within_the_networks_or_the_flow_training_goes_on_to_the_same_weights(
    data, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    folder, epochs = tmp_path / "unfinished", []

    class Killed(Exception):
        pass

    def progress(epoch, loss, _):
        epochs.append(epoch)
        if len(epochs) in (5, 15):  # in the middle of the networks' 12 epochs, in the second of the flow
            raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            train(data, QUICK, seed=1, checkpoint=folder, progress=progress)
    resumed, _ = train(data, QUICK, seed=1, checkpoint=folder, progress=lambda epoch, loss, _: epochs.append(epoch))
    assert epochs == [*range(1, 6), *range(5, 13), 1, 2, *range(2, 16)]
    saved = []
    for posterior in (resumed, trained[0]):
        posterior.save(tmp_path / "posterior.pt")
        saved.append((tmp_path / "posterior.pt").read_bytes())
    assert saved[0] == saved[1]
