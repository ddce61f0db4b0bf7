"""Place the parameters that make a simulated recording."""

from vbiflow.connectome import Connectome
from vbiflow.io import Quantity, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    connectome = Connectome.load(snakemake.input.connectome)
    prior = Prior.from_config(snakemake.params.prior, connectome.labels, connectome.maps, snakemake.params.units)
    theta = prior.theta(snakemake.params.truth, connectome.weights)
    quantities = {
        "theta": Quantity(theta, prior.units, ("simulation", "parameter")),
        "names": Quantity.text(prior.names, "parameter"),
    }
    write(snakemake.output[0], quantities, run.provenance())
