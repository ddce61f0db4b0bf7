"""Draw the posteriors of all subjects against further columns of the cohort."""

from vbiflow.figures.cohort import covariates
from vbiflow.figures.style import save
from vbiflow.job import job
from vbiflow.posterior_table import first_units, read_posterior_table

with job(snakemake):
    table = read_posterior_table(snakemake.input.table)
    figure = covariates(
        table["subjects"],
        table["verdicts"],
        table["parameters"],
        table["covariates"],
        first_units(snakemake.input.prior),
    )
    save(figure, snakemake.output[0])
