"""Features against the VBI toolkit 0.4.4 (`make test-peers`), where it is right.

What differs, and why it is not compared:

- Quantiles of FC run there over the whole matrix with its diagonal set to 0, here over pairs; eigenvalues are unsorted.
- Its spectral centroid, spread and distance never look at the data, and its `fft` spectrum is an amplitude that grows
  with the length of the recording: neither is a density.
- Its burstiness leaves the sign of the mean in, so that it leaves [-1, 1]; zero crossings are counted, not a rate.
- Its entropy by bins is that of all nodes together; its envelope repeats itself.
"""

import numpy as np
import pytest

from vbiflow.features import Nodes, compute

pytestmark = pytest.mark.peers
vbi = pytest.importorskip("vbi.feature_extraction.features")

FS = 2.0
SAME = {
    "calc_mean": "mean", "calc_median": "median", "calc_var": "variance", "calc_std": "sd", "calc_min": "minimum",
    "calc_max": "maximum", "calc_skewness": "skewness", "calc_kurtosis": "kurtosis", "rms": "rms",
    "interq_range": "interquartile_range", "mean_abs_dev": "mean_absolute_deviation",
    "median_abs_dev": "median_absolute_deviation",
}  # fmt: skip


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    return rng.standard_normal((6, 801)) + 0.1 * rng.standard_normal((6, 801)).cumsum(axis=-1) + 0.5


def of(series, name, **options):
    nodes = Nodes([str(k) for k in range(len(series))])
    return compute(series, [{name: options}], fs=FS, nodes=nodes).x[0]


@pytest.mark.parametrize("theirs", SAME)
def test_statistics_of_each_node_are_the_same(theirs, series):
    expected = getattr(vbi, theirs)(series)[0]
    np.testing.assert_allclose(of(series, SAME[theirs], per="node"), expected, rtol=1e-9)


def test_moments_and_energy_are_the_same_up_to_units(series):
    expected = np.asarray(vbi.calc_moments(series)[0]).reshape(-1, len(series))
    found = of(series, "moments", per="node", orders=[2, 3, 4, 5, 6]).reshape(-1, len(series))
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    np.testing.assert_allclose(of(series, "energy", per="node") * FS, vbi.abs_energy(series)[0], rtol=1e-9)
