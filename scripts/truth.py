"""Place the parameters that make a simulated recording."""

from vbiflow.io import Quantity, read, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    prior = Prior.from_config(snakemake.params.prior, read(snakemake.input.connectome, "labels")["labels"])
    quantities = {
        "theta": Quantity(prior.theta(snakemake.params.truth), axes=("simulation", "parameter")),
        "names": Quantity(list(prior.names), axes=("parameter",)),
    }
    write(snakemake.output[0], quantities, run.provenance())
