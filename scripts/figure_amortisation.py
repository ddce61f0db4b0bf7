"""Draw what an estimator that learned from other people is worth for each person, beside the person's own."""

from vbiflow.figures.evidence import amortisation
from vbiflow.figures.style import save
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake):
    people = dict(zip(snakemake.params.subjects, map(read_json, snakemake.input), strict=True))
    save(amortisation(people, snakemake.params.studies, snakemake.params.units), snakemake.output[0])
