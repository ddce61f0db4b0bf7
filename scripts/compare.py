"""Rank several studies by how well they predict one person's recording."""

from vbiflow.diagnostics.comparison import compare_studies
from vbiflow.features.scores import SCORES
from vbiflow.io import read, write_json
from vbiflow.job import job

with job(snakemake) as run:
    files = dict(zip(snakemake.params.studies, snakemake.input, strict=True))
    found = {study: read(path) for study, path in files.items()}
    scores = {study: {name: entry[name] for name in SCORES if name in entry} for study, entry in found.items()}
    ranking = compare_studies(scores)
    write_json(snakemake.output[0], {"ranking": ranking, "scores": scores})
    run.say(f"best: {ranking[0]['study']}, probability {ranking[0]['probability_best']:.2f}")
