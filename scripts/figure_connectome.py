"""Draw a connectome."""

from vbiflow.figures.connectome import connectome
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    parts = read(snakemake.input.connectome, "weights", "tract_lengths", "labels", "hemispheres", "networks")
    save(connectome(**parts), snakemake.output[0])
