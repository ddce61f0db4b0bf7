"""Calibrate the estimator on the simulations that training never saw."""

import torch

from vbiflow.diagnostics import calibrate, verdict
from vbiflow.inference import Posterior, TrainingSet
from vbiflow.io import write, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    calibration = calibrate(
        Posterior.load(snakemake.input.posterior),
        *data.held_out(),
        seed=params.seed,
        progress=run,
    )
    write(snakemake.output.diagnostics, calibration.quantities(), run.provenance())
    judged = verdict(calibration, thresholds=params.diagnostics["thresholds"], invalid=1 - data.valid.mean())
    write_json(snakemake.output.verdict, judged)
    run.say(f"{judged['verdict']}: {judged['reasons'][0]}")
