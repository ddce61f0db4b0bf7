"""Reduce one person's recording to features, by the code and settings of the simulations."""

from vbiflow.connectome import Connectome
from vbiflow.empirical import Simulated, observe
from vbiflow.features import Nodes
from vbiflow.io import write
from vbiflow.job import job

with job(snakemake) as run:
    params = snakemake.params
    connectome = Connectome.load(snakemake.input.connectome)
    simulated = Simulated(
        params.signal,
        Nodes(connectome.labels, connectome.hemispheres, connectome.networks),
        params.interval,
        params.duration,
        params.features,
        params.preparation,
        "config/features",
    )
    quantities = observe(params.row, simulated, params.select, params.recording)
    write(snakemake.output[0], quantities, run.provenance())
