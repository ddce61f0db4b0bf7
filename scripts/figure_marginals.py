"""Draw each parameter's posterior against its prior."""

from vbiflow.figures.density import prior_quantiles
from vbiflow.figures.posterior import marginals
from vbiflow.figures.style import save
from vbiflow.io import attributes, parameter_units, read
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake):
    samples = read(snakemake.input.samples, "theta", "map", "names", "truth")
    prior = prior_quantiles(Prior.from_plain(attributes(snakemake.input.prior)["prior"]))
    save(
        marginals(
            samples["theta"],
            samples["map"],
            prior,
            samples["names"],
            parameter_units(snakemake.input.samples),
            samples["truth"],
        ),
        snakemake.output[0],
    )
