"""What `import vbiflow` offers: a few names, imported when they are used, with which a posterior can be had."""

import re
import subprocess
import sys

import numpy as np
import pytest

import vbiflow
from vbiflow.provenance import ROOT


def test_every_name_is_there_and_unknown_ones_say_which_are():
    for name in vbiflow.__all__:
        assert getattr(vbiflow, name) is not None
        assert name in dir(vbiflow)
    assert {*vbiflow.HOMES, *vbiflow.PACKAGES} == {*vbiflow.__all__}
    with pytest.raises(AttributeError, match=r"no attribute 'simulat'; it offers .*simulate"):
        vbiflow.simulat  # noqa: B018


def test_the_import_itself_loads_nothing_else():
    slow = ("numpy", "numba", "torch", "h5py")
    command = f"import sys, vbiflow; print(*[name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_from_simulations_to_a_posterior():
    """The example of docs/library.md: the posterior of the noise is about the value that made the series."""
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    found = {}
    exec(re.search(r"```python\n(import numpy.*?)```", text, re.DOTALL)[1], found)
    assert isinstance(found["posterior"], vbiflow.Posterior)
    samples, theta = found["samples"], found["theta"]
    assert samples.shape == (500, 1) and np.quantile(samples, 0.01) < 1 < np.quantile(samples, 0.99)
    assert samples.std() < 0.5 * theta.std()


def test_the_page_names_what_the_library_offers():
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert {*re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)} == {*vbiflow.__all__}
