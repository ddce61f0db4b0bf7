"""Train the estimator on the study's training simulations."""

import torch

from vbiflow.inference import train
from vbiflow.io import attributes, opened, read, values, write_json
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run, opened(snakemake.input.features) as features:
    torch.set_num_threads(snakemake.threads)
    drawn = read(snakemake.input.prior, "theta", "names")
    prior = Prior.from_plain(attributes(snakemake.input.prior)["prior"], drawn["names"])
    posterior, history = train(
        prior,
        drawn["theta"],
        features["x"],
        values(features, "names"),
        snakemake.params.inference,
        seed=snakemake.params.seed,
        valid=values(features, "valid"),
        progress=run.epoch,
        checkpoint=f"{snakemake.output.posterior}.unfinished",
    )
    posterior.save(snakemake.output.posterior)
    write_json(snakemake.output.training, history)
