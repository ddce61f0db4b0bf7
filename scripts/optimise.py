"""Recover parameters of held-out simulations by point optimisation, each with the study's number of simulations."""

from vbiflow.connectome import Connectome
from vbiflow.diagnostics.optimisation import point_estimates, simulator
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import write_json
from vbiflow.job import job

with job(snakemake) as run:
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    simulate = simulator(
        params.model,
        Connectome.load(snakemake.input.connectome),
        data.prior,
        params.signal,
        (params.parameters, params.simulation, params.observation),
        seed=params.seed,
        threads=snakemake.threads,
    )
    found = point_estimates(
        data,
        params.diagnostics["optimise"],
        simulate,
        params.features,
        params.diagnostics["scores"],
        params.budget,
        seed=params.seed,
        progress=run,
    )
    write_json(snakemake.output[0], found | {"parameters": list(data.prior.names)})
