"""Draw all figures of a person, of an estimator, of a cohort, or of a comparison."""

from pathlib import Path

from vbiflow.figures.draw import draw_figures
from vbiflow.job import job

with job(snakemake, reads_exclusions=snakemake.params.reads_exclusions) as run:
    output, entries = Path(snakemake.output[0]), snakemake.params.figures
    paths = {name: output if output.suffix else output / f"{name}.svg" for name in entries}
    draw_figures(entries, dict(snakemake.input.items()), snakemake.params.parameters, paths, run.say)
