"""Figures: one function each, arrays in, a matplotlib Figure out."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from vbiflow.figures.cohort import cohort, covariates
from vbiflow.figures.connectome import connectome
from vbiflow.figures.diagnostics import calibration, invalid, recovery
from vbiflow.figures.evidence import (
    amortisation,
    baselines,
    comparison,
    learning_curve,
    local_c2st,
    rounds,
    sensitivity,
)
from vbiflow.figures.features import ablation, features
from vbiflow.figures.posterior import exact, marginals, pairs
from vbiflow.figures.predictive import misspecification, predictive
from vbiflow.figures.recording import fc, fcd, psd, series
from vbiflow.figures.style import save
from vbiflow.figures.topography import topography
from vbiflow.figures.training import training

FIGURES: dict[str, Callable[..., Figure]] = {
    function.__name__: function
    for function in (
        cohort, covariates, connectome, training, recovery, calibration, features, ablation, baselines,
        learning_curve, invalid,
        series, fc, fcd, psd, topography, marginals, pairs, exact, rounds, sensitivity, local_c2st,
        predictive, misspecification, comparison, amortisation,
    )
}  # fmt: skip
"""Every figure by name, in the order in which the report shows them."""

__all__ = ["FIGURES", "save"]
