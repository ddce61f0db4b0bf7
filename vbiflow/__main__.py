"""``python -m vbiflow <study>``: where a finished study's report is, and one line on each subject."""

import sys
from pathlib import Path

from vbiflow.io import read, read_json


def summary(study: str, results: Path = Path("results")) -> str:
    """Path of the report, then verdict and posterior of every subject."""
    folder = results / study
    lines = []
    for subject in sorted((folder / "subjects").iterdir()):
        samples = read(subject / "samples.h5", "names", "quantiles", "mean")
        intervals = [
            f"{name} {mean:.3g} [{low:.3g}, {high:.3g}]"
            for name, mean, low, high in zip(
                samples["names"], samples["mean"], samples["quantiles"][0], samples["quantiles"][-1], strict=True
            )
        ]
        shown = ", ".join(intervals[:6]) + (", ..." if len(intervals) > 6 else "")
        lines.append(f"{subject.name}: {read_json(subject / 'verdict.json')['verdict']}; {shown}")
    return "\n".join([*lines, f"report: {folder / 'report.html'}"])


if __name__ == "__main__":
    print(summary(sys.argv[1]))
