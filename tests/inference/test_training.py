import os
import re
import signal

import numpy as np
import pytest
import torch
from linear_gaussian import NAMES, exact, prior, simulate

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.estimator_options import OPTIONS, WORKFLOW, resolve_options
from vbiflow.inference import inputs, training
from vbiflow.inference.estimators import ESTIMATORS, maf
from vbiflow.inference.inputs import Condenser
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.reduction import Reduction
from vbiflow.inference.split import held_out, split
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.inference.trials import trials
from vbiflow.io import sealed
from vbiflow.prior import Prior
from vbiflow.termination import handle_termination

SMALL = {"estimator": {"maf": {"hidden_features": 10, "num_transforms": 2}}, "max_epochs": 4}


@pytest.fixture(scope="module")
def data():
    theta = prior().sample(3, 0, 600)
    return theta, simulate(theta, 4)


def fitted(data, options=SMALL, seed=1, valid=None, **kwargs):
    data = TrainingSet.of(prior(), *data, NAMES, options, seed=seed, valid=valid)
    return train(data, options, seed=seed, **kwargs)


def weights(posterior):
    return [value for network in posterior.networks for value in network.state_dict().values()]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_same_seed_same_weights_and_another_seed_others(data):
    first, again, other = fitted(data)[0], fitted(data)[0], fitted(data, seed=2)[0]
    assert same(first, again)
    assert not same(first, other)


def test_many_parameters_are_trained_with_dropout_too_and_what_validates_better_is_kept():
    wide = Prior.from_config({f"p{k}": {"normal": [0, 1]} for k in range(20)})
    theta = wide.sample(1, 0, 400)
    x = theta + 0.7 * np.random.default_rng(2).standard_normal(theta.shape)
    options = {"estimator": {"maf": {"hidden_features": 40, "num_transforms": 2}}, "max_epochs": 12, "batch_size": 50}
    options |= {"learning_rate": 2e-2}

    def found(theta=theta, wide=wide, **more):
        data = TrainingSet.of(wide, theta, x, [f"x{k}" for k in range(20)], seed=1)
        return train(data, options | more, seed=1)

    fixed = {"maf": options["estimator"]["maf"] | {"dropout_probability": 0.1}}
    (auto, history), (plain, none), (dropped, given) = found(), found(dropout="none"), found(estimator=fixed)
    least = {0.0: min(none["validation_loss"][0]), 0.1: min(given["validation_loss"][0])}
    assert none["dropout"] == 0.0 and given["dropout"] == 0.1 and least[0.0] != least[0.1]
    assert history["dropout"] == min(least, key=least.get) and min(history["validation_loss"][0]) == min(least.values())
    few = Prior.from_config({f"p{k}": {"normal": [0, 1]} for k in range(19)})
    assert found(theta[:, :19], few)[1]["dropout"] == 0.0
    assert auto.options["estimator"]["options"]["dropout_probability"] == history["dropout"]
    assert same(auto, dropped if history["dropout"] else plain) and not same(plain, auto)


def test_few_parameters_are_also_trained_on_all_features_and_what_validates_better_is_kept():
    """Sixty features that each tell of one part of a parameter's range, sharply; and ten of them in noise."""
    one = Prior.from_config({"a": {"normal": [0, 1]}})
    theta, rng = one.sample(1, 0, 800), np.random.default_rng(2)
    x = np.tanh(3 * (theta - np.linspace(-2, 2, 60))) + 0.02 * rng.standard_normal((800, 60))
    hay = np.hstack([x[:, 20:30] + rng.standard_normal((800, 10)), rng.standard_normal((800, 400))])

    def found(x, **more):
        options = {"max_epochs": 12, "learning_rate": 2e-3} | more
        return train(TrainingSet.of(one, theta, x, [f"x{k}" for k in range(x.shape[1])], seed=1), options, seed=1)

    for features, whole in ((x, True), (hay, False)):
        (auto, told), (unreduced, of_all) = found(features), found(features, reduction="none")
        assert of_all["n_inputs"] == features.shape[1]
        assert (told["n_inputs"] == features.shape[1]) is whole and same(auto, unreduced) is whole
        assert min(told["validation_loss"][0]) <= min(of_all["validation_loss"][0])


def test_of_too_many_features_only_the_reduction_is_tried():
    for n_features, n_parameters, n_trials in ((500, 2, 2), (501, 2, 1), (100, 20, 2)):
        reduction = Reduction(np.zeros(n_features), np.eye(n_features, 30), np.ones(30))
        tried = trials(resolve_options({}), Condenser(reduction), np.zeros((5, 30)), n_parameters)
        assert len(tried) == n_trials
        told = {500: ["reduced features", "all features"], 501: [""], 100: ["without dropout", "dropout"]}
        assert [trial.name for trial in tried] == told[n_features]
        assert tried[-1].condenser.n_outputs == (n_features if n_features == 500 else 30)
    assert len(trials(resolve_options({}), Condenser(Reduction.identity(5)), np.zeros((0, 5)), 2)) == 1


def test_global_random_state_is_neither_used_nor_changed(data):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    first, _ = fitted(data)
    first.sample(data[1][0], 10, seed=0)
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(numpy_before, np.random.get_state()[1])  # noqa: NPY002
    torch.manual_seed(99)
    assert same(first, fitted(data)[0])


class Killed(Exception):
    pass


def killed_at(epochs):
    """Progress that ends a training with its `epochs`-th call."""
    calls = iter(range(epochs - 1))

    def kill(epoch, loss, _):
        if next(calls, None) is None:
            raise Killed

    return kill


def test_progress_says_which_network_is_trained(data):
    told = []
    fitted(data, SMALL | {"members": 2}, progress=lambda *epoch: told.append(epoch))
    assert [which for *_, which in told] == 4 * ["member 1 of 2"] + 4 * ["member 2 of 2"]
    fitted(data, progress=lambda epoch, loss, which: told.append(which))
    assert told[8:] == [""] * 4


@pytest.mark.parametrize("epochs", [3, 6])
def test_a_killed_training_goes_on_to_the_same_weights(data, tmp_path, monkeypatch, epochs):
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    two, folder = SMALL | {"members": 2}, tmp_path / "unfinished"
    with pytest.raises(Killed):
        fitted(data, two, checkpoint=folder, progress=killed_at(epochs))
    done = []
    resumed, history = fitted(data, two, checkpoint=folder, progress=lambda epoch, loss, _: done.append(epoch))
    whole, expected = fitted(data, two)
    assert done == {3: [3, 4, 1, 2, 3, 4], 6: [2, 3, 4]}[epochs]
    assert same(resumed, whole) and not folder.exists()
    assert history["validation_loss"] == expected["validation_loss"]
    assert history["cpu_seconds"] > 0 < expected["cpu_seconds"]
    saved = []
    for posterior in (resumed, whole):
        posterior.save(tmp_path / "posterior.pt")
        saved.append((tmp_path / "posterior.pt").read_bytes())
    assert saved[0] == saved[1]


def test_the_processor_time_of_killed_jobs_counts(data, tmp_path, monkeypatch):
    """Each epoch takes an hour, by a clock that stands still between them."""
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    hours, folder, two = [0.0], tmp_path / "unfinished", SMALL | {"members": 2}
    monkeypatch.setattr(training.time, "process_time", lambda: 3600 * hours[0])
    monkeypatch.setattr(training.time, "monotonic", lambda: 3600 * hours[0])

    def work(kill):
        def progress(epoch, loss, which):
            hours[0] += 1
            kill(epoch, loss, which)

        return progress

    for epochs in (3, 4):  # the first network's third epoch is not saved; then the second network's first is not
        with pytest.raises(Killed):
            fitted(data, two, checkpoint=folder, progress=work(killed_at(epochs)))
    _, history = fitted(data, two, checkpoint=folder, progress=work(lambda *_: None))
    assert history["epochs"] == [4, 4] and history["cpu_seconds"] / 3600 == pytest.approx(8)
    assert history["seconds"] / 3600 == pytest.approx(8)


def test_sigterm_ends_a_training_after_the_epoch_with_its_state_saved(data, tmp_path):
    """Checkpoints are half a minute apart, but this one is made at once."""
    folder = tmp_path / "unfinished"
    handle_termination()
    try:
        with pytest.raises(SystemExit) as ended:
            fitted(data, checkpoint=folder, progress=lambda epoch, loss, _: epoch == 2 and os.kill(os.getpid(), 15))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert ended.value.code == 143 and len(list(folder.glob("*-0.pt"))) == 1
    done = []
    again, _ = fitted(data, checkpoint=folder, progress=lambda epoch, loss, _: done.append(epoch))
    assert done == [3, 4] and same(again, fitted(data)[0])


def test_a_killed_training_goes_on_with_another_number_of_threads(data, tmp_path, monkeypatch):
    """By which what is computed of the simulations, inputs of the network among it, rounds differently."""
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    with pytest.raises(Killed):
        fitted(data, checkpoint=tmp_path / "unfinished", progress=killed_at(3))
    given, done = training.network_inputs, []
    monkeypatch.setattr(training, "network_inputs", lambda *rest: given(*rest) * np.float32(1 + 1e-6))
    fitted(data, checkpoint=tmp_path / "unfinished", progress=lambda epoch, loss, _: done.append(epoch))
    assert done[0] == 3


def test_a_checkpoint_of_other_data_or_options_is_not_used(data, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    folder, other = tmp_path / "unfinished", (data[0], data[1] + np.arange(6) * 0.01 * data[0][:, :1])
    for first in (lambda kill: fitted(other, checkpoint=folder, progress=kill),
                  lambda kill: fitted(data, SMALL | {"batch_size": 50}, checkpoint=folder, progress=kill)):  # fmt: skip
        with pytest.raises(Killed):
            first(killed_at(3))
        assert same(fitted(data, checkpoint=folder)[0], fitted(data)[0])


def halved(path):
    path.write_bytes(path.read_bytes()[:1000])


def with_flipped_weights(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def without_a_key(path):
    content = torch.load(path, weights_only=True)
    with sealed(path) as part:
        torch.save({key: value for key, value in content.items() if key != "best"}, part)


@pytest.mark.parametrize("damage", [halved, with_flipped_weights, without_a_key])
def test_a_damaged_checkpoint_is_dropped_with_a_line_and_training_starts_anew(
    data, tmp_path, monkeypatch, capsys, damage
):
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    with pytest.raises(Killed):
        fitted(data, checkpoint=tmp_path / "unfinished", progress=killed_at(3))
    damage(next((tmp_path / "unfinished").glob("*-0.pt")))
    capsys.readouterr()
    assert same(fitted(data, checkpoint=tmp_path / "unfinished")[0], fitted(data)[0])
    said = capsys.readouterr().out
    assert re.search(r"^.*: the checkpoint is dropped, training starts anew$", said, re.MULTILINE), said


def test_members_of_an_ensemble_differ_and_mix_in_equal_parts(data, tmp_path):
    posterior, history = fitted(data, SMALL | {"members": 3})
    assert len(posterior.networks) == len(history["epochs"]) == 3
    assert not torch.equal(*(next(iter(network.parameters())) for network in posterior.networks[:2]))
    posterior.save(tmp_path / "posterior.pt")
    loaded, u, x_o = Posterior.load(tmp_path / "posterior.pt"), posterior.inputs(data[1][0]), data[1][0]
    z = prior().to_normal(data[0][:50])
    each = [Posterior(prior(), NAMES, posterior.scaling, posterior.condenser, [network], posterior.options)
            for network in posterior.networks]  # fmt: skip
    mixed = np.log(np.mean([np.exp(one.normal_log_prob(z, u)) for one in each], axis=0))
    assert loaded.normal_log_prob(z, u) == pytest.approx(mixed, abs=1e-5)
    samples, apart = loaded.sample(x_o, 6000, seed=1), [one.sample(x_o, 6000, seed=2) for one in each]
    assert samples.mean(axis=0) == pytest.approx(np.mean([s.mean(axis=0) for s in apart], axis=0), abs=0.05)
    assert calibrate(loaded, *data, seed=1, n_samples=50).ranks.shape == (600, 2)


def test_best_epoch_is_kept_and_patience_ends_training(data):
    options = SMALL | {"max_epochs": 200, "patience": 3, "learning_rate": 0.02}
    posterior, history = fitted(data, options)
    losses = history["validation_loss"][0]
    assert len(losses) == history["best_epoch"][0] + 3 < 200
    rows = split(np.ones(600, bool), 1).validation
    log_prob = posterior.normal_log_prob(prior().to_normal(data[0][rows]), posterior.inputs(data[1][rows]))
    assert -log_prob.mean() == pytest.approx(min(losses), abs=1e-4)


def test_the_learning_rate_falls_along_a_cosine_to_nothing(data, monkeypatch):
    rates, epoch = [], training.Run.epoch

    def recorded(run):
        epoch(run)
        rates.append(run.optimiser.learning_rate)

    monkeypatch.setattr(training.Run, "epoch", recorded)
    fitted(data, SMALL | {"schedule": "cosine", "learning_rate": 0.01})
    assert rates == pytest.approx([0.01, 0.01 * (1 + 0.5**0.5) / 2, 0.005, 0.01 * (1 - 0.5**0.5) / 2])


def test_a_rate_that_falls_along_a_cosine_is_not_cut_off_by_patience(data):
    options = SMALL | {"learning_rate": 0.05, "max_epochs": 12, "patience": 1}
    epochs = {
        schedule: fitted(data, options | {"schedule": schedule})[1]["epochs"] for schedule in ("plateau", "cosine")
    }
    assert epochs["plateau"][0] < 12 == epochs["cosine"][0]


def test_invalid_rows_do_not_train(data):
    theta, x = data
    valid = np.arange(600) % 3 > 0
    spoilt = np.where(valid[:, None], x, 1e9)
    assert same(fitted((theta, spoilt), valid=valid)[0], fitted((theta, x), valid=valid)[0])


def test_test_rows_do_not_train(data):
    theta, x = data
    spoilt = x.copy()
    spoilt[split(np.ones(600, bool), 1).test] = 1e9
    assert same(fitted((theta, spoilt))[0], fitted(data)[0])


def test_split_belongs_to_the_simulation():
    valid = np.ones(1000, bool)
    small, large = split(valid[:400], 5, 0.2, 0.1), split(valid, 5, 0.2, 0.1)
    for name in ("train", "validation", "test"):
        assert np.array_equal(getattr(small, name), getattr(large, name)[getattr(large, name) < 400])
    together = np.concatenate([large.train, large.validation, large.test])
    assert sorted(together) == list(range(1000))
    assert (len(large.validation), len(large.test)) == (200, 100) and (len(small.validation), len(small.test)) == (
        80,
        40,
    )
    assert len(split(valid[:400], 9, 0.1, 0.25).test) == 100, "exact, whatever the seed"
    assert abs(len(split(valid[:333], 5, 0.2, 0.1).test) - 33.3) < 1
    some = np.arange(1000) % 3 > 0
    assert some[split(some, 5).test].all() and abs(len(split(some, 5).test) - 0.1 * some.sum()) < 1
    assert not np.array_equal(large.test, split(valid, 6, 0.2, 0.1).test)


def test_history_says_what_happened(data):
    theta, x = data
    x = np.column_stack([x, np.full(600, 7.0), np.full(600, np.nan)])
    _, history = train(TrainingSet.of(prior(), theta, x, [*NAMES, "flat", "absent"], SMALL, seed=1), SMALL, seed=1)
    assert history["dropped_features"] == {
        "flat": "constant over the simulations",
        "absent": "not finite in 100% of the simulations",
    }
    assert history["n_train"] + history["n_validation"] + history["n_test"] == 600
    assert len(history["train_loss"][0]) == history["epochs"][0] == 4


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_learns_and_reports_falling_loss(data, estimator):
    _, history = fitted(data, {"estimator": estimator, "max_epochs": 6, "learning_rate": 2e-3})
    assert min(history["validation_loss"][0]) < history["validation_loss"][0][0]


def test_hdf5_and_mapped_files_give_the_same_weights(data, tmp_path, monkeypatch):
    import h5py

    expected = fitted(data)[0]
    with h5py.File(tmp_path / "features.h5", "w") as file:
        stored = file.create_dataset("x", data=data[1])
        assert same(fitted((data[0], stored))[0], expected)
    monkeypatch.setattr(inputs, "IN_MEMORY", 100)
    monkeypatch.setattr(training, "ROWS", 64)
    assert same(fitted(data)[0], expected)


def test_maf_sees_x_for_every_parameter_whatever_the_seed():
    for seed in range(20):
        torch.manual_seed(seed)
        zeros = torch.zeros(2, 2)
        network = maf(batch_x=zeros, batch_y=zeros, z_score_x="none", z_score_y="none", num_transforms=5)
        for k in range(2):
            x = torch.zeros(1, 2, requires_grad=True)
            sampled = network.net._transform.inverse(torch.ones(1, 2), context=x)[0]
            sampled[0, k].backward()
            assert x.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "mf"}, "unknown estimator 'mf'; choose from maf, nsf, mdn, flow_matching"),
        ({"estimator": {"maf": {"bins": 3}}}, "estimator maf has no option 'bins'; choose from num_transforms"),
        ({"estimator": {"maf": {"num_blocks": 0}}}, "estimator maf num_blocks must be a positive integer, found 0"),
        ({"estimator": {"maf": {"dropout_probability": 1}}}, "maf dropout_probability must be below 1, found 1"),
        ({"estimator": {"nsf": {"tail_bound": 0}}}, "estimator nsf tail_bound must be above 0, found 0"),
        ({"estimator": {"flow_matching": {"time_embedding_dim": 3}}}, "time_embedding_dim must be even, found 3"),
        ({"embeding": "none"}, "unknown inference option 'embeding'; choose from estimator, embedding"),
        ({"embedding": "cnn1"}, "unknown embedding 'cnn1'; choose from none"),
        ({"dropout": "always"}, "unknown dropout 'always'; choose from auto, none"),
        ({"schedule": "linear"}, "unknown schedule 'linear'; choose from plateau, cosine"),
        ({"schedule": "cosine"}, "cosine lowers the learning rate over max_epochs: write how many"),
        ({"scaling": "log"}, "unknown scaling 'log'; choose from robust, standard"),
        ({"batch_size": 2.5}, "inference batch_size must be a positive integer, found 2.5"),
        ({"learning_rate": -1}, "inference learning_rate must be a number from 0 up, found -1"),
        ({"test_share": 1}, "inference test_share is a share of the simulations below 1, found 1"),
        ({"device": "tpu"}, "unknown device 'tpu'; choose from cpu, cuda, auto"),
        ({"members": True}, "inference members must be a positive integer, found True"),
        ({"validation_share": 0.6, "test_share": 0.5}, "leave nothing to train on; lower them"),
    ],
)
def test_wrong_options_are_refused_before_training(data, options, message):
    with pytest.raises(ValueError) as error:
        fitted(data, options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_options_of_other_rules_pass():
    assert set(resolve_options(dict.fromkeys(WORKFLOW, 1))) == set(OPTIONS)


def test_too_few_simulations(data):
    with pytest.raises(ValueError, match=r"^60 of 60 simulations are valid, .* 20 of each are needed: raise n_simul"):
        fitted((data[0][:60], data[1][:60]))
    with pytest.raises(ValueError, match=r"^25 of 600 simulations are valid.*: narrow the prior; reason in features"):
        fitted(data, valid=np.arange(600) < 25)


def test_shapes_must_agree(data):
    theta, x = data
    with pytest.raises(ValueError, match=r"x has shape \(600, 5\) and valid \(600,\); with 600 theta and 6 names"):
        fitted((theta, x[:, :5]))
    with pytest.raises(ValueError, match=r"theta has shape \(600, 1\); the prior has 2 parameters"):
        fitted((theta[:, :1], x))


def test_divergence_is_one_line(data):
    with pytest.raises(ValueError, match=r"training diverged in epoch \d+: .* lower learning_rate \(1e\+20\)"):
        fitted(data, {"learning_rate": 1e20, "clip_norm": 1e30})


def test_exact_posterior_is_a_posterior():
    theta = prior().sample(0, 0, 20_000)
    mean, covariance = exact(simulate(theta, 1))
    assert np.cov((theta - mean).T) == pytest.approx(covariance, abs=0.01)


def test_held_out_simulations_are_those_that_the_split_tests_on():
    valid = np.arange(500) % 7 > 0
    assert np.array_equal(held_out(valid, 3, {}), split(valid, 3).test)
    assert np.array_equal(held_out(valid, 3, {"test_share": 0.3}), split(valid, 3, 0.1, 0.3).test)
