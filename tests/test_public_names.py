"""What `import vbiflow` offers: a few names, imported when they are used, with which a posterior can be had."""

import subprocess
import sys

import numpy as np
import pytest

import vbiflow


def test_every_name_is_there_and_unknown_ones_say_which_are():
    for name in vbiflow.__all__:
        assert getattr(vbiflow, name) is not None
        assert name in dir(vbiflow)
    assert {*vbiflow.HOMES, *vbiflow.PACKAGES} == {*vbiflow.__all__}
    with pytest.raises(AttributeError, match=r"no attribute 'simulat'; it offers .*simulate"):
        vbiflow.simulat  # noqa: B018


def test_the_import_itself_loads_nothing_else():
    slow = ("numpy", "numba", "torch", "h5py")
    command = f"import sys, vbiflow; print(*[name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_from_simulations_to_a_posterior():
    """The steps of docs/library.md in small: the posterior of the noise is about the value that made the series."""
    weights = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    prior = vbiflow.Prior.from_config({"sigma": {"uniform": [0.1, 2]}})
    theta = prior.sample(3, 0, 400)
    settings = {"duration": 200.0, "dt": 1.0, "signals": {"x": {"period": 2}}, "device": "cpu"}
    runs = vbiflow.simulate("linear", weights, {"sigma": theta}, n_simulations=400, seed=3, **settings)
    x = vbiflow.features.compute(runs.ts["x"], ["sd"], fs=runs.fs["x"])
    data = vbiflow.TrainingSet.of(prior, theta, x.x, x.names, seed=3)
    posterior, _ = vbiflow.train(data, {"max_epochs": 30}, seed=3)
    assert isinstance(posterior, vbiflow.Posterior)
    true = vbiflow.simulate("linear", weights, {"sigma": 1.0}, n_simulations=1, seed=4, **settings)
    x_o = vbiflow.features.compute(true.ts["x"], ["sd"], fs=true.fs["x"])
    samples = posterior.sample(x_o.x[0], 500, seed=1, names=x_o.names)
    assert samples.shape == (500, 1) and np.quantile(samples, 0.01) < 1 < np.quantile(samples, 0.99)
    assert samples.std() < 0.5 * theta.std()
