"""Draw the parameters of the next round where a person's posterior so far has mass."""

from vbiflow.inference.posterior import Posterior
from vbiflow.inference.rounds import next_round
from vbiflow.io import read, write
from vbiflow.job import job

with job(snakemake) as run:
    quantities = next_round(
        [Posterior.load(path) for path in snakemake.input.posteriors],
        read(snakemake.input.x_o, "x")["x"],
        read(snakemake.input.prior, "theta")["theta"],
        snakemake.params.n_simulations,
        seed=snakemake.params.seed,
    )
    write(snakemake.output[0], quantities, run.provenance())
    run.say(f"{quantities['share'].values:.2g} of the prior is left")
