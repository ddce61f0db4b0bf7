"""Save a simulation with known parameters as the recording of sensors that hear it."""

from vbiflow.empirical.synthetic import save_sensors
from vbiflow.io import read, read_attributes
from vbiflow.job import job
from vbiflow.observation.sensors import sensors_of
from vbiflow.streams import Stream

with job(snakemake):
    params, source, lead_field = snakemake.params, snakemake.input.recording, snakemake.input.lead_field
    found, fs = read(source, params.signal, "index"), read_attributes(source, params.signal)["fs"]
    sensors = sensors_of(lead_field, params.sensors, params.seed, Stream.RECORDING, source)
    recorded = sensors.record(found[params.signal], found["index"])[0]
    save_sensors(snakemake.output[0], recorded, fs, lead_field, params.recording.get("sensors"))
