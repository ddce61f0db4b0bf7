"""Join a round's simulations with the earlier ones that lie in its truncated prior."""

from vbiflow.inference.rounds import join_rounds
from vbiflow.io import read, read_attributes, write
from vbiflow.job import job

with job(snakemake) as run:
    source, notes = snakemake.input, run.provenance()
    theta = read(source.prior, "theta")["theta"]
    units = read_attributes(source.prior, "theta")["unit"], read_attributes(source.features, "x")["unit"]
    drawn = read(source.theta)
    prior, features = join_rounds(drawn, read(source.new), theta, read(source.features), units)
    whole = {"prior": read_attributes(source.prior)["prior"], "share": float(drawn["share"])}
    write(snakemake.output.prior, prior, notes | whole)
    write(snakemake.output.features, features, notes)
