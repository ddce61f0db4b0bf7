"""Held-out log q above the prior's of studies that ship: by the reduction that vbiflow began with, and by today's.

python -m tests.benchmarks.study_reduction FOLDER [study ...]

One network of each study's estimator; the same 1 000 simulations held out from both, which learn from the same others.
The last column is the mean difference, paired by held-out simulation, and its standard error.
What is in the folder already is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks.coverage import HELD_OUT, made
from tests.benchmarks.reduction import Found, measure, principal_components, standard_error
from vbiflow.estimator_options import resolve_options
from vbiflow.inference.training_set import TrainingSet

SEEDS = 1, 2
STUDIES = (
    "tiny",
    "ou_network",
    "hcp_linear@demo",
    "stuart_landau_coupling",
    "jansen_rit_coupling",
    "wong_wang_coupling@quick",
    "wong_wang_global",
    "montbrio_coupling@quick",
    "demo_wong_wang",
    "seeg_recovery",
    "meg_recovery",
)
"""Studies that simulate in minutes of a core."""


def both(study: str, folder: Path, seed: int) -> tuple[int, int, Found, Found]:
    """Simulations learnt from, features, and what the components and today's reduction give."""
    settings, estimator = made(study, folder, "prior.h5", "features.h5")
    data = TrainingSet.load(estimator / "prior.h5", estimator / "features.h5", settings["inference"], seed=seed)
    theta, x = data.rows(np.random.default_rng(seed).permutation(np.flatnonzero(data.valid)))
    shares = resolve_options(settings["inference"])
    share = shares["validation_share"] / (1 - shares["test_share"])
    options = settings["inference"] | {"members": 1, "validation_share": share}
    n = len(theta) - HELD_OUT
    components = principal_components(data.prior.to_normal(theta), x, round(n * (1 - share)))
    before = measure(data.prior, theta, components, options | {"reduction": "none"}, seed, HELD_OUT)
    return n, x.shape[1], before, measure(data.prior, theta, x, options, seed, HELD_OUT)


def main() -> None:
    """Print the table of docs/inference_evidence.md, a row a study."""
    torch.set_num_threads(1)
    folder, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:] or STUDIES
    print("| study | learnt from | features | seed | components [nat] (in 90 %; inputs) | now | now less components |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for seed in SEEDS:
        for study in wanted:
            n, k, before, now = both(study, folder, seed)
            cells = [f"{one.gain:.2f} ± {one.error:.2f} ({one.inside:.2f}; {one.n_inputs})" for one in (before, now)]
            more = now.gains - before.gains
            cells.append(f"{more.mean():+.2f} ± {standard_error(more):.2f}")
            print(f"| `{study}` | {n} | {k} | {seed} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
