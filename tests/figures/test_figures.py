"""Every figure of the registry: drawn with realistic and degenerate data, labelled, within its canvas, same bytes."""

import re
from itertools import combinations, pairwise

import numpy as np
import pytest
from drawn import labels, outside, written
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from vbiflow.connectome import Connectome
from vbiflow.connectome.parcellation import own_centres
from vbiflow.features.scores import SCORES
from vbiflow.figures.brain import read_map
from vbiflow.figures.evidence import heaviest
from vbiflow.figures.recording import read_series
from vbiflow.figures.regional import read_regional_features
from vbiflow.figures.scatter import informative_pairs, telling_features
from vbiflow.figures.style import METADATA, save, style, symbol
from vbiflow.figures.table import FIGURES as TABLE
from vbiflow.figures.table import figure_function
from vbiflow.io import Quantity, read_attributes, write
from vbiflow.prior import Prior

FIGURES = {name: figure_function(name) for name in TABLE}
CURRENTS = {"I [nA]", "σ [nA]"}
"""Labels of the parameters that have a unit; G and w are pure numbers."""
UNITS = {
    "cohort": CURRENTS,
    "covariates": CURRENTS,
    "cohort_pairs": CURRENTS,
    "noise_levels": {"level of noise, σ [nA]"},
    "regional_features": {"value [V s]", "value [V²]"},
    "connectome": {"tract length [mm]", "left to right [mm]", "back to front [mm]"},
    "training": {"loss, −log q(θ | x) [nat]"},
    "recovery": {f"{what} {label}" for what in ("true", "posterior mean of") for label in CURRENTS},
    "calibration": set(),
    "features": set(),
    "ablation": CURRENTS | {"log probability lost [nat]"},
    "baselines": {"time beyond simulating [s]"},
    "learning_curve": {"log q(θ | x) [nat]"},
    "scatter": {"σ [nA]", "feature [mV²]"},
    "plane": {"σ [nA]", "psd.centroid [Hz]"},
    "invalid": CURRENTS,
    "series": {"time [s]", "BOLD [s.d. of each of the regions]"},
    "fc": set(),
    "fcd": {"time of window [s]"},
    "psd": {"frequency [Hz]", "density of EEG [V²/Hz]", "log10 of density [V²/Hz]"},
    "topography": {"power [dB re 1 µV²]"},
    "marginals": CURRENTS,
    "pairs": CURRENTS,
    "estimators": CURRENTS,
    "brain": set(),
    "exact": CURRENTS,
    "rounds": CURRENTS,
    "sensitivity": set(),
    "local_c2st": {"I [nA]"},
    "robust": {"recorded − expected [s.d. of simulations]"},
    "predictive": {"PSD distance [log10]"},
    "misspecification": set(),
    "comparison": set(),
    "amortisation": CURRENTS,
}
"""Every label of an axis or a colour bar that names a unit; a figure with none shows pure numbers alone."""
NAMELESS = ("names", "units")
"""Arguments of posteriors that are no arrays."""
PER_PARAMETER = (
    *("cohort", "covariates", "recovery", "noise_levels", "calibration", "invalid", "marginals", "pairs"),
    *("baselines", "learning_curve", "sensitivity", "local_c2st", "amortisation"),
)


@pytest.mark.parametrize("name", FIGURES)
def test_is_labelled_and_within_the_canvas(name, arguments):
    figure = FIGURES[name](**arguments(4)[name])
    assert outside(figure) == []
    found = labels(figure)
    assert found
    for axes in figure.axes:
        if axes.axison and axes.get_xlabel():
            assert axes.has_data()


def test_titles_of_panels_beside_each_other_do_not_overlap(arguments):
    """With as many features as a power spectrum of every region has, of which only the most extreme are named."""
    given = arguments(4)["misspecification"]
    many = {key: np.tile(given[key], 40) for key in ("x", "x_o", "predicted")} | {"names": given["names"] * 40}
    figure = FIGURES["misspecification"](**many)
    assert "30 most extreme of 1040 features" in figure.axes[0].get_title(loc="left")
    apart(figure, [text for axes in figure.axes for text in (axes.title, axes._left_title) if text.get_text()])


def test_labels_of_small_panels_are_whole_and_do_not_overlap(arguments):
    """Regions of Desikan and Killiany's atlas, whose names are as long as a panel is wide."""
    given = arguments(89)["pairs"]
    regions = ("ctx-rh-caudalanteriorcingulate", "ctx-lh-rostralmiddlefrontal", "Right-Thalamus-Proper")
    names = ["G", *(f"C[{regions[k % 3]}]" for k in range(88))]
    figure = FIGURES["pairs"](**given | {"names": names})
    assert outside(figure) == []
    apart(figure, [axes.xaxis.label for axes in figure.axes if axes.get_xlabel() != "parameter" and axes.get_xlabel()])


def test_ten_parameters_are_a_corner_whose_labels_do_not_overlap(arguments):
    """Global coupling and nine coefficients of maps, with the units of the Wong-Wang model."""
    names = ["G", *(f"{stem}.{term}" for stem in ("w", "I", "sigma") for term in ("constant", "myelin", "gradient"))]
    given = {key: np.asarray(value)[..., :10] for key, value in arguments(89)["pairs"].items() if key not in NAMELESS}
    figure = FIGURES["pairs"](**given, names=names, units={"I": "nA", "sigma": "1/sqrt(ms)"})
    assert len(figure.axes) == 100 and outside(figure) == []
    apart(figure, [axes.xaxis.label for axes in figure.axes if axes.get_xlabel()])
    apart(figure, [axes.yaxis.label for axes in figure.axes if axes.get_ylabel()])
    bottom = [tick.label1 for axes in figure.axes[90:] for tick in axes.xaxis.majorTicks]
    apart(figure, [label for label in bottom if label.get_visible() and label in written(figure)])


def test_joint_posteriors_have_a_legend_that_names_only_what_is_drawn(arguments):
    given = arguments(2)["pairs"]
    for truth, expected in ((given["truth"], True), (np.full(2, np.nan), False)):
        (legend,) = FIGURES["pairs"](**given | {"truth": truth}).legends
        found = [text.get_text() for text in legend.get_texts()]
        assert found[:4] == ["posterior, 50 %", "90 %", "prior", "MAP"] and ("truth" in found) == expected


def test_what_noise_takes_away_is_a_falling_line(arguments):
    """Shrinkage that falls by a line with the noise, and z-scores of a calibrated posterior, in bins of 20."""
    rng = np.random.default_rng(4)
    level = rng.random(200)
    theta = np.stack([rng.random(200), level], axis=1)
    shrinkage = np.stack([1 - level, np.ones(200)], axis=1)
    figure = FIGURES["noise_levels"](theta, rng.standard_normal((200, 2)), shrinkage, ["G", "sigma"], ["sigma"])
    left, right = figure.axes
    falling, flat = (line.get_xydata() for line in left.lines)
    assert len(falling) == 10 and falling.sum(axis=1) == pytest.approx(1) and (flat[:, 1] == 1).all()
    heights = [line.get_ydata().mean() for line in right.lines[:2]]
    assert heights == pytest.approx([0.67, 0.67], abs=0.12)


def test_regional_features_stand_at_their_regions_and_say_how_well_they_are_predicted(arguments):
    given = arguments(4)["regional_features"]
    x_o = np.r_[given["predicted"][:, :80].mean(axis=0), given["x_o"][80:]]
    order = np.random.default_rng(3).permutation(80)
    for regions in (given["labels"], [given["labels"][k] for k in order]):
        figure = FIGURES["regional_features"](**given | {"x_o": x_o, "labels": regions})
        assert [axes.get_title(loc="left").partition(": r = ")[0] for axes in figure.axes] == [
            "area, recorded and predicted", "psd.power[alpha], recorded and predicted",
        ]  # fmt: skip
        points = dict(figure.axes[0].lines[-1].get_xydata())
        assert [points[regions.index(name)] for name in given["labels"]] == pytest.approx(x_o[:80])
        assert "the first 2 of 3 features" in figure.axes[1].get_xlabel()
    assert float(figure.axes[0].get_title(loc="left").partition("r = ")[2]) > 0.5


def test_features_lie_over_the_plane_of_both_parameters_with_the_truths(arguments):
    given = arguments(4)["plane"]
    figure = FIGURES["plane"](**given)
    panels, bars = figure.axes[:3], figure.axes[3:]
    for axes, values, shares in zip(panels, given["x"].T, given["features"].values(), strict=True):
        (dots,) = axes.collections
        assert np.array_equal(dots.get_offsets(), given["theta"]) and np.array_equal(dots.get_array(), values)
        assert [line.get_xydata()[0].tolist() for line in axes.lines] == list(map(list, given["truths"].values()))
        assert axes.get_title(loc="left") == "tells " + " and ".join(
            f"{100 * share:.0f} % of {symbol(name)}" for name, share in shares.items()
        )
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["truth of alice", "truth of bob", "truth of carol"]
    assert [dot.get_color() for dot in legend.get_lines()] == [dot.get_color() for dot in panels[0].lines]
    assert len({dot.get_color() for dot in panels[0].lines}) == 3
    assert [bar.get_yscale() for bar in bars] == ["linear", "log", "linear"]
    assert FIGURES["plane"](**given | {"truths": {}}).legends == []


def test_features_over_the_plane_are_of_each_kind_and_follow_no_other():
    worth = {"fc.sd": 0.9, "fc.mean": 0.8, "fc.max": 0.7, "fc.min": 0.6, "fcd.sd": 0.3, "fcd.mean": 0.2, "area[a]": 0.1}
    chosen = telling_features(worth, [["fc.sd", "fc.mean", "fcd.sd"]], 6)
    assert chosen == ["fc.sd", "fc.max", "fc.min", "fcd.sd", "fcd.mean", "area[a]"]
    many = worth | {f"fcd.quantile[0.{k}]": 0.6 - 0.1 * k for k in range(1, 4)}
    assert telling_features(many, [], 6) == [
        *("fc.sd", "fc.mean", "fc.max"),
        *("fcd.quantile[0.1]", "fcd.quantile[0.2]", "area[a]"),
    ]


@pytest.mark.parametrize(("parameters", "kinds", "n"), [("GJ", 3, 3), ("GJ", 4, 6), ("GJKL", 7, 3)])
def test_of_each_parameter_features_of_every_kind_are_shown_as_far_as_there_is_room(parameters, kinds, n):
    """Statistics of FC and FCD stand beside regional means that tell more (figure 7, supplement 2)."""
    names = [f"{kind}.{statistic}" for kind in ("fc", "fcd", *"abcde")[:kinds] for statistic in ("mean", "sd", "max")]
    informs = {name: dict.fromkeys(parameters, 0.01 * place) for place, name in enumerate(names)}
    pairs = informative_pairs(informs, [])
    assert [parameter for parameter, *_ in pairs] == [one for one in parameters for _ in range(n)]
    shares = [share for *_, share in pairs[:n]]
    assert shares == sorted(shares, reverse=True)
    assert len({name.partition(".")[0] for _, name, _ in pairs}) == min(kinds, n)


def test_a_regional_feature_over_decades_has_few_ticks_that_do_not_collide(arguments):
    given = arguments(4)["regional_features"]
    spread = 10 ** np.linspace(-3.7, -2.1, given["x"].size).reshape(given["x"].shape)
    figure = FIGURES["regional_features"](**given | {"x": spread, "predicted": spread[:20], "x_o": spread[0]})
    figure.canvas.draw()
    for axes in figure.axes:
        labels = [text.get_text() for text in axes.get_yticklabels(which="both") if text.get_text()]
        assert axes.get_yscale() == "log" and 2 <= len(labels) <= 3


@pytest.mark.parametrize("units", ["V s", ["V s", "V s", "s", "s"]])
def test_regional_features_are_read_with_the_unit_that_they_share_or_one_each(units, tmp_path):
    names, x = ["area[a]", "area[b]", "onset[a]", "onset[b]"], np.ones((3, 4))
    quantities = {"x": Quantity(x, units, ("simulation", "feature")), "valid": np.array([True, False, True])}
    write(tmp_path / "features.h5", quantities, {})
    unit = read_attributes(tmp_path / "features.h5", "x")["unit"]
    found = read_regional_features(str(tmp_path / "features.h5"), x[0], names, unit, ["a", "b"], x, 2, "regions")
    assert found["units"] == (units if isinstance(units, list) else 4 * [units])
    assert len(found["x"]) == 2 and found["names"] == names and found["n_features"] == 2


def test_each_person_has_a_colour_in_the_legend_and_in_every_panel(arguments):
    given = arguments(2)["cohort_pairs"]
    figure = FIGURES["cohort_pairs"](**given)
    assert len(figure.axes) == 3 and outside(figure) == []
    (legend,) = figure.legends
    colors = {
        text.get_text(): line.get_color() for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    people = [colors[name] for name in given["samples"]]
    assert len(set(people)) == 3
    rings = {line.get_color(): line.get_xydata()[0] for line in figure.axes[1].lines}
    for name, color in zip(given["samples"], people, strict=True):
        assert rings[color] == pytest.approx(given["truths"][name])


def test_a_spike_at_the_end_of_a_prior_leaves_the_other_densities_visible(arguments):
    given = arguments(2)["cohort_pairs"]
    prior, (first, *others) = given["prior"], given["samples"]
    spike = given["samples"][first].copy()
    spike[:, 0] = prior[-1, 0] - 1e-5 * np.ptp(prior[:, 0]) * np.random.default_rng(0).random(len(spike))
    figure = FIGURES["cohort_pairs"](**given | {"samples": given["samples"] | {first: spike}})
    axes, rows = figure.axes[0], len(others) + 1
    highest = [line.get_ydata().max() for line in axes.lines if len(line.get_ydata()) == 256]
    assert len(highest) == rows and highest[0] > 10 * max(highest[1:])
    assert 0.8 * max(highest[1:]) < axes.get_ylim()[1] < 3 * max(highest[1:])


def apart(figure, texts):
    """Refuse texts that overlap when the figure is drawn."""
    with style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    assert len(boxes) > 1 and not any(one.overlaps(two) for one, two in combinations(boxes, 2))


def test_the_histogram_of_connectivity_is_of_single_simulations(arguments):
    """Noise around zero in recording and simulations: their values spread alike, as those of a mean would not."""
    given = arguments(1)["fc"]
    rng = np.random.default_rng(6)
    noise = rng.normal(0, 0.1, (2, 80, 80))
    observed, predicted = np.triu(noise, 1) + np.triu(noise, 1).transpose(0, 2, 1)
    values = rng.normal(0, 0.1, 5000)
    figure = FIGURES["fc"](**given | {"observed": observed, "predicted": predicted, "values": values})
    heights = [line.get_ydata().max() for line in figure.axes[2].lines]
    assert heights == pytest.approx([3.99, 3.99], rel=0.1)
    assert figure.axes[1].lines[0].get_xydata() == pytest.approx(noise[:, *np.triu_indices(80, 1)].T)


def test_measurement_noise_and_pure_densities_are_labelled_plainly(arguments):
    given = arguments(2)["noise_levels"] | {"names": ["G", "noise"], "noises": ["noise"], "units": {"noise": "V"}}
    assert "level of measurement noise [V]" in labels(FIGURES["noise_levels"](**given))
    found = labels(FIGURES["psd"](**arguments(1)["psd"] | {"unit": "1/Hz"}))
    assert {"density of EEG [1/Hz]", "log10 of density [1/Hz]"} <= set(found)


def test_of_many_parameters_those_that_weigh_most_are_named(arguments):
    given = arguments(89)["sensitivity"]
    vectors = np.zeros((89, 89))
    vectors[:4, [3, 40, 41, 88]] = np.diag([1.0, 0.9, 0.8, 0.7])
    figure = FIGURES["sensitivity"](**given | {"eigenvectors": vectors})
    assert outside(figure) == [] and heaviest(vectors, 1.5)[:2] == [0, 3]
    axis = figure.axes[1].xaxis
    named = dict(zip(axis.get_ticklocs(), [text.get_text() for text in axis.get_ticklabels()], strict=True))
    assert {3, 40, 88} <= named.keys() and 41 not in named
    assert all(label == symbol(given["names"][k]) for k, label in named.items())
    apart(figure, axis.get_ticklabels())


def regional(width, labels, truth=True):
    """Arguments of `marginals` of G and one eta a region, whose prior spans 1 and whose posteriors are as wide."""
    rng, names = np.random.default_rng(3), ["G", *(f"eta[{label}]" for label in labels)]
    centre = np.linspace(0.2, 0.8, len(names))
    return {
        "samples": centre + width * (rng.random((2000, len(names))) - 0.5), "mode": centre, "names": names,
        "prior": np.linspace(0, 1, 101)[:, None] * np.ones(len(names)), "truth": centre if truth else None,
    }  # fmt: skip


def test_violins_of_both_hemispheres_stand_in_one_order_under_names_without_their_marks():
    left = [f"ctx-lh-area{k}" for k in range(20)] + [f"Left-Nucleus{k}" for k in range(4)]
    right = [f"Right-Nucleus{k}" for k in range(4)] + [f"ctx-rh-area{k}" for k in range(20)]
    given = regional(0.4, [*left, *right, "Brain-Stem"])
    figure = FIGURES["marginals"](**given)
    assert outside(figure) == []
    first, second = (axes for axes in figure.axes if axes.get_title(loc="left").endswith("hemisphere"))
    bare = [f"area{k}" for k in range(20)] + [f"Nucleus{k}" for k in range(4)]
    assert [len(axes.get_xticks()) for axes in (first, second)] == [24, 25] and first.get_xticklabels() == []
    assert [tick.get_text() for tick in second.get_xticklabels()] == [*bare, "Brain-Stem"]
    truth = {line.get_label(): line.get_ydata()[::3] for line in second.lines}["truth"]
    known = dict(zip(given["names"], given["truth"], strict=True))
    assert truth == pytest.approx([known[f"eta[{label}]"] for label in (*right[4:], *right[:4], "Brain-Stem")])
    shown = [text.get_text() for text in written(figure)]
    assert shown.count("Nucleus3") == 1 and not any("-lh-" in text or "Right-" in text for text in shown)
    apart(figure, second.get_xticklabels())


@pytest.mark.parametrize(("width", "truth", "away"), [(0.4, True, ""), (0.04, True, "truth"), (0.04, False, "median")])
def test_narrow_posteriors_have_a_row_that_shows_their_width(width, truth, away):
    figure = FIGURES["marginals"](**regional(width, [f"r{k}" for k in range(30)], truth))
    named = [axes for axes in figure.axes if axes.get_ylabel().startswith("η")]
    assert [axes.get_ylabel() for axes in named] == ["η"] + [f"η − {away}"] * bool(away)
    low, high = named[-1].get_ylim()
    assert 0.3 < width / (high - low) < 1
    bars = next(line for line in named[-1].lines if line.get_label() == "90 % interval").get_ydata()
    assert bars[1::3] - bars[::3] == pytest.approx(0.9 * width, rel=0.05)


@pytest.mark.parametrize("name", FIGURES)
def test_axes_name_the_unit_of_what_has_one(name, arguments):
    found = {label for label in labels(FIGURES[name](**arguments(4)[name])) if "[" in label}
    found = {re.sub(r" \(×10.+\)$", "", label) for label in found}
    assert found == UNITS[name] and not any("[y" in label for label in found)


ODD = r" $\frac$ x_{1}^2 \alpha & <b>"
"""Signs that mathtext, or a page, would read as their own."""
NAMED = ("labels", "networks", "names", "subjects", "columns", "parameters", "people", "shown")
"""Arguments whose words, and those that are keys of theirs, are names of regions, parameters, features or people."""


def words(value):
    """All texts in nested arguments."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {word for part in (*value, *value.values()) for word in words(part)}
    return {word for part in value for word in words(part)} if isinstance(value, list | tuple) else set()


def renamed(value, names):
    """Nested arguments with odd names: ``G`` becomes ``G $...``, and ``eta[L_a]`` ``eta[L_a $...]``."""
    if isinstance(value, str):
        return value.removesuffix("]") + ODD + "]" * value.endswith("]") if value in names else value
    if isinstance(value, dict):
        return {renamed(key, names): renamed(part, names) for key, part in value.items()}
    return type(value)(renamed(part, names) for part in value) if isinstance(value, list | tuple) else value


def odd_names(given):
    """Names in the arguments of a figure, without words that the figure itself knows."""
    found = {word for key in NAMED if key in given for word in words(given[key])}
    known = {"median", "q05", "q95", "parameters", "own", "other", "posterior", "rmse", "coverage_90", "shrinkage"}
    numbers = {word for word in found if word.replace(".", "").isdigit()}
    return found - known - numbers - set(SCORES) - {"log_prob", "all", "n/a"}


@pytest.mark.parametrize("name", FIGURES)
def test_names_are_written_as_they_are(name, arguments):
    """A name that holds signs of mathtext is drawn, with these signs, wherever a plain name stands."""
    given = arguments(4)[name]
    names = odd_names(given)
    figure = FIGURES[name](**renamed(given, names))
    outside(figure)
    assert not any(text.get_parse_math() for text in figure.findobj(Text))
    plain = [text.get_text() for text in FIGURES[name](**given).findobj(Text)]
    if any(symbol(one) in plain for one in names):
        assert any(ODD.strip() in text.get_text() for text in figure.findobj(Text))


def test_a_parameter_of_another_unit_is_labelled_so(arguments):
    given = arguments(4)["marginals"] | {"units": {"G": "1/sqrt(ms)"}}
    assert {"G [1/√ms]", "I", "σ"} <= set(labels(FIGURES["marginals"](**given)))


def test_sensors_are_called_sensors(arguments):
    for name in ("psd", "fc", "series"):
        figure = FIGURES[name](**arguments(4)[name] | {"nodes": "sensors"})
        texts = " ".join(text.get_text() for text in figure.findobj(Text))
        assert "sensor" in texts and "region" not in texts and "node" not in texts, name


def test_of_a_long_series_the_start_is_drawn_and_its_title_says_so(arguments):
    given = arguments(1)["series"]
    observed, whole = np.tile(given["observed"], 20), given["observed"].shape[1] * 20
    given |= {"observed": observed, "predicted": observed, "fs": 1000.0, "predicted_fs": 500.0}
    figure = FIGURES["series"](**given)
    title = figure.axes[0].get_title(loc="left") or figure.axes[0].get_title()
    assert title.endswith(f", the first 1.5 of {whole / 1000:.3g} s")
    assert [axes.images[0].get_size()[1] for axes in figure.axes[:2]] == [1500, 750]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == (0, 1500)


@pytest.mark.parametrize("zoned", [True, False])
def test_courses_are_curves_in_their_own_units_coloured_by_zone_or_onset(zoned, arguments):
    """Two of eighty regions, 5 and 9, seize at 4 and 6 s; the parameter of each region says so, or the courses do."""
    given = arguments(1)["series"]
    time = np.arange(100) / 10
    observed = np.full((80, 100), -2.0)
    observed[5, time > 4], observed[9, time > 6] = 1, 1
    names = ["G", *(f"eta[{label}]" for label in given["labels"])] if zoned else ["G"]
    truth = np.r_[1.0, np.full(80, -3.6)][: len(names)]
    if zoned:
        truth[[6, 10]] = -1.6, -2.4
    shown = {"observed": observed, "fs": 10.0, "predicted": observed[:, ::2], "predicted_fs": 5.0, "unit": "mV"}
    posterior = {"names": names, "truth": truth, "mode": truth + 1, "units": {}}
    figure = FIGURES["series"](**read_series(**given | shown, **posterior, has_course=True))
    assert outside(figure) == []
    left, right = figure.axes[:2]
    assert left.get_ylabel() == "BOLD [mV]" and left.get_ylim() == right.get_ylim()
    assert ("true η" if zoned else "onset [s]") in labels(figure)
    courses = left.collections[0].get_segments()
    assert len(courses) == 80 and courses[-1] == pytest.approx(np.stack([time, observed[5]], axis=1))
    assert courses[-2][:, 1] == pytest.approx(observed[9])
    assert right.collections[0].get_segments()[-1] == pytest.approx(courses[-1][::2])
    hot, cold = left.collections[0].to_rgba(left.collections[0].get_array())[[-1, 0]]
    assert hot[0] > hot[2] + 0.3 and np.ptp(cold[:3]) < 0.1
    names_below = [axes.get_title(loc="left") for axes in figure.axes[-4:]]
    assert names_below[:2] == [given["labels"][5], given["labels"][9]]


def test_a_long_tailed_prior_is_drawn_over_the_logarithm(arguments):
    """The posterior of a lognormal parameter takes a good part of its panel, as wide as its logarithm is."""
    given = arguments(1)["marginals"]
    normal = np.sort(np.random.default_rng(5).standard_normal((1000, 1)), axis=0)
    given |= {"prior": np.exp(1.5 * normal), "samples": np.exp(0.5 * normal), "mode": np.ones(1), "truth": np.ones(1)}
    panel = FIGURES["marginals"](**given).axes[0]
    low, high = np.quantile(np.exp(0.5 * normal), [0.05, 0.95])
    width = np.log10(high / low) / np.diff(panel.get_xlim())[0]
    assert 0.15 < width < 0.6
    assert {"0.1", "1", "10"} <= {text.get_text() for text in panel.get_xticklabels()}


def test_names_of_the_strongest_and_weakest_stand_above_the_bars(arguments):
    given = arguments(4)["connectome"]
    figure = FIGURES["connectome"](**given)
    with style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        (panel,) = (axes for axes in figure.axes if axes.get_title(loc="left") == "Node strength")
        names = [text.get_window_extent(canvas.get_renderer()) for text in panel.texts if "est\n" in text.get_text()]
        bars = [bar.get_window_extent(canvas.get_renderer()) for bar in panel.patches]
    assert len(names) == 2 and len(bars) == 80
    assert min(box.y0 for box in names) > max(box.y1 for box in bars) and not names[0].overlaps(names[1])


@pytest.mark.parametrize("low", [1.0, 0.8, 0.02])
@pytest.mark.parametrize("high", [1.3, 4.0, 45.0, 3000.0, 2e7])
def test_ticks_of_the_stiffness_do_not_overlap(low, high, arguments):
    given = arguments(4)["sensitivity"] | {"eigenvalues": np.geomspace(high, low, 4)}
    figure = FIGURES["sensitivity"](**given)
    with style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        axis = figure.axes[0].xaxis
        ticks = [tick.label1 for tick in axis.majorTicks + axis.minorTicks if tick.label1.get_text()]
        boxes = sorted((label.get_window_extent(canvas.get_renderer()) for label in ticks), key=lambda box: box.x0)
    assert len(boxes) >= 2 and all(one.x1 < two.x0 for one, two in pairwise(boxes))


def test_heads_paint_nothing_outside_and_show_their_electrodes(arguments):
    given = arguments(4)["topography"]
    figure = FIGURES["topography"](**given)
    panel = figure.axes[0]
    places = [np.asarray(dots.get_offsets()) for dots in panel.collections]
    assert [len(found) for found in places] == [40]
    assert np.linalg.norm(places[0], axis=1).max() <= 0.095 * (1 + 1e-6)
    with style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    x, y = panel.transData.inverted().transform(np.stack([columns.ravel(), pixels.shape[0] - 1 - rows.ravel()], 1)).T
    beyond = (np.hypot(x, y) > 0.1) & (np.hypot(x, y) < 0.12)
    colourful = np.ptp(pixels.reshape(-1, 3)[beyond], axis=1)
    assert beyond.sum() > 100 and (colourful > 60).sum() == 0


def test_rows_of_spectra_bear_their_names(arguments):
    figure = FIGURES["psd"](**arguments(4)["psd"])
    names = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert names == arguments(4)["psd"]["labels"]


@pytest.mark.parametrize("name", FIGURES)
def test_same_figure_gives_the_same_bytes(name, arguments, tmp_path):
    written = []
    for _ in range(2):
        save(FIGURES[name](**arguments(4)[name]), tmp_path / "figure.svg")
        written.append((tmp_path / "figure.svg").read_bytes())
    assert written[0] == written[1]
    assert b"<dc:date>" not in written[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.svg"]


@pytest.mark.parametrize("n_parameters", [1, 2, 89])
@pytest.mark.parametrize("name", PER_PARAMETER)
def test_holds_for_few_and_many_parameters(name, n_parameters, arguments):
    figure = FIGURES[name](**arguments(n_parameters)[name])
    assert outside(figure) == []
    assert len(figure.axes) <= 12


@pytest.mark.parametrize("name", FIGURES)
def test_survives_single_values_that_are_not_finite(name, arguments):
    given = {key: value if key == "prior" else spoilt(value) for key, value in arguments(4)[name].items()}
    figure = FIGURES[name](**given)
    assert outside(figure) == []
    assert any(axes.has_data() for axes in figure.axes)


def spoilt(value):
    """The value, with one element not-a-number in what holds floats and has more than one axis or 20 elements."""
    if isinstance(value, dict):
        return {key: spoilt(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and (value.ndim > 1 or value.size > 20):
        value = value.copy()
        value[(0,) * (value.ndim - 1) + (-1,)] = np.nan
    return value


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("connectome", "weights"), ("recovery", "theta"), ("calibration", "ranks"), ("series", "observed"),
        ("fc", "predicted"), ("fcd", "observed"), ("marginals", "samples"), ("pairs", "samples"),
        ("brain", "samples"),
        ("psd", "observed"), ("misspecification", "x_o"), ("training", "validation_loss"),
    ],
)  # fmt: skip
def test_refuses_what_holds_no_finite_value_in_one_line(name, argument, arguments):
    given = dict(arguments(4)[name])
    given[argument] = np.full(np.shape(given[argument]), np.nan)
    with pytest.raises(ValueError, match=r"^\w+ holds no finite value \(shape .*\); run the rule that makes it again$"):
        FIGURES[name](**given)


def test_no_invalid_simulation_is_said_in_one_line(arguments):
    given = arguments(4)["invalid"] | {"valid": np.ones(200, bool)}
    assert [text.get_text() for text in FIGURES["invalid"](**given).texts] == ["All 200 simulations are valid."]


def test_no_epoch_is_said_in_one_line():
    assert FIGURES["training"]([], []).texts[0].get_text() == "training.json lists no epoch"


def test_leaves_the_users_own_settings_alone(arguments, tmp_path):
    def drawn():
        save(FIGURES["training"](**arguments(4)["training"]), tmp_path / "training.svg")
        return (tmp_path / "training.svg").read_bytes()

    rcParams["font.size"] = 33.0
    try:
        large = drawn()
        assert rcParams["font.size"] == 33.0
    finally:
        rcParams["font.size"] = 10.0
    assert large == drawn()


def test_save_names_the_formats_that_exist(arguments, tmp_path):
    figure = FIGURES["training"](**arguments(4)["training"])
    with pytest.raises(ValueError, match=rf"unknown figure format '\.gif'; choose from {', '.join(METADATA)}"):
        save(figure, tmp_path / "figure.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_large_cohort_is_drawn_by_rank(arguments):
    given = arguments(4)["cohort"]
    many = {
        name: {key: np.tile(column, 20) + 1e-3 * np.arange(280) for key, column in values.items()}
        for name, values in given["parameters"].items()
    }
    people = {"subjects": [f"s{k}" for k in range(280)], "verdicts": given["verdicts"] * 20, "parameters": many}
    figure = FIGURES["cohort"](**given | people)
    assert outside(figure) == [] and "280 subjects, by rank (20 left out)" in labels(figure)


def test_columns_of_a_cohort_are_numbers_groups_or_not_drawn(arguments):
    figure = FIGURES["covariates"](**arguments(4)["covariates"])
    assert {"age", "group"} <= set(labels(figure)) and "site" not in labels(figure)
    assert any(axes.get_title(loc="left").startswith("ρ = ") for axes in figure.axes)
    given = arguments(4)["covariates"] | {"columns": {"site": [f"town {k}" for k in range(14)]}}
    assert (
        FIGURES["covariates"](**given).texts[0].get_text() == "No column of the cohort holds numbers or a few groups."
    )


def test_connectome_without_centres_stands_on_a_circle(arguments):
    figure = FIGURES["connectome"](**arguments(4)["connectome"] | {"centres": np.full((80, 3), np.nan)})
    assert "centres unknown: on a circle" in labels(figure) and outside(figure) == []
    figure = FIGURES["connectome"](**arguments(4)["connectome"])
    assert "left to right [mm]" in labels(figure)


def test_a_regional_parameter_lies_at_its_regions_whatever_the_order(arguments):
    given = arguments(4)["brain"]
    order = np.random.default_rng(2).permutation(80)
    moved = given | {"labels": [given["labels"][k] for k in order], "centres": given["centres"][order]}
    first, second = (FIGURES["brain"](**one).axes[1].collections[0] for one in (given, moved))
    assert np.array_equal(first.get_offsets(), second.get_offsets()) and len(first.get_offsets()) == 80
    shown = np.asarray(first.get_offsets())[np.argsort(np.asarray(first.get_array()))]
    truth = np.argsort(given["truth"][1:])
    assert np.array_equal(shown, given["centres"][truth][:, :2])


def test_maps_in_mni_space_lie_on_the_glass_brain_and_others_in_the_hull_of_their_dots(arguments):
    """Each map shows its regions, those of the posterior in the order of shrinkage; the glass brain has two shades."""
    given = arguments(4)["brain"]
    for space, outlines in (("mni", 2), ("scanner", 1)):
        figure = FIGURES["brain"](**given | {"space": space})
        maps = [axes for axes in figure.axes if axes.collections and axes.get_aspect() == 1]
        sides = 2 * [given["centres"][:, 0] <= 0, np.ones(80, bool), given["centres"][:, 0] >= 0]
        for axes, shown, along in zip(maps, sides, 2 * [[1, 2], [0, 1], [1, 2]], strict=True):
            found = {tuple(place) for place in axes.collections[0].get_offsets()}
            assert found == {tuple(place) for place in given["centres"][shown][:, along]}
            assert len({patch.get_edgecolor() for patch in axes.patches}) == outlines
        assert [axes.xaxis_inverted() for axes in maps] == 2 * [True, False, False]
        shrinkage = 1 - given["samples"].var(axis=0)[1:] / given["spread"][1:] ** 2
        (dots,) = maps[4].collections
        largest_first = np.argsort(-dots.get_sizes())
        places = np.asarray(dots.get_offsets())[largest_first]
        assert np.array_equal(places, given["centres"][np.argsort(-shrinkage)][:, :2])
    extent = FIGURES["brain"](**given).axes[1].dataLim.extents
    assert extent == pytest.approx([-72, -107, 72, 75], abs=2), "the glass brain from above [mm]"


def test_centres_of_a_persons_own_parcellation_are_known_as_such(tmp_path):
    centres = np.arange(6.0).reshape(2, 3)
    prior = Prior.from_config({"G": {"uniform": [0, 6]}}).to_config()
    for findings, space in (((), "mni"), ((own_centres("labels.nii.gz"),), "scanner")):
        path = tmp_path / "connectome.h5"
        Connectome(np.eye(2), np.ones((2, 2)), ("a", "b"), centres, ("", ""), ("", ""), findings).save(path, {})
        found = read_map(prior, str(path), names=["G"])
        assert found["space"] == space and np.array_equal(found["centres"], centres)
        assert found["spread"] == pytest.approx(3**0.5) and found["names"] == ["G"]


def test_a_map_without_centres_or_truth_says_so(arguments):
    given = arguments(4)["brain"]
    nowhere = FIGURES["brain"](**given | {"centres": np.full((80, 3), np.nan)})
    assert [text.get_text() for text in nowhere.texts] == [
        "Centres of the regions are not known: there is no map to draw."
    ]
    alone = FIGURES["brain"](**given | {"truth": np.full(81, np.nan)})
    titles = {axes.get_title(loc="left") for axes in alone.axes}
    assert "Posterior mean" in titles and not {"Truth", "z-score, this recording"} & titles


def test_a_noise_floor_that_is_not_known_is_not_drawn(arguments):
    known = arguments(4)["predictive"]
    scores = {name: np.empty(0) if name.startswith("floor_") else values for name, values in known["scores"].items()}
    figure = FIGURES["predictive"](scores, known["labels"], known["bounds"])
    assert all("floor" not in axes.get_title() for axes in figure.axes)
    assert len(figure.legends[0].get_texts()) == 1
