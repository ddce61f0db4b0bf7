"""Time of training, sampling and calibration beside their bars: 2 000 simulations, 100 features, 5 parameters.

python -m tests.benchmarks.inference
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

N_PARAMETERS, N_FEATURES, N_TRAIN = 5, 100, 2000
BARS = {"maf": 6.0, "nsf": 12.0, "mdn": 6.0, "flow_matching": 12.0}
THREADS = 1


def problem(n: int) -> tuple[Prior, np.ndarray, np.ndarray]:
    """Parameters seen through a saturating function and noise."""
    prior = Prior.from_config({f"p{k}": {"uniform": [0, 1]} for k in range(N_PARAMETERS)})
    rng = np.random.default_rng(0)
    theta = prior.sample(1, 0, n)
    signal = np.tanh(0.5 * prior.to_normal(theta) @ rng.standard_normal((N_PARAMETERS, N_FEATURES)))
    return prior, theta, signal + rng.standard_normal((n, N_FEATURES))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result of `work` and the seconds it took."""
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


def line(name: str, seconds: float, bar: float | None = None, note: str = "") -> None:
    """One row of the table."""
    against = f"bar {bar:4.0f} s  {'ok' if seconds <= bar else 'SLOW'}" if bar else ""
    print(f"{name:44s}{seconds:8.2f} s  {against:16s} {note}")


def main() -> None:
    """Print the table."""
    torch.set_num_threads(THREADS)
    prior, theta, x = problem(3500)
    names = [f"x{k}" for k in range(N_FEATURES)]
    part, test = slice(0, N_TRAIN * 10 // 9), slice(2500, 3500)
    for name, bar in BARS.items():
        options = {"estimator": name, "test_share": 0.0, "reduction": "none"}
        (posterior, history), seconds = timed(
            lambda options=options: train(
                TrainingSet.of(prior, theta[part], x[part], names, options, seed=1), options, seed=1
            )
        )
        gain = (posterior.log_prob(theta[test][:200], x[test][:200]) - prior.log_prob(theta[test][:200])).mean()
        line(f"train {name}", seconds, bar, f"{history['epochs'][0]} epochs, gain {gain:.2f} nats")
        if name == "flow_matching":
            continue
        _, seconds = timed(lambda posterior=posterior: posterior.sample_batch(x[test][:100], 10_000, seed=1))
        line(f"10 000 samples of 100 observations, {name}", seconds, 5.0 if name == "maf" else None)
        if name == "maf":
            _, seconds = timed(lambda posterior=posterior: calibrate(posterior, theta[test], x[test], seed=1))
            line("SBC, 1 000 simulations, 1 000 samples each", seconds, 20.0)


if __name__ == "__main__":
    main()
