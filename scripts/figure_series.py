"""Draw the recording beside a simulation from the posterior."""

from vbiflow.figures import save, series
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    nodes = read(snakemake.input.connectome, "labels", "hemispheres", "networks")
    observed, predicted = read(snakemake.input.x_o, "bold")["bold"], read(snakemake.input.predictive, "bold")["bold"]
    rates = [attributes(file, "bold")["fs"] for file in (snakemake.input.x_o, snakemake.input.predictive)]
    figure = series(observed, rates[0], predicted, rates[1], **nodes)
    save(figure, snakemake.output[0])
