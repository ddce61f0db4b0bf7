"""Evidence that a posterior can be trusted: calibration, misspecification, predictive checks, sensitivity."""

from vbiflow.diagnostics.calibration import Calibration, calibrate
from vbiflow.diagnostics.misspecification import misspecification
from vbiflow.diagnostics.predictive import SCORES, fc_correlation, fcd_ks, predictive_scores
from vbiflow.diagnostics.subject import subject_verdict
from vbiflow.diagnostics.verdict import THRESHOLDS, verdict

__all__ = [
    "SCORES",
    "THRESHOLDS",
    "Calibration",
    "calibrate",
    "fc_correlation",
    "fcd_ks",
    "misspecification",
    "predictive_scores",
    "subject_verdict",
    "verdict",
]
