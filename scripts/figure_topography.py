"""Draw observed and predicted band power over the head."""

from vbiflow.figures.style import save
from vbiflow.figures.topography import topography
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    found = read(snakemake.input.predictive, "psd_observed", "psd", "frequencies")
    names, head = read(snakemake.input.x_o, "labels")["labels"], read(snakemake.input.lead_field)
    places = dict(zip(head["sensors"], head.get("positions", ()), strict=False))
    save(topography(*found.values(), [places.get(name) for name in names], names), snakemake.output[0])
