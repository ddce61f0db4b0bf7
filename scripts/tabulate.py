"""Put the posteriors of a cohort into one table, a row a subject."""

from vbiflow.cohort import cohort_table
from vbiflow.io import write_text
from vbiflow.job import job

with job(snakemake, reads_notes=True) as run:
    files = snakemake.input
    priors = dict(zip(snakemake.params.connectomes, files.prior, strict=True))
    each = [priors[name] for name in snakemake.params.connectome_of.values()]
    write_text(snakemake.output[0], cohort_table(snakemake.params.covariates, files.samples, files.verdict, each))
    run.say(snakemake.output[0])
