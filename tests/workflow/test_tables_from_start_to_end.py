"""Tables of spectra and of features, made from a virtual person with known parameters, from table to report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from checkout import Copy

from vbiflow.features.spectral_estimation import welch
from vbiflow.io import read, read_attributes

LABELS = [f"{name}_{side}" for name in ("Calcarine", "Cuneus", "Lingual", "Occipital_Sup") for side in "LR"]
TRUTH = {"G": 0.03, "tau": 12.0}
STUDY = {
    "title": "Spectra of a linear network",
    "description": "The time constant and the coupling of eight regions, from their spectra.",
    "seed": 11,
    "cohort": "virtual",
    "connectome": {"select": {"label": LABELS}, "normalise": [{"power": 0.5}, "spectral_radius"]},
    "model": "linear",
    "prior": {"tau": {"uniform": [5, 20]}, "G": {"uniform": [0, 0.05]}},
    "simulation": {"dt": 1, "duration": 20e3, "transient": 500, "shard_size": 1500},
    "observation": {"signals": {"x": {"period": 5}}},
    "features": [
        {"psd": {"segment": 1, "range": [2, 45], "per": ["mean", "sd"], "statistics": ["relative", "centroid"]}}
    ],
    "inference": {"n_simulations": 1500, "test_share": 0.2, "learning_rate": 2e-3},
    "posterior": {"n_samples": 2000},
    "diagnostics": {"n_predictive": 100},
}
VERDICTS = {"spectra": "trusted", "features": "trusted", "peak": "not trusted", "impossible": "not trusted"}
"""Tables of the truth, and two of nothing that the network does: a peak at 20 Hz, a feature beyond all simulations."""


def cohort(copy: Copy, name: str, rows: dict[str, tuple[str, str]]) -> None:
    """A cohort on the tiny study's connectome, with the recording and the kind of each person."""
    header, tiny = (line.split("\t") for line in (copy.path / "config/cohorts/tiny.tsv").read_text().splitlines()[:2])
    common = dict(zip(header, tiny, strict=True)) | {"tr": ""}
    lines = [common | {"participant_id": who, "recording": file, "kind": kind} for who, (file, kind) in rows.items()]
    text = ["\t".join(header), *("\t".join(line[key] for key in header) for line in lines)]
    (copy.path / f"config/cohorts/{name}.tsv").write_text("\n".join(text) + "\n")


def table(path: Path, columns: dict[str, np.ndarray]) -> None:
    """A table with a header."""
    rows = np.column_stack(list(columns.values()))
    lines = ["\t".join(columns), *("\t".join(f"{value:.9g}" for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_tables(copy: Copy, x_o: Path) -> None:
    """The four tables, features and spectra of the virtual person's series."""
    found, fs = read(x_o, "x", "names", "ts"), read_attributes(x_o, "ts")["fs"]
    frequencies, power = welch(found["ts"], fs, round(fs))
    features = dict(zip(found["names"], found["x"], strict=True))
    peak = power * (1 + 30 * np.exp(-0.5 * ((frequencies - 20) / 2) ** 2))
    for name, values in (("spectra", power), ("peak", peak)):
        table(copy.path / f"{name}.tsv", {"frequency": frequencies} | dict(zip(LABELS, values, strict=True)))
    table(copy.path / "features.tsv", features)
    table(copy.path / "impossible.tsv", features | {found["names"][0]: 40 * found["x"][0]})


@pytest.mark.slow
def test_tables_are_judged_by_estimator_and_recording_and_spectra_are_graded(copy: Copy) -> None:
    cohort(copy, "virtual", {"truth": ("", "simulated")})
    studies = copy.path / "config/studies"
    (studies / "virtual.yaml").write_text(yaml.safe_dump(STUDY | {"truth": {"truth": TRUTH}}))
    done = copy.snakemake("results/virtual/subjects/truth/x_o.h5", timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
    write_tables(copy, copy.path / "results/virtual/subjects/truth/x_o.h5")
    cohort(
        copy,
        "tables",
        {name: (f"{name}.tsv", "psd" if name in ("spectra", "peak") else "features") for name in VERDICTS},
    )
    shared = STUDY | {"cohort": "tables", "connectome": STUDY["connectome"] | {"per": "spectra"}}
    (studies / "tables.yaml").write_text(yaml.safe_dump(shared))
    done = copy.snakemake("results/tables/report.html", timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:]
    people = copy.path / "results/tables/subjects"
    judged = {name: json.loads((people / name / "verdict.json").read_text()) for name in VERDICTS}
    assert {name: one["verdict"] for name, one in judged.items()} == VERDICTS, judged
    for name, one in judged.items():
        assert one["parts"]["estimator"]["verdict"] == "trusted"
        assert one["parts"]["recording"]["verdict"] == VERDICTS[name]
        assert one["features"]["n_simulations"] >= 99 and one["features"]["n_held_out"] == 300
        assert (one["parts"]["model"]["grade"] is None) == (name in ("features", "impossible"))
    assert judged["spectra"]["parts"]["model"]["grade"] == "noise_ceiling"
    assert judged["peak"]["parts"]["model"]["grade"] in ("chance", "above_chance")
    for name in ("spectra", "features"):
        samples = read(people / name / "samples.h5", "theta", "names")
        assert list(samples["names"]) == list(TRUTH)
        low, high = np.quantile(samples["theta"], [0.01, 0.99], axis=0)
        assert (low < list(TRUTH.values())).all() and (list(TRUTH.values()) < high).all()
    report = (copy.path / "results/tables/report.html").read_text()
    assert all(name in report for name in VERDICTS)
