"""Draw what each feature tells of each parameter, and which follow one another."""

from vbiflow.figures.features import features
from vbiflow.figures.style import save
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake):
    found = read_json(snakemake.input.report)
    names = ("informs", "explained", "explained_by", "shown", "correlation", "outside")
    save(features(**{name: found[name] for name in names}), snakemake.output[0])
