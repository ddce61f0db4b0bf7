"""Draw the series of a recording and of a simulation from its posterior."""

from vbiflow.figures.recording import series
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    x_o, predictive = snakemake.input.x_o, snakemake.input.predictive
    signal = attributes(x_o, "ts")["signal"]
    figure = series(
        read(x_o, "ts")["ts"],
        attributes(x_o, "ts")["fs"],
        read(predictive, "ts")["ts"],
        attributes(predictive, "ts")["fs"],
        **read(x_o, "labels", "hemispheres", "networks"),
        nodes=snakemake.params.nodes,
        name=signal,
    )
    save(figure, snakemake.output[0])
