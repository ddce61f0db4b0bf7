"""Draw how well held-out parameters are recovered."""

from vbiflow.figures import recovery, save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    content = read(snakemake.input.diagnostics, "theta", "mean", "sd", "z", "shrinkage", "names")
    save(recovery(**content, units=snakemake.params.units), snakemake.output[0])
