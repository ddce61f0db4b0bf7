"""Compare the estimator with others and with simple methods, on the simulations that none has seen."""

import torch

from vbiflow.diagnostics.benchmark import benchmark
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import read_json, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params, source = snakemake.params, snakemake.input
    files = zip(params.estimators, source.posteriors, source.trainings, strict=True)
    estimators = {name: (Posterior.load(one), read_json(training)["cpu_seconds"]) for name, one, training in files}
    found = benchmark(
        TrainingSet.load(source.prior, source.features, params.inference, seed=params.seed),
        estimators,
        read_json(source.optimised) if source.get("optimised") else None,
        seed=params.seed,
    )
    write_json(snakemake.output[0], found)
