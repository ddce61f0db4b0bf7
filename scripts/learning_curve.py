"""Train on fewer simulations, and test all on the same held-out ones."""

import torch

from vbiflow.diagnostics.learning_curve import learning_curves
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import write
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    curves = learning_curves(
        data,
        params.inference,
        params.diagnostics["learning_curve"],
        params.diagnostics["estimators"],
        seed=params.seed,
        progress=run,
    )
    write(snakemake.output[0], curves, run.provenance())
