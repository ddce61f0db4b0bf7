import numpy as np
import pytest
import torch

from vbiflow.engine import simulate
from vbiflow.features import Nodes, compute
from vbiflow.inference.embeddings import EMBEDDINGS, Convolutions, Exchangeable, Triangle
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior
from vbiflow.provenance import ROOT

PRIOR = Prior.from_config({"G": {"uniform": [0, 0.007]}})
WEIGHTS = np.array([[0, 1.0, 0.0, 0.2], [1, 0, 0, 0], [0, 0.5, 0, 1], [0, 0, 1, 0]])
QUICK = {"learning_rate": 3e-3, "max_epochs": 15, "batch_size": 100, "estimator": {"maf": {"num_transforms": 2}}}
KINDS = {
    "fully_connected": ("fc_pairs", {}),
    "permutation_invariant": ("samples", {"num_elements": 4}),
    "cnn": ("samples", {"num_channels": 4, "num_layers": 3}),
    "fc_triangle": ("fc_pairs", {}),
}


@pytest.fixture(scope="module")
def series():
    """Series of a linear network of four nodes, whose coupling makes them slow and alike."""
    theta = PRIOR.sample(1, 0, 1200)
    settings = {"duration": 12_800.0, "dt": 10.0, "transient": 1000.0, "accept": ["dt"]}
    settings["signals"] = {"x": {"period": 100.0}}
    out = simulate("linear", WEIGHTS, {"G": theta, "tau": 100.0}, n_simulations=len(theta), seed=1, **settings)
    return theta, out.ts["x"], out.fs["x"]


def features(series, name):
    _, ts, fs = series
    return compute(ts, [name], fs=fs, nodes=Nodes(list("abcd")), folder=ROOT / "config" / "features")


@pytest.mark.parametrize("name", [name for name in EMBEDDINGS if name != "none"])
def test_every_embedding_learns_from_series_and_is_stored(name, series, tmp_path):
    feature, options = KINDS[name]
    found, learn = features(series, feature), slice(0, 1000)
    given = QUICK | {"embedding": {name: options}, "test_share": 0.0}
    posterior, history = train(
        TrainingSet.of(PRIOR, series[0][learn], found.x[learn], found.names, given, seed=1), given, seed=1
    )
    assert history["n_inputs"] == found.x.shape[1]
    mean = posterior.sample_batch(found.x[1000:], 200, seed=1).mean(axis=1)
    assert np.sqrt(((mean - series[0][1000:]) ** 2).mean()) / PRIOR.std[0] < 0.75
    posterior.save(tmp_path / "posterior.pt")
    loaded = Posterior.load(tmp_path / "posterior.pt")
    assert np.array_equal(loaded.sample(found.x[3], 5, seed=1), posterior.sample(found.x[3], 5, seed=1))


def test_order_of_exchangeable_elements_does_not_matter():
    network, x = Exchangeable(12, 4, 8, 1, 3), torch.randn(5, 12)
    shuffled = x.unflatten(-1, (4, 3))[:, [2, 0, 3, 1]].flatten(1)
    assert torch.allclose(network(shuffled), network(x), atol=1e-6)
    assert not torch.allclose(network(x.roll(1, -1)), network(x), atol=1e-3)


def test_triangle_is_the_symmetric_matrix_of_its_pairs():
    network = Triangle(6, 2, 1, 3)
    seen = []
    network.row.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    network(torch.arange(1.0, 7.0)[None])
    assert seen[0][0].tolist() == [[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]]


def test_convolution_sees_channels_and_any_batch_shape():
    network, x = Convolutions(60, 3, 4, 2, 5, 7), torch.randn(2, 5, 60)
    assert network(x).shape == (2, 5, 7)
    assert torch.allclose(network(x)[1, 2], network(x[1, 2:3])[0], atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Triangle(7, 8, 1, 3), "embedding fc_triangle: 7 inputs are not the pairs of any number of nodes"),
        (lambda: Convolutions(10, 3, 4, 2, 5, 7), r"embedding cnn: 10 inputs are not 3 equal parts \(num_channels\)"),
        (lambda: Exchangeable(9, 2, 8, 1, 3), "embedding permutation_invariant: 9 inputs are not 2 equal parts"),
    ],
)
def test_inputs_of_another_structure_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
