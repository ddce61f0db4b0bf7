"""One look for every figure: colours with a fixed meaning, one typography, files that are the same bytes each time."""

from __future__ import annotations

import base64
import functools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection, PathCollection, QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogFormatter,
    LogFormatterMathtext,
    MaxNLocator,
    NullFormatter,
    ScalarFormatter,
)
from PIL import Image

from vbiflow.io import sealed

WIDTH = 7.1
"""Width of a figure across the page of a journal [inch]."""

PALETTE = {
    "prior": "#8a8f98",
    "posterior": "#0072b2",
    "observed": "#1a1a1a",
    "predicted": "#d55e00",
    "truth": "#009e73",
    "band": "#d9dce1",
    "ink": "#333a44",
}
"""Colour of each role (Okabe and Ito's colour-blind safe set, and greys)."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6a4c93", "#1a1a1a")
"""Colours of parameters, where several share one panel."""

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "text.parse_math": False,  # names of regions, parameters and people are text, whatever signs they hold
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "text.color": PALETTE["ink"],
    "axes.labelcolor": PALETTE["ink"],
    "axes.edgecolor": PALETTE["ink"],
    "xtick.color": PALETTE["ink"],
    "ytick.color": PALETTE["ink"],
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.formatter.limits": (-3, 4),
    "lines.linewidth": 1.0,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.borderpad": 0.2,
    "legend.handlelength": 1.4,
    "image.interpolation": "nearest",
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "vbiflow",
    "pdf.fonttype": 42,
}

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "epsilon": "ε", "eta": "η", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "omega": "ω", "phi": "φ", "rho": "ρ", "sigma": "σ", "tau": "τ", "theta": "θ",
}  # fmt: skip

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

NOT_DRAWN = "not-drawn"
"""Id, within an SVG, of the line that stands in place of a figure that could not be drawn."""

DENSE = 2000
"""Points from which on a cloud, or lines and areas drawn as one, are an image within an SVG."""

COORDINATES = re.compile(r'(?<= )(?:d|x|y)="[^"]*"|(?<=")translate\([^)]*\)')
DECIMALS = re.compile(r"(\.\d\d)\d+")
COMMANDS = re.compile(r"\s*\b([MLHVCSQTAZz])\b\s*")
INDENTS = re.compile(r"\n\s+")
IMAGES = re.compile(r"(?<=base64,)[\sA-Za-z0-9+/=]+")
METADATA = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults with `STYLE`, whatever the user's own configuration says, within the block."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def styled(function: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw `function`'s figure in the common style."""

    @functools.wraps(function)
    def draw(*args: Any, **options: Any) -> Figure:
        with style():
            figure = function(*args, **options)
            rasterise_dense(figure)
            for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
                if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
                    axis.set_major_formatter(LogNumbers())
                if isinstance(axis.get_minor_formatter(), LogFormatterMathtext):
                    axis.set_minor_formatter(LogNumbers(labelOnlyBase=False))
                move_exponent(axis)
            return figure

    return draw


def move_exponent(axis: Axis) -> None:
    """Write the power of ten of an axis's numbers behind its label, with which it would collide."""
    numbers, label = axis.get_major_formatter(), axis.get_label_text()
    if isinstance(numbers, ScalarFormatter) and label:
        numbers.set_locs(axis.get_majorticklocs())
        if factor := re.fullmatch(r"1e[-−]?\d+", numbers.get_offset()):
            axis.set_label_text(f"{label} ({power_of_ten(int(factor[0][2:].replace('−', '-')))})")
            axis.offsetText.set_visible(False)


def power_of_ten(exponent: int) -> str:
    """Return a factor in words, such as ×10⁻⁴."""
    return f"×10{str(exponent).translate(SUPERSCRIPTS)}"


def rasterise_dense(figure: Figure) -> None:
    """Let an SVG hold a cloud or areas of more than `DENSE` points, and filled contours, as an image."""
    for artist in (artist for axes in figure.axes for artist in axes.collections):
        points = artist.get_offsets() if isinstance(artist, PathCollection) else corners_of(artist)
        if len(points) > DENSE or isinstance(artist, ContourSet | QuadMesh):
            artist.set(rasterized=True, antialiased=True)


def corners_of(artist: Collection) -> np.ndarray:
    """Corners (n, 2) of all paths of an artist."""
    return np.concatenate([np.empty((0, 2)), *(path.vertices for path in artist.get_paths())])


def canvas(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of `width` x `height` [inch] that arranges its panels itself."""
    return Figure(figsize=(width, height), layout=Layout(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.03))


class Layout(ConstrainedLayoutEngine):
    """Constrained layout with rounded positions: its last digits vary, and names in an SVG follow from them."""

    def execute(self, fig: Figure) -> Any:
        """Arrange the panels of a figure."""
        found = super().execute(fig)
        for axes in fig.axes:
            in_layout = axes.get_in_layout()
            axes.set_position(np.round(axes.get_position(original=True).bounds, 6))
            axes.set_in_layout(in_layout)
        return found


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure atomically; the format follows the suffix, and the same figure gives the same bytes.

    Raises
    ------
    ValueError
        If the suffix is not one of .svg, .pdf, .png.
    """
    suffix = Path(path).suffix
    if suffix not in METADATA:
        raise ValueError(f"{path}: unknown figure format {suffix!r}; choose from {', '.join(METADATA)}")
    with style(), sealed(path) as part:
        figure.savefig(part, format=suffix[1:], metadata=METADATA[suffix])
        if suffix == ".svg":
            part.write_text(shorten(part.read_text("utf-8")), "utf-8")


def shorten(svg: str) -> str:
    """Cut coordinates off at hundredths of a point, leave out spaces, and write images of few colours by number."""
    svg = COORDINATES.sub(lambda found: COMMANDS.sub(r"\1", DECIMALS.sub(r"\1", found[0])), svg)
    svg = INDENTS.sub("\n", svg)
    return IMAGES.sub(lambda found: base64.b64encode(number_colours(base64.b64decode(found[0]))).decode(), svg)


def number_colours(png: bytes) -> bytes:
    """The same PNG, of up to 256 colours, with the number of its colour for each pixel; as it is if it has more."""
    pixels = np.asarray(Image.open(BytesIO(png)).convert("RGBA"))
    colors, numbers = np.unique(pixels.view(np.uint32), return_inverse=True)
    if len(colors) > 256:
        return png
    red_to_alpha = colors.view(np.uint8).reshape(-1, 4)
    image, file = Image.fromarray(numbers.reshape(pixels.shape[:2]).astype(np.uint8), "P"), BytesIO()
    image.putpalette(red_to_alpha[:, :3].tobytes())
    image.save(file, "PNG", optimize=True, transparency=red_to_alpha[:, 3].tobytes())
    return file.getvalue()


def letter_panels(panels: Sequence[Axes]) -> None:
    """Put a bold letter before the title of each panel, A, B, C, ...; one alone needs none."""
    if len(panels) < 2:
        return
    for letter, axes in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", panels, strict=False):
        axes.annotate(
            letter, (0, 1), (-4, 5), xycoords="axes fraction", textcoords="offset points",
            ha="right", va="baseline", weight="bold", fontsize=9,
        )  # fmt: skip


def dot_options(n: int, alpha: float = 0.6) -> dict[str, Any]:
    """Return plot options of a cloud of `n` points: smaller and fainter the more there are, an image beyond 500."""
    size = float(np.clip(90 / max(n, 1) ** 0.5, 1.8, 5.0))
    fade = float(np.clip(alpha * (1500 / max(n, 1)) ** 0.5, 0.08, alpha))
    return {
        "linestyle": "none",
        "marker": ".",
        "markersize": size,
        "alpha": fade,
        "markeredgewidth": 0,
        "rasterized": n > 500,
    }


def log_ticks(axis: Axis, most: int = 5) -> None:
    """Label at most `most` ticks of a logarithmic axis: powers of ten, or 1, 2 and 5 times them on a short one."""
    axis.set_major_locator(FixedLocator(ticks_between(*sorted(axis.get_view_interval()), most)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    axis.set_minor_formatter(NullFormatter())


def ticks_between(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` round numbers within positive bounds, evenly spread on a logarithmic axis."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**k for k in powers for m in factors if low <= m * 10.0**k <= high]
        if len(ticks) <= most:
            break
    if len(ticks) < 2:  # less than a factor of three: round numbers on a linear scale
        ticks = [float(tick) for tick in MaxNLocator(most - 1).tick_values(low, high) if low <= tick <= high]
    return ticks[:: -(-len(ticks) // most)]


class LogNumbers(LogFormatter):
    """Labels of a logarithmic axis, as `plain_number` writes them, at the ticks that matplotlib labels."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of one tick, empty where it has none."""
        return plain_number(x) if super().__call__(x, pos) else ""


def plain_number(value: float) -> str:
    """A tick of a logarithmic axis: digits where there are few, else a power of ten."""
    if value < 0:
        return f"−{plain_number(-value)}"
    if value == 0 or 1e-3 <= value <= 9999:
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**exponent)
    power = f"10{str(exponent).translate(SUPERSCRIPTS)}"
    return power if factor == 1 else f"{factor}·{power}"


def signed_number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign, as on the axes."""
    return f"{value:.{digits}f}".replace("-", "−")


def message(text: str) -> Figure:
    """Return a figure that says in one line why there is nothing to draw."""
    figure = canvas(0.6)
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=8)
    return figure


def region(name: str) -> str:
    """Return the region that a regional parameter, such as ``eta[lh-insula]``, belongs to."""
    return name.partition("[")[2].rstrip("]")


def symbol(name: str) -> str:
    """Return a parameter's name as it is printed: ``sigma`` as σ, ``eta[lh-insula]`` as η lh-insula, ``w.myelin`` as
    w myelin.
    """
    stem, bracket, node = name.partition("[")
    stem, node = (stem, node.removesuffix("]")) if bracket else name.partition(".")[::2]
    head, underscore, rest = stem.partition("_")
    printed = GREEK.get(head, head) + underscore + rest
    return f"{printed} {node}" if node else printed


def quantity(name: str, units: dict[str, str] | None = None) -> str:
    """Return an axis label: symbol and, unless the quantity is a pure number, its unit in brackets."""
    return with_unit(symbol(name), (units or {}).get(name.partition("[")[0].partition(".")[0], "1"))


def with_unit(label: str, unit: str) -> str:
    """Return a label with its unit in brackets, unless it is that of a pure number."""
    return label if unit in ("1", "") else f"{label} [{unit.replace('sqrt(ms)', '√ms').replace('^2', '²')}]"


def widen(low: float, high: float, share: float) -> tuple[float, float]:
    """Return an interval widened on both sides by a share of its length."""
    extra = share * (high - low) or 1e-9
    return float(low - extra), float(high + extra)


def finite_array(name: str, values: Any) -> np.ndarray:
    """Return `values` as an array of floats.

    Raises
    ------
    ValueError
        If there is nothing in it, or nothing finite.
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0 or not np.isfinite(array).any():
        raise ValueError(f"{name} holds no finite value (shape {array.shape}); run the rule that makes it again")
    return array
