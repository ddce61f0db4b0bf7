"""Draw how well the parameters of held-out simulations are recovered."""

from vbiflow.figures.diagnostics import recovery
from vbiflow.figures.style import save
from vbiflow.io import parameter_units, read
from vbiflow.job import job

with job(snakemake):
    held_out = read(snakemake.input.diagnostics, "theta", "mean", "sd", "z", "shrinkage", "names")
    save(recovery(**held_out, units=parameter_units(snakemake.input.diagnostics)), snakemake.output[0])
