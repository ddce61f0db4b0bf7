"""Draw how well simulations from the posterior match the recording, and each other."""

from vbiflow.figures.predictive import predictive
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    path, names = snakemake.input.predictive, snakemake.params.scores
    notes = {name: attributes(path, name) for name in names}
    figure = predictive(
        read(path, *names, *(f"floor_{name}" for name in names)),
        {name: note["label"] for name, note in notes.items()},
        {name: tuple(note["bounds"]) for name, note in notes.items()},
    )
    save(figure, snakemake.output[0])
