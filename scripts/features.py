"""Reduce one shard's time series to features."""

from vbiflow.connectome import Connectome
from vbiflow.empirical.lead_field import LeadField, nodes_of
from vbiflow.features import compute_file
from vbiflow.features.discrepancy import add_discrepancy
from vbiflow.io import write
from vbiflow.job import job
from vbiflow.observation.sensors import sensors_of

with job(snakemake) as run:
    params, path = snakemake.params, snakemake.input.get("lead_field")
    lead_field = LeadField.load(path) if path else None
    quantities = compute_file(
        snakemake.input.simulations,
        params.features,
        nodes_of(lead_field, params.sensors, Connectome.load(snakemake.input.connectome)),
        folder="config/features",
        prepare=params.preparation,
        signal=params.signal,
        sensors=sensors_of(path, params.sensors, params.seed, params.stream, snakemake.input.simulations),
        progress=run,
    )
    simulations = snakemake.input.simulations
    quantities = add_discrepancy(quantities, simulations, params.discrepancy, params.seed, params.stream)
    write(snakemake.output[0], quantities, run.provenance())
