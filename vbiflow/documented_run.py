"""Tables of the case studies that the documentation keeps; ``python -m vbiflow.documented_run`` takes new results."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from vbiflow.case_studies import CASE_STUDIES
from vbiflow.io import atomic, write_text
from vbiflow.provenance import ROOT
from vbiflow.text_tables import markdown_table, tab_separated

DOCUMENTED = ROOT / "docs" / "case_studies"
TABLES = ("summary", "claims")
PICTURES = ("overview", "accuracy")
COLOURS = 128
"""Of a committed picture, which so takes a quarter of the bytes."""


def case_studies_run() -> str:
    """The summary of the last documented run of every case study, as a Markdown table."""
    return documented_table("summary")


def case_studies_claims() -> str:
    """The claims that those runs decided, as a Markdown table."""
    return documented_table("claims")


def documented_table(name: str) -> str:
    """A table that the documentation keeps, as Markdown."""
    text = (DOCUMENTED / f"{name}.tsv").read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    return markdown_table([column.replace("_", " ") for column in header], rows)


def merge_table(documented: str, results: str) -> str:
    """Both tables in one: of a study that ran again, at whatever scale, the new rows take the place of the old.

    Both are tab-separated with a column ``study``; rows keep the order of `CASE_STUDIES`. What an old row had no
    column for stays empty.
    """
    old, new = rows_by_study(documented), rows_by_study(results)
    rows = [row for name in CASE_STUDIES for row in new.get(name) or old.get(name, ())]
    return tab_separated(list(max(rows, key=len)), rows)


def rows_by_study(table: str) -> dict[str, list[dict[str, str]]]:
    """Rows of a tab-separated table by their study, without its scale."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t"):
        found.setdefault(row["study"].partition("@")[0], []).append(row)
    return found


def update_documented_run(results: Path) -> None:
    """Take the tables from `results`, and the pictures of all studies where all of them ran."""
    new = {name: (results / f"{name}.tsv").read_text(encoding="utf-8") for name in TABLES}
    for name, table in new.items():
        path = DOCUMENTED / f"{name}.tsv"
        write_text(path, merge_table(path.read_text(encoding="utf-8"), table))
    if rows_by_study(new["summary"]).keys() == CASE_STUDIES.keys():
        for name in PICTURES:
            reduce_colours(results / f"{name}.png", DOCUMENTED / f"{name}.png")


def reduce_colours(picture: Path, path: Path) -> None:
    """Write a PNG file with few colours."""
    from PIL import Image

    reduced = Image.open(picture).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    with atomic(path) as part:
        reduced.save(part, "PNG", optimize=True)


if __name__ == "__main__":
    update_documented_run(Path("results/case_studies"))
