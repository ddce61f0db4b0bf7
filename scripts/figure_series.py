"""Draw the series of a recording and of a simulation from its posterior."""

from vbiflow.figures.recording import series
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    x_o, predictive, signal = snakemake.input.x_o, snakemake.input.predictive, snakemake.params.signal
    figure = series(
        read(x_o, signal)[signal],
        attributes(x_o, signal)["fs"],
        read(predictive, signal)[signal],
        attributes(predictive, signal)["fs"],
        **read(x_o, "labels", "hemispheres", "networks"),
        nodes=snakemake.params.nodes,
        name=signal,
    )
    save(figure, snakemake.output[0])
