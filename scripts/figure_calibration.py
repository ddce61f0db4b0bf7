"""Draw whether the posteriors of held-out simulations are calibrated."""

from vbiflow.figures.diagnostics import calibration
from vbiflow.figures.style import save
from vbiflow.io import attributes, read
from vbiflow.job import job

with job(snakemake):
    path = snakemake.input.diagnostics
    found = read(path, "ranks", "names", "coverage", "tarp_level", "tarp_coverage")
    level = read(path, "coverage_level")["coverage_level"]
    save(calibration(**found, n_samples=attributes(path, "ranks")["n_samples"], level=level), snakemake.output[0])
