"""Draw the posteriors of all subjects side by side."""

from vbiflow.cohort import first_units, prior_intervals, read_cohort_table
from vbiflow.figures.cohort import cohort
from vbiflow.figures.style import save
from vbiflow.job import job

with job(snakemake, reads_notes=True):
    table, prior = read_cohort_table(snakemake.input.table), prior_intervals(snakemake.input.prior)
    figure = cohort(
        table["subjects"], table["verdicts"], table["parameters"], prior, first_units(snakemake.input.prior)
    )
    save(figure, snakemake.output[0])
