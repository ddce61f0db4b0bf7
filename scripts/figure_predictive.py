"""Draw how well simulations from the posterior match the recording, and each other."""

from vbiflow.features.scores import SCORES
from vbiflow.figures.predictive import predictive
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    shown = {name: SCORES[name] for name in snakemake.params.scores}
    figure = predictive(
        read(snakemake.input.predictive, *shown, *(f"floor_{name}" for name in shown)),
        {name: score.label for name, score in shown.items()},
        {name: score.bounds for name, score in shown.items()},
    )
    save(figure, snakemake.output[0])
