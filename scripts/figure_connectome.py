"""Draw a connectome."""

from vbiflow.figures.connectome import connectome
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    names = "weights", "tract_lengths", "labels", "hemispheres", "networks", "centres"
    save(connectome(**read(snakemake.input.connectome, *names)), snakemake.output[0])
