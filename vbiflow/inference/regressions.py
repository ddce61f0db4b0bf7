"""Regressions of many parameters: linear in features and their squares, bent, and of what a family shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vbiflow.inference.reduction import Regression, Spectrum

MOST = 4.0
"""Scaled features are squared up to here."""
INNER = 0.01, 0.99
"""Quantiles of log standard deviations, and of what all parameters share, beyond which none is believed."""
FEWEST = 10
"""Parameters of one name that are a family."""
SMALLEST = 1e-3
"""Residual, as a share of their standard deviation, below which all count as equally small."""


@dataclass(frozen=True)
class Shared:
    """Numbers of a simulation (n, t) regressed on m and m^2: predictions without the row, coefficients, limits."""

    own: np.ndarray
    coefficients: np.ndarray
    limits: np.ndarray

    @classmethod
    def fit(cls, spectra: tuple[Spectrum, Spectrum], targets: np.ndarray) -> Shared:
        """Regress; predictions stay within those of 98 % of the rows, and are the average where m tells nothing."""
        middle = targets.mean(axis=0)
        found = best_regression(spectra, targets - middle).informative(len(targets))
        smallest, largest = middle + np.quantile(found.predicted, INNER, axis=0)
        own = (middle + found.predicted).clip(smallest, largest)
        return cls(own, found.coefficients, np.stack([middle, smallest, largest]))


def largest_family(names: Sequence[str]) -> np.ndarray:
    """1 for the parameters (p,) of the commonest name, as ``eta[...]`` of every region; for all if few share one."""
    stems = np.array([name.split("[")[0] for name in names])
    found, counts = np.unique(stems, return_counts=True)
    return np.ones(len(names)) if counts.max() < FEWEST else (stems == found[counts.argmax()]).astype(float)


def offset_and_gain(m: np.ndarray, z: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Offset and gain (n, 2) by which z (n, p) differs from m in a simulation's family, by weighted least squares."""
    weights = family / ((z - m).std(axis=0) + 1e-12)
    design = np.stack([np.ones_like(m), m], axis=-1) * weights[:, None]
    normal = np.einsum("npi,npj->nij", design, design) + 1e-9 * np.eye(2)
    return np.linalg.solve(normal, np.einsum("npi,np->ni", design, (z - m) * weights)[..., None])[..., 0]


def with_gain(m: np.ndarray, shared: np.ndarray, family: np.ndarray) -> np.ndarray:
    """m (n, p) moved by offset and gain (n, 2), those of the family."""
    return m + (shared[:, :1] + shared[:, 1:] * m) * family


def log_size(residual: np.ndarray) -> np.ndarray:
    """Logarithm of the size of residuals (n, p); all that are tiny beside the rest count alike."""
    return np.log(np.abs(residual) + SMALLEST * residual.std(axis=0) + 1e-12)


def powers(m: np.ndarray) -> np.ndarray:
    """Powers (n, 5, p) of m' (n, p), from the zeroth to the fourth."""
    return np.stack([np.ones_like(m), m, m**2, m**3, m**4], axis=1)


def terms(straight: np.ndarray) -> np.ndarray:
    """Terms (n, 8, p) of the polynomials of l: powers of m', l', its square and l' m', given m' and l' (n, 2 p)."""
    m, size = np.split(straight, 2, axis=1)
    return np.concatenate([powers(m), np.stack([size, size**2, size * m], axis=1)], axis=1)


def polynomial(each: np.ndarray, bends: np.ndarray) -> np.ndarray:
    """Values (n, p) of polynomials whose terms (n, t, p) have coefficients (t, p)."""
    return np.einsum("ntp,tp->np", each, bends)


def least_squares(each: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Coefficients (t, p) of terms (n, t, p) for targets (n, p), of every parameter by itself."""
    columns = [np.linalg.lstsq(each[:, :, k], targets[:, k], rcond=None)[0] for k in range(targets.shape[1])]
    return np.stack(columns, axis=1)


def with_squares(u: np.ndarray) -> np.ndarray:
    """u and u^2 side by side, (n, 2 k)."""
    u = np.asarray(u, float)
    return np.concatenate([u, u.clip(-MOST, MOST) ** 2], axis=1)


def linear_and_whole(design: np.ndarray) -> tuple[Spectrum, Spectrum]:
    """Spectra of the first half of the columns of a design (n, 2 k), and of all."""
    return Spectrum.of(design[:, : design.shape[1] // 2]), Spectrum.of(design)


def best_regression(spectra: tuple[Spectrum, Spectrum], targets: np.ndarray) -> Regression:
    """Coefficients (2 k, p) for u and u^2, those of u^2 zero for targets (n, p) that u alone predicts better."""
    plain, found = (Regression.fit(spectrum, targets) for spectrum in spectra)
    padded = np.zeros_like(found.coefficients)
    padded[: len(plain.coefficients)] = plain.coefficients
    return found.replaced(Regression(padded, plain.predicted, plain.explained), plain.explained > found.explained)
