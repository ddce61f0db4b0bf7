"""List whom the study goes on with; stop it before the first simulation if that is nobody."""

from vbiflow.io import write_json
from vbiflow.job import job
from vbiflow.refusal import admit

with job(snakemake, reads_notes=True) as run:
    params, files = snakemake.params, snakemake.input
    connectomes = dict(zip(params.connectomes, files.connectomes, strict=True))
    found = admit(params.connectome_of, connectomes, dict(zip(params.connectome_of, files.recordings, strict=True)))
    write_json(snakemake.output[0], found)
    if found["refused"]:
        run.say(f"{len(found['admitted'])} subjects go on, {len(found['refused'])} are left out")
