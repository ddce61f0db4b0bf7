"""Draw the directions of parameters that one person's recording pins down."""

from vbiflow.figures.evidence import sensitivity
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    save(sensitivity(**read(snakemake.input.sensitivity)), snakemake.output[0])
