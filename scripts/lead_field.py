"""Make the lead field from one person's connectome to the sensors of the recording."""

from vbiflow.connectome import Connectome
from vbiflow.empirical.sensor_space import make_lead_field
from vbiflow.job import job

with job(snakemake) as run:
    row, options = snakemake.params.row, snakemake.params.recording
    connectome = Connectome.load(snakemake.input.connectome)
    field = make_lead_field(row["recording"], row["kind"], options, connectome)
    field.save(snakemake.output[0], run.provenance())
