"""Coverage of 90 % intervals with 1 000 held-out simulations: a known hard posterior, and a whole-brain study."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from vbiflow.diagnostics.calibration import calibrate, coverage
from vbiflow.diagnostics.feature_report import single_features
from vbiflow.diagnostics.verdict import verdict
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

pytestmark = pytest.mark.slow
INSIDE = pytest.approx(0.9, abs=0.03)


def two_moons(theta, seed):
    """Two crescents: sbi's benchmark task (Lueckmann et al. 2021, arXiv:2101.04653)."""
    rng = np.random.default_rng(seed)
    angle, radius = rng.uniform(-np.pi / 2, np.pi / 2, len(theta)), rng.normal(0.1, 0.01, len(theta))
    moon = np.stack([radius * np.cos(angle) + 0.25, radius * np.sin(angle)], axis=1)
    shift = np.stack([-np.abs(theta.sum(axis=1)), theta[:, 1] - theta[:, 0]], axis=1) / np.sqrt(2)
    return moon + shift


# An affine flow that bends one Gaussian into two crescents is slow to learn: it needs more patience than a spline flow.
@pytest.mark.parametrize(
    "options", [{"estimator": "maf", "learning_rate": 2e-3, "patience": 40}, {"estimator": "nsf"}], ids=["maf", "nsf"]
)
def test_two_moons(options):
    prior = Prior.from_config({"a": {"uniform": [-1, 1]}, "b": {"uniform": [-1, 1]}})
    theta, fresh = prior.sample(1, 0, 10_000), prior.sample(2, 0, 1000)
    options = {**options, "test_share": 0.0, "members": 2}
    data = TrainingSet.of(prior, theta, two_moons(theta, 3), ["x", "y"], options, seed=1)
    posterior, _ = train(data, options, seed=1)
    found = calibrate(posterior, fresh, two_moons(fresh, 4), seed=1)
    assert coverage(found.ranks, found.n_samples, np.array([0.9]))[0].tolist() == [INSIDE, INSIDE]
    assert found.shrinkage.mean() > 0.3 and verdict(found, single_features(data))["verdict"] == "trusted"


@pytest.mark.parametrize("estimator", ["hcp_wong_wang@calibration/101309", "ou_network/virtual-1"])
def test_whole_brain_studies(tmp_path, estimator):
    """Through the workflow, from connectome to calibration, with about 1 000 held-out simulations."""
    from checkout import Copy

    copy, file = Copy(tmp_path / "vbiflow"), f"results/{estimator}/diagnostics.h5"
    done = copy.snakemake(file, timeout=3600)
    assert done.returncode == 0, done.stdout[-3000:]
    with h5py.File(copy.path / file) as content:
        ranks, n_samples = content["ranks"][()], content["ranks"].attrs["n_samples"]
    assert len(ranks) > 900
    inside = coverage(ranks, n_samples, np.array([0.9]))[0]
    assert inside.tolist() == [INSIDE] * len(inside)
    assert json.loads((copy.path / file).with_suffix(".json").read_text())["verdict"] == "trusted"
