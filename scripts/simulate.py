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
    dataset = snakemake.params.dataset
    theta = read(snakemake.input.theta, dataset)[dataset][start:stop]
    prior = Prior.from_config(snakemake.params.prior, connectome.labels)
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
