"""Draw the predictive scores of several studies for one person."""

from vbiflow.figures.evidence import comparison
from vbiflow.figures.style import save
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake):
    found = read_json(snakemake.input.comparison)
    save(comparison(found["scores"], found["ranking"]), snakemake.output[0])
