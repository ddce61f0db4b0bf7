"""Draw the posterior predictive check against its noise floor."""

from vbiflow.diagnostics.predictive import SCORES
from vbiflow.figures import predictive, save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    save(predictive(**read(snakemake.input.predictive, *SCORES)), snakemake.output[0])
