"""Tables as text: Markdown for the documentation, tabs for files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; blanks in cells are single, and their bars are no borders."""
    lines = []
    for cells in (header, *rows):
        texts = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
        lines.append("|" + "".join(f" {text} |" if text else " |" for text in texts))
    return "\n".join([lines[0], f"|{'---|' * len(header)}", *lines[1:]])


def tab_separated(header: Sequence[str], rows: Iterable[Mapping[str, Any]], missing: str = "") -> str:
    """A table of tab-separated values, `missing` where a row has no entry."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval=missing, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
