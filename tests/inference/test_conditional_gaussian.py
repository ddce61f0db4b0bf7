"""Regressions that give a flow of many parameters its mean and standard deviation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from vbiflow.inference import inputs, residual_shape, training
from vbiflow.inference.conditional_gaussian import ConditionalGaussian, correlation
from vbiflow.inference.marginal_networks import MarginalNetworks
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.regressions import largest_family
from vbiflow.inference.residual_shape import to_normal
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

N_PARAMETERS = 20
N_MIXED = 40
QUICK = {"estimator": {"maf": {"hidden_features": 40, "num_transforms": 2}}, "max_epochs": 3, "dropout": "none"}


@pytest.fixture(scope="module", autouse=True)
def quick_shape():
    """The fit of the shape, which has tests of its own, is cut short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residual_shape, "STEPS", 200)
        yield


def normal_prior(n=N_PARAMETERS):
    return Prior.from_config({f"p{k}": {"normal": [0, 1]} for k in range(n)})


def mixed(simulate, seed):
    """z, and features of which none follows a single parameter: what `simulate` draws of them, rotated."""
    z, x = simulate(np.random.default_rng(seed))
    return z, x @ np.linalg.qr(np.random.default_rng(4).standard_normal((N_MIXED, N_MIXED)))[0]


@pytest.fixture(scope="module")
def simulated():
    """z, and features of which the first tells z[0] by its square and the noise of z[1] by itself."""
    rng = np.random.default_rng(1)
    z = rng.standard_normal((1500, N_PARAMETERS))
    x = z + 0.1 * rng.standard_normal(z.shape)
    x[:, 0] = rng.uniform(-2, 2, len(z))
    z[:, 0] = x[:, 0] ** 2 - 4 / 3 + 0.2 * rng.standard_normal(len(z))
    z[:, 1] = x[:, 1] + np.exp(x[:, 0]) * 0.1 * rng.standard_normal(len(z))
    return z, x


def test_mean_and_spread_are_those_of_the_simulations(simulated):
    z, x = simulated
    found, own = ConditionalGaussian.fit(x, z)
    mean, log_sd = np.split(found(x), 2, axis=1)
    assert np.std(z[:, 0] - mean[:, 0]) == pytest.approx(0.2, rel=0.1)
    assert np.polyfit(x[:, 0], log_sd[:, 1], 1) == pytest.approx([1.0, np.log(0.1)], abs=0.3)
    assert (
        np.exp(log_sd[:, 2:]).mean(axis=0) == pytest.approx(0.0995, rel=0.1) and log_sd[:, 2:].std(axis=0).max() < 0.25
    )
    assert own == pytest.approx(found(x), abs=0.5) and not np.array_equal(own, found(x))


def test_a_bend_along_a_sum_of_features_and_the_spread_along_it_are_found():
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (4000, 6))
    along = x.sum(axis=1)
    truth = (along + along**3 / 4) / 3
    z = rng.standard_normal((len(x), N_PARAMETERS))
    x = np.hstack([x, z[:, 1:] + 0.3 * rng.standard_normal((len(x), N_PARAMETERS - 1))])
    z[:, 0] = truth + 0.05 * np.exp(along / 2) * z[:, 0]
    moments = ConditionalGaussian.fit(x[:3000], z[:3000])[0](x[3000:])
    mean, log_sd = moments[:, 0], moments[:, N_PARAMETERS]
    assert np.abs(mean - truth[3000:]).mean() < 0.05
    assert np.corrcoef(log_sd, along[3000:])[0, 1] > 0.6
    assert np.mean(np.abs(z[3000:, 0] - mean) < 0.6745 * np.exp(log_sd)) == pytest.approx(0.5, abs=0.06)


def test_an_offset_and_a_gain_that_all_errors_share_are_found_or_stand_in_the_covariance():
    """All z shrink or stretch together, half of it as a sum of their squares says, half by chance."""

    def simulate(rng):
        m = rng.standard_normal((2000, N_MIXED))
        gain = 0.3 * np.tanh(m[:, :1] ** 2 - 1) + 0.2 * rng.standard_normal((len(m), 1))
        return m * (1 + gain) + 0.2 * rng.standard_normal(m.shape), m

    (z, x), (others, y) = mixed(simulate, 5), mixed(simulate, 6)
    found, _ = ConditionalGaussian.fit(x, z)
    plain = replace(found, shared_coefficients=np.zeros((2 * N_MIXED, 3)), factor=np.eye(2))
    loss = {}
    for name, one in (("whole", found), ("plain", plain)):
        r, volume = one.standardise(torch.from_numpy(others), torch.from_numpy(one(y)))
        loss[name] = float(((r**2).sum(-1) / 2 - volume).mean())
    assert loss["whole"] < loss["plain"] - 3
    r, _ = found.standardise(torch.from_numpy(others), torch.from_numpy(found(y)))
    mean, log_sd = torch.from_numpy(found(y)).tensor_split(2, dim=1)
    along = torch.einsum("npd,np->nd", found.shared_directions(mean, log_sd), r.float())
    assert along.std(0).numpy() == pytest.approx(1, abs=0.15)


def test_a_parameter_of_another_kind_shares_nothing():
    names = ["G", *[f"eta[{k}]" for k in range(N_PARAMETERS - 1)]]
    assert largest_family(names).tolist() == [0.0] + [1.0] * (N_PARAMETERS - 1)
    assert largest_family([f"p{k}" for k in range(N_PARAMETERS)]).all()
    rng = np.random.default_rng(6)
    m = rng.standard_normal((1500, N_PARAMETERS))
    gain = 0.3 * np.tanh(m[:, :1]) + 0.2 * rng.standard_normal((len(m), 1))
    z = m * (1 + gain) + 0.2 * rng.standard_normal(m.shape)
    z[:, 0] = m[:, 0] + 0.01 * rng.standard_normal(len(m))
    found, own = ConditionalGaussian.fit(m, z, largest_family(names))
    mean, log_sd = np.split(own, 2, axis=1)
    assert np.exp(log_sd[:, 0]) == pytest.approx(0.01, rel=0.15) and np.abs(z[:, 0] - mean[:, 0]).max() < 0.06
    r, _ = found.standardise(torch.from_numpy(z), torch.from_numpy(own))
    alone, shape = (z[:, 0] - mean[:, 0]) / np.exp(log_sd[:, 0]), torch.from_numpy(found.shape.others[:, 0])
    average, deviation = found.shape.final[:, 0]
    assert torch.allclose(r[:, 0] * deviation + average, to_normal(torch.from_numpy(alone), shape)[0], atol=1e-4)


def test_a_parameter_of_another_kind_is_wrong_together_with_the_family():
    """As a coupling is: where it is taken for too strong, all others are estimated too low."""
    names = ["G", *[f"eta[{k}]" for k in range(N_PARAMETERS - 1)]]

    def simulate(rng):
        x = rng.standard_normal((2000, N_PARAMETERS))
        z = x + 0.1 * rng.standard_normal(x.shape)
        z[:, 0] = x[:, 0] + rng.standard_normal(len(x))
        z[:, 1:] -= 0.1 * (z[:, :1] - x[:, :1])
        return z, x

    (z, x), (others, y) = (simulate(np.random.default_rng(seed)) for seed in (7, 8))
    found, _ = ConditionalGaussian.fit(x, z, largest_family(names))
    inputs = torch.from_numpy(found(y))
    r, _ = found.standardise(torch.from_numpy(others).float(), inputs)
    fixed = np.cov(r.numpy().T)
    assert np.linalg.eigvalsh(fixed)[-1] < 1.6, "1.21 is chance"
    drawn = found.undo_standardise(torch.from_numpy(np.random.default_rng(9).standard_normal(r.shape)).float(), inputs)
    errors = [one.numpy() - found(y)[:, :N_PARAMETERS] for one in (drawn, torch.from_numpy(others))]
    with_family = [np.corrcoef(e[:, 0], e[:, 1:].sum(axis=1))[0, 1] for e in errors]
    assert with_family[1] < -0.9 and with_family[0] == pytest.approx(with_family[1], abs=0.05)


def test_in_training_nothing_is_told_along_what_all_share_and_all_else_is_as_it_was(simulated):
    z, x = simulated
    found, own = ConditionalGaussian.fit(x, z)
    inputs = torch.from_numpy(own)
    r, _ = found.standardise(torch.from_numpy(z).float(), inputs)
    within = found.shared_directions(*found.split_moments(inputs))[..., -2:]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        seen = found.without_shared(r, inputs)
    before, after = (torch.einsum("npd,np->nd", within, one) for one in (r, seen))
    assert torch.allclose(
        seen - torch.einsum("npd,nd->np", within, after), r - torch.einsum("npd,nd->np", within, before), atol=1e-4
    )
    assert after.std(0).numpy() == pytest.approx(1, abs=0.08)
    assert abs(np.corrcoef(before[:, 0], after[:, 0])[0, 1]) < 0.1


def test_with_networks_of_single_parameters_training_sees_all_of_what_is_shared(simulated):
    z, x = simulated
    found, own = ConditionalGaussian.fit(x, z)
    networks = MarginalNetworks.of(x, own, z, found.family, len(z)).eval()
    with_networks, indices = found.with_networks(networks, (x, own, z), (x, own, z)), np.arange(5)
    for regression, whole in ((found, False), (with_networks, True)):
        data = inputs.Inputs(z.astype(np.float32), regression(x), len(z) - 10, "cpu", regression)
        assert torch.equal(data.training_rows(indices)[0], data.rows(indices)[0]) == whole


def test_what_networks_know_by_heart_is_as_large_for_the_flow_as_what_they_do_not(simulated):
    z, x = simulated
    found, own = ConditionalGaussian.fit(x, z)
    networks = MarginalNetworks.of(x, own, z, found.family, len(z)).eval()
    regression = found.with_networks(networks, (x, own, z), (x, own, z))
    n_train, moments = len(z) // 2, regression(x)
    mean = moments[:n_train, : z.shape[1]]
    learnt = np.concatenate([mean + 0.9 * (z[:n_train] - mean), z[n_train:]]).astype(np.float32)
    data = inputs.Inputs(learnt, moments, n_train, "cpu", regression)
    known = data.z[:n_train].numpy()
    assert known.mean(axis=0) == pytest.approx(0, abs=1e-4)
    assert np.cov(known.T) == pytest.approx(np.eye(N_PARAMETERS), abs=0.15), "but for shrinkage"


def test_the_correlation_of_many_errors_from_few_rows_is_that_of_others_and_not_their_chance():
    """One direction that all share, among 60: others are likelier under it than under the sample's, or under none."""
    rng = np.random.default_rng(14)
    true = 0.9 * np.eye(60) + 0.1
    rows, others = (rng.multivariate_normal(np.zeros(60), true, size=n) for n in (200, 5000))
    likelihood = [
        stats.multivariate_normal.logpdf(others, np.zeros(60), one).mean()
        for one in (correlation(rows), np.corrcoef(rows.T), np.eye(60), true)
    ]
    lost = [likelihood[-1] - one for one in likelihood[:-1]]
    assert lost[0] < 0.2 * lost[1] and lost[0] < 0.4 * lost[2], lost
    assert np.diag(correlation(rows)) == pytest.approx(1)


def test_moments_of_a_row_do_not_know_it():
    rng = np.random.default_rng(2)
    z, x = rng.standard_normal((2, 1000, 3)), rng.standard_normal((2, 1000, 300))
    z += 0.4 * x[:, :, :3]
    found, own = ConditionalGaussian.fit(x[0], z[0])
    left_out, fresh = (np.mean((one - mean[:, :3]) ** 2) for one, mean in zip(z, (own, found(x[1])), strict=True))
    assert left_out == pytest.approx(fresh, rel=0.1)


def test_standardising_is_undone_and_keeps_the_volume(simulated):
    z, x = simulated
    found = replace(ConditionalGaussian.fit(x, z)[0], factor=np.array([[1.7, 0.0], [0.4, 0.6]]))
    z, inputs = torch.from_numpy(z[:4]), torch.from_numpy(np.hstack([x[:4], found(x[:4])]))
    r, volume = found.standardise(z, inputs)
    assert torch.allclose(found.undo_standardise(r, inputs), z, atol=1e-5)
    slopes = torch.autograd.functional.jacobian(lambda z: found.standardise(z, inputs[:1])[0], z[:1])[0, :, 0]
    assert volume[0] == pytest.approx(float(torch.linalg.slogdet(slopes)[1]), rel=1e-5)


@pytest.fixture(scope="module")
def trained(simulated):
    z, x = simulated
    data = TrainingSet.of(normal_prior(), z, x, [f"x{k}" for k in range(N_PARAMETERS)], QUICK, seed=1)
    return data, *train(data, QUICK, seed=1)


def test_density_samples_loss_and_file_agree(trained, tmp_path):
    data, posterior, history = trained
    rows = data.split.validation
    density = posterior.log_prob(*data.rows(rows))
    assert -density.mean() == pytest.approx(min(history["validation_loss"][0]), abs=1e-3)
    _, x = data.rows(data.split.test[:2])
    samples = posterior.sample_batch(x, 4000, seed=1)
    inputs, z = posterior.inputs(x[:1]), posterior.prior.to_normal(samples[0])
    centred = z - z.mean(axis=0)
    along = (centred * posterior.score(z, inputs)).mean(axis=0)  # -1 where samples are those of the density, by parts
    assert along == pytest.approx(-1, abs=0.15)
    posterior.save(tmp_path / "posterior.pt")
    loaded = Posterior.load(tmp_path / "posterior.pt")
    assert np.array_equal(loaded.sample_batch(x, 10, seed=1), posterior.sample_batch(x, 10, seed=1))


def test_sbi_sees_the_density_of_z(trained):
    data, posterior, _ = trained
    theta, x = data.rows(data.split.test[:3])
    direct = posterior.to_sbi(x[0])
    z = posterior.prior.to_normal(theta)
    own = posterior.normal_log_prob(z, posterior.inputs(x[0]))
    assert direct.log_prob(torch.from_numpy(z).float()).numpy() == pytest.approx(own, abs=1e-3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = direct.sample((2000,), show_progress_bars=False).numpy()
    assert drawn.std(axis=0) == pytest.approx(posterior.sample(x[0], 2000, seed=1).std(axis=0), rel=0.15)


def test_many_parameters_are_found_sooner_than_by_the_flow_alone(trained):
    data, _, history = trained
    _, alone = train(data, QUICK | {"regression": "none"}, seed=1)
    assert min(history["validation_loss"][0]) < min(alone["validation_loss"][0]) - 10
    assert history["n_inputs"] == alone["n_inputs"] + 2 * N_PARAMETERS


def test_networks_and_flow_of_many_simulations_learn_from_those_that_the_regression_has_not_met(trained, monkeypatch):
    """It would compare what features tell with what the regression told without the row: that is the row's own z."""
    data, _, _ = trained
    n, seen = len(data.split.train), []

    class Recorded(inputs.Inputs):
        def __init__(self, z, u, n_train, *others):
            seen.append((len(z) - n_train, n_train))
            super().__init__(z, u, n_train, *others)

    monkeypatch.setattr(training, "Inputs", Recorded)
    monkeypatch.setattr(training, "STEPS", 5)
    for surveyed, apart, networks in ((n, n + 1, "auto"), (n, n, "none"), (300, n, "auto"), (n, n, "auto")):
        monkeypatch.setattr(inputs, "SURVEYED", (surveyed, 20_000_000))
        monkeypatch.setattr(inputs, "APART", apart)
        train(data, QUICK | {"max_epochs": 1, "marginal_networks": networks}, seed=1)
    sizes = [n, n, n - 300, n - 300, n - n // 3, n - n // 3]  # of a flow alone twice, then of networks and flow
    assert seen == [(len(data.split.validation), size) for size in sizes]


def test_few_parameters_and_embeddings_have_no_regression(simulated):
    z, x = simulated
    names = [f"x{k}" for k in range(N_PARAMETERS)]
    few = TrainingSet.of(normal_prior(19), z[:400, :19], x[:400], names, seed=1)
    assert train(few, QUICK | {"max_epochs": 1}, seed=1)[0].condenser.regression is None
    many = TrainingSet.of(normal_prior(), z[:400], x[:400], names, seed=1)
    embedded = QUICK | {"max_epochs": 1, "embedding": "fully_connected"}
    assert train(many, embedded, seed=1)[0].condenser.regression is None


@pytest.mark.parametrize("estimator", ["maf", "flow_matching"])
def test_losses_of_a_density_are_those_of_z_and_those_of_flow_matching_its_own(simulated, estimator):
    """The loss of flow matching is none of log q; with a regression it was moved by the logarithm of its volume."""
    z, x = simulated
    data = TrainingSet.of(normal_prior(), z[:600], x[:600], [f"x{k}" for k in range(x.shape[1])], seed=1)
    options, told = {"estimator": estimator, "max_epochs": 2, "dropout": "none"}, []
    posterior, history = train(data, options, seed=1, progress=lambda epoch, loss, _: told.append(loss))
    (losses,) = history["validation_loss"]
    assert losses == told
    assert (
        min(losses) > 0
        if estimator == "flow_matching"
        else min(losses) == pytest.approx(-posterior.log_prob(*data.rows(data.split.validation)).mean(), abs=0.01)
    )


def test_too_few_simulations_for_many_parameters_outside_the_family_are_one_line():
    rng = np.random.default_rng(2)
    z, x = rng.standard_normal((30, 60)), rng.standard_normal((30, 10))
    with pytest.raises(ValueError, match=r"30 simulations .* too few for a regression with 30 parameters outside"):
        ConditionalGaussian.fit(x, z, np.r_[np.ones(30), np.zeros(30)])


def test_what_features_do_not_tell_is_not_learnt_from_the_mean_of_the_other_rows():
    rng = np.random.default_rng(12)
    z, x = rng.standard_normal((1500, N_PARAMETERS)), rng.standard_normal((1500, 30))
    z[:, 0] = x[:, 0] + 0.3 * z[:, 0]
    learnt, fresh = slice(0, 1000), slice(1000, None)
    found, own = ConditionalGaussian.fit(x[learnt], z[learnt])
    for moments, rows in ((own, z[learnt]), (found(x[fresh]), z[fresh])):
        mean, log_sd = np.split(moments, 2, axis=1)
        size = (rows - mean) / np.exp(log_sd)
        assert size.std() == pytest.approx(1.0, abs=0.03)
        gain = (rows[:, 1:] ** 2 / 2 - size[:, 1:] ** 2 / 2 - log_sd[:, 1:]).mean()
        assert gain == pytest.approx(0.0, abs=0.02), "nothing is told of the others"
        assert np.corrcoef(mean[:, 0], rows[:, 0])[0, 1] > 0.9


def test_no_simulation_is_told_more_sharply_than_nearly_all_that_were_learnt_from():
    """A polynomial that fits the many runs away for the few: held-out z lay thousands of deviations from the mean."""
    rng = np.random.default_rng(13)
    x = rng.standard_t(3, (2000, N_PARAMETERS))
    z = np.tanh(x) + np.exp(-np.abs(x).sum(axis=1, keepdims=True) / 30) * 0.1 * rng.standard_normal(x.shape)
    found, own = ConditionalGaussian.fit(x[:1000], z[:1000])
    mean, log_sd = np.split(found(x[1000:]), 2, axis=1)
    sharpest, widest = own[:, N_PARAMETERS:].min(axis=0), own[:, N_PARAMETERS:].max(axis=0)
    assert (log_sd >= sharpest - 1e-6).all() and (log_sd <= widest + 1e-6).all()
    assert np.abs(found(50 * x)[:, N_PARAMETERS:]).max() <= max(abs(sharpest).max(), abs(widest).max()) + 1e-6
    assert np.quantile(own[:, N_PARAMETERS:], 0.02, axis=0) == pytest.approx(sharpest, abs=0.5)
    assert np.abs((z[1000:] - mean) / np.exp(log_sd)).max() < 100


def test_a_size_that_all_residuals_share_is_found_though_no_single_one_shows_it():
    """All is told less sharply where a parameter that no single feature follows is far from zero."""

    def simulate(rng):
        z = rng.standard_normal((1500, N_MIXED))
        spread = 0.1 * np.exp(0.4 * (np.minimum(z[:, :1] ** 2, 4) - 1))
        return z, z + spread * rng.standard_normal(z.shape)

    def sizes(moments, z):
        mean, log_sd = np.split(moments, 2, axis=1)
        return (((z - mean) / np.exp(log_sd)) ** 2).mean(axis=1)

    (z, x), (others, y) = mixed(simulate, 5), mixed(simulate, 6)
    found, own = ConditionalGaussian.fit(x, z)
    without = replace(found, shared_coefficients=np.zeros((2 * N_MIXED, 3)))
    assert sizes(without(y), others).std() > 1.2, "0.22 is chance"
    assert sizes(own, z).std() < 0.7 and sizes(found(y), others).std() < 0.7
    assert sizes(own, z).mean() == pytest.approx(1, abs=0.01) and sizes(found(y), others).mean() == pytest.approx(
        1, abs=0.1
    )
