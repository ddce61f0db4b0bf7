"""Draw observed and predicted functional connectivity."""

from vbiflow.figures import fc, save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    nodes = read(snakemake.input.connectome, "hemispheres", "networks")
    content = read(snakemake.input.predictive, "fc", "fc_observed")
    save(fc(content["fc_observed"], content["fc"], **nodes), snakemake.output[0])
