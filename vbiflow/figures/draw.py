"""Draw all figures of a scope: one that cannot be drawn is told and replaced by a line that says why."""

from __future__ import annotations

import textwrap
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from vbiflow.figures.style import NOT_DRAWN, message, save
from vbiflow.io import parameter_units, read, read_attributes, read_json

Files = Mapping[str, str | Sequence[str]]


def draw_figures(
    entries: Mapping[str, Mapping[str, Any]],
    files: Files,
    parameters: Mapping[str, Any],
    paths: Mapping[str, str | Path],
    say: Callable[[str], None] = print,
) -> list[str]:
    """Draw figures one after the other; print each with its time; return the names of those that could not be drawn.

    Parameters
    ----------
    entries : module, arguments and reading function of each figure by name, as ``Figure.plain`` gives them.
    files : paths of the inputs, by name.
    parameters : what comes from the study, by name.
    paths : where each figure goes.
    say : told in one line of a figure that could not be drawn.

    Raises
    ------
    ValueError
        If an input cannot be read; the line names the figure and the file.
    """
    broken = []
    for number, (name, entry) in enumerate(entries.items(), 1):
        begin = time.monotonic()
        module = import_module(f"vbiflow.figures.{entry['module']}")
        try:
            arguments = {key: value_of(source, files, parameters) for key, source in entry["arguments"].items()}
        except (ValueError, KeyError) as error:
            raise ValueError(f"figure {name}: {error}") from None
        try:
            if entry["read"]:
                arguments = getattr(module, entry["read"])(**arguments)
            save(getattr(module, name)(**arguments), paths[name])
        except Exception as error:  # whatever is wrong with one figure, the others are drawn
            traceback.print_exc()
            broken.append(name)
            reason = f"{name} could not be drawn: {str(error) or type(error).__name__}"
            save(not_drawn(reason), paths[name])
            say(f"figure {reason}; the page says so in its place")
        print(f"{number}/{len(entries)} {name}, {time.monotonic() - begin:.1f} s", flush=True)
    return broken


def value_of(source: str, files: Files, parameters: Mapping[str, Any]) -> Any:
    """What the source of an argument stands for: see ``vbiflow.figures.table.Figure``."""
    name, slash, rest = source.partition("/")
    if not slash:
        return parameters[name] if name in parameters else files[name]
    path, (dataset, at, attribute) = str(files[name]), rest.partition("@")
    if attribute == "units":
        return parameter_units(path)
    if at:
        return read_attributes(path, dataset or None)[attribute]
    return read_json(path)[dataset] if path.endswith(".json") else read(path, dataset)[dataset]


def not_drawn(reason: str) -> Any:
    """A line that stands in place of a figure."""
    figure = message(textwrap.shorten(" ".join(reason.split()), 110, placeholder=" ..."))
    figure.texts[0].set_gid(NOT_DRAWN)
    return figure
