import re

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from vbiflow.features import FEATURES, SETS, Nodes, compute, features_schema, features_table, read_specs
from vbiflow.features.extraction import Batch, extract

SAMPLING = {"eeg": 100.0}


def of(name, ts, nodes, **keywords):
    return compute(ts, [name], fs=SAMPLING.get(FEATURES[name].signals, 2.0), nodes=nodes, **keywords)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_finite_named_deterministic_and_leaves_its_input(name, ts, nodes):
    before = ts.copy()
    first, second = of(name, ts, nodes), of(name, ts, nodes)
    assert np.isfinite(first.x).all(), first.reason
    assert first.valid.all()
    assert len(set(first.names)) == len(first.names) == first.x.shape[1]
    assert all(full.startswith(name) for full in first.names)
    assert first.x.tobytes() == second.x.tobytes()
    assert ts.tobytes() == before.tobytes()


@pytest.mark.parametrize("name", FEATURES)
def test_the_order_of_an_array_in_memory_changes_nothing(name, ts, nodes):
    expected = of(name, ts, nodes).x
    for stored in (np.asfortranarray(ts), np.repeat(ts, 2, axis=2)[..., ::2]):
        np.testing.assert_array_equal(of(name, stored, nodes).x, expected)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_tells_simulations_apart(name, ts, nodes):
    x = of(name, ts, nodes).x
    assert (x.std(axis=0) > 0).any()


@pytest.mark.parametrize("name", FEATURES)
def test_rows_do_not_depend_on_how_simulations_are_batched_or_split(name, ts, nodes):
    whole = of(name, ts, nodes)
    parts = np.concatenate([of(name, ts[:1], nodes).x, of(name, ts[1:], nodes).x])
    assert whole.x.tobytes() == parts.tobytes()
    np.testing.assert_allclose(of(name, ts, nodes, batch=3).x, whole.x, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", FEATURES)
def test_values_follow_the_unit_of_the_series_as_their_own_units_say(name, ts, nodes):
    """In a unit half as large the series doubles, and a value in y^n becomes 2^n times as large."""
    one, two = of(name, ts, nodes, unit="y"), of(name, 2 * ts, nodes, unit="y")
    for column, unit in enumerate(one.units):
        power = re.match(r"(log10 )?y(?:\^(\d+))?(?![\w^])", unit)
        factor = 2.0 ** int(power[2] or 1) if power else 1.0
        before = one.x[:, column]
        shift = np.log(2) if name == "entropy" else 0.0  # differential entropy, relative to the unit
        expected = before + np.log10(factor) if power and power[1] else before * factor + shift
        np.testing.assert_allclose(
            two.x[:, column], expected, rtol=2e-3, atol=1e-6, err_msg=f"{one.names[column]} [{unit}]"
        )


@pytest.mark.parametrize(
    ("name", "own", "signal", "unit"),
    [
        ("variance", ".V1", "mV", "mV^2"),
        ("variance", "[V1_L]", "T/m", "(T/m)^2"),
        ("variance", "", "1", "1"),
        ("moments", "[3].mean", "V", "V^3"),
        ("line_length", "", "1", "1/s"),
        ("energy", "", "1", "s"),
        ("psd", "power[alpha].mean", "V", "V^2"),
        ("psd", "peak_density", "V", "V^2/Hz"),
        ("psd", "relative[alpha]", "V", "1"),
        ("psd", "edge[0.95]", "V", "Hz"),
        ("spectrum", "[1-2 Hz].mean", "1", "log10 1/Hz"),
        ("hmm", "dwell[3]", "V", "s"),
        ("hmm", "occupancy[3]", "V", "1"),
        ("hjorth", "mobility.mean", "V", "1/s"),
    ],
)
def test_unit_of_a_value(name, own, signal, unit):
    assert FEATURES[name].unit_of(own, signal) == unit


@pytest.mark.parametrize("name", FEATURES)
def test_nan_and_constant_nodes_keep_the_length_and_are_flagged(name, ts, nodes):
    damaged = ts.copy()
    damaged[0, 3, 100] = np.nan
    damaged[1, 5] = 0.1
    damaged[2] = 0.0
    whole, out = of(name, ts, nodes), of(name, damaged, nodes)
    assert out.names == whole.names
    assert out.valid.tolist() == [False, False, False, True]
    assert out.reason[0] == "not finite in V2_L"
    assert out.reason[1] == "constant in M1_L"
    assert out.reason[2] == "constant in V1_R, V1_L, V2_R and 7 more"
    assert np.isnan(out.x[0]).all()
    assert not np.isinf(out.x).any()
    assert out.x[3].tobytes() == whole.x[3].tobytes()


@pytest.mark.parametrize("name", FEATURES)
def test_nothing_but_damaged_rows_still_gives_all_names(name, ts, nodes):
    out = of(name, np.full_like(ts[:2], np.nan), nodes)
    assert out.names == of(name, ts[:1], nodes).names
    assert not out.valid.any()


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_described(name):
    feature = FEATURES[name]
    assert feature.summary.endswith(".")
    assert len(feature.summary) < 140
    assert feature.unit
    assert all(option.meaning for option in feature.options.values())
    assert f"| `{name}` |" in features_table()


def test_values_do_not_depend_on_the_order_of_features(ts, nodes):
    names = [{name: {"window": 3, "step": 1}} if name == "fcd" else name for name in FEATURES]
    forward = compute(ts[:2], names, fs=100.0, nodes=nodes)
    backward = compute(ts[:2], names[::-1], fs=100.0, nodes=nodes)
    order = [backward.names.index(name) for name in forward.names]
    assert forward.x.tobytes() == np.ascontiguousarray(backward.x[:, order]).tobytes()


def test_per_node_names_follow_the_nodes_when_they_are_permuted(ts, nodes):
    order = np.random.default_rng(1).permutation(10)
    shuffled = Nodes([nodes.labels[k] for k in order], None, [nodes.networks[k] for k in order])
    specs = [{name: {"per": ["node", "network", "mean"]}} for name in FEATURES if "per" in FEATURES[name].options]
    straight, permuted = (
        compute(ts, specs, fs=100.0, nodes=nodes),
        compute(ts[:, order], specs, fs=100.0, nodes=shuffled),
    )
    assert set(straight.names) == set(permuted.names)
    index = [permuted.names.index(name) for name in straight.names]
    np.testing.assert_allclose(permuted.x[:, index], straight.x, rtol=1e-6, atol=1e-9)


def test_recording_and_simulation_take_the_same_path(ts, nodes):
    out = compute(ts[0], ["fc", "variance"], fs=2.0, nodes=nodes)
    assert out.x.tobytes() == compute(ts[:1], ["fc", "variance"], fs=2.0, nodes=nodes).x.tobytes()


def test_same_feature_twice_under_two_names(ts, nodes):
    specs = [{"fcd": {"window": 30}}, {"fcd": {"window": 60, "as": "slow_fcd"}}]
    names = compute(ts, specs, fs=2.0, nodes=nodes).names
    assert {"fcd.variance", "slow_fcd.variance"} <= set(names)


def test_progress_counts_up_to_all(ts, nodes):
    calls = []
    compute(ts, ["mean"], fs=2.0, nodes=nodes, batch=3, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(3, 4), (4, 4)]


def test_no_simulation_gives_no_row_but_all_names(ts, nodes):
    out = compute(ts[:0], ["mean"], fs=2.0, nodes=nodes)
    assert out.x.shape == (0, 1)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["fdc"], "unknown feature 'fdc'; choose from mean, "),
        ([], "is not a list of features; choose from "),
        ("fc", "is not a list of features"),
        ([["fc"]], "neither a name nor a name with options"),
        ([{"fc": {}, "fcd": {}}], "neither a name nor a name with options"),
        ([{"fcd": {"windows": 30}}], "feature fcd: unknown option 'windows'; choose from window, step, "),
        ([{"fcd": {"window": "30"}}], "feature fcd, option window: '30' is not a number"),
        ([{"fcd": {"window": -1}}], "feature fcd, option window: -1 is below 0"),
        ([{"fcd": {"overlap": 1}}], "option overlap: 1 is not a boolean"),
        ([{"fc": {"statistics": ["mode"]}}], "option statistics: unknown value 'mode'; choose from mean, sd, "),
        ([{"fc": {"eigenvalues": 2.5}}], "option eigenvalues: 2.5 is not an integer"),
        ([{"mean": {"per": "region"}}], "unknown value 'region'; choose from node, network, contrast, mean, sd"),
        ([{"fc_networks": {"per": "node"}}], "feature fc_networks: unknown option 'per'; it has none"),
        ([{"fc": {"as": "fc.slow"}}], "feature fc: as: 'fc.slow' is not a word of letters, digits and _"),
        (["fc", {"fc": {"eigenvalues": 2}}], "feature fc is asked for twice; rename one"),
        ([{"fc": {"quantiles": [0.5, 1.5]}}], r"quantile levels \[0.5, 1.5\] are not all in \[0, 1\]"),
        ([{"fc": {"quantiles": [0.5, 0.5]}}], r"two values are named fc.quantile\[0.5\]"),
    ],
)
def test_what_a_study_asks_for_wrongly(specs, message, ts, nodes):
    with pytest.raises(ValueError, match=message) as error:
        compute(ts, specs, fs=2.0, nodes=nodes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("shape", "fs", "message"),
    [
        ((4, 9, 640), 2.0, "ts has 9 nodes, not the 10 labelled"),
        ((4, 10, 2), 2.0, "ts has 2 samples, at least 4"),
        ((1, 4, 10, 640), 2.0, "ts has 4 axes"),
        ((4, 10, 640), 0.0, "fs = 0.0 is not a sampling rate; give it in Hz"),
        ((4, 10, 640), float("nan"), "fs = nan is not a sampling rate"),
    ],
)
def test_series_that_do_not_fit(shape, fs, message, nodes):
    with pytest.raises(ValueError, match=message):
        compute(np.zeros(shape), ["mean"], fs=fs, nodes=nodes)


def test_network_values_need_networks(ts):
    with pytest.raises(ValueError, match="per: network, but no node has a network"):
        compute(ts, [{"mean": {"per": "network"}}], fs=2.0)


def test_schema_accepts_the_defaults_and_rejects_a_misspelt_option():
    check = Draft202012Validator(features_schema())
    for name, feature in FEATURES.items():
        plain = {
            key: list(option.default) if isinstance(option.default, tuple) else option.default
            for key, option in feature.options.items()
        }
        assert check.is_valid([name, {name: plain}]), name
    assert not check.is_valid([{"fcd": {"windows": 30}}])
    assert not check.is_valid([{"fcd": {"window": "30"}}])


def test_defaults_pass_their_own_check():
    for name, feature in FEATURES.items():
        assert read_specs([{name: dict(feature.options and feature.read({}))}]), name


def test_shared_intermediates_are_computed_once(ts, nodes):
    calls = []

    def costly(series):
        calls.append(1)
        return series.sum()

    batch = Batch(ts, 2.0, nodes)
    assert batch.shared(costly) == batch.shared(costly)
    assert len(calls) == 1


def test_a_feature_whose_names_and_values_disagree_is_refused(ts, nodes):
    from vbiflow.features.feature import Feature
    from vbiflow.features.registry import Request

    broken = Feature("broken", lambda batch: iter([(["a"], batch.ts[:, :2, 0])]), "1")
    with pytest.raises(ValueError, match="feature broken gave 1 names for values of shape"):
        extract(Batch(ts, 2.0, nodes), [Request(broken, "broken", {})])


def test_a_study_brings_its_own_feature(tmp_path, ts, nodes):
    text = (
        "from vbiflow.features import feature, per\n\n"
        '@feature("swing", unit="y", per=per("node"))\n'
        "def swing(batch, *, per):\n"
        '    """Highest less lowest value."""\n'
        "    yield batch.nodes.reduce(batch.ts.max(axis=-1) - batch.ts.min(axis=-1), per)\n"
    )
    (tmp_path / "swing.py").write_text(text)
    out = compute(ts, ["swing", "mean"], fs=2.0, nodes=nodes, folder=tmp_path)
    assert out.names[0] == "swing[V1_R]"
    np.testing.assert_allclose(out.x[:, 0], np.ptp(ts[:, 0], axis=-1), rtol=1e-6)
    assert "swing" not in FEATURES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "no feature named 'own'; decorate a function"),
        ("import nothing_of_the_kind\n", "ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
    ],
)
def test_a_study_brings_a_broken_feature(tmp_path, ts, text, message):
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        compute(ts, ["own"], fs=2.0, folder=tmp_path)


def test_a_name_is_not_a_path(tmp_path, ts):
    with pytest.raises(ValueError, match=r"unknown feature '\.\./own'"):
        compute(ts, ["../own"], fs=2.0, folder=tmp_path)


@pytest.mark.parametrize("name", SETS)
def test_default_sets_stand_for_their_features(name, ts, nodes):
    fs = 2.0 if name == "default_bold" else 100.0
    whole = compute(ts, [name, "skewness"], fs=fs, nodes=nodes)
    each = compute(ts, [*SETS[name], "skewness"], fs=fs, nodes=nodes)
    assert whole.names == each.names and whole.valid.all()
    assert whole.x.tobytes() == each.x.tobytes()
