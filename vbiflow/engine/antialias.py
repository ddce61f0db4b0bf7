"""The low-pass filter with which a recorded signal can be decimated, symmetric, so that no phase is shifted."""

from __future__ import annotations

import numpy as np
import scipy

PASS, STOP, ATTENUATION = 0.35, 0.5, 60.0
"""Frequencies to PASS of the new sampling rate keep their amplitude to 0.2 %, from STOP on they lose ATTENUATION dB."""
SPAN = 26
"""Length of the filter in periods of the new sampling rate, and samples that a step contributes to."""


def taps(every: int) -> np.ndarray:
    """Coefficients (SPAN every,) of the steps from SPAN / 2 periods before a sample; the first is zero."""
    window = ("kaiser", scipy.signal.kaiser_beta(ATTENUATION + 2))
    return np.append(0.0, scipy.signal.firwin(SPAN * every - 1, (PASS + STOP) / 2, window=window, fs=float(every)))
