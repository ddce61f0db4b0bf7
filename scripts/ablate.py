"""Train and test the estimator without one of the study's features."""

import torch

from vbiflow.diagnostics import ablate
from vbiflow.exclusion import not_excluded
from vbiflow.io import attributes, of_subjects, read, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake, reads_exclusions="x_o") as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    drawn, simulated = read(snakemake.input.prior, "theta", "names"), read(snakemake.input.features)
    quantities = ablate(
        Prior.from_plain(attributes(snakemake.input.prior)["prior"], drawn["names"]),
        drawn["theta"],
        simulated["x"],
        simulated["names"],
        params.features,
        snakemake.wildcards.feature,
        params.inference,
        seed=params.seed,
        valid=simulated["valid"],
        recordings=of_subjects(not_excluded(snakemake.input.x_o), "x"),
        progress=run.epoch,
    )
    write(snakemake.output[0], quantities, run.provenance())
