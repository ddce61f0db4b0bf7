"""The arithmetic behind the figures, against worked numbers and identities."""

from io import BytesIO

import numpy as np
import pytest
from drawn import outside
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import beta, binom, ks_2samp, norm

from vbiflow.case_studies import gpu_check
from vbiflow.figures.case_studies import accuracy, costs, overview
from vbiflow.figures.density import (
    density,
    highest_density_levels,
    joint_density,
    prior_density,
    prior_quantiles,
    top_density,
)
from vbiflow.figures.diagnostics import binned_share, columns_by_parameter, ecdf_band, shrinkage_axis
from vbiflow.figures.estimators import estimators
from vbiflow.figures.joint import limits_within_prior, prior_in_words, view_limits
from vbiflow.figures.predictive import share_below
from vbiflow.figures.recording import ks_distance, separate_windows, standardised
from vbiflow.figures.regional import regional_columns
from vbiflow.figures.regions import group_spans, region_order
from vbiflow.figures.style import (
    canvas,
    number_colours,
    power_of_ten,
    quantity,
    rasterise_dense,
    shorten,
    signed_number,
    styled,
    symbol,
)
from vbiflow.prior import Prior


def test_density_integrates_to_one_and_leaks_nothing_at_a_bound():
    samples = np.abs(np.random.default_rng(0).normal(0, 1, 20000))
    x, y = density(samples, 0.0, 6.0)
    assert y.sum() * (x[1] - x[0]) == pytest.approx(1)
    assert y[0] == pytest.approx(2 * norm.pdf(0), rel=0.05)


def test_joint_keeps_rows_along_y():
    rng = np.random.default_rng(0)
    x, y, mass = joint_density(rng.normal(1, 0.1, 5000), rng.normal(3, 0.1, 5000), (0, 4, 0, 4))
    row, column = np.unravel_index(mass.argmax(), mass.shape)
    assert (x[column], y[row]) == (pytest.approx(1, abs=0.1), pytest.approx(3, abs=0.1))


def test_highest_encloses_the_share_asked_for():
    mass = np.array([[5.0, 1.0], [3.0, 1.0]])
    assert highest_density_levels(mass, (0.5, 0.8, 0.9)) == [1.0, 3.0, 5.0]


def test_prior_density_of_a_uniform_is_flat_and_of_a_normal_is_normal():
    prior = Prior.from_config({"a": {"uniform": [2, 4]}, "b": {"normal": [0, 1]}})
    quantiles = prior_quantiles(prior, 2000)
    assert prior_density(quantiles[:, 0])[1] == pytest.approx(0.5, rel=2e-3)
    x, y = prior_density(quantiles[:, 1])
    middle = np.abs(x) < 2
    assert y[middle] == pytest.approx(norm.pdf(x[middle]), rel=0.02)


def test_what_is_dense_is_an_image_within_a_picture():
    rng = np.random.default_rng(4)
    axes = canvas(2.0).subplots()
    few, many = axes.scatter(*rng.random((2, 1999))), axes.scatter(*rng.random((2, 2001)))
    area, curves = axes.fill_between(range(2001), rng.random(2001)), axes.vlines(range(600), 0, 1)
    contours = axes.contourf(rng.random((4, 4)))
    rasterise_dense(axes.figure)
    assert all(artist.get_rasterized() for artist in (many, area, contours))
    assert not (few.get_rasterized() or curves.get_rasterized())


def test_images_of_few_colours_hold_their_numbers_and_the_same_colours():
    rng = np.random.default_rng(4)
    for n_colours, shorter in ((200, True), (3000, False)):
        colours = rng.integers(0, 256, (n_colours, 4), dtype=np.uint8)
        pixels = colours[rng.integers(0, n_colours, (60, 90))]
        file = BytesIO()
        Image.fromarray(pixels, "RGBA").save(file, "PNG")
        small = number_colours(file.getvalue())
        assert (len(small) < 0.5 * len(file.getvalue())) == shorter
        assert np.array_equal(np.asarray(Image.open(BytesIO(small)).convert("RGBA")), pixels)


def test_coordinates_of_a_picture_are_short_and_nothing_else_is():
    given = '<use id="m1.23456" transform="scale(0.015625)" x="12.345678" y="1"/><path d="M -0.127 3.14159 L 5 6.5"/>'
    short = '<use id="m1.23456" transform="scale(0.015625)" x="12.34" y="1"/><path d="M-0.12 3.14L5 6.5"/>'
    assert shorten(given) == short
    assert shorten('<g transform="translate(1.2345 6) scale(0.0625)">\n  <path/>') == (
        '<g transform="translate(1.23 6) scale(0.0625)">\n<path/>'
    )


def test_band_holds_its_share_of_whole_curves_and_is_wider_than_the_pointwise_one():
    grid = np.linspace(0.05, 0.95, 19)
    low, high = ecdf_band(200, grid)
    uniform = np.random.default_rng(5).random((2000, 200))
    curves = (uniform[:, :, None] <= grid).mean(axis=1)
    inside = ((curves >= low) & (curves <= high)).all(axis=1).mean()
    assert 0.92 < inside < 0.98
    assert np.all(high > binom.ppf(0.975, 200, grid) / 200)


def test_binned_shares_add_up_to_all_events():
    values, event = np.arange(100.0), np.arange(100) >= 75
    x, share, low, high = binned_share(values, event)
    assert share.tolist() == [0, 0, 0, 1]
    assert x.tolist() == [12, 37, 62, 87]
    assert np.all((low <= share + 0.03) & (share - 0.03 <= high))


def test_distance_is_kolmogorov_and_smirnovs():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 300), rng.normal(0.5, 1, 200)
    assert ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic)
    assert np.isnan(ks_distance(a, b[:0]))


def test_apart_takes_the_pairs_of_windows_that_share_no_sample_or_all_where_these_are_few():
    matrix = np.add.outer(10 * np.arange(7.0), np.arange(7.0))
    assert separate_windows(matrix, 2.5).tolist() == [3, 4, 5, 6, 14, 15, 16, 25, 26, 36]
    for lag in (3.5, 99):
        assert separate_windows(matrix, lag).tolist() == matrix[np.triu_indices(7, 1)].tolist()


def test_standardised_rows_have_mean_zero_and_unit_deviation_and_constant_rows_vanish():
    out = standardised(np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]]))
    assert out[0] == pytest.approx(np.array([-1, 0, 1]) * np.sqrt(1.5))
    assert out[1].tolist() == [0, 0, 0]


def test_share_below_counts_ties_half():
    column = np.array([1.0, 2.0, 2.0, 3.0, np.nan])
    assert share_below(column, 2.0) == 0.5
    assert np.isnan(share_below(column, np.nan))


def test_arrange_brings_left_before_right_and_networks_together():
    order = region_order(["R", "L", "", "L", "R", "L"], ["b", "b", "", "a", "a", "b"])
    assert order.tolist() == [3, 1, 5, 4, 0, 2]
    assert group_spans(["a", "a", "b", "a"]) == [("a", 0, 2), ("b", 2, 3), ("a", 3, 4)]


def test_view_shows_posterior_and_map_and_support_stays_inside_the_prior():
    samples, prior = np.linspace(0.2, 0.4, 1001), np.linspace(0, 1, 101)
    low, high = view_limits(samples, 0.5, prior)
    assert 0 < low < 0.2 and 0.5 < high < 1
    assert limits_within_prior(samples, prior, (-0.1, 0.7)) == (0.0, 0.7)


def test_view_leaves_a_long_tail_out_and_holds_the_truth():
    """A narrow posterior with one sample in two hundred anywhere in the prior, as a flow can draw."""
    rng = np.random.default_rng(2)
    samples = np.where(rng.random(20000) < 0.005, rng.random(20000), rng.normal(0.9, 0.005, 20000))
    prior = np.linspace(0.0005, 0.9995, 1000)
    low, high = view_limits(samples, 0.9, prior)
    assert 0.85 < low < 0.88 and 0.92 < high < 0.95
    assert view_limits(samples, np.array([0.9, 0.7, np.nan]), prior)[0] < 0.7
    normal = rng.normal(0.5, 0.01, 20000)
    assert view_limits(normal, 0.5, prior)[0] < np.quantile(normal, 0.001)
    assert prior_in_words(prior, (low, high)) == "prior, 90 %: 0.05 to 0.95"
    assert prior_in_words(prior - 1, (-0.9, 0.1)) == "prior, 90 %: −0.95 to −0.05"
    assert prior_in_words(prior, (-0.1, 1.1)) == ""


def test_regional_columns_are_those_that_end_in_a_node():
    names = [
        "area[a]",
        "area[b]",
        "area.mean",
        "psd.power[alpha][b]",
        "fc.quantile[0.5]",
        "psd.power[beta][a]",
        "area[x]",
    ]
    assert regional_columns(names, ["a", "b"]) == {
        "area": {"a": 0, "b": 1}, "psd.power[alpha]": {"b": 3}, "psd.power[beta]": {"a": 5},
    }  # fmt: skip


def test_names_are_grouped_by_parameter():
    assert columns_by_parameter(["G", "eta[a]", "eta[b]", "w"]) == {"G": [0], "eta": [1, 2], "w": [3]}


@pytest.mark.parametrize(
    ("name", "unit", "printed"),
    [
        ("sigma", "1/sqrt(ms)", "σ [1/√ms]"),
        ("tau_s", "ms", "τ_s [ms]"),
        ("eta[lh-insula]", "1", "η lh-insula"),
        ("G", "1", "G"),
        ("J", "nA", "J [nA]"),
    ],
)
def test_names_are_printed_with_symbol_and_unit(name, unit, printed):
    assert quantity(name, {name.partition("[")[0]: unit}) == printed
    assert quantity(name) == symbol(name)


def test_minus_signs_are_true_ones():
    assert signed_number(-0.456) == "−0.46"


def test_the_overview_of_the_case_studies_has_a_panel_a_study_and_a_colour_a_parameter():
    rng = np.random.default_rng(1)
    theta = rng.uniform(2, 5, (300, 3))
    found = {
        "theta": theta,
        "mean": theta + 0.01 * rng.standard_normal(theta.shape),
        "names": ["G", "eta[a]", "eta[b]"],
    }
    coefficients = found | {"names": ["G", "w.constant", "w.myelin"]}
    figure = overview({f"Figure {k}": coefficients if k == 3 else found for k in range(8)})
    assert len(figure.axes) == 8
    for k, axes in enumerate(figure.axes):
        assert [text.get_text() for text in axes.texts] == ["G 1.00", "w 1.00" if k == 3 else "η 1.00"]
        assert all(text.get_position()[1] > 1 for text in axes.texts)
        points = axes.lines[2].get_xydata()
        assert len(points) == 600 and np.abs(points[:, 0] - points[:, 1]).max() < 0.05


@pytest.mark.parametrize(
    ("n", "rows", "across"), [(4, 1, 4), (8, 2, 5), (20, 4, 5), (21, 3, 7), (22, 4, 6), (24, 4, 6)]
)
def test_the_rows_of_the_overview_are_as_full_as_they_can_be(n, rows, across):
    one = {"theta": np.array([[0.0], [0.4], [1.0]]), "mean": np.array([[0.1], [0.5], [0.9]]), "names": ["G"]}
    grid = overview({f"Figure {k}": one for k in range(n)}).axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (rows, across)


def test_costs_grow_with_the_number_of_simulations_beyond_what_was_measured():
    times, machine = gpu_check()
    rows = [{"study": "a@quick", "simulations": "200", "simulate_s": "20.0", "features_s": "", "train_s": 3.0}]
    figure = costs(rows, times, machine)
    measured, beyond = (line.get_xydata() for line in figure.axes[0].lines[:2])
    cpu = next(one for one in times if one["device"] == "cpu")
    assert measured[0] == pytest.approx(
        [cpu["n_simulations"], cpu["n_simulations"] * cpu["ms_per_simulated_s"] / 14400]
    )
    sizes = [axes.get_position().height for axes in figure.axes]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)
    assert beyond[-1] == pytest.approx(measured[-1] * 5e5 / measured[-1][0])  # 19 hours of all cores for figure 7
    assert 18 < beyond[-1][1] < 20 and outside(figure) == []
    drawn = {line.get_label(): line.get_xdata()[0] for line in figure.axes[1].lines}
    assert drawn.pop("simulation") == 20 and drawn.pop("training") == 3 and np.isnan(list(drawn.values())).all()


def test_costs_are_those_of_the_studies_alone_where_no_gpu_check_is_documented(tmp_path, monkeypatch):
    monkeypatch.setattr("vbiflow.case_studies.ROOT", tmp_path)
    rows = [{"study": "a@quick", "simulations": "200", "simulate_s": "20.0", "features_s": "", "train_s": 3.0}]
    left, right = costs(rows, *gpu_check()).axes
    assert not left.axison and right.lines[0].get_xdata()[0] == 20


def test_accuracy_has_a_colour_a_study_and_a_dash_for_a_second_estimator():
    rng = np.random.default_rng(2)
    each = {key: rng.uniform(0.5, 0.9, (2, 3, 1)) for key in ("rmse", "shrinkage", "coverage_90")}
    two = each | {"estimators": ["maf", "nsf"], "parameters": ["G"], "n_simulations": [100, 300, 1000]}
    one = {key: np.asarray(value)[:1] for key, value in two.items() if key in each}
    figure = accuracy({"montbrio_coupling": two, "jansen_rit_coupling": two | one | {"estimators": ["maf"]}})
    assert outside(figure) == []
    error, left, *inside = figure.axes
    for axes, values in ((error, each["rmse"]), (left, 1 - each["shrinkage"])):
        assert [line.get_linestyle() for line in axes.lines[:3]] == ["-", "--", "-"]
        assert len({line.get_color() for line in axes.lines[:3]}) == 2
        assert axes.lines[1].get_ydata() == pytest.approx(values[1, :, 0])
    for k, (axes, name, studies) in enumerate(zip(inside, ("maf", "nsf"), (2, 1), strict=True)):
        assert axes.get_title(loc="left") == f"90 % intervals, {name}" and len(axes.lines) == studies + 1
        assert axes.lines[0].get_ydata() == pytest.approx(each["coverage_90"][k, :, 0])
    assert {text.get_text() for text in figure.legends[0].get_texts()} >= {"maf", "nsf", "montbrio_coupling, G"}


@pytest.mark.parametrize(
    ("left", "texts"),
    [
        ((1.0, 0.6), ["0", "0.5", "0.8", "0.9"]),
        ((0.3, 2e-3), ["0", "0.9", "0.99"]),
        ((1.0, 1e-6), ["0", "0.99", "0.9999", "0.999999"]),
    ],
)
def test_an_axis_of_shrinkage_tells_what_is_left_of_the_variance(left, texts):
    axes = Figure().subplots()
    axes.plot(left, [0, 1])
    shrinkage_axis(axes)
    assert [text.get_text() for text in axes.get_xticklabels()] == texts
    right, far = axes.get_xlim()
    assert right > far and axes.get_xlabel() == "posterior shrinkage"


@pytest.mark.parametrize(("ends", "label"), [((0, 3e-4), "I [nA] (×10⁻⁴)"), ((0, 3), "I [nA]")])
def test_the_power_of_ten_stands_behind_the_label(ends, label):
    @styled
    def drawn():
        figure = Figure()
        figure.subplots().set(xlim=ends, xlabel="I [nA]")
        return figure

    axes = drawn().axes[0]
    assert axes.get_xlabel() == label and axes.xaxis.offsetText.get_visible() == (label == "I [nA]")
    assert power_of_ten(-12) == "×10⁻¹²" and power_of_ten(5) == "×10⁵"


def test_a_prior_without_bound_at_its_end_does_not_flatten_the_posterior():
    levels = np.linspace(0.0005, 0.9995, 1000)
    _, prior = prior_density(beta(1, 0.4).ppf(levels))
    _, posterior = density(beta(3, 1).ppf(levels), 0, 1)
    assert prior.max() > 100 * posterior.max() and top_density(posterior, prior) < 2 * posterior.max()
    _, uniform = prior_density(levels)
    assert top_density(posterior / 10, uniform) == pytest.approx(1, rel=2e-3)


def test_estimators_of_many_regions_have_their_intervals_in_the_colours_of_the_legend():
    rng = np.random.default_rng(3)
    names = [f"eta[ctx-{side}-{k}]" for side in ("lh", "rh") for k in range(10)]
    samples = {"maf": rng.normal(0.4, 0.1, (4000, 20)), "nsf": rng.normal(0.6, 0.05, (4000, 20))}
    figure = estimators(samples, np.linspace(0, 1, 101)[:, None] * np.ones(20), names)
    for axes, columns in zip(figure.axes, (slice(10), slice(10, 20)), strict=True):
        by_name = {line.get_label(): line for line in axes.lines}
        for name, drawn in samples.items():
            ends = by_name[name].get_ydata().reshape(-1, 3)[:, :2].T
            assert ends == pytest.approx(np.quantile(drawn[:, columns], [0.05, 0.95], axis=0))
            assert {line.get_color() for line in axes.lines if abs(line.get_ydata()[0] - ends[0, 0]) < 1e-12} == {
                by_name[name].get_color()
            }
    colors = {handle.get_label(): handle.get_color() for handle in figure.legends[0].legend_handles[1:]}
    assert colors == {name: line.get_color() for name, line in by_name.items() if name in samples}
    assert len({*colors.values()}) == 2


def test_estimators_over_a_prior_with_a_long_tail_are_drawn_over_the_logarithm():
    """A bin of the whole prior would be four times as wide as the posterior."""
    rng = np.random.default_rng(4)
    prior = np.exp(1.5 * norm.ppf(np.linspace(0.002, 0.998, 201)))[:, None]
    figure = estimators({"maf": np.exp(rng.normal(0, 0.07, (4000, 1)))}, prior, ["a"], truth=np.array([1.0]))
    (axes,) = figure.axes
    (curve,) = (line for line in axes.lines if line.get_label() == "maf")
    x, y = curve.get_data()
    mean = (x * y).sum() / y.sum()
    assert np.sqrt(((x - mean) ** 2 * y).sum() / y.sum()) == pytest.approx(0.07 / np.log(10), rel=0.25)
    assert "1" in [text.get_text() for text in axes.get_xticklabels()]
