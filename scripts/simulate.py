"""Simulate rows of theta on a connectome."""

from vbiflow.connectome import Connectome
from vbiflow.engine import simulate
from vbiflow.io import read, write
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    settings = snakemake.params.simulation
    connectome = Connectome.load(snakemake.input.connectome)
    start, stop = snakemake.params.rows
    prior = Prior.from_config(snakemake.params.prior, connectome.labels)
    source = snakemake.input.get("theta")
    if source:
        theta = read(source, snakemake.params.theta)[snakemake.params.theta]
    else:  # the rows of prior.h5, without waiting for it: adding simulations leaves the old ones alone
        theta = prior.sample(snakemake.params.seed, start, stop)
    simulations = simulate(
        snakemake.params.model,
        connectome.weights,
        {**snakemake.params.parameters, **prior.parameters(theta)},
        n_simulations=stop - start,
        start=start,
        stream=snakemake.params.stream,
        seed=snakemake.params.seed,
        device="cuda" if snakemake.resources.get("gpu", 0) else "cpu",
        threads=snakemake.threads,
        progress=run,
        **settings,
        **snakemake.params.observation,
    )
    write(snakemake.output[0], simulations.quantities(), run.provenance())
