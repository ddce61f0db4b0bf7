"""Checkouts for the tests of the workflow."""

import pytest
from checkout import Copy


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path / "vbiflow")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy in which the tiny study has run from start to end; `traces` says which functions its scripts called."""
    copy = Copy(tmp_path_factory.mktemp("finished") / "vbiflow")
    copy.traces = tmp_path_factory.mktemp("traces")
    done = copy.snakemake("--notemp", "results/tiny/report.html", traces=copy.traces)
    assert done.returncode == 0, done.stdout[-4000:]
    return copy
