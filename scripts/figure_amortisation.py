"""Draw what an estimator that learned from other people is worth for each person, beside the person's own."""

from vbiflow.exclusion import read_exclusion
from vbiflow.figures.evidence import amortisation
from vbiflow.figures.style import save
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake, reads_exclusions="people"):
    files = zip(snakemake.params.subjects, snakemake.input.people, strict=True)
    people = {name: read_json(path) for name, path in files if read_exclusion(path) is None}
    units = next((found["units"] for found in people.values()), {})
    save(amortisation(people, snakemake.params.studies, units), snakemake.output[0])
