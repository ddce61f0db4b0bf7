"""Draw the training of an estimator."""

from vbiflow.figures.style import save
from vbiflow.figures.training import training
from vbiflow.io import read_json
from vbiflow.job import job

with job(snakemake):
    history = read_json(snakemake.input.training)
    save(training(history["train_loss"], history["validation_loss"]), snakemake.output[0])
