"""Compare the estimators that lack one feature with the one that has all."""

from pathlib import Path

from vbiflow.diagnostics import compare_ablations
from vbiflow.io import write_json
from vbiflow.job import job
from vbiflow.refusal import without_notes

with job(snakemake, reads_notes="samples") as run:
    without = {Path(path).stem: path for path in snakemake.input.without}
    samples = {Path(path).parent.name: path for path in without_notes(snakemake.input.samples)}
    found = compare_ablations(snakemake.input.diagnostics, without, samples)
    write_json(snakemake.output[0], found)
