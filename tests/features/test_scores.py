import numpy as np
import pytest
from scipy.stats import ks_2samp, pearsonr

from vbiflow.features import fc, fcd
from vbiflow.features.scores import fc_correlation, fcd_ks, ks_distance, psd_distance


def test_fc_correlation_of_a_matrix_with_itself_is_one_and_agrees_with_scipy(ts):
    matrices = fc(ts)
    found = fc_correlation(matrices, matrices[0])
    upper = np.triu_indices(10, 1)
    assert found[0] == pytest.approx(1)
    assert found[1] == pytest.approx(pearsonr(matrices[1][upper], matrices[0][upper]).statistic)
    assert found.shape == (4,)


def test_fc_of_other_nodes_is_refused(ts):
    with pytest.raises(ValueError, match="FC of 10 nodes cannot be compared with FC of 9 nodes"):
        fc_correlation(fc(ts), fc(ts[0, :9]))


def test_ks_distance_agrees_with_scipy_ties_included():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 20, 300).astype(float), rng.integers(3, 25, 200).astype(float)
    assert ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic)
    assert ks_distance(a, a) == 0
    assert ks_distance(a, a + 100) == 1


def test_fcd_ks_compares_values_above_the_diagonal(ts):
    matrices, other = fcd(ts, 2.0, 30.0, 5.0), fcd(ts[0, :, :500], 2.0, 30.0, 5.0)
    upper = [matrix[np.triu_indices(len(matrix), 1)] for matrix in (matrices[1], other)]
    assert fcd_ks(matrices, other)[1] == pytest.approx(ks_2samp(*upper).statistic)
    assert fcd_ks(matrices[1], other) == fcd_ks(matrices, other)[1]


def test_psd_distance_is_in_decades():
    density = np.random.default_rng(0).uniform(1, 2, (3, 4, 50))
    np.testing.assert_allclose(psd_distance(density, density[0])[0], 0)
    np.testing.assert_allclose(psd_distance(100 * density[:1], density[0]), 2)
    with pytest.raises(ValueError, match="density at 50 frequencies cannot be compared with one at 40"):
        psd_distance(density, density[0, :, :40])
