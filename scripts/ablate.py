"""Train and test the estimator without one of the study's features."""

import torch

from vbiflow.diagnostics.ablation import ablate
from vbiflow.exclusion import not_excluded
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import read_subjects, write
from vbiflow.job import job

with job(snakemake, reads_exclusions="x_o") as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    quantities = ablate(
        data,
        params.features,
        snakemake.wildcards.feature,
        params.inference,
        seed=params.seed,
        recordings=read_subjects(not_excluded(snakemake.input.x_o), "x"),
        progress=run.epoch,
    )
    write(snakemake.output[0], quantities, run.provenance())
