"""Train the estimator on the study's training simulations."""

import torch

from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    posterior, history = train(
        data,
        params.inference,
        seed=params.seed,
        progress=run.epoch,
        checkpoint=f"{snakemake.output.posterior}.unfinished",
    )
    posterior.save(snakemake.output.posterior, snakemake.params.seed)
    write_json(snakemake.output.training, history)
