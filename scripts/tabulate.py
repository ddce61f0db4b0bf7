"""Put the posteriors of a cohort into one table, a row a subject."""

from vbiflow.io import write_text
from vbiflow.job import job
from vbiflow.posterior_table import posterior_table

with job(snakemake, reads_exclusions=True) as run:
    files = snakemake.input
    priors = dict(zip(snakemake.params.estimators, files.prior, strict=True))
    each = [priors[name] for name in snakemake.params.estimator_of.values()]
    table = posterior_table(snakemake.params.covariates, files.samples, files.verdict, each)
    write_text(snakemake.output[0], table, seals=True)
    run.say(snakemake.output[0])
