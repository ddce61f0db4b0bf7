"""Make the lead field from a connectome's regions to the sensors of a recording."""

from vbiflow.connectome import Connectome
from vbiflow.empirical.sensor_options import SPACES
from vbiflow.empirical.sensor_space import make_lead_field
from vbiflow.job import job

with job(snakemake, excludes="estimator") as run:
    params = snakemake.params
    connectome = Connectome.load(snakemake.input.connectome)
    recording = snakemake.input.get("recording") or None
    field = make_lead_field(recording, params.kind, params.recording, params.sensors, connectome)
    field.save(snakemake.output[0], run.provenance())
    space = f", contacts and regions in {SPACES[field.space]}" if field.space else ""
    run.say(f"{len(field.sensors)} sensors, {len(field.labels)} regions{space}")
