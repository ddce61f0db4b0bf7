"""Draw what the estimator is worth beside other methods."""

from vbiflow.figures.evidence import baselines
from vbiflow.figures.style import save
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake):
    found = read_json(snakemake.input.baselines)
    save(baselines(found["methods"], found["parameters"], found["n_simulations"]), snakemake.output[0])
