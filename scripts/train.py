"""Train the estimator on the study's training simulations."""

import torch

from vbiflow.inference import train
from vbiflow.io import attributes, read, write_json
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    drawn = read(snakemake.input.prior, "theta", "names")
    prior = Prior.from_plain(attributes(snakemake.input.prior)["prior"], drawn["names"])
    features = read(snakemake.input.features)
    posterior, history = train(
        prior,
        drawn["theta"],
        features["x"],
        features["names"],
        snakemake.params.inference,
        seed=snakemake.params.seed,
        valid=features["valid"],
        progress=run.epoch,
    )
    posterior.save(snakemake.output.posterior)
    write_json(snakemake.output.training, history)
