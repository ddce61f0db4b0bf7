"""Which features vary, which repeat each other, which tell of which parameter, and where a recording lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata


def groups(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of each feature, by the start of their names: what an ablation leaves out."""
    stems = [name.split("[")[0].split(".")[0] for name in names]
    return {stem: np.flatnonzero([other == stem for other in stems]) for stem in dict.fromkeys(stems)}


def drop(x: np.ndarray, names: Sequence[str], most_missing: float = 0.05) -> tuple[np.ndarray, dict[str, str]]:
    """Which columns of x (n_simulations, n_features) to keep, and why each of the others is dropped.

    A column goes if more than the share `most_missing` of it is not finite, or if it never varies. Rows without any
    finite value, such as those of a failed simulation, don't count.
    """
    x = x[np.isfinite(x).any(axis=1)]
    finite = np.isfinite(x)
    missing = 1.0 - finite.mean(axis=0) if len(x) else np.ones(x.shape[1])
    low = np.where(finite, x, np.inf).min(axis=0, initial=np.inf)
    high = np.where(finite, x, -np.inf).max(axis=0, initial=-np.inf)
    reasons: dict[str, str] = {}
    for name, share, same in zip(names, missing, ~(high > low), strict=True):
        if share > most_missing:
            reasons[name] = f"not finite in {share:.1%} of simulations"
        elif same:
            reasons[name] = "the same in all simulations"
    return np.array([name not in reasons for name in names], dtype=bool), reasons


def clusters(x: np.ndarray, names: Sequence[str], threshold: float = 0.95) -> list[list[str]]:
    """Groups of two or more features whose rank correlations all reach `threshold` in size (complete linkage)."""
    if x.shape[1] < 2:
        return []
    ranks = rankdata(x, axis=0)
    distance = 1.0 - abs(np.nan_to_num(np.corrcoef(ranks, rowvar=False)))
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(np.maximum(distance, 0.0), checks=False), "complete")
    labels = fcluster(tree, 1.0 - threshold + 1e-12, "distance")
    found = [[names[k] for k in np.flatnonzero(labels == label)] for label in range(1, labels.max() + 1)]
    return [cluster for cluster in found if len(cluster) > 1]


def information(x: np.ndarray, theta: np.ndarray, n_bins: int = 20) -> np.ndarray:
    """Share of the variance of each parameter that each feature alone explains, (n_features, n_parameters), in [0, 1].

    Correlation ratio over bins of the feature that hold equally many simulations, corrected for the number of bins
    (omega squared), so that a feature that tells nothing has 0 in the mean. Any shape of dependence counts.

    References
    ----------
    Hays 1963, Statistics for psychologists
    """
    n = len(x)
    n_bins = max(2, min(n_bins, n // 10))
    labels = np.minimum((rankdata(x, axis=0) - 1) * n_bins // n, n_bins - 1).astype(int)
    centred = theta - theta.mean(axis=0)
    total = (centred**2).sum(axis=0)
    out = np.zeros((x.shape[1], theta.shape[1]))
    for row, label in zip(out, labels.T, strict=True):
        count = np.bincount(label, minlength=n_bins)
        sums = np.stack([np.bincount(label, weights=column, minlength=n_bins) for column in centred.T], axis=1)
        between = (sums**2 / np.maximum(count, 1)[:, None]).sum(axis=0)
        n_used = (count > 0).sum()
        within = (total - between) / max(n - n_used, 1)
        row[:] = (between - (n_used - 1) * within) / np.where(total + within > 0, total + within, 1.0)
    return np.clip(out, 0.0, 1.0)


def regression(x: np.ndarray, theta: np.ndarray, n_folds: int = 5, seed: int = 0) -> np.ndarray:
    """Share of the variance of each parameter, (n_parameters,), that all features explain on simulations left out.

    Ridge regression on the standardised features and their squares, its penalty by leave-one-out within each fold, by
    scikit-learn; below 0 means worse than the mean.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold

    predicted = np.empty_like(theta)
    for train, test in KFold(n_folds, shuffle=True, random_state=seed).split(x):
        centre, scale = x[train].mean(axis=0), x[train].std(axis=0)
        z = np.clip((x - centre) / np.where(scale > 0, scale, 1.0), -5.0, 5.0)
        design = np.concatenate([z, z**2], axis=1)
        model = RidgeCV(np.logspace(-3, 4, 8), alpha_per_target=True).fit(design[train], theta[train])
        predicted[test] = model.predict(design[test]).reshape(len(test), -1)
    spread = ((theta - theta.mean(axis=0)) ** 2).sum(axis=0)
    return 1.0 - ((theta - predicted) ** 2).sum(axis=0) / np.where(spread > 0, spread, 1.0)


def place(x: np.ndarray, x_o: np.ndarray) -> np.ndarray:
    """Share of simulations below each feature of a recording, ties counted half: 0 or 1 is outside of all of them."""
    return ((x < x_o).mean(axis=0) + (x <= x_o).mean(axis=0)) / 2.0


def report(
    x: np.ndarray,
    names: Sequence[str],
    theta: np.ndarray,
    parameters: Sequence[str],
    observed: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """What the simulations of a study say of its features, as plain data.

    Parameters
    ----------
    x, theta
        (n_simulations, n_features) and (n_simulations, n_parameters) of the valid simulations.
    names, parameters
        Their names.
    observed
        Features (n_features,) of recordings by person.

    Raises
    ------
    ValueError
        If the numbers of rows differ, or fewer than 20 simulations are left.
    """
    if len(x) != len(theta):
        raise ValueError(f"{len(x)} rows of features but {len(theta)} of parameters; take the same simulations")
    keep, dropped = drop(x, names)
    rows = np.isfinite(x[:, keep]).all(axis=1)
    if rows.sum() < 20 or not keep.any():
        raise ValueError(f"{rows.sum()} simulations with {keep.sum()} usable features are too few, 20 are needed")
    used, kept, drawn = x[rows][:, keep], [name for name, kind in zip(names, keep, strict=True) if kind], theta[rows]
    single = [dict(zip(parameters, map(float, row), strict=True)) for row in information(used, drawn)]
    places = {person: place(used, np.asarray(values)[keep]) for person, values in (observed or {}).items()}
    return {
        "n_simulations": int(rows.sum()),
        "dropped": dropped,
        "redundant": clusters(used, kept),
        "informs": dict(zip(kept, single, strict=True)),
        "explained": dict(zip(parameters, map(float, regression(used, drawn)), strict=True)),
        "outside": {
            person: {name: float(value) for name, value in zip(kept, shares, strict=True) if value in (0.0, 1.0)}
            for person, shares in places.items()
        },
    }
