"""Evidence that a posterior can be trusted: calibration, misspecification, predictive checks, sensitivity.

Nothing is imported here, so that a job loads what it uses and no more.
"""
