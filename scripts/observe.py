"""Reduce one person's recording to features, by the code and settings of the simulations."""

from vbiflow.connectome import Connectome
from vbiflow.empirical import prepare
from vbiflow.features import Nodes, observed
from vbiflow.io import write
from vbiflow.job import job

with job(snakemake) as run:
    params = snakemake.params
    connectome = Connectome.load(snakemake.input.connectome)
    nodes = Nodes(connectome.labels, connectome.hemispheres, connectome.networks)
    recording = prepare(params.row, nodes.labels, params.select, params.recording, params.tr, params.duration)
    quantities = observed(
        recording.ts, recording.fs, params.features, nodes, signal=recording.kind, folder="config/features"
    )
    write(snakemake.output[0], quantities, run.provenance())
