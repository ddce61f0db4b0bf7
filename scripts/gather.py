"""Join the shards' features in the order of the simulations."""

from vbiflow.features import gather_shards
from vbiflow.job import job

with job(snakemake) as run:
    gather_shards(snakemake.input, snakemake.output[0], snakemake.params.n_simulations, run.provenance())
