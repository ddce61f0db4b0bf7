"""Average the connectomes that one estimator learns from, to stand for them in figures."""

from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import mean_connectome
from vbiflow.job import job
from vbiflow.refusal import without_notes

with job(snakemake, reads_notes=True) as run:
    pool = [Connectome.load(path) for path in without_notes(snakemake.input)]
    mean_connectome(pool).save(snakemake.output[0], run.provenance())
