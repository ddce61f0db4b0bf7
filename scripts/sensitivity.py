"""Find the directions of parameters that one person's recording pins down."""

from vbiflow.diagnostics.sensitivity import sensitivity
from vbiflow.inference.posterior import Posterior
from vbiflow.io import Quantity, read, write
from vbiflow.job import job

with job(snakemake) as run:
    posterior, observed = Posterior.load(snakemake.input.posterior), read(snakemake.input.x_o, "x", "names")
    values, vectors = sensitivity(posterior, observed["x"], seed=snakemake.params.seed, names=observed["names"])
    quantities = {
        "eigenvalues": Quantity(values, "1", ("direction",)),
        "eigenvectors": Quantity(vectors, "1", ("direction", "parameter")),
        "names": Quantity.text(posterior.parameters, "parameter"),
    }
    write(snakemake.output[0], quantities, run.provenance())
