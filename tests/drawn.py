"""What stands on a drawn figure: its labels, and texts that the canvas cuts off."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from vbiflow.figures.style import style


def labels(figure):
    """Axis labels and those of colour bars."""
    return [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]


def outside(figure):
    """Texts that the canvas cuts off, by more than 2 pixels."""
    return cut_off(figure) and cut_off(figure)  # a figure that is saved arranges its panels and legends twice


def cut_off(figure):
    """These texts as the figure is drawn once more."""
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
