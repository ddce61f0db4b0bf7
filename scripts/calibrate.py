"""Calibrate the estimator on the simulations that training never saw."""

import torch

from vbiflow.diagnostics import calibrate, verdict
from vbiflow.inference import Posterior, held_out
from vbiflow.io import read, rows, write, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    valid = read(snakemake.input.features, "valid")["valid"]
    test = held_out(valid, params.seed, params.inference)
    calibration = calibrate(
        Posterior.load(snakemake.input.posterior),
        read(snakemake.input.prior, "theta")["theta"][test],
        rows(snakemake.input.features, "x", test),
        seed=params.seed,
        progress=run,
    )
    write(snakemake.output.diagnostics, calibration.quantities(), run.provenance())
    judged = verdict(calibration, thresholds=params.diagnostics["thresholds"], invalid=1 - valid.mean())
    write_json(snakemake.output.verdict, judged)
    run.say(f"{judged['verdict']}: {judged['reasons'][0]}")
