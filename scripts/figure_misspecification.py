"""Draw where the recording's features lie among those of the simulations."""

from vbiflow.figures.predictive import misspecification
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    simulated = read(snakemake.input.features, "x", "valid")
    observed = read(snakemake.input.x_o, "x", "names")
    again = read(snakemake.input.predictive, "x")["x"][: snakemake.params.n_predictive]
    figure = misspecification(simulated["x"][simulated["valid"]], observed["x"], observed["names"], again)
    save(figure, snakemake.output[0])
