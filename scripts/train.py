"""Train the estimator on the study's training simulations."""

import torch

from vbiflow.inference import train
from vbiflow.io import attributes, read, write_json
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    options = dict(snakemake.params.inference)
    rows = slice(options.pop("n_simulations"))
    prior = Prior.from_plain(attributes(snakemake.input.prior)["prior"])
    theta = read(snakemake.input.prior, "theta")["theta"][rows]
    features = read(snakemake.input.features)
    valid = features["valid"][rows]
    posterior, history = train(
        prior,
        theta[valid],
        features["x"][rows][valid],
        features["names"],
        options,
        seed=snakemake.params.seed,
        progress=run,
    )
    posterior.save(snakemake.output.posterior)
    write_json(snakemake.output.training, history)
