"""Calibrate the estimator on the simulations that training never saw."""

import torch

from vbiflow.diagnostics import calibrate, verdict
from vbiflow.diagnostics.held_out_predictive import held_out_misfits
from vbiflow.inference import Posterior, TrainingSet
from vbiflow.io import Quantity, write, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    posterior = Posterior.load(snakemake.input.posterior)
    calibration = calibrate(
        posterior,
        *data.held_out(),
        seed=params.seed,
        progress=run,
    )
    misfits = Quantity(held_out_misfits(posterior, data, seed=params.seed), "1", ("held_out",))
    write(snakemake.output.diagnostics, calibration.quantities() | {"misfit": misfits}, run.provenance())
    judged = verdict(calibration, thresholds=params.diagnostics["thresholds"], invalid=1 - data.valid.mean())
    write_json(snakemake.output.verdict, judged)
    run.say(f"{judged['verdict']}: {judged['reasons'][0]}")
