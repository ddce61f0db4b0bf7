"""Draw observed and predicted power spectral densities."""

from vbiflow.figures.recording import psd
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    found = read(snakemake.input.predictive, "psd_observed", "psd", "psd_mean", "frequencies")
    save(psd(*found.values(), name=snakemake.params.signal), snakemake.output[0])
