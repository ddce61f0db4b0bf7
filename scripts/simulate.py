"""Simulate rows of theta on a connectome, or each on one drawn from a pool of them."""

from vbiflow.connectome import Connectome
from vbiflow.engine.blocks import make_in_blocks
from vbiflow.engine.cpu import LANES
from vbiflow.engine.pool import simulate_pool
from vbiflow.exclusion import not_excluded
from vbiflow.io import read
from vbiflow.job import job
from vbiflow.prior import Prior

with job(snakemake, reads_exclusions="pool") as run:
    params, on_gpu = snakemake.params, bool(snakemake.resources.get("gpu", 0))
    connectome = Connectome.load(snakemake.input.connectome)
    prior = Prior.from_config(params.prior, connectome.labels, connectome.maps, params.units)
    start, stop = params.rows
    # the rows of prior.h5, without waiting for it: adding simulations leaves the old ones alone
    theta = prior.sample(params.seed, start, stop)
    if snakemake.input.get("theta"):
        theta = read(snakemake.input.theta, params.theta)[params.theta]
        theta = theta[start:stop] if len(theta) > stop - start else theta
    pool = [Connectome.load(path) for path in not_excluded(snakemake.input.get("pool", []))]

    def simulate(begin, end, progress):
        simulations, conditioning = simulate_pool(
            params.model,
            pool or [connectome],
            params.pool,
            prior,
            theta[begin:end],
            params.parameters,
            params.simulation,
            params.observation,
            start=start + begin,
            stream=params.stream,
            seed=params.seed,
            device="cuda" if on_gpu else "cpu",
            threads=snakemake.threads,
            progress=progress,
        )
        return simulations.quantities(compressed=snakemake.rule.endswith("_kept")) | conditioning

    make_in_blocks(
        snakemake.output[0],
        simulate,
        len(theta),
        run.provenance(),
        key=run.key(on_gpu),
        first=len(theta) if on_gpu else LANES * snakemake.threads,  # a GPU works on all of them at once
        progress=run,
    )
