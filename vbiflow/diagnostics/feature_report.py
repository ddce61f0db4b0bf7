"""Which features vary, which repeat each other, which tell of which parameter, and where a recording lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from vbiflow.estimator_options import resolve_options
from vbiflow.inference.reduction import RATE, Spectrum
from vbiflow.inference.scaling import Scaling
from vbiflow.inference.screening import association, dependences, parameter_functions, rank_cosines
from vbiflow.inference.training_set import TrainingSet
from vbiflow.io import Progress

FEWEST = 50
MOST_ROWS = 5000
MOST_SIMULATIONS = 20_000
MOST_COLUMNS = 3000
INPUTS = 300
SHOWN = 40
SIMILAR = 0.95


def feature_groups(names: Sequence[str], features: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of each of the study's features, by the start of their names: what an ablation leaves out.

    Raises
    ------
    ValueError
        If a feature has no column or a column no feature.
    """
    stems = [name.split("[")[0].split(".")[0] for name in names]
    if set(stems) != set(features):
        raise ValueError(f"columns of {', '.join(dict.fromkeys(stems))} are not those of {', '.join(features)}")
    return {feature: np.flatnonzero([stem == feature for stem in stems]) for feature in features}


def rank_correlation(x: np.ndarray) -> np.ndarray:
    """Spearman's correlation (n_features, n_features) of the columns of x (n_simulations, n_features)."""
    return np.atleast_2d(np.corrcoef(rankdata(x, axis=0), rowvar=False))


def cluster_features(correlation: np.ndarray, threshold: float = SIMILAR) -> tuple[np.ndarray, np.ndarray]:
    """Cluster number of each feature, and an order in which similar ones stand together.

    Complete linkage: all features of a cluster correlate with each other by `threshold` or more in size.
    """
    if len(correlation) < 2:
        return np.ones(len(correlation), int), np.arange(len(correlation))
    distance = np.maximum(1.0 - abs(np.nan_to_num(correlation)), 0.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "complete")
    return fcluster(tree, 1.0 - threshold + 1e-12, "distance"), leaves_list(tree)


def explained_by_each(x: np.ndarray, theta: np.ndarray, n_bins: int = 20) -> np.ndarray:
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


def explained_by_regression(u: np.ndarray, theta: np.ndarray, n_folds: int = 5, seed: int = 0) -> np.ndarray:
    """Share of the variance of each parameter, (n_parameters,), that inputs u (n, k) explain on simulations left out.

    Ridge regression on inputs of one scale and their squares, its penalty by leave-one-out within each fold, by
    scikit-learn; below 0 means worse than the mean. Of more than 300 inputs, their first principal components.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold

    if u.shape[1] > INPUTS:
        u = (u - u.mean(axis=0)) @ Spectrum.of(u - u.mean(axis=0)).directions[:, :INPUTS]
    predicted = np.empty_like(theta)
    for train, test in KFold(n_folds, shuffle=True, random_state=seed).split(u):
        z = (u - u[train].mean(axis=0)) / max(u[train].std(axis=0).max(), 1e-300)
        design = np.concatenate([z, z**2], axis=1)
        model = RidgeCV(np.logspace(-3, 4, 8), alpha_per_target=True).fit(design[train], theta[train])
        predicted[test] = model.predict(design[test]).reshape(len(test), -1)
    spread = ((theta - theta.mean(axis=0)) ** 2).sum(axis=0)
    return 1.0 - ((theta - predicted) ** 2).sum(axis=0) / np.where(spread > 0, spread, 1.0)


def side_of_simulations(x: np.ndarray, x_o: np.ndarray) -> np.ndarray:
    """-1 or 1 where a recording's feature lies below or above all simulations x (n, f), 0 where among them.

    Not-a-number where the recording has no value.
    """
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    return np.where(np.isfinite(x_o), (x_o > high).astype(float) - (x_o < low), np.nan)


def scaled_features(
    data: TrainingSet, options: Mapping[str, Any] | None
) -> tuple[np.ndarray, np.ndarray, Scaling, dict[str, str]]:
    """Network inputs (n, k) and parameters (n, p) of 5 000 valid simulations at most, the scaling, what it drops."""
    options = resolve_options(options)
    learnt = data.x[data.split.train]
    absent = 1.0 - np.isfinite(learnt).mean(axis=0)
    scaling, dropped = Scaling.fit(learnt, absent, data.names, options["scaling"], options["missing_share"])
    rows = np.flatnonzero(data.valid)[:MOST_ROWS]
    return scaling(data.x[rows])[:, : scaling.keep.sum()].astype(float), data.theta[rows], scaling, dropped


def single_features(data: TrainingSet, options: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Which single features follow each parameter: {parameter: {n, of, closest}}, n of so many and the closest.

    By rank tests that see any smooth shape (`dependences`), at a false discovery rate of 5 % over all features and
    parameters, on the first 5 000 simulations; `closest` is the one with the largest `association`, empty where none
    follows.
    """
    data = data.head(MOST_ROWS)
    u, drawn, scaling, _ = scaled_features(data, options)
    kept = np.flatnonzero(scaling.keep)
    cosines, functions = rank_cosines(u), parameter_functions(drawn)[:1]
    follows, shared = dependences(cosines, functions) <= RATE, association(cosines, functions[0])
    best = np.where(follows, shared, -1.0).argmax(axis=0)
    return {
        name: {"n": int(own.sum()), "of": len(data.names), "closest": data.names[kept[k]] if own.any() else ""}
        for name, own, k in zip(data.prior.names, follows.T, best, strict=True)
    }


def features_report(
    data: TrainingSet,
    features: Sequence[str],
    options: Mapping[str, Any] | None = None,
    *,
    recordings: Mapping[str, np.ndarray] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What the simulations of a study say of its features, as plain data.

    The features that are dropped are those that the training drops, by the same rule over the first 20 000 simulations,
    beyond all of which a recording is outside. All else is over the valid simulations, 5 000 at most, and over the
    inputs that the estimator sees; of more than 3 000 features, redundancy is looked for among the most informative.

    Parameters
    ----------
    data
        The study's simulations.
    features
        Names of the study's features, each a group of columns.
    options
        The study's `inference` block.
    recordings
        Features (n_features,) of recordings by person.

    Returns
    -------
    dict: `dropped` {feature: reason}; `informs` {feature: {parameter: share of its variance that this feature alone
    explains}}; `redundant`, lists of features that follow each other; `explained` {parameter: share explained on
    simulations left out} and `explained_by` the same for each group alone; `outside` {person: {feature: side}};
    `shown`, the most informative features in an order that puts similar ones together, and their `correlation`.

    Raises
    ------
    ValueError
        If fewer than 50 simulations are valid.
    """
    data = data.head(MOST_SIMULATIONS)
    x, names, valid, parameters = data.x, data.names, data.valid, data.prior.names
    if valid.sum() < FEWEST:
        raise ValueError(f"{valid.sum()} valid simulations are too few to judge features by, {FEWEST} are needed")
    u, drawn, scaling, dropped = scaled_features(data, options)
    kept = [name for name, keep in zip(names, scaling.keep, strict=True) if keep]
    alone = explained_by_each(u, drawn)
    chosen = np.sort(np.argsort(-alone.max(axis=1), kind="stable")[:MOST_COLUMNS])
    labels, order = cluster_features(rank_correlation(u[:, chosen]))
    members = [np.array(kept)[chosen[labels == label]].tolist() for label in np.unique(labels)]
    best = chosen[order][np.isin(order, np.argsort(-alone[chosen].max(axis=1), kind="stable")[:SHOWN])]
    inputs = {
        name: np.isin(np.flatnonzero(scaling.keep), columns)
        for name, columns in feature_groups(names, features).items()
    }
    by_group = {}
    for done, (name, own) in enumerate(inputs.items(), start=1):
        found = explained_by_regression(u[:, own], drawn) if own.any() else np.zeros(len(parameters))
        by_group[name] = dict(zip(parameters, found, strict=True))
        if progress:
            progress(done, len(inputs))
    sides = {
        person: side_of_simulations(x[valid][:, scaling.keep], x_o[scaling.keep])
        for person, x_o in (recordings or {}).items()
    }
    return {
        "n_simulations": len(u),
        "n_features": len(names),
        "groups": {name: len(columns) for name, columns in feature_groups(names, features).items()},
        "dropped": dropped,
        "redundant": [cluster for cluster in members if len(cluster) > 1],
        "informs": {name: dict(zip(parameters, row, strict=True)) for name, row in zip(kept, alone, strict=True)},
        "explained": dict(zip(parameters, explained_by_regression(u, drawn), strict=True)),
        "explained_by": by_group,
        "outside": {person: name_sides(kept, side) for person, side in sides.items()},
        "shown": [kept[k] for k in best],
        "correlation": rank_correlation(u[:, best]).round(4),
    }


def name_sides(names: Sequence[str], sides: np.ndarray) -> dict[str, str]:
    """On which side of all simulations the features lie that are not among them."""
    words = {-1.0: "below", 1.0: "above"}
    return {name: words.get(side, "undefined") for name, side in zip(names, sides, strict=True) if side != 0}
