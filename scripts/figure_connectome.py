"""Draw the connectome."""

from vbiflow.figures import connectome, save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    content = read(snakemake.input.connectome, "weights", "tract_lengths", "labels", "hemispheres", "networks")
    save(connectome(**content), snakemake.output[0])
