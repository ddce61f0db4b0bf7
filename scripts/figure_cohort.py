"""Draw the posteriors of all subjects side by side."""

from vbiflow.figures.cohort import cohort
from vbiflow.figures.style import save
from vbiflow.job import job
from vbiflow.posterior_table import first_units, prior_intervals, read_posterior_table

with job(snakemake, reads_exclusions=True):
    table, prior = read_posterior_table(snakemake.input.table), prior_intervals(snakemake.input.prior)
    figure = cohort(
        table["subjects"], table["verdicts"], table["parameters"], prior, first_units(snakemake.input.prior)
    )
    save(figure, snakemake.output[0])
