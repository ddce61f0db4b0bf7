"""Which features depend on the parameters: tests on ranks that see any smooth shape of dependence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc
from scipy.stats import rankdata

DEGREE = 3
"""Cosines of a rank: cos(pi r) sees what rises, cos(2 pi r) what is even, cos(3 pi r) what bends twice."""
MOST_PAIRS = 66
"""Products of two parameters are asked for among up to 12 parameters."""
BLOCK = 256


def rank_cosines(x: np.ndarray) -> np.ndarray:
    """Cosines cos(pi d r), d = 1 to 3, of the ranks r of each column of x (n, k), as (n, 3, k) float32.

    The three of a column are orthonormal with mean zero, which bounds them whatever the tails of x; one that ties leave
    without variance of its own is zero.
    """
    n, k = x.shape
    grid = orthonormal((np.arange(n)[:, None] + 0.5) / n)[:, :, 0].astype(np.float32)
    out = np.empty((n, DEGREE, k), np.float32)
    for start in range(0, k, BLOCK):
        part = x[:, start : start + BLOCK]
        order = np.argsort(part, axis=0, kind="stable")
        ordered = np.take_along_axis(part, order, axis=0)
        tied = (np.diff(ordered, axis=0) == 0).any(axis=0)
        for j in np.flatnonzero(~tied):
            out[order[:, j], :, start + j] = grid
        if tied.any():
            ranks = (rankdata(part[:, tied], axis=0) - 0.5) / n
            out[:, :, start + np.flatnonzero(tied)] = orthonormal(ranks)
    return out


def orthonormal(ranks: np.ndarray) -> np.ndarray:
    """The cosines of ranks (n, k) in (0, 1), centred and made orthonormal one after the other, (n, 3, k)."""
    cosines = np.cos(np.pi * np.arange(1, DEGREE + 1)[:, None] * ranks[:, None])
    cosines -= cosines.mean(axis=0)
    for d in range(DEGREE):
        for e in range(d):
            cosines[:, d] -= cosines[:, e] * (cosines[:, e] * cosines[:, d]).sum(axis=0)
        length = np.linalg.norm(cosines[:, d], axis=0)
        cosines[:, d] *= (length > 1e-3 * len(ranks) ** 0.5) / np.maximum(length, 1e-300)
    return cosines


def parameter_functions(z: np.ndarray) -> list[np.ndarray]:
    """What a feature may depend on, unit vectors (n, functions, of how many): z (n, p) one by one and in pairs.

    The first array holds the three cosines of each parameter, (n, 3, p), the second, for up to 12 parameters, the
    product of the first cosines of each two, (n, 1, pairs).
    """
    cosines = rank_cosines(z).astype(float)
    first, second = np.triu_indices(z.shape[1], 1)
    if not 0 < len(first) <= MOST_PAIRS:
        return [cosines]
    products = cosines[:, 0, first] * cosines[:, 0, second]
    products -= products.mean(axis=0)
    return [cosines, (products / np.linalg.norm(products, axis=0))[:, None]]


def dependence(cosines: np.ndarray, functions: Sequence[np.ndarray]) -> np.ndarray:
    """Smallest p-value (k,) of each feature over all functions of the parameters, as `dependences` gives them."""
    return dependences(cosines, functions).min(axis=1)


def dependences(cosines: np.ndarray, functions: Sequence[np.ndarray]) -> np.ndarray:
    """p-value (k, q) of each feature with each function of the parameters, adjusted for the number of tests.

    n times the sum of squared correlations between the `cosines` (n, 3, k) of a feature and those of a parameter is
    chi squared if they are independent; the first pair, which sees monotone dependence best, is tested apart. Adjusted
    by Benjamini and Hochberg: of the features with a value below q, a share of at most q depends on nothing.

    References
    ----------
    Benjamini & Hochberg (1995) Controlling the false discovery rate, doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    n, _, k = cosines.shape
    if k == 0:
        return np.zeros((0, sum(group.shape[2] for group in functions)))
    found = []
    for group in functions:
        squares = n * squared_correlations(cosines, group)
        rank = np.maximum((np.abs(cosines).max(axis=0) > 0).sum(axis=0), 1)
        whole = chdtrc(rank[:, None] * group.shape[1], squares.sum(axis=(0, 2)))
        found.append(np.minimum(1.0, 2 * np.minimum(whole, chdtrc(1, squares[0, :, 0]))))
    p = np.concatenate(found, axis=1)
    ordered = np.sort(p, axis=None)
    adjusted = np.minimum.accumulate((ordered * p.size / np.arange(1, p.size + 1))[::-1])[::-1]
    return adjusted[np.searchsorted(ordered, p)]


def squared_correlations(cosines: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Those of each cosine of features (n, 3, k) with each function of a group (n, t, q), (3, k, t, q)."""
    flat = group.reshape(len(group), -1).astype(np.float32)
    products = [(cosines[:, d].T @ flat).astype(float) for d in range(DEGREE)]
    return np.stack(products).reshape(DEGREE, cosines.shape[2], *group.shape[1:]) ** 2


def association(cosines: np.ndarray, functions: np.ndarray) -> np.ndarray:
    """How much features and parameters tell of each other (k, p), by the cosines of both, (n, 3, k) and (n, 3, p)."""
    return squared_correlations(cosines, functions).sum(axis=(0, 2))


def unexplained(functions: Sequence[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
    """What a regression on `inputs` (n, c) and their rank cosines leaves of each function, again of length one.

    Zero where it leaves nothing but rounding.
    """
    n = len(inputs)
    design = np.concatenate([np.ones((n, 1)), inputs, rank_cosines(inputs).reshape(n, -1)], axis=1)
    basis, _ = np.linalg.qr(design)
    left = []
    for group in functions:
        flat = group.reshape(n, -1)
        rest = flat - basis @ (basis.T @ flat)
        length = np.linalg.norm(rest, axis=0)
        left.append((rest * (length > 1e-3) / np.maximum(length, 1e-300)).reshape(group.shape))
    return left
