"""What planted misspecifications do to posteriors, plain and robust, and what the check of the recording lets pass.

python -m tests.benchmarks.misspecification [number of recordings] [first word of a fault ...]

Wong-Wang, 20 regions, five minutes of BOLD; recordings are simulations with parameters from the prior and one fault
that the simulations lack. Coverage is the share of true parameters in 90 % intervals, sharpness the posterior's
standard deviation over the prior's.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch

from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.held_out_predictive import calibrated_check, held_out_misfits
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.diagnostics.normal_scores import SmoothScores
from vbiflow.diagnostics.robust import robust_posterior
from vbiflow.engine import simulate
from vbiflow.features import compute
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.prior import Prior

N_NODES, N_TIMES, N_SIMULATIONS, SEED, TR = 20, 417, 2000, 2026, 720.0
PRIOR = Prior.from_config(
    {
        "G": {"uniform": [1, 10]},
        "w": {"uniform": [0, 1]},
        "I": {"uniform": [0, 0.5]},
        "sigma": {"uniform": [5e-4, 0.01]},
    }
)
SPECS = ["fc", {"fcd": {"window": 60, "step": 5.76}}, "sd", "kurtosis", "autocorrelation_time"]
OPTIONS = {"test_share": 0.15}
N_PREDICTIVE = 100


def network(seed: int) -> np.ndarray:
    """Weights that fall with the distance of regions in space, with spectral radius 0.227."""
    rng = np.random.default_rng(seed)
    places = rng.standard_normal((N_NODES, 3))
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    weights = np.exp(-distance + 0.5 * rng.standard_normal(distance.shape))
    weights = (weights + weights.T) * (1 - np.eye(N_NODES))
    return 0.227 * weights / np.abs(np.linalg.eigvals(weights)).max()


W = network(1)


def bold(theta: np.ndarray, stream: int, weights: np.ndarray = W, parameters: str = "stephan2007", tr: float = TR):
    """BOLD (n, n_nodes, n_times) of simulations at theta."""
    values = {name: theta[:, [k]] for k, name in enumerate(PRIOR.names)}
    run: dict[str, Any] = {"dt": 10.0, "integrator": "euler", "transient": 60e3, "duration": N_TIMES * tr}
    run |= {"n_simulations": len(theta), "seed": SEED, "stream": stream, "device": "cpu", "accept": ["dt"]}
    return simulate("wong_wang", weights, values, bold={"parameters": parameters, "tr": tr}, **run).ts["bold"]


def with_noise(ts: np.ndarray) -> np.ndarray:
    """White noise of the scanner, half as strong as the signal."""
    rng = np.random.default_rng(SEED)
    return ts + 0.5 * ts.std(axis=-1, keepdims=True) * rng.standard_normal(ts.shape)


def with_spikes(ts: np.ndarray) -> np.ndarray:
    """Five volumes in which the head moved: all regions ten standard deviations off, by a sign of their own."""
    rng = np.random.default_rng(SEED)
    out = ts.copy()
    for one in out:
        at = rng.choice(ts.shape[-1], 5, replace=False)
        one[:, at] += 10 * one.std(axis=-1, keepdims=True) * rng.choice([-1, 1], (N_NODES, 5))
    return out


FAULTS = {
    "none": lambda theta: bold(theta, 90),
    "other haemodynamics (paper's constants)": lambda theta: bold(theta, 90, parameters="paper"),
    "another connectome": lambda theta: bold(theta, 90, weights=network(2)),
    "noise that the model lacks": lambda theta: with_noise(bold(theta, 90)),
    "TR 1 s, read as 0.72 s": lambda theta: bold(theta, 90, tr=1000.0),
    "heavy tails: five volumes moved": lambda theta: with_spikes(bold(theta, 90)),
}


def features(ts: np.ndarray) -> np.ndarray:
    return compute(ts, SPECS, fs=1000 / TR).x


def judged(posterior: Posterior, data: TrainingSet, misfits: np.ndarray, x_o: np.ndarray, theta: np.ndarray, k: int):
    """Whether each check passes; hits of plain and robust 90 % intervals, their widths; the offending features."""
    plain = posterior.sample(x_o, 1000, seed=k)
    found = misspecification(data.x, x_o, data.names, seed=1)
    again = features(bold(plain[:N_PREDICTIVE], 1000 + k))
    scores = SmoothScores.of(data.x)
    check = calibrated_check(check_features(scores(again), scores(x_o)), data, plain, x_o, misfits, seed=k)
    passed = found["inside"], check["p_value"] >= 0.01, check["calibrated_p"] >= 0.01
    robust = robust_posterior(posterior, data, x_o, 1000, seed=k)
    hits, widths = [], []
    for samples in (plain, robust.theta):
        low, high = np.quantile(samples, [0.05, 0.95], axis=0)
        hits.append((low <= theta) & (theta <= high))
        widths.append(samples.std(axis=0) / PRIOR.std)
    return np.array(passed), np.array(hits).mean(axis=1), np.array(widths).mean(axis=1), robust.offending()


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    n = int(sys.argv[1]) if sys.argv[1:] else 100
    theta = PRIOR.sample(SEED, 0, N_SIMULATIONS)
    x = features(bold(theta, 0))
    names = compute(np.random.default_rng(0).standard_normal((1, N_NODES, N_TIMES)), SPECS, fs=1000 / TR).names
    data = TrainingSet.of(PRIOR, theta, x, names, OPTIONS, seed=SEED)
    posterior, _ = train(data, {"estimator": "maf", "learning_rate": 1e-3, **OPTIONS}, seed=SEED)
    misfits = held_out_misfits(posterior, data, data.held_out()[1], seed=SEED)
    truth = PRIOR.sample(SEED + 1, 0, n)
    print(f"{len(names)} features; coverage and sharpness of {n} recordings: plain, robust; passed, coverage of these,")
    print("features called wrong; refused as rare, by re-simulations, by re-simulations beside held-out ones")
    asked = sys.argv[2:] or [fault.split()[0] for fault in FAULTS]
    for fault, make in ((fault, make) for fault, make in FAULTS.items() if fault.split()[0] in asked):
        x_o = features(make(truth))
        rows = [judged(posterior, data, misfits, *pair, k) for k, pair in enumerate(zip(x_o, truth, strict=True))]
        checks, hits, widths = (np.array(part) for part in list(zip(*rows, strict=True))[:3])
        passed, refused = checks.all(axis=1), 1 - checks.mean(axis=0)
        (a, b), (c, d) = hits.mean(axis=0), widths.mean(axis=0)
        named = [name for row in rows for name in row[3]]
        often = sorted(set(named), key=named.count, reverse=True)[:3]
        of_passed = hits[passed, 0].mean() if passed.any() else float("nan")
        print(
            f"| {fault} | {a:.2f} | {b:.2f} | {c:.2f} | {d:.2f} | {passed.mean():.0%} | {of_passed:.2f} | "
            f"{', '.join(f'{name} ({named.count(name) / n:.0%})' for name in often)} | "
            f"{', '.join(f'{share:.1%}' for share in refused)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
