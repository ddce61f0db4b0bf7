import numpy as np
import pytest

from vbiflow.features import Nodes, compute, fc

TRIPLE = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0], [4.0, 3.0, 2.0, 1.0]])


def values(out):
    return dict(zip(out.names, out.x[0], strict=True))


def test_fc_of_proportional_and_opposite_series():
    np.testing.assert_allclose(fc(TRIPLE), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=1e-15)


def test_fc_agrees_with_numpy(ts):
    for matrix, series in zip(fc(ts), ts, strict=True):
        np.testing.assert_allclose(matrix, np.corrcoef(series.astype(float)), atol=1e-12)


def test_fc_is_invariant_to_scale_and_offset_and_follows_a_permutation(ts):
    order = np.random.default_rng(0).permutation(10)
    np.testing.assert_allclose(fc(3.0 * ts.astype(float) - 7.0), fc(ts), atol=1e-9)
    np.testing.assert_allclose(fc(ts[:, order]), fc(ts)[:, order][:, :, order], atol=1e-12)


def test_fc_of_a_constant_node_is_zero_even_when_its_mean_rounds():
    series = np.random.default_rng(0).standard_normal((3, 701))
    series[1] = 0.1
    np.testing.assert_array_equal(fc(series)[1], [0, 1, 0])


def test_summaries_by_hand():
    nodes = Nodes(["a_L", "b_L", "a_R"])
    out = values(compute(TRIPLE, [{"fc": {"components": 0}}], fs=1.0, nodes=nodes))
    assert out["fc.mean"] == pytest.approx(-1 / 3)
    assert out["fc.sd"] == pytest.approx(np.std([1, -1, -1]))
    assert out["fc.quantile[0.5]"] == pytest.approx(-1)
    assert out["fc.quantile[0.75]"] == pytest.approx(0)
    assert out["fc.intra.mean"] == pytest.approx(1)
    assert out["fc.inter.mean"] == pytest.approx(-1)
    assert out["fc.homotopic.mean"] == pytest.approx(-1)
    assert [out[f"fc.eigenvalue[{k}]"] for k in (1, 2, 3)] == pytest.approx([3, 0, 0])


def test_quantiles_run_over_pairs_not_over_a_matrix_with_its_diagonal(ts, nodes):
    out = values(compute(ts, [{"fc": {"quantiles": [0, 0.05, 0.5, 1]}}], fs=2.0, nodes=nodes))
    pairs = fc(ts[0])[np.triu_indices(10, 1)]
    for level in (0, 0.05, 0.5, 1):
        assert out[f"fc.quantile[{level}]"] == pytest.approx(np.quantile(pairs, level))


def test_all_eigenvalues_are_sorted_and_add_up_to_the_number_of_nodes(ts, nodes):
    out = compute(ts, [{"fc": {"masks": "all", "statistics": "mean", "eigenvalues": 10, "components": 0}}], fs=2.0)
    spectrum = out.x[:, 1:]
    assert (np.diff(spectrum, axis=1) < 0).all()
    np.testing.assert_allclose(spectrum.sum(axis=1), 10)


def test_component_shares_agree_with_a_singular_value_decomposition(ts, nodes):
    out = values(compute(ts, [{"fc": {"components": 9}}], fs=2.0, nodes=nodes))
    matrix = fc(ts[0])
    singular = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False) ** 2
    shares = [out[f"fc.component[{k}]"] for k in range(1, 10)]
    np.testing.assert_allclose(shares, (singular / singular.sum())[:9], atol=1e-10)


def test_masks_do_not_act_on_each_other(ts, nodes):
    alone = [values(compute(ts, [{"fc": {"masks": mask}}], fs=2.0, nodes=nodes)) for mask in ("intra", "inter")]
    both = values(compute(ts, [{"fc": {"masks": ["intra", "inter"]}}], fs=2.0, nodes=nodes))
    assert both == alone[0] | alone[1]
    assert abs(both["fc.inter.mean"]) > 0


def test_hemispheric_masks_do_not_depend_on_the_order_of_nodes(ts, nodes):
    order = np.argsort(nodes.hemispheres, kind="stable")
    halves = Nodes([nodes.labels[k] for k in order], None, [nodes.networks[k] for k in order])
    specs = [{"fc": {"masks": ["intra", "inter", "homotopic", "Sensory", "between"]}}]
    interleaved, split = compute(ts, specs, fs=2.0, nodes=nodes), compute(ts[:, order], specs, fs=2.0, nodes=halves)
    np.testing.assert_allclose(split.x, interleaved.x, atol=1e-12)


def test_default_masks_are_those_that_the_nodes_have(ts):
    names = compute(ts, ["fc"], fs=2.0).names
    assert "fc.mean" in names
    assert not any("homotopic" in name or "intra" in name for name in names)
    with pytest.raises(ValueError, match="no pairs of nodes for mask 'homotopic'; these nodes have all"):
        compute(ts, [{"fc": {"masks": "homotopic"}}], fs=2.0)


def test_too_many_eigenvalues():
    with pytest.raises(ValueError, match="5 eigenvalues asked for but these nodes have 3; lower eigenvalues"):
        compute(TRIPLE, [{"fc": {"eigenvalues": 5}}], fs=1.0)


def test_strength_and_networks_and_pairs_are_means_over_the_same_matrix(ts, nodes):
    out = values(compute(ts, [{"fc_strength": {"per": "node"}}, "fc_networks", "fc_pairs"], fs=2.0, nodes=nodes))
    matrix = fc(ts[0])
    assert out["fc_strength[V2_R]"] == pytest.approx(np.delete(matrix[2], 2).mean())
    assert out["fc_networks[Sensory][Default]"] == pytest.approx(matrix[:8, 8:].mean())
    assert out["fc_networks[Sensory][Sensory]"] == pytest.approx(matrix[:8, :8][np.triu_indices(8, 1)].mean())
    assert out["fc_networks[Default][Default]"] == pytest.approx(matrix[8, 9])
    assert out["fc_pairs[V1_R][V2_R]"] == pytest.approx(matrix[0, 2])
    assert sum(name.startswith("fc_pairs") for name in out) == 45


def test_networks_need_networks(ts):
    with pytest.raises(ValueError, match="fc_networks: no node has a network"):
        compute(ts, ["fc_networks"], fs=2.0)


def test_partial_correlation_of_a_chain_has_no_edge_between_its_ends():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, 50_000))
    series = np.stack([noise[0], noise[0] + noise[1], noise[0] + noise[1] + noise[2]])
    out = values(compute(series, [{"fc_partial": {"statistics": ["min", "max"]}}, {"fc_pairs": {}}], fs=1.0))
    assert out["fc_pairs[0][2]"] > 0.5
    assert out["fc_partial.min"] == pytest.approx(0, abs=0.02)
    assert out["fc_partial.max"] == pytest.approx(2**-0.5, abs=0.02)


def test_graph_measures_by_hand():
    from vbiflow.features.connectivity import graph_measures

    triangle_and_pair = np.zeros((5, 5))
    for a, b in ((0, 1), (1, 2), (0, 2), (3, 4)):
        triangle_and_pair[a, b] = triangle_and_pair[b, a] = 0.5
    clustering, efficiency, _, modularity = graph_measures(triangle_and_pair, 0.4, ["X"] * 3 + ["Y"] * 2)
    assert clustering == pytest.approx(3 / 5)
    assert efficiency == pytest.approx(8 / 20)
    assert modularity == pytest.approx(1 - (6 / 8) ** 2 - (2 / 8) ** 2)


def test_modularity_is_there_only_where_there_are_networks(ts, nodes):
    assert "fc_graph.modularity" in compute(ts, ["fc_graph"], fs=2.0, nodes=nodes).names
    assert "fc_graph.modularity" not in compute(ts, ["fc_graph"], fs=2.0).names
