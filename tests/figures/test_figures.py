"""Every figure of the registry: drawn with realistic and degenerate data, labelled, within its canvas, same bytes."""

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from vbiflow.figures.style import METADATA, save, style
from vbiflow.figures.table import FIGURES as TABLE
from vbiflow.figures.table import figure_function

FIGURES = {name: figure_function(name) for name in TABLE}
UNITS = {
    "connectome": "[mm]",
    "training": "[nat]",
    "series": "[s]",
    "fcd": "[s]",
    "marginals": "[nA]",
    "pairs": "[nA]",
    "cohort": "[nA]",
    "covariates": "[nA]",
    "amortisation": "[nA]",
}
PER_PARAMETER = (
    *("cohort", "covariates", "recovery", "calibration", "invalid", "marginals", "pairs"),
    *("baselines", "learning_curve", "sensitivity", "local_c2st", "amortisation"),
)


def labels(figure):
    """Axis labels and those of colour bars."""
    return [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]


def outside(figure):
    """Texts that the canvas cuts off, by more than 2 pixels."""
    with style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        width, height = canvas.get_width_height()
        boxes = {text.get_text(): text.get_window_extent(canvas.get_renderer()) for text in written(figure)}
    return [
        text for text, box in boxes.items() if box.x0 < -2 or box.y0 < -2 or box.x1 > width + 2 or box.y1 > height + 2
    ]


def written(figure):
    """Visible texts of a drawn figure, without the tick labels beyond the ends of their axis."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.majorTicks + axis.minorTicks if not low <= tick.get_loc() <= high]
            beyond |= {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text() and id(text) not in beyond]


@pytest.mark.parametrize("name", FIGURES)
def test_is_labelled_and_within_the_canvas(name, arguments):
    figure = FIGURES[name](**arguments(4)[name])
    assert outside(figure) == []
    found = labels(figure)
    assert found
    assert any(UNITS.get(name, "") in label for label in found)
    for axes in figure.axes:
        if axes.axison and axes.get_xlabel():
            assert axes.has_data()


@pytest.mark.parametrize("name", FIGURES)
def test_same_figure_gives_the_same_bytes(name, arguments, tmp_path):
    for run in ("first.svg", "second.svg"):
        save(FIGURES[name](**arguments(4)[name]), tmp_path / run)
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "first.svg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.svg", "second.svg"]


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
    rcParams["font.size"] = 33.0
    try:
        save(FIGURES["training"](**arguments(4)["training"]), tmp_path / "large.svg")
        assert rcParams["font.size"] == 33.0
    finally:
        rcParams["font.size"] = 10.0
    save(FIGURES["training"](**arguments(4)["training"]), tmp_path / "usual.svg")
    assert (tmp_path / "large.svg").read_bytes() == (tmp_path / "usual.svg").read_bytes()


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
