"""Draw how well simulations from the posterior match the recording, and each other."""

from vbiflow.figures.predictive import predictive
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    scores = read(snakemake.input.predictive, "fc_correlation", "fcd_ks", "floor_fc_correlation", "floor_fcd_ks")
    save(predictive(**scores), snakemake.output[0])
