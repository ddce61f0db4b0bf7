"""What the reduction of features keeps: held-out log probability beside that of the informative features alone.

python -m tests.benchmarks.reduction [--seed SEED] [case ...]
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable

import numpy as np
import torch

from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

Case = tuple[np.ndarray, np.ndarray, np.ndarray]
"""z (n, p), features (n, k), and the informative features alone (n, m)."""
N_TEST = 2000


def signals(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each parameter, their sum and their difference, with noise."""
    clean = np.stack([z[:, 0], z[:, 1], z[:, 0] + z[:, 1], z[:, 0] - z[:, 1]], axis=1)
    return clean + 0.5 * rng.standard_normal(clean.shape)


def noise(n: int, rng: np.random.Generator, k: int) -> Case:
    """Four informative features among k of noise."""
    z = rng.standard_normal((n, 2))
    known = signals(z, rng)
    return z, np.hstack([known, rng.standard_normal((n, k))]), known


def mixed(n: int, rng: np.random.Generator, share: float) -> Case:
    """2 000 features that all mix the signals, which are `share` of their variance."""
    z = rng.standard_normal((n, 2))
    known = signals(z, rng)
    mixture = known @ rng.standard_normal((4, 2000))
    x = share**0.5 * mixture / mixture.std(axis=0) + (1 - share) ** 0.5 * rng.standard_normal(mixture.shape)
    return z, x, known


def bent(n: int, rng: np.random.Generator, k: int) -> Case:
    """Squares, absolute values, waves, a product and a variance that follow three parameters, among k of noise."""
    a, b, c = rng.standard_normal((3, n))
    e = rng.standard_normal((n, 7))
    shapes = [a**2, abs(b), np.sin(2 * a), a * b, np.cos(2 * c) + c / 4, np.exp(c / 2) * e[:, 6]]
    known = np.stack(shapes, axis=1) + 0.3 * e[:, :6]
    return np.stack([a, b, c], axis=1), np.hstack([known, rng.standard_normal((n, k))]), known


def many(n: int, rng: np.random.Generator, p: int) -> Case:
    """Two features a parameter of p, 8 p of noise, and five sources of noise that all share."""
    z = rng.standard_normal((n, p))
    clean = np.hstack([z, z + 0.3 * z**2, np.zeros((n, 8 * p))])
    shared = rng.standard_normal((n, 5)) @ rng.standard_normal((5, 10 * p))
    x = clean + 0.5 * shared + 0.5 * rng.standard_normal(clean.shape)
    return z, x, x[:, : 2 * p]


def heavy(n: int, rng: np.random.Generator, k: int) -> Case:
    """As `noise`, with heavy tails and 4 % of the values missing."""
    z, x, _ = noise(n, rng, k)
    x = np.sinh(1.5 * x)
    x[rng.random(x.shape) < 0.04] = np.nan
    return z, x, x[:, :4]


def contrast(n: int, rng: np.random.Generator, k: int) -> Case:
    """Signals as small differences of features that share a large variance, among k of noise."""
    z = rng.standard_normal((n, 2))
    known, large = signals(z, rng), 5 * rng.standard_normal((n, 20))
    return z, np.hstack([large[:, :4] + known, large, rng.standard_normal((n, k))]), known


CASES: dict[str, tuple[Callable[..., Case], float, int]] = {
    **{f"noise {k} of {n}": (noise, k, n) for n in (3000, 10_000) for k in (100, 500, 1996)},
    "mixed 0.5 of 3000": (mixed, 0.5, 3000),
    "mixed 0.5 of 10000": (mixed, 0.5, 10_000),
    "bent 300 of 3000": (bent, 300, 3000),
    "heavy 500 of 3000": (heavy, 500, 3000),
    "contrast 200 of 3000": (contrast, 200, 3000),
    "many 40 of 3000": (many, 40, 3000),
}
"""Function, its number, and simulations to train and validate with."""


def gain(prior: Prior, z: np.ndarray, x: np.ndarray, options: dict, seed: int) -> tuple[float, float, int, float]:
    """Held-out log q(z | x) above the prior's [nat], share of truths in 90 % intervals, inputs and seconds."""
    theta, begin = prior.from_normal(z), time.process_time()
    names = [f"x{k}" for k in range(x.shape[1])]
    learn = slice(0, -N_TEST)
    given = {"learning_rate": 1e-3, **options, "test_share": 0.0}
    data = TrainingSet.of(prior, theta[learn], x[learn], names, given, seed=seed)
    posterior, history = train(data, given, seed=seed)
    seconds = time.process_time() - begin
    found = posterior.log_prob(theta[-N_TEST:], x[-N_TEST:]) - prior.log_prob(theta[-N_TEST:])
    samples = posterior.sample_batch(x[-500:], 500, seed=seed)
    low, high = np.quantile(samples, [0.05, 0.95], axis=1)
    inside = float(((theta[-500:] >= low) & (theta[-500:] <= high)).mean())
    return float(found.mean()), inside, history["n_inputs"], seconds


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    parser = ArgumentParser()
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("cases", nargs="*")
    given = parser.parse_args()
    wanted = [name for name in CASES if not given.cases or any(word in name for word in given.cases)]
    print(f"{'case':24s} informative   all reduced, beside them (in 90 % intervals; inputs; s)")
    for name in wanted:
        make, number, n = CASES[name]
        z, x, known = make(n + N_TEST, np.random.default_rng([given.seed, *name.encode()]), number)
        prior = Prior.from_config({f"z{k}": {"uniform": [0, 1]} for k in range(z.shape[1])})
        for estimator in ("maf", "nsf")[: 2 if "500" in name else 1]:
            best, *_ = gain(prior, z, known, {"estimator": estimator, "reduction": "none"}, given.seed)
            one, inside, inputs, seconds = gain(prior, z, x, {"estimator": estimator}, given.seed)
            line = f"{name:24s} {estimator} {best:8.2f} {one - best:+8.2f} ({inside:.2f}; {inputs}; {seconds:.0f})"
            print(line, flush=True)


if __name__ == "__main__":
    main()
