"""Evidence that a posterior can be trusted: calibration, misspecification, predictive checks, sensitivity."""

from vbiflow.diagnostics.ablation import ablate, compare_ablations
from vbiflow.diagnostics.calibration import Calibration, calibrate
from vbiflow.diagnostics.choosing import features_report
from vbiflow.diagnostics.comparison import compare_studies
from vbiflow.diagnostics.learning_curve import learning_curve
from vbiflow.diagnostics.local import local_c2st
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.diagnostics.predictive import predictive_scores
from vbiflow.diagnostics.sensitivity import sensitivity
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.diagnostics.verdict import THRESHOLDS, verdict

__all__ = [
    "THRESHOLDS",
    "Calibration",
    "ablate",
    "calibrate",
    "compare_ablations",
    "compare_studies",
    "features_report",
    "learning_curve",
    "local_c2st",
    "misspecification",
    "predictive_scores",
    "sensitivity",
    "subject_verdict",
    "verdict",
]
