"""Find the directions of parameters that one person's recording pins down."""

from vbiflow.diagnostics import sensitivity
from vbiflow.inference import Posterior
from vbiflow.io import Quantity, read, write
from vbiflow.job import job

with job(snakemake) as run:
    posterior, observed = Posterior.load(snakemake.input.posterior), read(snakemake.input.x_o, "x", "names")
    values, vectors = sensitivity(posterior, observed["x"], seed=snakemake.params.seed, names=observed["names"])
    quantities = {
        "eigenvalues": Quantity(values, axes=("direction",)),
        "eigenvectors": Quantity(vectors, axes=("direction", "parameter")),
        "names": Quantity(list(posterior.parameters), axes=("parameter",)),
    }
    write(snakemake.output[0], quantities, run.provenance())
