"""Draw the posteriors of all subjects against further columns of the cohort."""

from vbiflow.cohort import first_units, read_cohort_table
from vbiflow.figures.cohort import covariates
from vbiflow.figures.style import save
from vbiflow.job import job

with job(snakemake):
    table = read_cohort_table(snakemake.input.table)
    figure = covariates(
        table["subjects"],
        table["verdicts"],
        table["parameters"],
        table["covariates"],
        first_units(snakemake.input.prior),
    )
    save(figure, snakemake.output[0])
