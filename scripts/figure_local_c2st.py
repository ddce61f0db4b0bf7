"""Draw where, at one person's recording, the posterior is too dense or too thin."""

from vbiflow.figures.evidence import local_c2st
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    save(local_c2st(**read(snakemake.input.local_c2st), units=snakemake.params.units), snakemake.output[0])
