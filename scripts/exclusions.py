"""List whom the study goes on with; stop it before the first simulation if that is nobody."""

from vbiflow.exclusion import list_exclusions
from vbiflow.io import write_json
from vbiflow.job import job

with job(snakemake, reads_exclusions=True) as run:
    params, files = snakemake.params, snakemake.input
    connectomes = dict(zip(params.estimators, files.connectomes, strict=True))
    recordings = dict(zip(params.estimator_of, files.recordings, strict=True))
    found = list_exclusions(params.estimator_of, connectomes, recordings)
    write_json(snakemake.output[0], found)
    if found["excluded"]:
        run.say(f"{len(found['included'])} subjects go on, {len(found['excluded'])} are left out")
