"""Train on fewer simulations, and test all on the same held-out ones."""

import torch

from vbiflow.diagnostics import learning_curves
from vbiflow.io import attributes, read, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    drawn = read(snakemake.input.prior, "theta", "names")
    features = read(snakemake.input.features, "x", "valid", "names")
    curves = learning_curves(
        Prior.from_plain(attributes(snakemake.input.prior)["prior"], drawn["names"]),
        drawn["theta"],
        features["x"],
        features["names"],
        snakemake.params.inference,
        snakemake.params.diagnostics["learning_curve"],
        snakemake.params.diagnostics["estimators"],
        seed=snakemake.params.seed,
        valid=features["valid"],
        progress=run,
    )
    write(snakemake.output[0], curves, run.provenance())
