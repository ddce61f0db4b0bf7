"""Which combinations of parameters an observation pins down, and which it leaves free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vbiflow.inference.posterior import Posterior


def sensitivity(
    posterior: Posterior, x_o: np.ndarray, *, seed: int, n: int = 2000, names: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Directions of z = Phi^-1(F(theta)) ordered by how steeply the posterior falls along them.

    Eigenvectors of the mean over posterior samples of s s', with s = d log q(z | x_o) / dz. Large eigenvalue: a stiff
    direction, well determined; about 1 as under the prior; sloppy directions come last.

    Returns
    -------
    eigenvalues (p,), falling, and eigenvectors (p, p), one a row, in prior-normal units, largest entry positive

    References
    ----------
    Constantine et al. (2014) Active subspace methods in theory and practice, doi:10.1137/130916138;
    Deistler et al. (2022) Energy-efficient network activity from disparate circuit parameters,
    doi:10.1073/pnas.2207632119
    """
    inputs = posterior.inputs(x_o, names)
    _, z = next(iter(posterior.normal_samples(inputs, n, seed)))
    score = posterior.score(z[0], inputs)
    values, vectors = np.linalg.eigh(score.T @ score / len(score))
    values, vectors = values[::-1], vectors.T[::-1]
    largest = np.abs(vectors).argmax(axis=1)
    return values, vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
