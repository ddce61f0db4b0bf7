"""Draw the recording's place among the simulations."""

from vbiflow.figures import misspecification, save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    features = read(snakemake.input.features, "x", "valid")
    observed = read(snakemake.input.x_o, "x", "names")
    again = read(snakemake.input.predictive, "x")["x"]
    figure = misspecification(features["x"][features["valid"]], observed["x"], observed["names"], again)
    save(figure, snakemake.output[0])
