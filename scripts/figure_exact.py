"""Draw the estimated posterior of a linear network over the exact one."""

from vbiflow.figures.posterior import exact
from vbiflow.figures.style import save
from vbiflow.io import parameter_units, read
from vbiflow.job import job

with job(snakemake):
    samples = read(snakemake.input.samples, "theta", "names", "truth")
    reference = read(snakemake.input.exact, "theta")["theta"]
    figure = exact(
        samples["theta"], reference, samples["names"], parameter_units(snakemake.input.samples), samples["truth"]
    )
    save(figure, snakemake.output[0])
