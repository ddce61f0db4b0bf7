"""Evidence that a posterior can be trusted: calibration, misspecification, predictive checks, sensitivity."""

from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.diagnostics.ablation import ablate, compare_ablations
from vbiflow.diagnostics.amortisation import amortisation
from vbiflow.diagnostics.benchmark import benchmark
from vbiflow.diagnostics.calibration import Calibration, calibrate
from vbiflow.diagnostics.comparison import compare_studies
from vbiflow.diagnostics.feature_check import check_features
from vbiflow.diagnostics.feature_report import features_report
from vbiflow.diagnostics.learning_curve import learning_curve, learning_curves
from vbiflow.diagnostics.local import local_c2st
from vbiflow.diagnostics.marginal import judge_marginals
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.diagnostics.optimisation import point_estimates
from vbiflow.diagnostics.predictive import predictive_scores
from vbiflow.diagnostics.robust import robust_posterior
from vbiflow.diagnostics.sensitivity import sensitivity
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.diagnostics.verdict import verdict

__all__ = [
    "THRESHOLDS",
    "Calibration",
    "ablate",
    "amortisation",
    "benchmark",
    "calibrate",
    "check_features",
    "compare_ablations",
    "compare_studies",
    "features_report",
    "judge_marginals",
    "learning_curve",
    "learning_curves",
    "local_c2st",
    "misspecification",
    "point_estimates",
    "predictive_scores",
    "robust_posterior",
    "sensitivity",
    "subject_verdict",
    "verdict",
]
