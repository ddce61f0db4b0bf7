"""Brain states: hidden Markov states of slow signals, microstates of M/EEG."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from vbiflow.features.batch import Batch, is_constant, standardise, to_host
from vbiflow.features.feature import Option, Pieces, feature

N_GUESSES = 3
N_STATES = Option(4, "integer", "how many states", minimum=2)


def visit_statistics(path: np.ndarray, n_states: int, fs: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of time in each state, mean duration of its visits [s] and visits per second [Hz], most frequent first."""
    starts = np.flatnonzero(np.r_[True, path[1:] != path[:-1]])
    share = np.bincount(path, minlength=n_states) / path.size
    count = np.bincount(path[starts], minlength=n_states)
    order = np.argsort(-share, kind="stable")
    duration = share * path.size / fs / np.maximum(count, 1)
    return share[order], duration[order], count[order] * fs / path.size


def hidden_states(series: np.ndarray, n_states: int, n_components: int, seed: int) -> tuple[np.ndarray, float]:
    """Most likely path of a hidden Markov model of the principal components, and its log likelihood a sample."""
    from hmmlearn.hmm import GaussianHMM

    u, s, _ = np.linalg.svd(series.T, full_matrices=False)
    scores = (u * s)[:, :n_components] * series.shape[1] ** 0.5
    found = []
    for guess in range(N_GUESSES):
        model = GaussianHMM(
            n_states, "full", min_covar=1e-3, random_state=seed, n_iter=50, tol=1e-4 * len(scores), init_params="st"
        )
        rng = np.random.default_rng([seed, guess])
        model.means_, labels = scipy.cluster.vq.kmeans2(scores, n_states, minit="++", rng=rng)
        around = scores - model.means_[labels]
        within = around.T @ around / len(scores) + 1e-3 * np.eye(scores.shape[1])
        model.covars_ = np.repeat(within[None], n_states, axis=0)
        model.fit(scores)
        found.append((model.score(scores), model))
    likelihood, best = max(found, key=lambda pair: pair[0])
    return best.predict(scores), likelihood / len(scores)


@feature(
    "hmm",
    unit="s (dwell), Hz (switching), nat (likelihood), 1",
    reference="Vidaurre et al. 2017, doi:10.1073/pnas.1705120114",
    n_states=N_STATES,
    components=Option(5, "integer", "how many principal components the model sees", minimum=1),
    seed=Option(0, "integer", "seed of the first guess", minimum=0),
)
def hmm(batch: Batch, *, n_states: int, components: int, seed: int) -> Pieces:
    """Hidden Markov states of each recording: occupancy, dwell times, switching, entropy, log likelihood a sample."""
    if components > len(batch.nodes):
        raise ValueError(f"{components} components asked for but there are {len(batch.nodes)} nodes; lower components")
    rows = []
    for series, steady in zip(to_host(batch.shared(standardise)), to_host(is_constant(batch.ts)), strict=True):
        if (~steady).sum() < components:
            rows.append(np.full(2 * n_states + 3, np.nan))
            continue
        path, likelihood = hidden_states(series, n_states, components, seed)
        share, dwell, rate = visit_statistics(path, n_states, batch.fs)
        entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum() / np.log(n_states)
        rows.append(np.r_[share, dwell, rate.sum() - batch.fs / path.size, entropy, likelihood])
    states = range(1, n_states + 1)
    names = [
        *(f"occupancy[{k}]" for k in states),
        *(f"dwell[{k}]" for k in states),
        "switching",
        "entropy",
        "likelihood",
    ]
    yield names, np.array(rows)


def polar_clusters(maps: np.ndarray, n_states: int, n_iterations: int = 100) -> np.ndarray:
    """Unit maps (n_states, n_nodes) around which `maps` (n, n_nodes) cluster whatever their sign (modified k-means).

    Starts from maps that are farthest apart, the strongest first, so that the same data give the same states.
    """
    unit = maps / np.maximum(np.linalg.norm(maps, axis=1, keepdims=True), 1e-300)
    chosen = [int(np.argmax(np.linalg.norm(maps, axis=1)))]
    for _ in range(n_states - 1):
        chosen.append(int(np.argmin(abs(unit @ unit[chosen].T).max(axis=1))))
    states, labels = unit[chosen], None
    for _ in range(n_iterations):
        before, labels = labels, abs(maps @ states.T).argmax(axis=1)
        if before is not None and (before == labels).all():
            break
        for k in range(n_states):
            own = maps[labels == k]
            if len(own):
                states[k] = np.linalg.eigh(own.T @ own)[1][:, -1]
    return states


@feature(
    "microstates",
    unit="s (duration), Hz (occurrence), 1",
    signals="eeg",
    reference="Pascual-Marqui et al. 1995, doi:10.1109/10.391164",
    n_states=N_STATES,
)
def microstates(batch: Batch, *, n_states: int) -> Pieces:
    """Microstates at peaks of global field power: coverage, duration, occurrence, share of variance explained."""
    rows = [microstate_row(series, n_states, batch.fs) for series in to_host(batch.double)]
    states = range(1, n_states + 1)
    names = [f"{what}[{k}]" for what in ("coverage", "duration", "occurrence") for k in states]
    yield [*names, "explained"], np.array(rows)


def microstate_row(series: np.ndarray, n_states: int, fs: float) -> np.ndarray:
    """Statistics of the microstates of one recording (n_nodes, n_times); NaN where the field has too few peaks."""
    field = (series - series.mean(axis=0)).T
    power = np.linalg.norm(field, axis=1)
    peaks = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])) + 1
    if peaks.size < n_states:
        return np.full(3 * n_states + 1, np.nan)
    fit = field @ polar_clusters(field[peaks], n_states).T
    share, duration, rate = visit_statistics(abs(fit).argmax(axis=1), n_states, fs)
    return np.r_[share, duration, rate, (fit**2).max(axis=1).sum() / (power**2).sum()]


@feature(
    "avalanches",
    unit="Hz (rate), 1",
    reference="Clauset et al. 2009, doi:10.1137/070710111; Sorrentino et al. 2021, doi:10.7554/eLife.67400",
    threshold=Option(3.0, "number", "size of an event, in sd of its node", minimum=0),
)
def avalanches(batch: Batch, *, threshold: float) -> Pieces:
    """Neuronal avalanches: rate, power-law exponents of size and duration, branching ratio; 0 where there are none."""
    active = to_host(abs(batch.shared(standardise)) * batch.n_times**0.5 >= threshold)
    names = ["rate", "size_exponent", "duration_exponent", "branching"]
    yield names, np.array([avalanche_row(events, batch.fs) for events in active.sum(axis=1)])


def avalanche_row(events: np.ndarray, fs: float) -> list[float]:
    """Statistics of the runs of samples in which at least one of the nodes has an event."""
    edges = np.diff(np.r_[0, (events > 0).astype(int), 0])
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not starts.size:
        return [0.0, 0.0, 0.0, 0.0]
    total = np.r_[0, events.cumsum()]
    sizes, durations = total[stops] - total[starts], stops - starts
    following = np.r_[events, 0][starts + 1] / events[starts]
    return [starts.size * fs / events.size, exponent(sizes), exponent(durations), float(following.mean())]


def exponent(values: Any) -> float:
    """Exponent of a power law of whole numbers from 1 on, 1 + n / sum log(2 v) (maximum likelihood, approximate)."""
    return float(1.0 + len(values) / np.log(2.0 * np.asarray(values)).sum())
