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
