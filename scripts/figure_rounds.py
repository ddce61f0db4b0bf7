"""Draw how one person's posterior narrows from round to round."""

from vbiflow.figures.evidence import rounds
from vbiflow.figures.style import save
from vbiflow.io import attributes, parameter_units, read
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake):
    prior = Prior.from_plain(attributes(snakemake.input.prior)["prior"])
    earlier, last = [read(path, "samples", "share") for path in snakemake.input.rounds], read(snakemake.input.samples)
    samples = [*(found["samples"] for found in earlier), last["theta"]]
    shares = [float(found["share"]) for found in earlier]
    save(
        rounds(samples, shares, prior.names, prior.bounds, parameter_units(snakemake.input.prior)), snakemake.output[0]
    )
