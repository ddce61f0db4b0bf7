"""What the reduction of features keeps: held-out log probability beside that of the informative features alone.

python -m tests.benchmarks.reduction [--seed SEED] [--estimators maf nsf] [--ways now before ...] [case ...]
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import ndtr

from vbiflow.engine import simulate
from vbiflow.features import compute
from vbiflow.inference.reduction import Spectrum
from vbiflow.inference.scaling import Scaling
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

Case = tuple[np.ndarray, np.ndarray, np.ndarray]
"""z (n, p), features (n, k), and the informative features alone (n, m)."""
N_TEST, N_COVERED, N_SAMPLES = 2000, 1000, 300
SPECS = [
    {"variance": {"per": ["node"]}},
    {"autocorrelation": {"per": ["node"], "lags": [0.002, 0.01]}},
    {"fc": {"statistics": ["mean", "sd", "quantiles"], "eigenvalues": 3}},
]


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


def linear(n: int, rng: np.random.Generator, node: int) -> Case:
    """Coupling and one node's time constant of 60 linear nodes, from 190 features, 13 of which tell of them.

    Those are the node's own variance and autocorrelations, and ten summaries of the functional connectivity.
    """
    weights = rng.lognormal(size=(60, 60))
    weights = (weights + weights.T) * (1 - np.eye(60))
    weights /= np.abs(np.linalg.eigvalsh(weights)).max()
    z, x = rng.standard_normal((n, 2)), []
    share = ndtr(z)
    tau = np.full((n, 60), 10.0)
    tau[:, node] = 5 + 15 * share[:, 1]
    run = {"signals": {"x": {"period": 2, "average": False}}, "dt": 1.0, "transient": 500.0, "duration": 4000.0}
    for k, rows in enumerate(np.array_split(np.arange(n), max(1, n // 500))):
        theta = {"G": 0.09 * share[rows, :1], "tau": tau[rows]}
        own = {"n_simulations": len(rows), "seed": int(rng.integers(2**31)), "stream": k, "device": "cpu"}
        done = simulate("linear", weights, theta, **run, **own)
        found = compute(done.ts["x"], SPECS, fs=done.fs["x"])
        x.append(found.x)
    x = np.concatenate(x)
    known = [name.startswith("fc") or name.endswith(f"[{node}]") for name in found.names]
    return z, x, x[:, known]


CASES: dict[str, tuple[Callable[..., Case], float, int]] = {
    **{f"noise {k} of {n}": (noise, k, n) for n in (3000, 10_000) for k in (100, 500, 1996)},
    "mixed 0.5 of 3000": (mixed, 0.5, 3000),
    "mixed 0.5 of 10000": (mixed, 0.5, 10_000),
    "bent 300 of 3000": (bent, 300, 3000),
    "heavy 500 of 3000": (heavy, 500, 3000),
    "contrast 200 of 3000": (contrast, 200, 3000),
    "many 20 of 3000": (many, 20, 3000),
    "many 40 of 3000": (many, 40, 3000),
    "linear 190 of 2000": (linear, 7, 2000),
}
"""Function, its number, and simulations to train and validate with."""
WAYS: dict[str, dict[str, Any]] = {
    "now": {},
    "before": {"reduction": "none"},
    "none": {"reduction": "none", "regression": "none", "dropout": "none"},
    "reduced": {"regression": "none", "dropout": "none"},
    "reduced, dropout": {"regression": "none"},
    "regression": {"dropout": "none"},
    "members": {"members": 3},
}
"""Options of each way to learn from all features; `before`, of the components that `principal_components` gives."""


def principal_components(z: np.ndarray, x: np.ndarray, n_train: int) -> np.ndarray:
    """Network inputs (n, c) of features x (n, k) by the reduction that vbiflow began with, found on the first rows.

    Where features are more than a twentieth of the training rows, they are the principal components, of the first
    300, of whose variance z and z^2 explain more than 5 %; the first ten where these explain none.
    """
    learn = slice(0, n_train)
    names = [f"x{k}" for k in range(x.shape[1])]
    scaling, _ = Scaling.fit(x[learn], (~np.isfinite(x[learn])).mean(axis=0), names, "robust", 0.05)
    u = scaling(x).astype(float)
    if 20 * u.shape[1] <= n_train:
        return u
    u -= u[learn].mean(axis=0)
    v = u @ Spectrum.of(u[learn]).directions[:, :300]
    design = np.column_stack([np.ones(n_train), z[learn], z[learn] ** 2])
    basis, _ = np.linalg.qr(design[:, : 1 + z.shape[1]] if n_train <= 2 * design.shape[1] else design)
    told = v[learn] - v[learn].mean(axis=0)
    residual = ((told - basis @ (basis.T @ told)) ** 2).sum(axis=0) / (told**2).sum(axis=0)
    kept = 1 - residual * (n_train - 1) / max(n_train - basis.shape[1], 1) > 0.05
    kept[: 0 if kept.any() else 10] = True
    return v[:, kept]


@dataclass(frozen=True)
class Found:
    """Log q(z | x) of each held-out simulation above the prior's [nat], share of truths in 90 % intervals, ..."""

    gains: np.ndarray
    inside: float
    n_inputs: int
    seconds: float

    @property
    def gain(self) -> float:
        """Mean of the gains [nat]."""
        return float(self.gains.mean())

    @property
    def error(self) -> float:
        """Standard error of the mean [nat]."""
        return standard_error(self.gains)


def standard_error(values: np.ndarray) -> float:
    """Standard error of the mean of values (n,)."""
    return float(values.std() / len(values) ** 0.5)


def measure(
    prior: Prior, theta: np.ndarray, x: np.ndarray, options: Mapping[str, Any], seed: int, n_test: int = N_TEST
) -> Found:
    """What an estimator of all but the last `n_test` simulations says of these, and the seconds of training it."""
    learn, names, begin = slice(0, -n_test), [f"x{k}" for k in range(x.shape[1])], time.process_time()
    given = {**options, "test_share": 0.0}
    posterior, history = train(TrainingSet.of(prior, theta[learn], x[learn], names, given, seed=seed), given, seed=seed)
    seconds = time.process_time() - begin
    gains = posterior.log_prob(theta[-n_test:], x[-n_test:]) - prior.log_prob(theta[-n_test:])
    samples = posterior.sample_batch(x[-N_COVERED:], N_SAMPLES, seed=seed)
    low, high = np.quantile(samples, [0.05, 0.95], axis=1, method="weibull")
    inside = float(((theta[-N_COVERED:] >= low) & (theta[-N_COVERED:] <= high)).mean())
    return Found(gains, inside, history["n_inputs"], seconds)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    parser = ArgumentParser()
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--estimators", nargs="+", default=["maf", "nsf"])
    parser.add_argument("--ways", nargs="+", default=["now"], choices=WAYS)
    parser.add_argument("cases", nargs="*")
    given = parser.parse_args()
    wanted = [name for name in CASES if not given.cases or any(word in name for word in given.cases)]
    print("| case | estimator | informative alone | all, beside them (in 90 % intervals; inputs; s) |")
    for name in wanted:
        make, number, n = CASES[name]
        z, x, known = make(n + N_TEST, np.random.default_rng([given.seed, *name.encode()]), number)
        prior = Prior.from_config({f"z{k}": {"uniform": [0, 1]} for k in range(z.shape[1])})
        theta = prior.from_normal(z)
        for estimator in given.estimators:
            options = {"estimator": estimator, "learning_rate": 1e-3}
            best = measure(prior, theta, known, options | {"reduction": "none"}, given.seed)
            print(
                f"| {name} | {estimator} | {best.gain:.2f} ± {best.error:.2f} ({best.inside:.2f}) ", end="", flush=True
            )
            for way in given.ways:
                inputs = principal_components(z, x, round(0.9 * n)) if way == "before" else x
                one = measure(prior, theta, inputs, options | WAYS[way], given.seed)
                told = f"{one.gain - best.gain:+.2f} ({one.inside:.2f}; {one.n_inputs}; {one.seconds:.0f})"
                print(f"| {way}: {told} ", end="", flush=True)
            print("|", flush=True)


if __name__ == "__main__":
    main()
