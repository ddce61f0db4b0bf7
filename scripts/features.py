"""Reduce one shard's time series to features."""

from vbiflow.connectome import Connectome
from vbiflow.features import compute_file
from vbiflow.io import write
from vbiflow.job import job

with job(snakemake) as run:
    nodes = Connectome.load(snakemake.input.connectome).nodes
    quantities = compute_file(snakemake.input.simulations, snakemake.params.features, nodes, progress=run)
    write(snakemake.output[0], quantities, run.provenance())
