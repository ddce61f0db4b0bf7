"""Put a study's results, or those of one of its subjects, together into one HTML page."""

from vbiflow.figures.report import report
from vbiflow.io import write_text
from vbiflow.job import job

with job(snakemake, reads_exclusions=not snakemake.wildcards.get("subject")) as run:
    files = {kind: list(paths) for kind, paths in snakemake.input.items() if not isinstance(paths, str)}
    write_text(snakemake.output[0], report(snakemake.input.template, files, dict(snakemake.params.items())))
    run.say(snakemake.output[0])
