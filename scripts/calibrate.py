"""Calibrate the estimator on the simulations that training never saw."""

import torch

from vbiflow.diagnostics import calibrate, verdict
from vbiflow.inference import Posterior, resolve, split
from vbiflow.io import read, write, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    features = read(snakemake.input.features, "x", "valid")
    shares = resolve(params.inference)
    test = split(features["valid"], params.seed, shares["validation_share"], shares["test_share"]).test
    calibration = calibrate(
        Posterior.load(snakemake.input.posterior),
        read(snakemake.input.prior, "theta")["theta"][test],
        features["x"][test],
        seed=params.seed,
        progress=run,
    )
    write(snakemake.output.diagnostics, calibration.quantities(), run.provenance())
    judged = verdict(calibration, thresholds=params.diagnostics["thresholds"], invalid=1 - features["valid"].mean())
    write_json(snakemake.output.verdict, judged)
    run.say(f"{judged['verdict']}: {judged['reasons'][0]}")
