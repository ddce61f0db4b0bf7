"""Posterior estimation: prior, density estimators, training, posterior.

Nothing is imported here: features are judged without waiting for torch, which takes longer to load than that work.
"""
