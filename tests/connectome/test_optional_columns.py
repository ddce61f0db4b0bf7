"""What a cohort table and a table of regions may leave out, left out: connectome and features are made."""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from vbiflow.connectome import inspect, read_connectome
from vbiflow.connectome.pool import connectome_summaries
from vbiflow.empirical import ComparisonSettings, observe, read_cohort
from vbiflow.engine import simulate
from vbiflow.features import Nodes
from vbiflow.figures.connectome import connectome as connectome_figure

OPTIONAL = ("tract_lengths", "regions", "hemisphere", "network", "centres", "tr")
LABELS = [f"{name}_{side}" for name in ("Aa", "Bb", "Cc") for side in "LR"]
N = len(LABELS)
RNG = np.random.default_rng(0)
PLACES = RNG.uniform(10, 60, (3, 3)).repeat(2, axis=0) * np.array([[-1, 1, 1], [1, 1, 1]] * 3)
W = RNG.uniform(1, 9, (N, N)) * (1 - np.eye(N))
TS = RNG.standard_normal((N, 40))


def cohort(folder: Path, given: frozenset[str]) -> Path:
    """A cohort of one person with the optional columns that are given."""
    scipy.io.savemat(folder / "w.mat", {"sc": W, "len": 1.3 * np.linalg.norm(PLACES[:, None] - PLACES, axis=-1)})
    np.save(folder / "b.npy", TS)
    columns = {"label": LABELS}
    if "hemisphere" in given:
        columns["hemisphere"] = [label[-1] for label in LABELS]
    if "network" in given:
        columns["network"] = ["a", "b", "a", "b", "a", "b"]
    if "centres" in given:
        columns |= {axis: PLACES[:, k] for k, axis in enumerate("xyz")}
    rows = [columns, *({name: entries[k] for name, entries in columns.items()} for k in range(N))]
    (folder / "r.tsv").write_text(
        "\n".join("\t".join(map(str, row if row is columns else row.values())) for row in rows)
    )
    row = {"participant_id": "a", "weights": f"{folder / 'w.mat'}::sc", "recording": folder / "b.npy", "kind": "bold"}
    row |= {"tract_lengths": f"{folder / 'w.mat'}::len"} if "tract_lengths" in given else {}
    row |= {"regions": folder / "r.tsv"} if "regions" in given else {}
    row |= {"tr": 2} if "tr" in given else {}
    (folder / "c.tsv").write_text("\t".join(row) + "\n" + "\t".join(map(str, row.values())) + "\n")
    return folder / "c.tsv"


SUBSETS = list(map(frozenset, chain.from_iterable(combinations(OPTIONAL, k) for k in range(len(OPTIONAL) + 1))))


@pytest.mark.parametrize("given", SUBSETS, ids=lambda given: "+".join(sorted(given)) or "none")
def test_every_combination_of_columns_leads_to_features(given: frozenset[str], tmp_path: Path) -> None:
    row = read_cohort(cohort(tmp_path, given), {})["a"]
    connectome = inspect(read_connectome(row["weights"], row["tract_lengths"], row["regions"]))
    known = "tract_lengths" in given or {"regions", "centres"} <= given
    assert np.isfinite(connectome.tract_lengths).all() == known
    assert np.isfinite(connectome_summaries(connectome)).sum() >= len(connectome_summaries(connectome)) - (not known)
    nodes = Nodes(connectome.labels, connectome.hemispheres, connectome.networks)
    settings = ComparisonSettings("bold", nodes, 2000.0, 60e3, ["fc", {"mean": {"per": "node"}}], {})
    if "tr" not in given:
        with pytest.raises(ValueError, match=r"b.npy: no TR; give tr \[s\] in the cohort table"):
            observe(row, settings, {}, {})
        return
    assert np.isfinite(observe(row, settings, {}, {})["x"].values).all()


def test_a_connectome_without_lengths_or_places_is_simulated_and_drawn(tmp_path: Path) -> None:
    row = read_cohort(cohort(tmp_path, frozenset()), {})["a"]
    connectome = read_connectome(row["weights"])
    weights = connectome.normalised(["max"]).weights
    found = simulate("linear", weights, {"G": [0.1]}, n_simulations=1, duration=20.0, dt=1.0, seed=1, signals=["x"])
    assert np.isfinite(next(iter(found.ts.values()))).all()
    parts = connectome.weights, connectome.tract_lengths, connectome.labels, connectome.hemispheres, connectome.networks
    titles = [
        axes.get_title(loc) for loc in ("left", "center") for axes in connectome_figure(*parts, connectome.centres).axes
    ]
    assert "Tract lengths: unknown" in titles
