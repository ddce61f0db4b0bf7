"""Sample the exact posterior of a linear network given one recording's whole series."""

from vbiflow.connectome import Connectome
from vbiflow.diagnostics.exact import exact_posterior
from vbiflow.io import Quantity, read, read_attributes, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    params = snakemake.params
    prior = Prior.from_plain(read_attributes(snakemake.input.prior)["prior"])
    theta = exact_posterior(
        prior,
        read(snakemake.input.x_o, "ts")["ts"],
        read_attributes(snakemake.input.x_o, "ts")["fs"],
        Connectome.load(snakemake.input.connectome).weights,
        params.parameters,
        params.n_samples,
        params.seed,
    )
    write(snakemake.output[0], {"theta": Quantity(theta, prior.units, ("sample", "parameter"))}, run.provenance())
