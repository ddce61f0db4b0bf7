"""What each feature is worth: the posterior that the others give without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vbiflow.diagnostics.calibration import calibrate
from vbiflow.diagnostics.feature_report import feature_groups
from vbiflow.inference.training import EpochProgress, train
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Quantity, parameter_units, read

N_SAMPLES = 1000
SCORES = ("log_prob", "theta", "mean", "shrinkage")


def ablate(
    data: TrainingSet,
    features: Sequence[str],
    left_out: str,
    options: Mapping[str, Any] | None = None,
    *,
    seed: int,
    recordings: Mapping[str, np.ndarray] | None = None,
    progress: EpochProgress | None = None,
) -> dict[str, Quantity]:
    """Train without one of the study's features; test on its held-out simulations, and infer its recordings again.

    Parameters
    ----------
    data
        The study's simulations.
    features, left_out
        Names of the study's features, each a group of columns, and the one to leave out.
    options
        The study's `inference` block.
    seed
        Of the training, and of the draws that test it.
    recordings
        Features (n_features,) of recordings by person.
    progress
        Called with (epoch, validation loss, which network).

    Returns
    -------
    dict: the quantities of `Calibration`; subjects (s,), subject_mean and subject_sd (s, p)

    Raises
    ------
    ValueError
        If there is no such feature, or no other.
    """
    columns = feature_groups(data.names, features)
    if left_out not in columns or len(columns) < 2:
        raise ValueError(f"cannot leave out {left_out!r} of the features {', '.join(columns)}")
    kept = np.setdiff1d(np.arange(len(data.names)), columns[left_out])
    rest = data.columns(kept)
    posterior, _ = train(rest, options, seed=seed, progress=progress)
    calibration = calibrate(posterior, *rest.held_out(), seed=seed, n_samples=N_SAMPLES)
    samples = [posterior.sample(x_o[kept], N_SAMPLES, seed=seed) for x_o in (recordings or {}).values()]
    samples = np.array(samples).reshape(-1, N_SAMPLES, len(data.prior.names))
    each = ("subject", "parameter")
    return calibration.quantities() | {
        "subjects": Quantity.text(recordings or {}, "subject"),
        "subject_mean": Quantity(samples.mean(axis=1), data.prior.units, each),
        "subject_sd": Quantity(samples.std(axis=1), data.prior.units, each),
    }


def compare_ablations(full: str, without: Mapping[str, str], samples: Mapping[str, str]) -> dict[str, Any]:
    """What the estimator loses without each feature, on the same held-out simulations and recordings.

    Parameters
    ----------
    full
        File of the calibration with all features.
    without
        Files of `ablate` by the feature left out.
    samples
        Files of the posterior samples with all features by person.

    Returns
    -------
    dict: for `all` and each feature left out, log_prob [nat a simulation], `loss` of it against all features with its
    standard error `loss_se`, and by parameter the `error` (RMSE over standard deviation of the truths) and `shrinkage`;
    `units` of the parameters; `subjects`: {person: {parameter: {all or feature: [mean, sd]}}}

    Raises
    ------
    ValueError
        If the simulations of two files differ.
    """
    reference = read(full, "names", *SCORES)
    parameters = reference["names"]
    rows = {"all": score_ablation(reference, reference)}
    found = {name: read(path) for name, path in without.items()}
    for name, one in found.items():
        if not np.array_equal(one["theta"], reference["theta"]):
            raise ValueError(f"{without[name]}: tested on other simulations than {full}; delete it and run again")
        rows[name] = score_ablation(one, reference)
    people: dict[str, Any] = {}
    for person, path in samples.items():
        given = {"all": read(path, "mean", "sd")}
        for name, one in found.items():
            k = one["subjects"].index(person)
            given[name] = {"mean": one["subject_mean"][k], "sd": one["subject_sd"][k]}
        people[person] = {
            parameter: {name: [entry["mean"][p], entry["sd"][p]] for name, entry in given.items()}
            for p, parameter in enumerate(parameters)
        }
    return {"n_test": len(reference["theta"]), "units": parameter_units(full), "features": rows, "subjects": people}


def score_ablation(one: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any]:
    """Log probability, error and shrinkage of one estimator, and its loss against the reference."""
    loss = reference["log_prob"] - one["log_prob"]
    error = np.sqrt(((one["mean"] - one["theta"]) ** 2).mean(axis=0)) / one["theta"].std(axis=0)
    return {
        "log_prob": one["log_prob"].mean(),
        "loss": loss.mean(),
        "loss_se": loss.std() / len(loss) ** 0.5,
        "error": dict(zip(reference["names"], error, strict=True)),
        "shrinkage": dict(zip(reference["names"], one["shrinkage"].mean(axis=0), strict=True)),
    }
