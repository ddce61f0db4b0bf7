"""Draw observed and predicted power spectral densities."""

from vbiflow.figures.recording import psd
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    found = read(snakemake.input.predictive, "psd_observed", "psd", "psd_mean", "frequencies")
    measured = snakemake.params.measured
    save(psd(*found.values(), measured["name"], measured["unit"]), snakemake.output[0])
