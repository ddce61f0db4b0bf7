"""``python -m vbiflow``: begin a repository, check a study's people, plan its cost, read what came out."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vbiflow.diagnostic_options import THRESHOLDS
from vbiflow.exclusion import read_exclusion
from vbiflow.io import read, read_json


def summary(study: str, results: Path = Path("results")) -> str:
    """Verdict and its three parts, medians and 90 % intervals of every subject, or why one is left out; the report."""
    folder = results / study
    lines = []
    for subject in sorted(path.parent for path in (folder / "subjects").glob("*/samples.h5")):
        note = read_exclusion(subject / "samples.h5")
        if note:
            lines.append(f"{subject.name}: left out: {note.reason}")
            continue
        samples, verdict = read(subject / "samples.h5", "names", "quantiles"), read_json(subject / "verdict.json")
        low, _, median, _, high = samples["quantiles"]
        told = {name: one["information"] >= THRESHOLDS["information"] for name, one in verdict["parameters"].items()}
        intervals = [
            f"{name} {middle:.3g} [{lowest:.3g}, {highest:.3g}]" + ("" if told[name] else " (as the prior)")
            for name, middle, lowest, highest in zip(samples["names"], median, low, high, strict=True)
        ]
        shown = ", ".join(intervals[:6]) + (", ..." if len(intervals) > 6 else "")
        lines += [f"{subject.name}: {verdict['verdict']}; {shown}", *describe_parts(verdict["parts"])]
    return "\n".join([*lines, f"report: {folder / 'report.html'}"])


def describe_parts(parts: Mapping[str, Any]) -> list[str]:
    """A line each on estimator, recording and model, with its numbers."""
    estimator, recording = parts["estimator"], parts["recording"]
    asked = {"rarity": "among the simulations", "features": "of its features re-simulated"}
    p = ", ".join(
        f"smallest p = {recording['p'][key]:.2g} {words}" for key, words in asked.items() if key in recording["p"]
    )
    scores = "; ".join(score["short"] for score in parts["model"]["scores"].values())
    return [
        f"  estimator {estimator['verdict']}: {estimator['words']}",
        f"  recording {recording['verdict']}: {p}",
        f"  model: {scores or 'no series to grade it by'}",
    ]


def show_summary(options: argparse.Namespace) -> int:
    """Print where a finished study's report is, and a line a person."""
    report = Path("results") / options.study / "report.html"
    if not report.exists():
        raise ValueError(f"{report}: not there; it is made by: snakemake {report}")
    print(summary(options.study))
    return 0


def init(options: argparse.Namespace) -> int:
    """Write a repository of the user's own."""
    from vbiflow.study.starter import start_repository

    for path in start_repository(Path(options.folder), options.kind):
        print(path)
    print(f"next: cd {options.folder}; python -m vbiflow check my_study; snakemake")
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what would become of each person of a study; status 1 if somebody would be left out."""
    from vbiflow.study import load_study
    from vbiflow.study.people import check_people

    states: Counter[str] = Counter()
    for outcome in check_people(load_study(options.study)):
        states[outcome.state] += 1
        print(f"{outcome.person}: {outcome.state}: {outcome.text}", flush=True)
    others = {"left out": "would be left out", "unread": "have files that are fetched when the study runs"}
    rest = [f"{states[state]} {words}" for state, words in others.items() if states[state]]
    print("; ".join([f"{states['ready']} of {states.total()} would be ready", *rest]))
    return int(states["left out"] > 0)


def plan(options: argparse.Namespace) -> int:
    """Print what a study would cost, from a few simulations on this machine."""
    from vbiflow.study import load_study
    from vbiflow.study.plan import CORES, plan_study

    print(plan_study(load_study(options.study), options.cores or CORES).text())
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; a mistake is told in one line."""
    parser = argparse.ArgumentParser(prog="python -m vbiflow", description="Virtual Brain Inference with Snakemake")
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("init", help="begin a repository of your own: a study, a cohort table, a README")
    command.add_argument("folder")
    command.add_argument("--kind", default="fmri", help="of the recordings: fmri, eeg, meg, seeg, psd (default fmri)")
    command.set_defaults(run=init)
    for name, run, text in (
        ("check", check, "read every file of a study's cohort, and say what would happen, a person a line"),
        ("plan", plan, "hours, jobs, memory and disk of a study, from a few simulations on this machine"),
        ("summary", show_summary, "report and posteriors of a finished study"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("study", help="<study> or <study>@<scale>")
        command.set_defaults(run=run)
        if name == "plan":
            command.add_argument(
                "--cores", type=int, nargs="+", help="numbers of cores that the wall time is for (default 1 8 64)"
            )
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
