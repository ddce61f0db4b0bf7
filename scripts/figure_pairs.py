"""Draw the joint posterior of every two parameters."""

from vbiflow.figures import pairs, save
from vbiflow.io import attributes, read
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake):
    content = read(snakemake.input.samples, "theta", "map", "names")
    quantiles = Prior.from_plain(attributes(snakemake.input.prior)["prior"]).quantiles()
    figure = pairs(content["theta"], content["map"], quantiles, content["names"], snakemake.params.units)
    save(figure, snakemake.output[0])
