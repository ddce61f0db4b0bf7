"""Draw observed and predicted dynamics of functional connectivity."""

from vbiflow.figures.recording import fcd
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    path = snakemake.input.predictive
    found = read(path, "fcd_observed", "fcd", "fcd_observed_values", "fcd_values")
    windows = attributes(path, "fcd")
    save(fcd(*found.values(), window=windows["window"], step=windows["step"]), snakemake.output[0])
