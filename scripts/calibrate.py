"""Calibrate the estimator on the simulations that training never saw."""

import torch

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.feature_report import single_features
from vbiflow.diagnostics.held_out_predictive import held_out_misfits
from vbiflow.diagnostics.verdict import verdict
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Quantity, read_attributes, write, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    data = TrainingSet.load(snakemake.input.prior, snakemake.input.features, params.inference, seed=params.seed)
    posterior = Posterior.load(snakemake.input.posterior)
    theta, x = data.held_out()
    share = read_attributes(snakemake.input.prior).get("share", 1.0)  # of the prior's mass, in which a round draws
    calibration = calibrate(posterior, theta, x, seed=params.seed, share=share, progress=run)
    misfits = held_out_misfits(posterior, data, x, seed=params.seed)
    quantities = calibration.quantities() | {"misfit": Quantity(misfits, "1", ("held_out",))}
    write(snakemake.output.diagnostics, quantities, run.provenance())
    judged = verdict(
        calibration,
        single_features(data, params.inference),
        thresholds=params.diagnostics["thresholds"],
        invalid=1 - data.valid.mean(),
    )
    write_json(snakemake.output.verdict, judged)
    run.say(f"{judged['verdict']}: {judged['reasons'][0]}")
