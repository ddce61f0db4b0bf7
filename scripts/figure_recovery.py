"""Draw how well the parameters of held-out simulations are recovered."""

from vbiflow.figures.diagnostics import recovery
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    held_out = read(snakemake.input.diagnostics, "theta", "mean", "sd", "z", "shrinkage", "names")
    save(recovery(**held_out, units=snakemake.params.units), snakemake.output[0])
