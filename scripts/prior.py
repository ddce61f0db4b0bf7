"""Draw the study's theta once, from its seed."""

from vbiflow.io import Quantity, read, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    prior = Prior.from_config(snakemake.params.prior, read(snakemake.input.connectome, "labels")["labels"])
    theta = prior.sample(snakemake.params.seed, 0, snakemake.params.n_simulations)
    quantities = {
        "theta": Quantity(theta, axes=("simulation", "parameter")),
        "names": Quantity(list(prior.names), axes=("parameter",)),
    }
    write(snakemake.output[0], quantities, run.provenance() | {"prior": prior.to_config()})
