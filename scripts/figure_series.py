"""Draw the BOLD of a recording and of a simulation from its posterior."""

from vbiflow.figures.recording import series
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    x_o, predictive = snakemake.input.x_o, snakemake.input.predictive
    figure = series(
        read(x_o, "bold")["bold"],
        attributes(x_o, "bold")["fs"],
        read(predictive, "bold")["bold"],
        attributes(predictive, "bold")["fs"],
        **read(snakemake.input.connectome, "labels", "hemispheres", "networks"),
    )
    save(figure, snakemake.output[0])
