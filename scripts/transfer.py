"""Compare simulations of other people's parameters with one person's recording."""

from vbiflow.diagnostics.transfer import transfer_scores
from vbiflow.io import read, read_attributes, write_json
from vbiflow.job import job
from vbiflow.observation.sensors import sensors_of
from vbiflow.streams import Stream

with job(snakemake) as run:
    params, source = snakemake.params, snakemake.input
    observed = read(source.x_o)
    found = {}
    if "ts" in observed:
        found = transfer_scores(
            source.simulations,
            observed["ts"],
            read_attributes(source.x_o, "ts")["fs"],
            params.features,
            params.diagnostics["scores"],
            params.signal,
            params.preparation,
            sensors_of(source.get("lead_field"), params.sensors, params.seed, Stream.TRANSFER, source.simulations),
        )
    write_json(snakemake.output[0], found)
