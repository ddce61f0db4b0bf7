"""Draw the calibration of the estimator."""

from vbiflow.figures import calibration, save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    content = read(snakemake.input.diagnostics, "ranks", "names", "coverage", "tarp_level", "tarp_coverage")
    level = read(snakemake.input.diagnostics, "coverage_level")["coverage_level"]
    n_samples = attributes(snakemake.input.diagnostics, "ranks")["n_samples"]
    save(calibration(**content, level=level, n_samples=n_samples), snakemake.output[0])
