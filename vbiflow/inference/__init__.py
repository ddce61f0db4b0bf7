"""Posterior estimation: prior, density estimators, training, posterior."""

from vbiflow.estimator_options import OPTIONS, resolve_options
from vbiflow.inference.baselines import BASELINES, compare_baselines
from vbiflow.inference.embeddings import EMBEDDINGS
from vbiflow.inference.estimators import ESTIMATORS
from vbiflow.inference.posterior import Posterior
from vbiflow.inference.rounds import truncated_prior
from vbiflow.inference.split import Split, held_out, split
from vbiflow.inference.training import train
from vbiflow.inference.training_set import TrainingSet

__all__ = [
    "BASELINES",
    "EMBEDDINGS",
    "ESTIMATORS",
    "OPTIONS",
    "Posterior",
    "Split",
    "TrainingSet",
    "compare_baselines",
    "held_out",
    "resolve_options",
    "split",
    "train",
    "truncated_prior",
]
