"""Truths in the 90 % intervals of the studies that ship, among 1 000 held-out simulations.

python -m tests.benchmarks.coverage FOLDER [study ...]

An estimator learns from as many simulations as its study says; those that are held out are more, where they are fewer.
What is in the folder already is kept, so that a second run goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from vbiflow.diagnostics.calibration import coverage
from vbiflow.estimator_options import resolve_options
from vbiflow.io import read, read_attributes
from vbiflow.study import load_study
from vbiflow.study.settings import merge_settings

ROOT = Path(__file__).parents[2]
HELD_OUT = 1000
SHARD = 1000
"""Simulations of a job at least: few jobs, which changes no number."""
STUDIES = (
    "ou_network",
    "hcp_linear@demo",
    "hcp_linear",
    "tiny",
    "jansen_rit_coupling",
    "wilson_cowan_coupling",
    "stuart_landau_coupling",
    "wong_wang_global",
    "wong_wang_coupling@quick",
    "montbrio_coupling@quick",
    "montbrio_measurement_noise@quick",
    "montbrio_noise@quick",
    "meg_recovery",
    "seeg_recovery",
    "eeg_recovery@quick",
    "eeg_recovery@sources",
    "demo_wong_wang",
    "hcp_wong_wang",
    "epileptor_seeg",
    "finger_movements",
)
"""Studies at a size that one computer simulates in minutes; of each, the estimator of the first person."""


@dataclass(frozen=True)
class Coverage:
    """What held-out simulations say of one estimator; the share of truths in 90 % and 50 % intervals a parameter."""

    study: str
    estimator: str
    learnt: int
    held_out: int
    parameters: tuple[str, ...]
    most: list[float]
    half: list[float]
    verdict: str
    reasons: list[str]


def with_held_out(options: dict) -> dict[str, float]:
    """Sizes and shares of an `inference` block by which as many simulations as before are learnt from."""
    options = resolve_options(options) | {"n_simulations": options["n_simulations"]}
    n = options["n_simulations"]
    learnt = round(n * (1 - options["test_share"]))
    if n - learnt >= HELD_OUT:
        return {key: options[key] for key in ("n_simulations", "validation_share", "test_share")}
    total = learnt + HELD_OUT
    return {
        "n_simulations": total,
        "validation_share": options["validation_share"] * n / total,
        "test_share": HELD_OUT / total,
    }


def made(study: str, folder: Path, *files: str) -> tuple[dict, Path]:
    """Settings of a study with 1 000 held out, and the folder of its first estimator, in which `files` are made."""
    stem, _, scale = study.partition("@")
    name, settings = f"{stem}_{scale or 'whole'}", yaml.safe_load((ROOT / f"config/studies/{stem}.yaml").read_text())
    given = settings.pop("scales", {}).get(scale, {})
    settings = merge_settings(settings, given)
    settings["inference"] |= with_held_out(settings["inference"])
    settings["simulation"]["shard_size"] = max(SHARD, settings["simulation"].get("shard_size", 0))
    own = folder / "config" / "studies" / f"{name}.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(yaml.safe_dump(settings, sort_keys=False))
    estimator = load_study(study, ROOT / "config").estimators[0]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--nocolor"]
    targets = [f"results/{name}/{estimator}/{file}" for file in files]
    done = subprocess.run([*command, *targets], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{study}: {(done.stdout + done.stderr)[-3000:]}")
    return settings, folder / "results" / name / estimator


def measure(study: str, folder: Path) -> Coverage:
    """Simulate, train and calibrate the first estimator of a study in a folder of its own."""
    _, estimator = made(study, folder, "diagnostics.h5")
    file = estimator / "diagnostics.h5"
    ranks = read(file, "ranks", "names")
    half, most = coverage(ranks["ranks"], read_attributes(file, "ranks")["n_samples"], [0.5, 0.9])
    judged = json.loads(file.with_suffix(".json").read_text())
    trained = json.loads(file.with_name("training.json").read_text())
    return Coverage(
        study,
        estimator.name,
        trained["n_train"] + trained["n_validation"],
        len(ranks["ranks"]),
        tuple(ranks["names"]),
        most.tolist(),
        half.tolist(),
        judged["verdict"],
        judged["reasons"],
    )


def main() -> None:
    """Print the table of docs/inference_evidence.md, a row a study."""
    folder, wanted = Path(sys.argv[1]).resolve(), sys.argv[2:] or STUDIES
    print("| study | learnt from | held out | truths in 90 % intervals, by parameter | in 50 % | estimator |")
    print("|---|---|---|---|---|---|", flush=True)
    for study in wanted:
        found = measure(study, folder)
        shares = [", ".join(f"{100 * share:.0f}" for share in each) + " %" for each in (found.most, found.half)]
        why = "" if found.verdict == "trusted" else f": {found.reasons[0]}"
        cells = (f"`{study}`, {found.estimator}", found.learnt, found.held_out, *shares, found.verdict + why)
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
