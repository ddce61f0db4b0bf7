"""Compare the estimators that lack one feature with the one that has all."""

from pathlib import Path

from vbiflow.diagnostics.ablation import compare_ablations
from vbiflow.exclusion import not_excluded
from vbiflow.io import write_json
from vbiflow.job import job

with job(snakemake, reads_exclusions="samples") as run:
    without = {Path(path).stem: path for path in snakemake.input.without}
    samples = {Path(path).parent.name: path for path in not_excluded(snakemake.input.samples)}
    found = compare_ablations(snakemake.input.diagnostics, without, samples)
    write_json(snakemake.output[0], found)
