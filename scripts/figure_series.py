"""Draw the series of a recording and of a simulation from its posterior."""

from vbiflow.figures.recording import series
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    x_o, predictive = snakemake.input.x_o, snakemake.input.predictive
    figure = series(
        read(x_o, "ts")["ts"],
        attributes(x_o, "ts")["fs"],
        read(predictive, "ts")["ts"],
        attributes(predictive, "ts")["fs"],
        **read(x_o, "labels", "hemispheres", "networks"),
        name=snakemake.params.measured["name"],
        nodes=snakemake.params.measured["nodes"],
    )
    save(figure, snakemake.output[0])
