"""Average the connectomes of the people of one estimator, which learns on the mean or shows it in figures."""

from vbiflow.connectome import Connectome
from vbiflow.connectome.pool import mean_connectome
from vbiflow.exclusion import not_excluded
from vbiflow.job import job

with job(snakemake, reads_exclusions=True) as run:
    pool = [Connectome.load(path) for path in not_excluded(snakemake.input)]
    mean_connectome(pool).save(snakemake.output[0], run.provenance())
