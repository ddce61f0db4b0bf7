"""Draw where, at one person's recording, the posterior is too dense or too thin."""

from vbiflow.figures.evidence import local_c2st
from vbiflow.figures.style import save
from vbiflow.io import parameter_units, read
from vbiflow.job import job

with job(snakemake):
    save(
        local_c2st(**read(snakemake.input.local_c2st), units=parameter_units(snakemake.input.local_c2st)),
        snakemake.output[0],
    )
