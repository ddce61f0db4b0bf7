"""Reduce one shard's time series to features."""

from vbiflow.connectome import Connectome
from vbiflow.features import Nodes, compute_file
from vbiflow.io import write
from vbiflow.job import job

with job(snakemake) as run:
    connectome = Connectome.load(snakemake.input.connectome)
    nodes = Nodes(connectome.labels, connectome.hemispheres, connectome.networks)
    quantities = compute_file(
        snakemake.input.simulations,
        snakemake.params.features,
        nodes,
        folder="config/features",
        prepare=snakemake.params.preparation,
        seed=snakemake.params.seed,
        progress=run,
    )
    write(snakemake.output[0], quantities, run.provenance())
