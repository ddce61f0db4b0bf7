"""Reduce one person's recording to features, by the code and settings of the simulations."""

from vbiflow.connectome import Connectome
from vbiflow.empirical import ComparisonSettings, describe_recording, observe, unread_columns
from vbiflow.empirical.lead_field import LeadField, nodes_of
from vbiflow.features.files import add_connectome_summaries
from vbiflow.io import write
from vbiflow.job import job

with job(snakemake, excludes="subject") as run:
    params, path = snakemake.params, snakemake.input.get("lead_field")
    lead_field = LeadField.load(path) if path else None
    simulated = ComparisonSettings(
        params.signal,
        nodes_of(lead_field, params.sensors, Connectome.load(snakemake.input.connectome)),
        params.interval,
        params.duration,
        params.features,
        params.preparation,
        "config/features",
        params.sensors,
        lead_field,
    )
    unread = unread_columns(params.row, params.recording)
    if unread:
        run.say(f"columns of the cohort that nobody reads: {', '.join(unread)}")
    quantities = observe(params.row, simulated, params.select, params.recording)
    space = lead_field.space if lead_field else ""
    recorded = describe_recording(params.row, quantities, params.sensors, unread, params.recording, space)
    if params.pooled:
        quantities = add_connectome_summaries(quantities, Connectome.load(snakemake.input.connectome))
    write(snakemake.output[0], quantities, run.provenance() | recorded)
