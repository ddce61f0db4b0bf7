"""Draw observed and predicted dynamics of functional connectivity."""

from vbiflow.figures import fcd, save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    content = read(snakemake.input.predictive, "fcd_observed", "fcd", "fcd_observed_values", "fcd_values")
    windows = attributes(snakemake.input.predictive, "fcd")
    save(fcd(*content.values(), windows["window"], windows["step"]), snakemake.output[0])
