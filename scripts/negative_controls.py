"""Judge what was made from one person's recording but is no brain's by the tests of the recording."""

import torch

from vbiflow.diagnostics.controls import control_series, control_tables, controls_note, negative_controls
from vbiflow.diagnostics.misspecification import prior_predictive
from vbiflow.diagnostics.spectral_predictive import spectra_of
from vbiflow.features.files import series_features
from vbiflow.features.spectra import spectral_features
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import read, write_json
from vbiflow.job import job

with job(snakemake) as run:
    torch.set_num_threads(snakemake.threads)
    params, source, folder = snakemake.params, snakemake.input, "config/features"
    observed = read(source.x_o)
    if "psd" in observed:
        controls = control_tables(*spectra_of(source.x_o), params.duration, params.seed)
        features = spectral_features(source.x_o, params.features, folder)
    else:
        controls = control_series(observed["ts"], params.seed)
        features = series_features(source.x_o, params.features, params.preparation, folder)
    found = negative_controls(
        controls,
        features,
        Posterior.load(source.posterior),
        TrainingSet.load(source.prior, source.features, params.inference, seed=params.seed),
        prior_predictive(source.features),
        read(source.calibration, "misfit")["misfit"],
        seed=params.seed,
        thresholds=params.diagnostics["thresholds"],
    )
    write_json(snakemake.output[0], found)
    run.say(controls_note(found)[0])
