"""Draw where in the prior simulations are invalid."""

from vbiflow.figures import invalid, save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    valid = read(snakemake.input.features, "valid")["valid"]
    content = read(snakemake.input.prior, "theta", "names")
    save(invalid(**content, valid=valid, units=snakemake.params.units), snakemake.output[0])
