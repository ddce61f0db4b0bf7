"""Memory of training at the size of a large study: 100 000 simulations, 2 000 features, 89 parameters, from HDF5.

python -m tests.benchmarks.memory
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

N_SIMULATIONS, N_FEATURES, N_PARAMETERS = 100_000, 2_000, 89
ROWS, EPOCHS = 4096, 2


def generate(path: Path) -> tuple[Prior, np.ndarray]:
    """Write features that follow theta through a random matrix and noise; return prior and theta."""
    prior = Prior.from_config({f"p{k}": {"uniform": [0, 1]} for k in range(N_PARAMETERS)})
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((N_PARAMETERS, N_FEATURES))
    theta = prior.sample(1, 0, N_SIMULATIONS)
    with h5py.File(path, "w") as file:
        x = file.create_dataset("x", (N_SIMULATIONS, N_FEATURES), "f8")
        for start in range(0, N_SIMULATIONS, ROWS):
            signal = theta[start : start + ROWS] @ mixing
            x[start : start + ROWS] = signal + rng.standard_normal(signal.shape)
    return prior, theta


def resident() -> float:
    """Most memory that this process has held so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print peak memory before and after."""
    with tempfile.TemporaryDirectory() as folder:
        prior, theta = generate(Path(folder) / "features.h5")
        before, begin = resident(), time.perf_counter()
        with h5py.File(Path(folder) / "features.h5") as file:
            _, history = train(
                TrainingSet.of(prior, theta, file["x"], [f"x{k}" for k in range(N_FEATURES)], seed=1),
                {"max_epochs": EPOCHS},
                seed=1,
                checkpoint=Path(folder) / "unfinished",
                progress=lambda epoch, loss, _: print(f"epoch {epoch}: loss {loss:.2f}, peak {resident():.0f} MB"),
            )
        seconds = time.perf_counter() - begin
    print(f"{history['n_inputs']} inputs, {seconds:.0f} s, peak {resident():.0f} MB, before {before:.0f} MB")


if __name__ == "__main__":
    main()
