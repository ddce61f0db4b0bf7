"""The paper's case studies in one table: what each estimator gave, and which claims of the paper it bears out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vbiflow.case_results import Results
from vbiflow.claims import CLAIMS, claim_row
from vbiflow.diagnostic_options import GOOD
from vbiflow.io import read_json
from vbiflow.provenance import ROOT
from vbiflow.study import load_study

CASE_STUDIES = {
    "wilson_cowan": "3, 3-S1",
    "wilson_cowan_mean": "3-S2, 3-S3",
    "jansen_rit": "4",
    "jansen_rit_shape": "4-S1",
    "jansen_rit_power": "4-S1",
    "stuart_landau": "5",
    "epileptor": "6",
    "epileptor_fast": "6-S1",
    "epileptor_measurement_noise": "6-S2",
    "epileptor_noise": "6-S3",
    "montbrio": "7, 7-S1, 7-S2",
    "montbrio_fc": "7-S3",
    "montbrio_coupling": "7-S4, 2-S2, 2-S3",
    "montbrio_measurement_noise": "7-S6",
    "montbrio_noise": "7-S7",
    "wong_wang_maps": "8, 8-S1, 8-S3",
    "wong_wang_coupling": "8-S2",
    "wilson_cowan_coupling": "2-S3",
    "jansen_rit_coupling": "2-S3",
    "stuart_landau_coupling": "2-S3",
    "epileptor_coupling": "2-S3",
    "wong_wang_global": "2-S3",
}
"""Studies by name, and the figures of Ziaeemehr et al. (2025), doi:10.7554/eLife.106194.4, that they rebuild."""

PRINTED = {
    "wilson_cowan": "260 000 simulations, training about 2 h",
    "wilson_cowan_mean": "260 000 simulations, training about 20 min (MAF), 6 h (NSF)",
    "jansen_rit": "50 000 simulations, training about 45 min",
    "jansen_rit_shape": "50 000 simulations",
    "jansen_rit_power": "50 000 simulations",
    "stuart_landau": "2 000 simulations",
    "epileptor": "10 000 simulations in less than 1 min on 10 cores, training about 13 min",
    "montbrio": "500 000 simulations, training about 10 h",
    "montbrio_fc": "500 000 simulations in about 24 h on 10 GPUs, training about 8 h",
    "montbrio_coupling": "about 100 simulations",
    "wong_wang_maps": "200 000 simulations, training about 160 min",
    "wong_wang_coupling": "16 000 simulations",
    "wong_wang_global": "at most 300 simulations",
    "stuart_landau_coupling": "at most 300 simulations",
    "epileptor_coupling": "at most 300 simulations",
    "jansen_rit_coupling": "at most 300 simulations",
    "wilson_cowan_coupling": "at most 300 simulations",
}
"""What the paper prints of number of simulations and times; nothing of the other studies."""


def summary_row(
    name: str,
    diagnostics: Mapping[str, Any],
    n_simulations: int,
    seconds: Mapping[str, float],
    person_90: float,
) -> dict[str, Any]:
    """One study's row of the summary.

    `diagnostics` is the content of the file of that name, `seconds` processor time [s] by stage, `person_90` the share
    of the first person's parameters that lie in their 90 % intervals. Medians go over parameters.
    """
    parameters = diagnostics["parameters"].values()
    keys = ("z_score", "information", "shrinkage", "coverage_90")
    middle = {key: float(np.median([one[key] for one in parameters])) for key in keys}
    good = [one["verdict"] in GOOD for one in parameters]
    return {
        "study": name,
        "figure": CASE_STUDIES[name.partition("@")[0]],
        "parameters": len(good),
        "simulations": n_simulations,
        "paper": PRINTED.get(name.partition("@")[0], "not printed"),
        "held_out": diagnostics["n_test"],
        **{f"{stage}_s": round(value, 1) for stage, value in seconds.items()},
        **{key: round(value, 3) for key, value in middle.items()},
        "person_90": round(person_90, 3),
        "share_trusted": round(float(np.mean(good)), 3),
        "verdict": diagnostics["verdict"],
    }


def processor_seconds(folder: Path) -> dict[str, float]:
    """Processor time [s] of each stage, summed over shards, or over subjects; nan where none was measured.

    `folder` is that of the estimator, ``results/<study>/<estimator>``.
    """
    found = {}
    for stage in ("simulate", "features", "train", "sample"):
        tables = [*folder.glob(f"benchmarks/{stage}/*.tsv"), *folder.glob(f"benchmarks/{stage}.tsv")]
        tables += folder.parent.glob(f"subjects/*/benchmarks/{stage}.tsv")
        rows = [next(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t")) for path in sorted(tables)]
        times = [float(row["cpu_time"]) for row in rows if row["cpu_time"] not in ("", "-", "NA")]
        found[stage] = sum(times) if times else float("nan")
    history = folder / "training.json"
    if history.exists():  # the benchmark is that of the last job, which may have gone on from where others were killed
        found["train"] = float(np.fmax(found["train"], read_json(history).get("cpu_seconds", np.nan)))
    return found


STAGES = ("simulate", "features", "train")
"""What takes nearly all of the time of a study; sampling takes seconds."""


def gpu_check(model: str = "montbrio", n_nodes: int = 84) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the documented GPU check measured of a model, by device and n_simulations, and its device and cores.

    Nothing in a library that came without its documentation.
    """
    path = ROOT / "docs" / "gpu_check.json"
    if not path.exists():
        return [], {}
    found = json.loads(path.read_text(encoding="utf-8"))
    times = [one for one in found["times"] if one["case"].startswith(f"{model},") and one["n_nodes"] == n_nodes]
    return times, found["machine"]


def core_hours(row: Mapping[str, Any]) -> dict[str, float]:
    """Core hours of each stage of a study, from its row of the summary; nothing of a stage that was not measured."""
    return {stage: float(np.nan_to_num(float(row[f"{stage}_s"] or 0))) / 3600 for stage in STAGES}


def cost_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Where the time of each study went, its cost and that at scale `paper`, from rows of the summary; last of all.

    A study that did not run at that scale is taken to cost as much more as its simulated time is longer.
    """
    found = {row["study"]: core_hours(row) for row in rows}
    whole = {
        name: sum(hours.values()) * simulated_time(f"{name.partition('@')[0]}@paper") / simulated_time(name)
        for name, hours in found.items()
    }
    found["all"] = {stage: sum(hours[stage] for hours in found.values()) for stage in STAGES}
    whole["all"] = sum(whole.values())
    return [
        {"study": name}
        | {f"{stage}_%": round(100 * share / (sum(hours.values()) or 1)) for stage, share in hours.items()}
        | {
            key: f"{cost:.2g}" if cost < 10 else f"{cost:.0f}"
            for key, cost in (("core_hours", sum(hours.values())), ("core_hours_paper", whole[name]))
        }
        for name, hours in found.items()
    ]


def cost_of_figure_7(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the paper's simulations of figure 7 cost on these cores, by the row of the summary, and on a GPU."""
    said, study = [], load_study("montbrio@paper")
    whole, number = simulated_time(study.name), f"{study.n_simulations:,}".replace(",", " ")
    for row in rows:
        hours = core_hours(row) if row["study"].partition("@")[0] == "montbrio" else {}
        if hours.get("simulate"):
            settings = load_study(row["study"])["simulation"]
            times = whole / simulated_time(row["study"])
            every, alone = times * sum(hours.values()), times * hours["simulate"]
            said.append(
                f"In proportion to the last run, the {number} simulations of figure 7 take {every:.0f} core hours with "
                f"features and training. {alone:.0f} are those of the simulations, of which a core did "
                f"{whole / 3.6e6 / alone:.0f} s in a second, by {settings['integrator']} at dt {settings['dt']:g}."
            )
    measured, machine = gpu_check()
    if measured:
        gpu, cores = (
            whole / 3.6e9 * min(run["ms_per_simulated_s"] for run in measured if run["device"] == device)
            for device in ("cuda", "cpu")
        )
        said.append(
            f"By Heun's scheme at dt 0.1 the {number} simulations would take {gpu:.1f} hours of an "
            f"{machine['device']}, or {cores * machine['cores']:.0f} core hours."
        )
    return " ".join(said)


def simulated_time(name: str) -> float:
    """Time [ms] that all simulations of a study ``name@scale`` last together."""
    study = load_study(name.removesuffix("@"))
    return study.n_simulations * (study["simulation"]["duration"] + study["simulation"]["transient"])


def choices(study_file: str, scale: str | None = None) -> list[tuple[str, str]]:
    """What the comments of a study file, given as text, say of the paper's setting and its own, by their key.

    That is the key beside or above them, after the scale that it stands in; of all scales, or of `scale` alone ("" for
    none). Such a comment begins with ``paper:``; ``here: ...`` follows in it, or in the comment of the next line.
    """
    found: list[tuple[str, str, str]] = []
    block, within, key, continued = "", "", "", False
    for line in study_file.splitlines():
        setting, _, comment = (part.strip() for part in line.partition("# "))
        name = setting.lstrip("- {").partition(":")[0]
        if setting and line[0] != " ":
            block, within = name, ""
        elif setting and block == "scales" and line[:3].count(" ") == 2:
            within = name
        key = name or key
        if comment.startswith("paper: "):
            found.append((within, key, comment))
            continued = True
        elif continued and comment.startswith("here: "):
            found[-1] = *found[-1][:2], f"{found[-1][2]}; {comment}"
        elif continued and comment and not setting:
            found[-1] = *found[-1][:2], f"{found[-1][2]} {comment}"
        else:
            continued = False
    return [
        (f"@{within} {key}".removesuffix(f" {within}") if within else key, comment)
        for within, key, comment in found
        if within in ("", scale) or scale is None
    ]


def summarise_case_studies(
    results: Mapping[str, Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the summary and of the claims, from the paths of each study's result files by ``name@scale``."""
    rows, claims = [], []
    others = {name.partition("@")[0]: Results(paths) for name, paths in results.items()}
    for name, paths in results.items():
        found = Results(paths, others)
        folder, stem = Path(paths["diagnostics"]).parent, name.partition("@")[0]
        rows.append(
            summary_row(name, found.diagnostics, paths["n_simulations"], processor_seconds(folder), found.person_90)
        )
        claims += [
            {"study": name} | claim_row(claim, CASE_STUDIES[stem], found) for claim in CLAIMS if claim.study == stem
        ]
    return rows, claims
