"""Draw where in the prior simulations are invalid."""

from vbiflow.figures.diagnostics import invalid
from vbiflow.figures.style import save
from vbiflow.io import parameter_units, read
from vbiflow.job import job

with job(snakemake):
    drawn = read(snakemake.input.prior, "theta", "names")
    valid = read(snakemake.input.features, "valid")["valid"]
    save(invalid(**drawn, valid=valid, units=parameter_units(snakemake.input.prior)), snakemake.output[0])
