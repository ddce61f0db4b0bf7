"""Draw how the error falls with the number of simulations."""

from vbiflow.figures.evidence import learning_curve
from vbiflow.figures.style import save
from vbiflow.io import read
from vbiflow.job import job

with job(snakemake):
    curves = read(
        snakemake.input.curves, "estimators", "n_simulations", "rmse", "coverage_90", "log_prob", "parameters"
    )
    save(learning_curve(**curves), snakemake.output[0])
