"""Draw the posteriors of all subjects side by side."""

from vbiflow.figures.cohort import cohort
from vbiflow.figures.style import save
from vbiflow.job import job
from vbiflow.posterior_table import prior_intervals, read_posterior_table

with job(snakemake, reads_exclusions=True):
    table, prior = read_posterior_table(snakemake.input.table), prior_intervals(snakemake.input.prior)
    figure = cohort(table["subjects"], table["verdicts"], table["parameters"], prior, snakemake.params.units)
    save(figure, snakemake.output[0])
