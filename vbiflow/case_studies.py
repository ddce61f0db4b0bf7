"""The paper's case studies in one table: what each estimator gave, and which claims of the paper it bears out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.io import read_json

CASE_STUDIES = {
    "wilson_cowan": "3, 3-S1",
    "wilson_cowan_mean": "3-S2, 3-S3",
    "jansen_rit": "4",
    "jansen_rit_shape": "4-S1",
    "stuart_landau": "5",
    "epileptor": "6",
    "epileptor_fast": "6-S1",
    "epileptor_measurement_noise": "6-S2",
    "epileptor_noise": "6-S3",
    "montbrio": "7, 7-S2",
    "montbrio_fc": "7-S3",
    "montbrio_coupling": "7-S4, 2-S2",
    "montbrio_measurement_noise": "7-S6",
    "montbrio_noise": "7-S7",
    "wong_wang_maps": "8, 8-S1, 8-S3",
    "wong_wang_coupling": "8-S2",
}
"""Studies by name, and the figures of Ziaeemehr et al. (2025), doi:10.7554/eLife.106194.4, that they rebuild."""
ENOUGH = 200
"""Held-out simulations from which a claim can be decided."""
RECOVERED, UNTOLD = 0.5, 0.1
"""Median shrinkage from which a parameter counts as recovered, and up to which as not told by the features."""


@dataclass(frozen=True)
class Claim:
    """What the paper says of a parameter: that a study recovers it, or that its features do not tell of it."""

    text: str
    study: str
    parameter: str
    recovered: bool = True


CLAIMS = (
    Claim("The input P of every region is recovered", "wilson_cowan", "P"),
    Claim("The coupling g_e is recovered", "wilson_cowan", "g_e"),
    Claim("Without spatial information P is still told", "wilson_cowan_mean", "P"),
    Claim("C of every region is recovered", "jansen_rit", "C"),
    Claim("G cannot be identified", "jansen_rit", "G", recovered=False),
    Claim("Without total power C is recovered worse", "jansen_rit_shape", "C", recovered=False),
    Claim("G is recovered", "stuart_landau", "G"),
    Claim("The conduction speed is recovered", "stuart_landau", "speed"),
    Claim("The excitability eta of every region is recovered", "epileptor", "eta"),
    Claim("G is recovered", "epileptor", "G"),
    Claim("eta is recovered from total power alone", "epileptor_fast", "eta"),
    Claim("Dynamical noise can be inferred", "epileptor_noise", "sigma"),
    Claim("eta of every region is recovered from all features", "montbrio", "eta"),
    Claim("FC and FCD alone do not tell eta", "montbrio_fc", "eta", recovered=False),
    Claim("FC and FCD tell G", "montbrio_coupling", "G"),
    Claim("Dynamical noise can be inferred", "montbrio_noise", "sigma"),
    Claim("G is recovered", "wong_wang_maps", "G"),
    Claim("G alone cannot be told where J is free", "wong_wang_coupling", "G", recovered=False),
)
"""The paper's claims that the shrinkage and the calibration of one study decide."""


def summary_row(
    name: str,
    diagnostics: Mapping[str, Any],
    training: Mapping[str, Any],
    n_simulations: int,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """One study's row of the summary.

    `diagnostics` and `training` are the contents of the files of that name, `seconds` processor time [s] by stage.
    Medians go over parameters.
    """
    parameters = diagnostics["parameters"].values()
    middle = {
        key: float(np.median([one[key] for one in parameters])) for key in ("z_score", "shrinkage", "coverage_90")
    }
    good = [one["verdict"] in ("trusted", "uninformative") for one in parameters]
    return {
        "study": name,
        "figure": CASE_STUDIES[name.partition("@")[0]],
        "parameters": len(good),
        "simulations": n_simulations,
        "held_out": diagnostics["n_test"],
        **{f"{stage}_s": round(value, 1) for stage, value in seconds.items()},
        "training_s": round(training["seconds"], 1),
        **{key: round(value, 3) for key, value in middle.items()},
        "share_trusted": round(float(np.mean(good)), 3),
        "verdict": diagnostics["verdict"],
    }


def decide(claim: Claim, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a study bears a claim out: confirmed, refuted or undecided, with the numbers that say so.

    Undecided where fewer than `ENOUGH` simulations are held out, where less than 90 % of the parameter's posteriors are
    calibrated, or where its median shrinkage lies between `UNTOLD` and `RECOVERED`.
    """
    stem = claim.parameter
    ours = [one for name, one in diagnostics["parameters"].items() if name.partition("[")[0] == stem]
    if not ours:
        raise ValueError(f"claim {claim.text!r}: {claim.study} infers no {stem}")
    shrinkage = float(np.median([one["shrinkage"] for one in ours]))
    calibrated = float(np.mean([one["verdict"] in ("trusted", "uninformative") for one in ours]))
    word = "undecided"
    if diagnostics["n_test"] >= ENOUGH and calibrated >= 0.9:
        word = {True: "confirmed", False: "refuted"}.get(
            claim.recovered if shrinkage >= RECOVERED else not claim.recovered if shrinkage <= UNTOLD else None, word
        )
    return {
        "figure": CASE_STUDIES[claim.study],
        "claim": claim.text,
        "parameter": stem,
        "shrinkage": round(shrinkage, 3),
        "calibrated": round(calibrated, 3),
        "held_out": diagnostics["n_test"],
        "verdict": word,
    }


def processor_seconds(folder: Path, stages: Sequence[str] = ("simulate", "features")) -> dict[str, float]:
    """Processor time [s] of each stage, summed over the shards; nan where none was measured."""
    found = {}
    for stage in stages:
        tables = sorted((folder / "benchmarks" / stage).glob("*.tsv"))
        rows = [next(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t")) for path in tables]
        times = [float(row["cpu_time"]) for row in rows if row["cpu_time"] not in ("", "-", "NA")]
        found[stage] = sum(times) if times else float("nan")
    return found


def tsv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table of tab-separated values."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table."""
    heads = list(rows[0])
    lines = ["| " + " | ".join(heads).replace("_", " ") + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(str(row[head]) for head in heads) + " |" for row in rows])


def summarise_case_studies(
    results: Mapping[str, Mapping[str, str]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Summary and claims of studies, from the paths of diagnostics, training and prior of each by ``name@scale``."""
    rows, claims = [], []
    for name, paths in results.items():
        diagnostics, training = read_json(paths["diagnostics"]), read_json(paths["training"])
        folder = Path(paths["diagnostics"]).parent
        rows.append(summary_row(name, diagnostics, training, int(paths["n_simulations"]), processor_seconds(folder)))
        claims += [
            {"study": name} | decide(claim, diagnostics) for claim in CLAIMS if claim.study == name.partition("@")[0]
        ]
    return rows, claims
