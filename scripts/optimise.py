"""Recover parameters of held-out simulations by point optimisation, each with the study's number of simulations."""

from vbiflow.connectome import Connectome
from vbiflow.diagnostics import point_estimates
from vbiflow.diagnostics.optimisation import simulator
from vbiflow.inference import held_out
from vbiflow.io import attributes, read, write_json
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake) as run:
    params = snakemake.params
    drawn, valid = read(snakemake.input.prior, "theta", "names"), read(snakemake.input.features, "valid")["valid"]
    prior = Prior.from_plain(attributes(snakemake.input.prior)["prior"], drawn["names"])
    test = held_out(valid, params.seed, params.inference)
    simulate = simulator(
        params.model,
        Connectome.load(snakemake.input.connectome),
        prior,
        params.signal,
        (params.parameters, params.simulation, params.observation),
        seed=params.seed,
        threads=snakemake.threads,
    )
    found = point_estimates(
        prior,
        drawn["theta"],
        test[: params.diagnostics["optimise"]],
        simulate,
        params.features,
        params.diagnostics["scores"],
        params.budget,
        seed=params.seed,
        progress=run,
    )
    write_json(snakemake.output[0], found | {"parameters": list(prior.names)})
