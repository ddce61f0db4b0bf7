"""Truths in the 90 % intervals of estimators of 300 simulations, plain and conformal, among 1 000 that neither saw.

python -m tests.benchmarks.conformal FOLDER [study ...]

The conformal ones are made as those of cohort.tsv: levels from the ranks of held-out simulations, applied to posterior
samples of the next one. What is in the folder already is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks.coverage import HELD_OUT, made
from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.conformal import conformal_intervals
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet

SEEDS, N_SAMPLES = (1, 2, 3, 4), 200
LEARNT_AND_HELD_OUT = (200, 100), (300, 700)
"""A small study as it is, and an estimator of 300 with more simulations to correct it by."""
STUDIES = (
    "ou_network",
    "hcp_linear@demo",
    "stuart_landau_coupling",
    "jansen_rit_coupling",
    "hcp_models@wong_wang",
)


def inside(data: TrainingSet, learnt: int, held_out: int, seed: int) -> np.ndarray:
    """Shares (2, p) of truths in plain and conformal intervals, of a random choice of the simulations."""
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(data.valid))[: learnt + held_out + HELD_OUT]
    theta, x = data.rows(rows)
    used, fresh, options = slice(0, -HELD_OUT), slice(-HELD_OUT, None), {"test_share": held_out / (learnt + held_out)}
    own = TrainingSet.of(data.prior, theta[used], x[used], data.names, options, seed=seed)
    posterior, _ = train(own, options, seed=seed)
    found = calibrate(posterior, *own.held_out(), seed=seed, n_samples=N_SAMPLES)
    samples = posterior.sample_batch(x[fresh], found.n_samples, seed=seed)
    plain = np.quantile(samples, [0.05, 0.95], axis=1, method="weibull")
    conformal = [conformal_intervals(one, found.ranks, found.n_samples, data.prior.bounds) for one in samples]
    ends = (plain, np.swapaxes(conformal, 0, 1))
    return np.array([((low <= theta[fresh]) & (theta[fresh] <= high)).mean(axis=0) for low, high in ends])


def main() -> None:
    """Print the table of docs/inference_evidence.md, a row a study."""
    torch.set_num_threads(1)
    folder, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:] or STUDIES
    print(f"| study | learnt from, held out | plain, mean of {len(SEEDS)} | conformal, mean | conformal, each |")
    print("|---|---|---|---|---|", flush=True)
    for study in wanted:
        settings, estimator = made(study, folder, "prior.h5", "features.h5")
        files = estimator / "prior.h5", estimator / "features.h5"
        data = TrainingSet.load(*files, settings["inference"], seed=settings["seed"])
        for learnt, most in LEARNT_AND_HELD_OUT:
            held_out = min(most, int(data.valid.sum()) - HELD_OUT - learnt)
            shares = 100 * np.array([inside(data, learnt, held_out, seed) for seed in SEEDS])
            means = [", ".join(f"{share:.1f}" for share in each) + " %" for each in shares.mean(axis=0)]
            each = ", ".join(f"{share:.1f}" for share in shares[:, 1].mean(axis=1)) + " %"
            print(f"| `{study}` | {learnt}, {held_out} | {means[0]} | {means[1]} | {each} |", flush=True)


if __name__ == "__main__":
    main()
