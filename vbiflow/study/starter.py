"""A repository of a user's own: Snakefile, study, cohort table, profile and README to begin from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from vbiflow.connectome.region_tables import read_regions
from vbiflow.provenance import ROOT
from vbiflow.reading import suggest

STARTER = ROOT / "resources" / "starter"
KINDS = ("fmri", "eeg", "meg", "seeg", "psd")
SNAKEFILE = """# vbiflow, run in this folder: studies, cohorts, models, features, data and results lie here.
configfile: "config/config.yaml"


module vbiflow:
    snakefile:
        "{root}/Snakefile"
    config:
        config


use rule * from vbiflow
"""
CONFIG = """# What plain `snakemake` runs; on the command line --config 'studies=["my_study@quick"]'.
studies: [my_study]
"""
EDITORS = f"# yaml-language-server: $schema={(ROOT / 'config/schemas/study.schema.json').as_posix()}\n"
"""First line of a study, by which editors complete and check its keys."""


def start_repository(folder: Path, kind: str) -> list[Path]:
    """Write a repository for recordings of one kind into a folder; the files that were written.

    Raises
    ------
    ValueError
        If the kind is unknown, or if one of the files is there already: nothing is overwritten.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; choose from {', '.join(KINDS)}{suggest(kind, KINDS)}")
    files = {
        "Snakefile": SNAKEFILE.format(root=ROOT.as_posix()),
        "README.md": (STARTER / "README.md").read_text(encoding="utf-8"),
        ".gitignore": "/results/\n/resources/data\n/.snakemake/\n__pycache__/\n",
        "config/config.yaml": CONFIG,
        "config/studies/my_study.yaml": EDITORS + (STARTER / f"{kind}.yaml").read_text(encoding="utf-8"),
        "config/cohorts/my_cohort.tsv": (STARTER / f"{kind}.tsv").read_text(encoding="utf-8"),
        **({"data/example_spectra.tsv": example_spectra()} if kind == "psd" else {}),
    }
    present = [name for name in (*files, "profiles") if (folder / name).exists()]
    if present:
        raise ValueError(f"{folder / present[0]} is there already; name an empty folder")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    return [folder / name for name in (*files, "profiles")]


def example_spectra() -> str:
    """A table of invented power spectra, 1/f with a peak at 10 Hz, of the regions that the example's connectome has."""
    regions = read_regions(ROOT / "resources" / "atlases" / "dk.tsv")
    labels = regions.take(regions.where({"structure": "cortex"})).labels
    frequencies = np.arange(1.0, 50.5, 0.5)
    power = 1 / frequencies + 0.5 * np.exp(-0.5 * ((frequencies - 10) / 1.5) ** 2)
    gains = 1 + 0.2 * np.sin(np.arange(len(labels)))
    values = np.column_stack([frequencies, power[:, None] * gains])
    rows = ["\t".join(f"{value:.4g}" for value in row) for row in values]
    return "\n".join(["\t".join(["frequency", *labels]), *rows]) + "\n"
