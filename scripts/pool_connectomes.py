"""Average the connectomes that one estimator learns from, to stand for them in figures."""

from vbiflow.connectome import Connectome
from vbiflow.connectome.cohort import mean_connectome
from vbiflow.job import job

with job(snakemake) as run:
    mean_connectome([Connectome.load(path) for path in snakemake.input]).save(snakemake.output[0], run.provenance())
