import re

import numpy as np
import pytest
import torch
from linear_gaussian import NAMES, draws, exact, prior, simulate
from scipy import stats
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPClassifier

from vbiflow.estimator_options import resolve_options
from vbiflow.inference.estimators import ESTIMATORS, new_network, seeded_torch
from vbiflow.inference.posterior import FORMAT, Posterior
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.inference.transport import quiet
from vbiflow.io import sealed
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT

QUICK = {"learning_rate": 2e-3, "batch_size": 500, "max_epochs": 14, "patience": 10}
SETTINGS = {
    "maf": {},
    "nsf": {"estimator": {"nsf": {"num_transforms": 3, "num_bins": 5}}},
    "mdn": {"max_epochs": 25},
    "flow_matching": {"max_epochs": 60, "patience": 20},
}


@pytest.fixture(scope="module")
def data():
    theta = prior().sample(3, 0, 6000)
    return theta, simulate(theta, 4)


@pytest.fixture(scope="module")
def posteriors(data):
    return {
        name: train(
            TrainingSet.of(prior(), *data, NAMES, seed=1),
            QUICK | {"estimator": name} | SETTINGS.get(name, {}),
            seed=1,
        )[0]
        for name in ESTIMATORS
    }


@pytest.fixture(scope="module")
def bounded():
    """Two parameters of a uniform and a beta prior, of which x says much: the posterior lies against the bounds."""
    box = Prior.from_config({"G": {"uniform": [2, 3]}, "eta": {"beta": [2, 5, -6, -3]}})
    theta = box.sample(1, 0, 1500)
    x = box.to_normal(theta) @ np.ones((2, 3)) + 0.3 * np.random.default_rng(0).standard_normal((1500, 3))
    posterior, _ = train(
        TrainingSet.of(box, theta, x, ["u", "v", "w"], seed=1),
        QUICK | {"max_epochs": 15},
        seed=1,
    )
    return posterior, x


def c2st(one, other):
    """Accuracy of a classifier that tells two sample sets apart, by five-fold cross-validation (0.5: it cannot)."""
    points = np.concatenate([one, other])
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    label = np.repeat([0, 1], len(one))
    model = MLPClassifier((20,), max_iter=60, random_state=0, early_stopping=True)
    return (cross_val_predict(model, points, label, cv=5) == label).mean()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_closed_form_posterior_is_recovered(posteriors, name):
    x_o = simulate(np.array([[0.8, -0.6]]), 9)
    samples = posteriors[name].sample(x_o[0], 2000, seed=5)
    assert c2st(samples, draws(x_o, 2000, 6)[0]) < 0.55


def test_c2st_sees_a_shift_of_half_a_standard_deviation():
    x_o = simulate(np.array([[0.8, -0.6]]), 9)
    assert c2st(draws(x_o, 2000, 5)[0], draws(x_o, 2000, 6, shift=0.5)[0]) > 0.58


@pytest.mark.parametrize("name", ESTIMATORS)
def test_log_prob_agrees_with_closed_form(posteriors, name, data):
    x_o = data[1][0]
    mean, covariance = exact(x_o[None])
    theta = draws(x_o[None], 500, 2)[0]
    expected = stats.multivariate_normal(mean[0], covariance).logpdf(theta)
    assert np.mean(expected - posteriors[name].log_prob(theta, x_o)) == pytest.approx(0, abs=0.12)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_samples_have_the_density_that_log_prob_states(posteriors, name, data):
    """Importance weights q/g over a normal g fitted to the samples average to one."""
    posterior, x_o = posteriors[name], data[1][7]
    samples = posterior.sample(x_o, 4000, seed=1)
    wide = stats.multivariate_normal(samples.mean(axis=0), 1.7 * np.cov(samples.T))
    points = wide.rvs(4000, random_state=0)
    ratio = np.exp(posterior.log_prob(points, x_o) - wide.logpdf(points))
    assert ratio.mean() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("p", [1, 2, 5, 9])
@pytest.mark.parametrize("name", ["maf", "nsf"])
def test_flows_equal_the_networks_own_methods(name, p):
    with seeded_torch(p):
        network = new_network(p, 4, resolve_options({"estimator": {name: {"hidden_features": 12}}})).eval()
        for weight in network.parameters():
            weight.data += 0.2 * torch.randn_like(weight)
        z, x, noise = 1.5 * torch.randn(300, p), torch.randn(3, 4), torch.randn(3, 100, p + 1)
    flow, context = network.net, x.repeat_interleave(100, 0)
    own, ours = flow.log_prob(z, context=context), ESTIMATORS[name].log_prob(network, z, context)
    assert torch.allclose(ours, own, atol=2e-4)
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for a, b in zip(*(torch.autograd.grad(one.mean(), weights) for one in (own, ours)), strict=True):
        assert torch.allclose(a, b, atol=1e-3 * float(a.abs().max()) + 1e-6)
    with torch.no_grad(), quiet():
        slow, _ = flow._transform.inverse(noise[..., :-1].reshape(300, p), context=context)
        quick = ESTIMATORS[name].samples(network, noise, x)
    assert torch.allclose(quick.reshape(300, p), slow, atol=5e-4, rtol=1e-3)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_saved_posterior_is_the_same_posterior(posteriors, name, data, tmp_path):
    posterior = posteriors[name]
    posterior.save(tmp_path / "posterior.pt")
    loaded = Posterior.load(tmp_path / "posterior.pt")
    assert np.array_equal(loaded.sample(data[1][0], 50, seed=1), posterior.sample(data[1][0], 50, seed=1))
    theta = data[0][:20]
    assert np.array_equal(loaded.log_prob(theta, data[1][0]), posterior.log_prob(theta, data[1][0]))
    assert torch.load(tmp_path / "posterior.pt", weights_only=True)["config"]["features"] == NAMES


def test_same_bytes_are_stored(posteriors, tmp_path):
    saved = []
    for _ in range(2):
        posteriors["maf"].save(tmp_path / "posterior.pt")
        saved.append((tmp_path / "posterior.pt").read_bytes())
    assert saved[0] == saved[1]


@pytest.mark.parametrize("members", [1, 2])
def test_posterior_loads_into_sbi_in_the_three_lines_of_the_documentation(data, tmp_path, monkeypatch, members):
    trained, _ = train(
        TrainingSet.of(prior(), *data, NAMES, seed=1),
        QUICK | {"members": members},
        seed=1,
    )
    x_o = data[1][0]
    monkeypatch.chdir(tmp_path)
    trained.save(tmp_path / "results/hcp_linear@demo/101309/posterior.pt")
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "to_sbi" in block)
    assert len(code.strip().splitlines()) == 3
    found = {"Posterior": Posterior, "x_o": x_o}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        exec(code, found)
    own = found["posterior"].sample(x_o, 2000, seed=1)
    assert found["theta"].shape == (1000, 2)
    assert all(stats.ks_2samp(found["theta"][:, k], own[:, k]).pvalue > 1e-3 for k in range(2))
    z = trained.prior.to_normal(own[:10])
    density = found["direct"].log_prob(torch.from_numpy(z).float()).numpy()
    assert density == pytest.approx(trained.normal_log_prob(z, trained.inputs(x_o)), abs=1e-3)


def test_rows_of_a_batch_do_not_depend_on_the_batch(posteriors, data, monkeypatch):
    from vbiflow.inference import posterior as module

    x = data[1][:5]
    whole = posteriors["maf"].sample_batch(x, 40, seed=2)
    monkeypatch.setattr(module, "BATCH", 41)
    assert posteriors["maf"].sample_batch(x, 40, seed=2) == pytest.approx(whole, abs=1e-5)
    assert posteriors["maf"].sample(x[0], 40, seed=2) == pytest.approx(whole[0], abs=1e-5)
    assert not np.allclose(whole[0], posteriors["maf"].sample(x[0], 40, seed=3))


def test_no_mass_outside_the_prior(bounded):
    posterior, x = bounded
    lower, upper = posterior.prior.bounds
    samples = posterior.sample_batch(np.concatenate([x[:20], [[50.0, -50.0, 50.0]]]), 500, seed=1)
    assert np.isfinite(samples).all()
    assert ((samples >= lower) & (samples <= upper)).all()
    outside = np.array([[3.5, -4.0], [2.5, -7.0], [2.5, -4.0]])
    assert np.isfinite(posterior.log_prob(outside, x[0])).tolist() == [False, False, True]


def test_density_of_theta_integrates_to_one(bounded):
    posterior, x = bounded
    g, eta = (np.arange(120) + 0.5) / 120 + 2, 3 * (np.arange(160) + 0.5) / 160 - 6
    grid = np.stack(np.meshgrid(g, eta), -1).reshape(-1, 2)
    assert np.exp(posterior.log_prob(grid, x[3])).sum() * (1 / 120) * (3 / 160) == pytest.approx(1, abs=0.03)


def test_map_is_the_mode_of_the_density(posteriors, bounded, data):
    mean, _ = exact(data[1][:1])
    assert posteriors["mdn"].map(data[1][0], seed=1) == pytest.approx(mean[0], abs=0.2)
    posterior, x = bounded
    inputs, to_normal = posterior.inputs(x[0]), posterior.prior.to_normal
    best = posterior.normal_log_prob(to_normal(posterior.map(x[0], seed=1)[None]), inputs)
    assert best > posterior.normal_log_prob(to_normal(posterior.sample(x[0], 2000, seed=1)), inputs).max() - 1e-4


def test_features_of_another_name_order_or_number_are_refused(posteriors, data):
    posterior, x_o = posteriors["maf"], data[1][0]
    assert posterior.sample(x_o, 3, seed=1, names=NAMES).shape == (3, 2)
    with pytest.raises(ValueError, match=r"not those the estimator learned: they come in another order"):
        posterior.sample(x_o, 3, seed=1, names=NAMES[::-1])
    with pytest.raises(ValueError, match=r"lacking x5; unknown fcd"):
        posterior.log_prob(data[0][:1], x_o, names=[*NAMES[:5], "fcd"])
    with pytest.raises(ValueError, match=r"^x_o has 5 features, the estimator learned from 6 \(x0, x1, x2, \.\.\.\)"):
        posterior.sample(x_o[:5], 3, seed=1)


def test_missing_feature_that_never_was_missing_is_refused(posteriors, data):
    x_o = data[1][0].copy()
    x_o[2] = np.nan
    with pytest.raises(
        ValueError, match=r"^1 features \(x2\) are not finite, which every simulation that was learnt from had$"
    ):
        posteriors["maf"].sample(x_o, 3, seed=1)


def test_damaged_or_missing_files_are_named(tmp_path, posteriors):
    with pytest.raises(ValueError, match=r"none.pt: no such file; run the rule"):
        Posterior.load(tmp_path / "none.pt")
    posteriors["mdn"].save(tmp_path / "posterior.pt")
    whole = (tmp_path / "posterior.pt").read_bytes()
    (tmp_path / "posterior.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"posterior.pt: damaged.*; delete it and run again$"):
        Posterior.load(tmp_path / "posterior.pt")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"format": 4}, f"of format 4, this vbiflow reads {FORMAT}; train again"),
        ({}, r"not a whole posterior \('format'\); train"),
    ],
)
def test_a_posterior_of_another_format_is_refused(tmp_path, config, message):
    with sealed(tmp_path / "posterior.pt") as part:
        torch.save({"state": {}, "config": config}, part)
    with pytest.raises(ValueError, match=f"posterior.pt: .*{message}"):
        Posterior.load(tmp_path / "posterior.pt")


def test_number_of_samples_must_be_positive(posteriors, data):
    with pytest.raises(ValueError, match=r"the number of samples must be positive, found 0"):
        posteriors["maf"].sample(data[1][0], 0, seed=1)
