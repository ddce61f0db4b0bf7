"""The reduction, training and memory of half a million simulations: four informative features among 500 of noise.

python -m tests.benchmarks.many_simulations [number of simulations]

Features lie in a file as float32. Log q of 2 000 other simulations is set beside that of the informative four alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import torch

from tests.benchmarks.memory import resident
from tests.benchmarks.reduction import signals
from vbiflow.estimator_options import resolve_options
from vbiflow.inference.inputs import fit_inputs
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

N_SIMULATIONS, N_NOISE, N_TEST, ROWS = 500_000, 500, 2000, 4096
PRIOR = Prior.from_config({"a": {"uniform": [0, 1]}, "b": {"uniform": [0, 1]}})
OPTIONS = {"batch_size": 1000, "learning_rate": 1e-3, "schedule": "cosine", "max_epochs": 10, "test_share": 0.0}


def features(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Features (n, 504) float32 of z (n, 2)."""
    return np.hstack([signals(z, rng), rng.standard_normal((len(z), N_NOISE))]).astype(np.float32)


def main() -> None:
    """Print a row for the informative features alone and one for all."""
    torch.set_num_threads(1)
    n, rng = int(sys.argv[1]) if sys.argv[1:] else N_SIMULATIONS, np.random.default_rng(2026)
    z = rng.standard_normal((n + N_TEST, 2))
    theta, fresh = PRIOR.from_normal(z), features(z[n:], rng)
    with tempfile.TemporaryDirectory() as folder, h5py.File(Path(folder) / "features.h5", "w") as file:
        x = file.create_dataset("x", (n, 4 + N_NOISE), "f4")
        for start in range(0, n, ROWS):
            x[start : start + ROWS] = features(z[start : min(start + ROWS, n)], rng)
        for k, own in {4: OPTIONS | {"reduction": "none"}, 4 + N_NOISE: OPTIONS}.items():
            learn = x[:, :k] if k < x.shape[1] else x
            before, names = resident(), [f"x{j}" for j in range(k)]
            data = TrainingSet.of(PRIOR, theta[:n], learn, names, own, seed=1)
            begin = time.process_time()
            fit_inputs(learn, z[data.split.train], data.split.train, names, PRIOR.names, resolve_options(own))
            reduced = time.process_time() - begin
            posterior, history = train(data, own, seed=1, checkpoint=Path(folder) / "unfinished")
            seconds = time.process_time() - begin - reduced
            gains = posterior.log_prob(theta[n:], fresh[:, :k]) - PRIOR.log_prob(theta[n:])
            gained = f"{gains.mean():.3f} ± {gains.std() / N_TEST**0.5:.3f} nat"
            print(
                f"{k} features, {history['n_inputs']} inputs: {gained}; reduction {reduced:.0f} s, "
                f"all {seconds:.0f} s, peak {resident():.0f} MB, before {before:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
