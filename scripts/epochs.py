"""Make a recording in epochs that MNE reads of an archive's table of them."""

from vbiflow.datasets import load_catalogue
from vbiflow.empirical.archive import read_ts, save_epochs
from vbiflow.job import job

with job(snakemake):
    save_epochs(snakemake.output[0], read_ts(snakemake.input[0]), **snakemake.params.epochs)
    print(load_catalogue()[snakemake.wildcards.dataset].credit())
