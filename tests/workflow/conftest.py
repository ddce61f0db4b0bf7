"""Copys for the tests of the workflow."""

import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import Copy, fetch_data
from filelock import FileLock


@pytest.fixture(scope="session", autouse=True)
def data() -> None:
    """The tiny study's input data in the repository, fetched once for all workers; without a network as it is."""
    try:
        fetch_data()
    except ValueError as error:
        if "no network" not in str(error):
            raise


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "vbiflow")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Copy:
    """A checkout in which the tiny study has run from start to end, the same for all workers: tests only read it.

    Its folder `traces` says which functions its scripts called.
    """
    base = tmp_path_factory.getbasetemp()
    path = (base if worker_id == "master" else base.parent) / "finished" / "vbiflow"
    with FileLock(base.parent / f"{base.name if worker_id == 'master' else ''}finished.lock"):
        if not path.exists():
            shutil.rmtree(path.parent, ignore_errors=True)
            (path.parent / "traces").mkdir(parents=True)
            making = Copy(path.with_name("making"))
            done = making.snakemake("--notemp", "results/tiny/report.html", traces=making.traces)
            assert done.returncode == 0, done.stdout[-4000:]
            making.path.rename(path)
    return Copy(path)


@pytest.fixture
def again(copy: Copy, finished: Copy) -> Copy:
    """A checkout of one's own in which the tiny study has run."""
    subprocess.run(["cp", "-a", finished.path / "results", finished.path / ".snakemake", copy.path], check=True)
    return copy
