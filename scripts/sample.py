"""Sample the posterior of one person."""

from vbiflow.inference.posterior import Posterior
from vbiflow.inference.summary import posterior_summary
from vbiflow.io import read, write
from vbiflow.job import job

with job(snakemake) as run:
    observed = read(snakemake.input.x_o, "x", "names")
    truth = read(snakemake.input.truth, "theta")["theta"][0] if snakemake.input.truth else None
    quantities = posterior_summary(
        Posterior.load(snakemake.input.posterior),
        observed["x"],
        observed["names"],
        snakemake.params.n_samples,
        snakemake.params.diagnostics["n_predictive"],
        snakemake.params.diagnostics["n_floor"],
        snakemake.params.seed,
        truth,
    )
    write(snakemake.output[0], quantities, run.provenance())
