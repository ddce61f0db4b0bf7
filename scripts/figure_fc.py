"""Draw observed and predicted functional connectivity."""

from vbiflow.figures.recording import fc
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    found = read(snakemake.input.predictive, "fc_observed", "fc")
    regions = read(snakemake.input.x_o, "hemispheres", "networks")
    save(fc(found["fc_observed"], found["fc"], **regions), snakemake.output[0])
