"""Put a study's results together into one HTML page."""

from vbiflow.figures.report import report
from vbiflow.io import write_text
from vbiflow.job import job

with job(snakemake) as run:
    files = {kind: list(paths) for kind, paths in snakemake.input.items() if kind != "template"}
    write_text(snakemake.output[0], report(snakemake.input.template, files, dict(snakemake.params.items())))
    run.say(snakemake.output[0])
