"""Whoever follows a page from top to bottom gets what it shows (`make test-docs`)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pages import blocks, expected, script

from vbiflow.provenance import ROOT

sys.path.append(str(ROOT / "tests" / "workflow"))
from checkout import Copy

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path):
    """A checkout with the environment of these tests as its own, whose library is found from every folder."""
    copy = Copy(tmp_path / "vbiflow")
    (copy.path / ".venv").symlink_to(sys.prefix)
    return copy.path


def follow(page, folder):
    """Run the commands of a page in a folder; what they print."""
    text = script(blocks(ROOT / "docs" / page))
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.parametrize("page", ["tutorial_fmri.md", "tutorial_eeg.md"])
def test_a_tutorial_from_top_to_bottom(page, clone):
    output = follow(page, clone)
    Path(clone / "output.txt").write_text(output)
    for line, printed in expected(blocks(ROOT / "docs" / page), output):
        pytest.fail(f"{page} shows {line!r}; printed was\n{printed[-3000:]}")


def insert(path, after, entry):
    """Put an entry into a file behind the line that opens its table."""
    text = path.read_text()
    assert text.count(after) == 1, after
    path.write_text(text.replace(after, f"{after}\n{entry.rstrip()}"))


def test_a_feature_a_figure_and_an_estimator_as_the_page_says(clone):
    """The tiny study with all three, from start to end; the figure and its caption stand in the report."""
    page = blocks(ROOT / "docs" / "extending.md")
    for block in page:
        if block.title:
            (clone / block.title).parent.mkdir(exist_ok=True)
            (clone / block.title).write_text(block.text)
    figure, estimator, options = [block.text for block in page if block.text.startswith("    ")]
    insert(clone / "vbiflow/figures/table.py", "FIGURES: dict[str, Figure] = {", figure)
    file = clone / "vbiflow/inference/estimators.py"
    insert(file, "ESTIMATORS: dict[str, Estimator] = {", estimator)
    file.write_text(file.read_text().replace("import build_maf, ", "import build_maf, build_maf_rqs, "))
    insert(file, "from vbiflow.inference.flows import maf_density, maf_samples, nsf_density, nsf_samples",
           "from vbiflow.inference.spline_maf import spline_maf_samples")  # fmt: skip
    insert(clone / "vbiflow/estimator_options.py", "ESTIMATOR_OPTIONS: dict[str, dict[str, int | float]] = {", options)
    tiny = (clone / "config/studies/tiny.yaml").read_text().partition("scales:")[0]
    tiny = tiny.replace("features: [fc]", "features: [fc, {swing: {per: [mean, sd]}}]").replace(
        "inference:\n", "inference:\n  estimator: {maf_rqs: {num_transforms: 3}}\n"
    )
    (clone / "config/studies/extended.yaml").write_text(tiny)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "1",
        "--quiet",
        "rules",
        "--",
        "results/extended/report.html",
    ]
    done = subprocess.run(command, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    text = (clone / "results/extended/report.html").read_text()
    assert "swing.mean" in text and "maf_rqs" in text and "Samples of the first parameter, counted." in text
    assert (clone / "results/extended/subjects/101309/figures/histograms.svg").is_file()
