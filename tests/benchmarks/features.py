"""Processor time and memory of features, one simulation on one core, beside vbi 0.4.4 where it is installed.

python -m tests.benchmarks.features
"""

from __future__ import annotations

import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from vbiflow.features import FEATURES, Batch, Nodes, read_specs
from vbiflow.features.extraction import extract
from vbiflow.io import write_json
from vbiflow.provenance import versions

N_NODES = 84
BOLD_FS, EEG_FS, FINE_FS = 1 / 0.3, 1000.0, 20_000.0
SERIES = [name for name, feature in FEATURES.items() if feature.domain in ("distribution", "temporal")]
FCD = {"fcd": {"window": 30, "step": 0.3}}
SPECTRAL = [{"psd": {"per": "node", "segment": 1.0}}, {"spectrum": {"segment": 1.0}}]


@dataclass(frozen=True)
class Work:
    """A row of the table: what, on how many samples at which rate [Hz], the bar [ms], vbi's functions of the kind."""

    name: str
    n_times: int
    fs: float
    specs: list
    bar: float
    peer: tuple[tuple[str, dict], ...] = ()


STATISTICAL = ("calc_var", "calc_std", "calc_mean", "calc_median", "calc_max", "calc_min", "calc_kurtosis", "rms")
STATISTICAL += ("calc_skewness", "interq_range", "mean_abs_dev", "median_abs_dev", "calc_moments", "zero_crossing")
STATISTICAL += ("abs_energy", "average_power", "calc_envelope", "burstiness", "kop")
WELCH = (("spectrum_stats", {"method": "welch"}), ("spectrum_auc", {"method": "welch"}))

BOLD_PEERS = (("fc_stat", {}), ("fcd_stat", {"TR": 0.3}), ("calc_var", {}), ("kop", {}))
EEG_PEERS = (*WELCH, ("calc_envelope", {}), ("zero_crossing", {}))

WORKS = (
    Work("FC and its summaries", 800, BOLD_FS, ["fc"], 1.5, (("fc_stat", {}),)),
    Work("FCD, 701 windows, and its summaries", 800, BOLD_FS, [FCD], 60, (("fcd_stat", {"TR": 0.3}),)),
    Work("statistics and course in time", 800, BOLD_FS, SERIES, 5, tuple((name, {}) for name in STATISTICAL)),
    Work("PSD and all from it", 2001, EEG_FS, SPECTRAL, 8, WELCH),
    Work("PSD and all from it", 40_020, FINE_FS, SPECTRAL, 60, WELCH),
    Work("the default set for BOLD", 800, BOLD_FS, ["default_bold"], 70, BOLD_PEERS),
    Work("the default set for EEG", 2001, EEG_FS, ["default_eeg"], 20, EEG_PEERS),
)


def best(call: Callable[[], object], repeats: int = 9, enough: float = 3.0) -> float:
    """Shortest processor time of a call [ms] among `repeats`, fewer once they add up to `enough` [s]."""
    times: list[float] = []
    while len(times) < repeats and sum(times) < enough:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def peak(call: Callable[[], object]) -> float:
    """Most memory that a call holds at a time [MB]."""
    tracemalloc.start()
    call()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size / 1e6


def peer_call(work: Work, ts: np.ndarray) -> Callable[[], object] | None:
    """vbi's functions of the same kind on the same series, if it is installed."""
    try:
        from vbi.feature_extraction import features as vbi
    except ImportError:
        return None

    def call() -> None:
        for name, options in work.peer:
            given = {"fs": work.fs} if name in ("average_power", "spectrum_stats", "spectrum_auc") else {}
            getattr(vbi, name)(ts, **given, **options)

    return call if work.peer else None


def measure(work: Work, nodes: Nodes) -> dict[str, object]:
    """Times of one work, ours and vbi's [ms], and our memory [MB]."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, 1, N_NODES, work.n_times))
    ts = (noise[0] + 0.1 * noise[1].cumsum(axis=-1)).astype("float32")
    requests = read_specs(work.specs)
    ours = lambda: extract(Batch(ts, work.fs, nodes), requests)  # noqa: E731
    duration, memory = best(ours), peak(ours)
    other = peer_call(work, ts[0].astype(float))
    theirs = best(other) if other else float("nan")
    return {
        "work": work.name,
        "samples": work.n_times,
        "ms": round(duration, 2),
        "bar_ms": work.bar,
        "peak_mb": round(memory, 1),
        "vbi_ms": round(theirs, 1),
        "times_faster": round(theirs / duration, 1),
    }


def main() -> None:
    """Print the table, and write it to results/benchmarks/features.json."""
    labels = [f"region{k}_{side}" for side in "LR" for k in range(N_NODES // 2)]
    nodes = Nodes(labels, networks=[f"network{k % 7}" for k in range(N_NODES)])
    print("| work | samples | ms | bar | MB | vbi, ms | times faster |\n|---|---|---|---|---|---|---|")
    rows = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for work in WORKS:
            rows.append(measure(work, nodes))
            print(f"| {' | '.join(map(str, rows[-1].values()))} |", flush=True)
    write_json("results/benchmarks/features.json", {"versions": versions(), "works": rows})


if __name__ == "__main__":
    main()
