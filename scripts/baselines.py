"""Compare the estimator with others and with simple methods, on the simulations that none has seen."""

import torch

from vbiflow.diagnostics import compare_methods
from vbiflow.inference import Posterior
from vbiflow.io import attributes, read, read_json, write_json
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params, source = snakemake.params, snakemake.input
    drawn, features = read(source.prior, "theta", "names"), read(source.features, "x", "valid", "names")
    found = compare_methods(
        Prior.from_plain(attributes(source.prior)["prior"], drawn["names"]),
        drawn["theta"],
        features["x"],
        features["valid"],
        features["names"],
        params.inference,
        (Posterior.load(source.posterior), read_json(source.training)["seconds"]),
        params.diagnostics["estimators"],
        read_json(source.optimised) if source.get("optimised") else None,
        seed=params.seed,
        progress=run.epoch,
    )
    write_json(snakemake.output[0], found)
