import numpy as np
import pytest

from vbiflow.features import compute, fcd

FS = 2.0


def plain_fcd(series, length, shift):
    upper = np.triu_indices(series.shape[0], 1)
    starts = range(0, series.shape[1] - length + 1, shift)
    return np.corrcoef([np.corrcoef(series[:, start : start + length])[upper] for start in starts])


@pytest.mark.parametrize(("window", "step"), [(30.0, 0.5), (30.0, 2.0), (60.0, 7.5), (2.0, 1.0)])
def test_fcd_agrees_with_its_definition_in_double_precision(ts, window, step):
    for matrix, series in zip(fcd(ts, FS, window, step), ts, strict=True):
        expected = plain_fcd(series.astype(float), round(window * FS), round(step * FS))
        assert matrix.shape == expected.shape
        np.testing.assert_allclose(matrix, expected, atol=1e-5)


def test_fcd_is_symmetric_with_a_diagonal_of_one(ts):
    matrix = fcd(ts[0], FS, 30.0, 2.0)
    np.testing.assert_array_equal(np.diag(matrix), 1)
    np.testing.assert_array_equal(matrix, matrix.T)


def test_fcd_survives_a_drift_far_larger_than_the_fluctuations(ts):
    series = ts[0].astype(float) + np.linspace(0, 1000, ts.shape[-1])
    np.testing.assert_allclose(fcd(series, FS, 30.0, 5.0), plain_fcd(series, 60, 10), atol=1e-4)


def test_two_states_in_turn_give_a_chequered_fcd_of_known_sign():
    rng = np.random.default_rng(0)
    state = np.repeat([0, 1, 0, 1], 200)
    source = rng.standard_normal((2, 800))
    groups = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    series = np.stack([source[groups[state, node], np.arange(800)] for node in range(4)])
    matrix = fcd(series + 0.1 * rng.standard_normal((4, 800)), 1.0, 200.0, 200.0)
    assert matrix[0, 2] > 0.95
    assert matrix[0, 1] < 0


def test_windows_are_in_seconds_so_sampling_does_not_matter():
    rng = np.random.default_rng(3)
    fine = np.repeat(rng.standard_normal((6, 400)) + rng.standard_normal((1, 400)), 3, axis=1)
    coarse = fine[:, ::3]
    np.testing.assert_allclose(fcd(fine, 3.0, 50.0, 10.0), fcd(coarse, 1.0, 50.0, 10.0), atol=1e-5)


def test_summaries_run_over_pairs_of_windows_once(ts, nodes):
    specs = [{"fcd": {"window": 30, "step": 2, "quantiles": [0.05, 0.9]}}]
    out = dict(zip(*(lambda o: (o.names, o.x[0]))(compute(ts, specs, fs=FS, nodes=nodes)), strict=True))
    matrix = fcd(ts[0], FS, 30.0, 2.0).astype(float)
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    assert out["fcd.mean"] == pytest.approx(pairs.mean(), rel=1e-6)
    assert out["fcd.variance"] == pytest.approx(pairs.var(), rel=1e-5)
    assert out["fcd.quantile[0.05]"] == pytest.approx(np.quantile(pairs, 0.05), rel=1e-6)
    assert out["fcd.quantile[0.9]"] == pytest.approx(np.quantile(pairs, 0.9), rel=1e-6)


def test_without_overlap_only_windows_that_share_no_sample_count(ts):
    specs = [{"fcd": {"window": 30, "step": 7, "overlap": False, "statistics": "mean"}}]
    matrix = fcd(ts[0], FS, 30.0, 7.0).astype(float)
    n = len(matrix)
    apart = [matrix[a, b] for a in range(n) for b in range(a, n) if 14 * (b - a) >= 60]
    assert compute(ts, specs, fs=FS).x[0, 0] == pytest.approx(np.mean(apart), rel=1e-6)


def test_spectrum_is_sorted_and_agrees_with_the_matrix(ts):
    specs = [{"fcd": {"statistics": "mean", "eigenvalues": 3, "components": 2}}]
    out = compute(ts, specs, fs=FS)
    matrix = fcd(ts[0], FS, 60.0, 2.0).astype(float)
    spectrum = np.linalg.eigvalsh(matrix)[::-1]
    singular = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False) ** 2
    np.testing.assert_allclose(out.x[0, 1:4], spectrum[:3], rtol=1e-5)
    np.testing.assert_allclose(out.x[0, 4:], (singular / singular.sum())[:2], rtol=1e-4)


def test_mask_restricts_the_pairs_of_nodes(ts, nodes):
    left = [k for k, side in enumerate(nodes.hemispheres) if side == "L"]
    masked = compute(ts, [{"fcd": {"mask": "left"}}], fs=FS, nodes=nodes)
    alone = compute(ts[:, left], ["fcd"], fs=FS)
    np.testing.assert_allclose(masked.x, alone.x, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "fs", "message"),
    [
        ({"window": 400}, 2.0, r"window of 400 s \(800 samples\) is longer than the recording of 320 s \(640 samples"),
        ({"window": 1}, 2.0, "window of 1 s holds 2 samples at fs = 2 Hz, at least 4 are needed"),
        ({"window": 319, "step": 30}, 2.0, "holds 1 window of 319 s every 30 s, at least 2 are needed"),
        ({"window": 300, "overlap": False}, 2.0, "no two windows of 300 s without overlap"),
        ({}, 0.05, "window of 60 s holds 3 samples at fs = 0.05 Hz"),
        ({"mask": "homotopic"}, 2.0, "no pairs of nodes for mask 'homotopic'"),
        ({"step": 60, "eigenvalues": 9}, 2.0, "9 eigenvalues asked for but there are 5 windows"),
    ],
)
def test_windows_that_do_not_fit_the_recording(options, fs, message, ts):
    with pytest.raises(ValueError, match=message) as error:
        compute(ts, [{"fcd": options}], fs=fs)
    assert "\n" not in str(error.value)


def test_one_pair_has_no_fcd(ts):
    with pytest.raises(ValueError, match="1 pairs, at least 3 are needed"):
        compute(ts[:, :2], ["fcd"], fs=FS)


def test_edge_fcd_agrees_with_its_definition(ts):
    from scipy.stats import zscore

    from vbiflow.features.dynamics import edge_fcd

    z = zscore(ts[0].astype(float), axis=1)
    i, j = np.triu_indices(10, 1)
    np.testing.assert_allclose(edge_fcd(ts[:1])[0], np.corrcoef((z[i] * z[j]).T), atol=1e-9)
    out = dict(zip(*(lambda o: (o.names, o.x[0]))(compute(ts[:1], ["fcd_edge"], fs=FS)), strict=True))
    assert out["fcd_edge.size.mean"] == pytest.approx(np.sqrt(((z[i] * z[j]) ** 2).sum(0)).mean())


def test_edge_fcd_of_a_long_recording_is_refused_before_it_fills_memory():
    with pytest.raises(ValueError, match="edge-based FCD of 6000 samples needs a matrix"):
        compute(np.random.default_rng(0).standard_normal((3, 6000)), ["fcd_edge"], fs=FS)


@pytest.mark.parametrize("mask", ["all", "inter", "homotopic"])
def test_running_sums_and_matrix_products_agree(ts, nodes, mask):
    from vbiflow.features import dynamics

    i, j = nodes.pairs(mask)
    products = dynamics.window_products(ts, 60, 7, i, j)
    for series, found in zip(ts, products, strict=True):
        np.testing.assert_allclose(found, dynamics.window_fc(series, 60, 7, i, j), atol=1e-6)


def test_edge_fcd_by_blocks_of_rows_is_the_matrix_above_its_diagonal(ts):
    from vbiflow.features.dynamics import edge_fcd, edge_pairs

    matrix = edge_fcd(ts)
    expected = matrix[:, *np.triu_indices(ts.shape[-1], 1)]
    np.testing.assert_allclose(edge_pairs(ts), expected, atol=1e-6)


def test_memory_of_fcd_is_bounded():
    import tracemalloc

    from vbiflow.features.dynamics import edge_pairs, fcd

    long = np.random.default_rng(0).standard_normal((1, 20, 40_020)).astype("float32")
    works = ((lambda: edge_pairs(long[..., :3000]), 60), (lambda: fcd(long, 100.0, 30.0, 1.0), 60))
    for work, most in works:
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        assert peak < most
