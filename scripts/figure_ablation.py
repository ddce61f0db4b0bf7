"""Draw what the estimator loses without each feature."""

from vbiflow.figures.features import ablation
from vbiflow.figures.style import save
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake):
    found = read_json(snakemake.input.ablation)
    save(ablation(found["features"], found["subjects"], units=found["units"]), snakemake.output[0])
